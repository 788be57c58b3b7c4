//! One item of a task on a host: the condition, the tries, and what counts as changed or failed.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Span};
use rplay_event::Event;
use rplay_playbook::{Keyword, Task};
use rplay_template::{Decision, Origin, Value, Vars, unknown};
use rplay_vars::{Level, Scope};
use serde_json::{Value as Json, json};

use crate::ahead::{OnItsWay, Turn};
use crate::host_run::HostRun;
use crate::known_part;
use crate::result::{Ending, TaskResult};
use crate::run::Run;
use crate::task::TaskContext;
use crate::text;

/// Seconds: Ansible takes no longer timeout.
const LONGEST_TIMEOUT: f64 = 100_000_000.0;

/// What the conditions around a task come to.
pub(crate) struct Gate {
    /// The result, where the task does not run.
    pub not_run: Option<TaskResult>,
    /// Where the conditions stand in braces; a result has its own.
    pub braces: Vec<Span>,
}

impl Run {
    /// Decides the conditions around a task.
    ///
    /// # Errors
    /// A condition that cannot be evaluated, or a host to delegate to that cannot be told.
    pub(crate) fn condition(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Gate, Diagnostic> {
        self.delegation(context, vars)?;
        let mut braces = vec![];
        let not_run = |result: TaskResult, braces| Gate {
            not_run: Some(TaskResult { braces, ..result }),
            braces: vec![],
        };
        let mut undecided: Vec<Origin> = vec![];
        for node in context.frame.all(Some(&context.task), Keyword::When) {
            match self.decide(node, vars, &mut braces)? {
                Decision::True => {}
                Decision::False => {
                    let result = TaskResult::skipped("Conditional result was False")
                        .with("false_condition", text::plain_json(node));
                    return Ok(not_run(result, braces));
                }
                Decision::Unknown(origins) => {
                    undecided.extend(
                        origins
                            .into_iter()
                            .filter(|o| !undecided.contains(o))
                            .collect::<Vec<_>>(),
                    );
                }
            }
        }
        if !undecided.is_empty() {
            return Ok(not_run(TaskResult::unknown(undecided), braces));
        }
        Ok(Gate {
            not_run: None,
            braces,
        })
    }

    /// Runs one item until it is good or the tries are used up; `turn` is what was decided of it
    /// before.
    pub(crate) async fn attempts(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        scope: Scope,
        turn: Option<Turn>,
    ) -> TaskResult {
        let mut braces = vec![];
        let mut result = self.tries(context, host, scope, turn, &mut braces).await;
        result.braces.splice(..0, braces);
        self.tell_of_braces(context, &result.braces);
        result
    }

    async fn tries(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        scope: Scope,
        turn: Option<Turn>,
        braces: &mut Vec<Span>,
    ) -> TaskResult {
        let scope = self.with_delegate(context, &host.name, scope);
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let mut early = match turn {
            Some(Turn::Skipped(result)) => return *result,
            Some(Turn::Sent(mut early, _)) => {
                braces.append(&mut early.braces);
                Some(*early)
            }
            None => match self.condition(context, &vars) {
                Err(diagnostic) => return self.failure(&diagnostic),
                Ok(gate) => {
                    if let Some(not_run) = gate.not_run {
                        return not_run;
                    }
                    braces.extend(gate.braces);
                    None
                }
            },
        };
        let keywords = &context.task.keywords;
        let until = keywords.get(Keyword::Until);
        let number = |keyword, default: f64| {
            let node = keywords.get(keyword);
            node.map_or(Ok(default), |node| text::number(&self.templar, node, &vars))
        };
        let default = if until.is_some() { 3.0 } else { 0.0 };
        let (retries, delay) = match (
            number(Keyword::Retries, default),
            number(Keyword::Delay, 5.0),
        ) {
            (Ok(retries), Ok(delay)) => (retries, delay),
            (Err(diagnostic), _) | (_, Err(diagnostic)) => return self.failure(&diagnostic),
        };
        // Tries are counted; a fraction of one means nothing.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let retries = retries.max(0.0) as u64;
        let mut attempt = 1;
        loop {
            let mut result = self.once(context, host, &vars, early.take()).await;
            result.delegated_to = self.delegated_to(context, &vars);
            let ran = result.data.contains_key("stdout") && !result.data.contains_key("changed");
            if result.is_failed() && is_command(&context.task) && ran {
                // It ran, so it may have changed anything, however it ended.
                result.data.insert("changed".to_owned(), true.into());
            }
            let tried = until.is_some() || retries > 0;
            if tried && !matches!(result.end, Ending::Unknown(_) | Ending::Skipped(_)) {
                result.data.insert("attempts".to_owned(), attempt.into());
            }
            let mut result = self.verdict(context, &scope, result, braces);
            self.explain(context, &scope, &mut result);
            let good = match until {
                None if result.is_failed() && retries > 0 => Ok(Decision::False),
                None => Ok(Decision::True),
                Some(node) => self.judged(context, &scope, &result, node, braces),
            };
            match good {
                _ if result.is_unreachable() || matches!(result.end, Ending::Unknown(_)) => {
                    return result;
                }
                Err(diagnostic) => return self.failure(&diagnostic),
                Ok(Decision::True) => return result,
                Ok(Decision::Unknown(origins)) => return result.undecided(origins),
                Ok(Decision::False) if attempt > retries => {
                    // As in Ansible, which does not count the first try where none was good.
                    result.data.insert("attempts".to_owned(), retries.into());
                    // As in Ansible, `failed_when` has the last word.
                    if !result.is_failed() && keywords.get(Keyword::FailedWhen).is_none() {
                        let changes = std::mem::take(&mut result.changes);
                        let words = format!("it was not so after {attempt} tries");
                        result = TaskResult {
                            data: result.data,
                            changes,
                            ..TaskResult::failed(words)
                        };
                    }
                    return result;
                }
                Ok(Decision::False) => {
                    self.emit(Event::Retrying {
                        task: context.id,
                        host: host.name.clone(),
                        left: retries - attempt + 1,
                        item: None,
                    });
                    tokio::time::sleep(Duration::from_secs_f64(delay.max(0.0))).await;
                    attempt += 1;
                }
            }
        }
    }

    /// How long a task may take that says nothing of it.
    fn default_timeout(&self, context: &TaskContext) -> Option<u32> {
        let seconds = self.options.defaults.task_timeout?;
        let keywords = [Keyword::Timeout, Keyword::Async];
        let said = keywords
            .iter()
            .any(|k| context.frame.keyword(Some(&context.task), *k).is_some());
        let seconds = u32::try_from(seconds).ok().filter(|s| *s > 0);
        seconds.filter(|_| !said)
    }

    /// Seconds that the action may take; `None` is for ever.
    fn timeout(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Option<u32>, Diagnostic> {
        let keyword = Keyword::Timeout;
        let Some(node) = self.said(&context.frame, Some(&context.task), keyword, vars) else {
            return Ok(self.default_timeout(context));
        };
        let text = text::string(&self.templar, node, vars)?;
        let seconds = text.trim().parse::<f64>().ok();
        let seconds = seconds.filter(|s| (0.0..=LONGEST_TIMEOUT).contains(s));
        let Some(seconds) = seconds else {
            let words = format!("Timeout {text} is invalid");
            let help = format!("it is a number of seconds from 0 (none) to {LONGEST_TIMEOUT}");
            return Err(Diagnostic::error(words).at(&node.span).help(help));
        };
        // As in Ansible, part of a second is nothing; the range is checked above.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let seconds = seconds as u32;
        Ok((seconds > 0).then_some(seconds))
    }

    /// Runs the action once.
    async fn once(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        vars: &Arc<dyn Vars>,
        early: Option<OnItsWay>,
    ) -> TaskResult {
        let limit = match self.timeout(context, vars) {
            Ok(limit) => limit,
            Err(wrong) => return self.failure(&wrong),
        };
        let work = self.act(context, host, vars, early);
        match limit {
            None => work.await,
            Some(limit) => {
                match tokio::time::timeout(Duration::from_secs(limit.into()), work).await {
                    Ok(result) => result,
                    Err(_) => TaskResult::failed(format!("Timed out after {limit} second(s)."))
                        .with("timedout", json!({"period": limit})),
                }
            }
        }
    }

    /// Applies `failed_when` and `changed_when`.
    fn verdict(
        &self,
        context: &TaskContext,
        scope: &Scope,
        mut result: TaskResult,
        braces: &mut Vec<Span>,
    ) -> TaskResult {
        let keywords = &context.task.keywords;
        if result.is_unreachable()
            || result.is_skipped()
            || matches!(result.end, Ending::Unknown(_))
        {
            return result;
        }
        if let Some(node) = keywords.get(Keyword::ChangedWhen) {
            match self.judged(context, scope, &result, node, braces) {
                Ok(Decision::Unknown(origins)) => return result.undecided(origins),
                Ok(decision) => {
                    let changed = decision == Decision::True;
                    result.data.insert("changed".to_owned(), changed.into());
                    if !result.is_failed() {
                        result.end = Ending::Done { changed };
                    }
                }
                Err(diagnostic) => {
                    return self
                        .misjudged(result, &diagnostic)
                        .with("changed_when_result", diagnostic.message.clone());
                }
            }
        }
        if let Some(node) = keywords.get(Keyword::FailedWhen) {
            let was_changed = result.has_changed();
            match self.judged(context, scope, &result, node, braces) {
                Ok(Decision::True) => {
                    let msg = result.data.get("msg").and_then(Json::as_str);
                    let msg = msg
                        .unwrap_or("`failed_when` says that it failed")
                        .to_owned();
                    if !result.is_failed() {
                        result.end = Ending::Failed(msg);
                        result = result.with("changed", was_changed);
                    }
                    result
                        .data
                        .insert("failed_when_result".to_owned(), true.into());
                }
                Ok(Decision::False) => {
                    if let Ending::Failed(msg) = &result.end {
                        result
                            .data
                            .entry("msg".to_owned())
                            .or_insert_with(|| msg.clone().into());
                        let changed = match keywords.get(Keyword::ChangedWhen) {
                            Some(_) => result.data.get("changed") == Some(&true.into()),
                            None => was_changed || result.data.get("rc").is_some(),
                        };
                        result.end = Ending::Done { changed };
                        result.diagnostic = None;
                        result.data.insert(
                            "failed_when_suppressed_exception".to_owned(),
                            "(traceback unavailable)".into(),
                        );
                    }
                    result
                        .data
                        .insert("failed_when_result".to_owned(), false.into());
                }
                Ok(Decision::Unknown(origins)) => return result.undecided(origins),
                Err(diagnostic) => {
                    return self
                        .misjudged(result, &diagnostic)
                        .with("failed_when_result", diagnostic.message.clone());
                }
            }
        }
        result
    }

    /// Tells what can be told of a task that is not decided: the known part of its texts, and of a
    /// command that says that it changes nothing that it could be let run.
    fn explain(&self, context: &TaskContext, scope: &Scope, result: &mut TaskResult) {
        let Ending::Unknown(because) = &result.end else {
            return;
        };
        if because.as_slice() != [context.origin.clone()] {
            let vars: Arc<dyn Vars> = Arc::new(scope.clone());
            let known = self.known_part(context, &vars);
            if !known.is_empty() {
                result.data.insert(known_part::KEY.to_owned(), known.into());
            }
            return;
        }
        let said = context.task.keywords.get(Keyword::ChangedWhen);
        let says_no =
            |node| self.judged(context, scope, result, node, &mut vec![]) == Ok(Decision::False);
        if said.is_some_and(says_no) {
            result.data.insert("changed".to_owned(), false.into());
            let says = context.task.keywords.get(Keyword::CheckMode);
            if is_command(&context.task) && says.is_none() {
                let words = "  = help: it says that it changes nothing: `check_mode: false` would let it run in a dry run";
                result.diagnostic = Some(words.to_owned());
            }
        }
    }

    /// What ran is kept where a condition about it is wrong.
    fn misjudged(&self, result: TaskResult, diagnostic: &Diagnostic) -> TaskResult {
        TaskResult {
            data: result.data,
            changes: result.changes,
            warnings: result.warnings,
            braces: result.braces,
            ..self.failure(diagnostic)
        }
    }

    /// A condition over the result itself, which is there under its registered name.
    fn judged(
        &self,
        context: &TaskContext,
        scope: &Scope,
        result: &TaskResult,
        node: &rplay_yaml::Node,
        braces: &mut Vec<Span>,
    ) -> Result<Decision, Diagnostic> {
        let value = result.value(&context.origin);
        let mut own: IndexMap<String, Value> = IndexMap::new();
        if let Some(name) = self.register_name(context) {
            own.insert(name, value);
        }
        let vars: Arc<dyn Vars> = Arc::new(scope.clone().with_values(Level::Loop, own));
        self.decide(node, &vars, braces)
    }

    /// Whose facts a task's are: its host's, or with `delegate_facts` those of the host that it is
    /// delegated to.
    pub(crate) fn owner_of_facts(
        &self,
        context: &TaskContext,
        host: &HostRun,
        vars: &Arc<dyn Vars>,
    ) -> String {
        let delegates = self.keyword_is(Keyword::DelegateFacts, host, context, false);
        let other = self.delegated_to(context, vars).filter(|_| delegates);
        other.unwrap_or_else(|| host.name.clone())
    }

    /// Facts of a result go to the host (or to the delegated one).
    pub(crate) fn share_facts(&self, context: &TaskContext, host: &HostRun, result: &TaskResult) {
        if let Ending::Unknown(origins) = &result.end {
            let unknown = facts_brought_by(&context.task.action.name);
            let unknown = unknown
                .iter()
                .map(|name| ((*name).to_owned(), unknown::value(origins)));
            let facts: IndexMap<String, Value> = unknown.collect();
            if !facts.is_empty() {
                let vars: Arc<dyn Vars> =
                    Arc::new(self.scope(&host.name, Some(&context.task), &context.frame));
                let owner = self.owner_of_facts(context, host, &vars);
                self.store.update(&owner, |vars| vars.add_facts(facts));
            }
            return;
        }
        // What `debug` shows under that name is what it was asked to show.
        let tells = context.task.action.name != "debug";
        if !tells || !result.data.contains_key("ansible_facts") || sets_variables(&context.task) {
            return;
        }
        let scope = self.scope(&host.name, Some(&context.task), &context.frame);
        let vars: Arc<dyn Vars> = Arc::new(scope);
        let owner = self.owner_of_facts(context, host, &vars);
        self.store.update(&owner, |vars| {
            vars.add_facts(facts_of(result, &context.origin))
        });
    }

    /// What a task that runs once set on its host is set on another too.
    pub(crate) fn share_variables(
        &self,
        context: &TaskContext,
        host: &HostRun,
        result: &TaskResult,
    ) {
        if sets_variables(&context.task) {
            self.store.update(&host.name, |vars| {
                for (name, value) in facts_of(result, &context.origin) {
                    vars.set(&name, value);
                }
            });
        }
    }
}

/// Whether a task sets variables that are no facts, though its result tells them as such.
fn sets_variables(task: &Task) -> bool {
    matches!(task.action.name.as_str(), "set_fact" | "include_vars")
}

/// The facts that nobody knows where such a task is not decided.
fn facts_brought_by(action: &str) -> &'static [&'static str] {
    match action {
        "package_facts" => &["packages"],
        "service_facts" => &["services"],
        "mount_facts" => &["mount_points"],
        _ => &[],
    }
}

/// The facts that a result tells.
fn facts_of(result: &TaskResult, origin: &Origin) -> IndexMap<String, Value> {
    let Some(Json::Object(map)) = result.data.get("ansible_facts") else {
        return IndexMap::new();
    };
    // Of facts that are mappings some keys may not be known.
    let unknown = |name: &str| -> Vec<String> {
        let below = result.unknown.iter();
        let below = below.filter_map(|path| path.strip_prefix("ansible_facts.")?.split_once('.'));
        below
            .filter(|(fact, _)| *fact == name)
            .map(|(_, key)| key.to_owned())
            .collect()
    };
    map.iter()
        .map(|(name, json)| {
            (
                name.clone(),
                unknown::from_json(json, &unknown(name), origin),
            )
        })
        .collect()
}

/// Whether a task runs a command of its own.
fn is_command(task: &Task) -> bool {
    matches!(
        task.action.name.as_str(),
        "command" | "shell" | "raw" | "script"
    )
}
