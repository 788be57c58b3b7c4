//! One task on its hosts: who runs it, and what its end means for the play.

use std::sync::Arc;
use std::time::Instant;

use futures::future::FutureExt;
use rplay_diag::{Diagnostic, Span, Style, render};
use rplay_event::{Event, TaskId};
use rplay_playbook::{Keyword, Task};
use rplay_template::{Origin, Vars};
use rplay_yaml::Node;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::frame::Frame;
use crate::host_run::{HostRun, Standing};
use crate::result::{Ending, TaskResult};
use crate::run::{Broken, Run};
use crate::tally;
use crate::text;

/// A task about to run.
pub(crate) struct TaskContext {
    pub id: TaskId,
    pub task: Arc<Task>,
    pub frame: Frame,
    /// `no_log`.
    pub is_secret: bool,
    /// Where its unknowns come from.
    pub origin: Origin,
    /// The tasks behind it that could be sent before it has ended.
    pub upcoming: Vec<Arc<Task>>,
}

/// A task as the origin of what its result leaves unknown.
pub(crate) fn origin(task: &Task) -> Origin {
    Origin {
        what: task.action.name.clone(),
        span: Some(task.span.clone()),
    }
}

impl TaskContext {
    pub(crate) fn task(&self) -> &Task {
        &self.task
    }
}

impl Run {
    /// Announces a task.
    pub(crate) fn announce(
        &self,
        task: &Arc<Task>,
        frame: &Frame,
        hosts: &[Arc<HostRun>],
        handler: bool,
    ) -> TaskContext {
        let id = self.next_task();
        let first = hosts.first().map_or("localhost", |h| h.name.as_str());
        let vars: Arc<dyn Vars> = Arc::new(self.scope(first, Some(task), frame));
        let name = task.name().map(|node| {
            let rendered = text::string(&self.templar, node, &vars);
            rendered.unwrap_or_else(|_| node.as_str().unwrap_or_default().to_owned())
        });
        let is_secret = frame
            .keyword(Some(task), Keyword::NoLog)
            .map_or(self.options.defaults.no_log, |node| {
                text::boolean(&self.templar, node, &vars).unwrap_or(true)
            });
        let name = name.unwrap_or_else(|| self.unnamed(task, &vars));
        self.emit(Event::TaskStarted {
            task: id,
            name: self.templar.redactor().redact(&name).into_owned(),
            // What brings in a role is told without the one that it stands in.
            role: (task.action.name != "include_role")
                .then(|| frame.roles().next())
                .flatten()
                .map(|role| role.full_name().into_owned()),
            module: task.action.name.clone(),
            at: task.span.to_string(),
            lines: self.lines_around(task),
            handler,
            check: frame
                .keyword(Some(task), Keyword::CheckMode)
                .map_or(self.options.check, |node| {
                    text::boolean(&self.templar, node, &vars).unwrap_or(self.options.check)
                }),
            visible: !is_secret,
        });
        TaskContext {
            id,
            task: task.clone(),
            frame: frame.clone(),
            is_secret,
            origin: origin(task),
            upcoming: vec![],
        }
    }

    /// The line that a task begins in, and up to two before it.
    fn lines_around(&self, task: &Task) -> Vec<String> {
        let redactor = self.templar.redactor();
        let lines = task.span.lines();
        lines
            .iter()
            .map(|line| redactor.redact(line).into_owned())
            .collect()
    }

    /// What a task without a name goes by: its module, and the role that it includes.
    fn unnamed(&self, task: &Task, vars: &Arc<dyn Vars>) -> String {
        let action = &task.action;
        let role = || {
            let node = action
                .args
                .get("name")
                .or_else(|| action.args.get("role"))?;
            text::string(&self.templar, node, vars).ok()
        };
        match action.name.as_str() {
            "include_role" => match role() {
                Some(role) => format!("{} : {role}", action.written),
                None => action.written.clone(),
            },
            _ => action.written.clone(),
        }
    }

    /// Runs a task on the hosts that are still active.
    pub(crate) async fn task(
        self: &Arc<Self>,
        task: &Arc<Task>,
        hosts: &[Arc<HostRun>],
        frame: &Frame,
        handler: bool,
        upcoming: Vec<Arc<Task>>,
    ) {
        let active: Vec<Arc<HostRun>> = hosts.iter().filter(|h| h.is_active()).cloned().collect();
        let Some(first) = active.first() else { return };
        let context = Arc::new(TaskContext {
            upcoming,
            ..self.announce(task, frame, &active, handler)
        });
        let once = self.keyword_is(Keyword::RunOnce, first, &context, false);
        let chosen = if once { &active[..1] } else { &active[..] };
        let throttle = match self.throttle(first, &context) {
            Ok(throttle) => throttle,
            Err(wrong) => return self.all_fail(&context, chosen, &wrong),
        };
        // All are announced before one begins, so that results that come at once are told together.
        let delegated_to = frame
            .keyword(Some(task), Keyword::DelegateTo)
            .and_then(Node::as_str);
        for host in chosen {
            self.emit(Event::HostStarted {
                task: context.id,
                host: host.name.clone(),
                delegated_to: delegated_to.map(str::to_owned),
            });
        }
        let first = self.on_hosts(&context, chosen, throttle.as_ref()).await;
        if once && let Some(result) = first {
            self.share(&context, &active[0], &result);
            let failed = result.is_failed() || result.is_unreachable();
            let others = &active[1..];
            if failed
                && !others
                    .first()
                    .is_some_and(|h| self.ignores(&context, h, &result))
            {
                // A failure of the one is the failure of all, as in Ansible.
                others.iter().for_each(|h| h.fell());
            }
        }
        let fallen: Vec<_> = chosen.iter().filter(|h| h.is_lost()).cloned().collect();
        self.judge(task, frame, &fallen);
    }

    /// Runs a task on hosts, each by itself, so that rendering for many of them uses every core;
    /// gives the first one's result. Dropped, all of it ends.
    async fn on_hosts(
        self: &Arc<Self>,
        context: &Arc<TaskContext>,
        hosts: &[Arc<HostRun>],
        throttle: Option<&Arc<Semaphore>>,
    ) -> Option<TaskResult> {
        if let [host] = hosts {
            let _fork = self.forks.acquire().await.ok();
            // Boxed: the walk's own future holds all futures below it else.
            return Some(self.on_host(context, host).boxed().await);
        }
        let mut runs = JoinSet::new();
        for (number, host) in hosts.iter().cloned().enumerate() {
            // Waited for here, so that hosts have their turns in order.
            let turn = match throttle {
                Some(throttle) => throttle.clone().acquire_owned().await.ok(),
                None => None,
            };
            let fork = self.forks.clone().acquire_owned().await.ok();
            if self.is_halted() {
                break;
            }
            let (run, context) = (self.clone(), context.clone());
            runs.spawn(async move {
                let _held = (turn, fork);
                let result = run.on_host(&context, &host).await;
                (number == 0).then_some(result)
            });
        }
        let mut first = None;
        while let Some(ended) = runs.join_next().await {
            match ended {
                Ok(result) => first = first.or(result),
                Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
                Err(_) => {}
            }
        }
        first
    }

    /// Runs a task on one host and settles what its end means there.
    async fn on_host(self: &Arc<Self>, context: &TaskContext, host: &Arc<HostRun>) -> TaskResult {
        let begun = Instant::now();
        let result = self.looped(context, host).await;
        let is_known = match &result.end {
            Ending::Unknown(because) if !result.has_changed() => {
                if result.data.get("changed") != Some(&false.into()) {
                    self.notify_in_doubt(context, host, because);
                }
                false
            }
            _ => result.has_changed() && !result.is_failed(),
        };
        let unanswered = is_known.then(|| self.notify(context, host)).flatten();
        let ignored = self.ignores(context, host, &result);
        let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        let mut ended = self.ended(context, &host.name, None, &result, ignored, took);
        if context.task.looped.is_some() && result.data.contains_key("results") {
            ended.result.insert("_rplay_items".to_owned(), true.into());
            ended.changes.clear();
        }
        self.emit(Event::HostEnded(ended));
        tally::count(&mut host.state().recap, &result.status(), ignored);
        if ignored && result.has_changed() {
            host.state().recap.changed += 1;
        }
        if ignored && result.is_unreachable() {
            host.state().passed_over += 1;
        }
        self.settle(context, host, &result, ignored);
        if let Some(wrong) = unanswered {
            self.halt(Broken::Halted, vec![wrong]);
        }
        result
    }

    /// Tells of a handler that it is not decided: no one knows whether it is notified.
    pub(crate) fn undecided_handler(
        &self,
        task: &Arc<Task>,
        frame: &Frame,
        hosts: &[(Arc<HostRun>, Vec<Origin>)],
    ) {
        let active: Vec<Arc<HostRun>> = hosts.iter().map(|(host, _)| host.clone()).collect();
        let context = self.announce(task, frame, &active, true);
        for (host, because) in hosts {
            let result = TaskResult::unknown(because.clone());
            self.note_doubt(&context, host, &result);
            let ended = self.ended(&context, &host.name, None, &result, false, 0);
            self.emit(Event::HostEnded(ended));
            tally::count(&mut host.state().recap, &result.status(), false);
        }
    }

    /// Takes a failed host out.
    fn settle(&self, context: &TaskContext, host: &HostRun, result: &TaskResult, ignored: bool) {
        if ignored {
            return;
        }
        if result.is_unreachable() {
            host.set_standing(Standing::Unreachable);
        } else if result.is_failed() {
            host.set_standing(Standing::Failed);
            self.remember_failure(context, host, result);
        }
    }

    /// What a rescue may look at.
    pub(crate) fn remember_failure(
        &self,
        context: &TaskContext,
        host: &HostRun,
        result: &TaskResult,
    ) {
        let value = result.value(&context.origin);
        let name = context
            .task
            .name()
            .and_then(|n| n.as_str())
            .unwrap_or_default();
        let task = rplay_template::Value::from_pairs([
            ("name", rplay_template::Value::from(name)),
            (
                "action",
                rplay_template::Value::from(context.task.action.name.as_str()),
            ),
        ]);
        self.store.update(&host.name, |vars| {
            vars.set("ansible_failed_result", value);
            vars.set("ansible_failed_task", task);
        });
    }

    /// Gives a `run_once` result to the other hosts of the batch, those among them that do not take
    /// part in an include around the task.
    fn share(&self, context: &TaskContext, own: &Arc<HostRun>, result: &TaskResult) {
        let register = self.register_name(context);
        let batch = context.frame.context.batch.iter();
        for host in batch.filter(|host| host.is_active() && !Arc::ptr_eq(host, own)) {
            if let Some(name) = &register {
                let value = result.value(&context.origin);
                self.store.update(&host.name, |vars| vars.set(name, value));
            }
            self.share_facts(context, host, result);
            self.share_variables(context, host, result);
            if result.is_changed() {
                self.notify(context, host);
            }
        }
    }

    /// `any_errors_fatal` and `max_fail_percentage`: whether the failures of these hosts are the
    /// failure of the whole batch, where each host still has its `rescue` and `always`.
    pub(crate) fn judge(&self, task: &Task, frame: &Frame, fallen: &[Arc<HostRun>]) {
        let Some(first) = fallen.first() else { return };
        let batch = &frame.context.batch;
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&first.name, Some(task), frame));
        let fatal = frame
            .keyword(Some(task), Keyword::AnyErrorsFatal)
            .map_or(self.options.defaults.any_errors_fatal, |node| {
                text::boolean(&self.templar, node, &vars).unwrap_or(false)
            });
        let limit = frame
            .keyword(None, Keyword::MaxFailPercentage)
            .and_then(|node| text::number(&self.templar, node, &vars).ok());
        // Shares of hosts are small numbers.
        #[allow(clippy::cast_precision_loss)]
        let share =
            batch.iter().filter(|h| h.is_lost()).count() as f64 * 100.0 / batch.len() as f64;
        let over = limit.is_some_and(|limit| share > limit);
        if over {
            self.emit(Event::NoMoreHosts);
        }
        if fatal || over {
            batch
                .iter()
                .filter(|h| h.is_active())
                .for_each(|h| h.fell());
        }
    }

    /// How many hosts may run the task at once, where it says so.
    ///
    /// # Errors
    /// It is no number.
    fn throttle(
        &self,
        host: &HostRun,
        context: &TaskContext,
    ) -> Result<Option<Arc<Semaphore>>, Diagnostic> {
        let keyword = Keyword::Throttle;
        let Some(node) = context.frame.keyword(Some(&context.task), keyword) else {
            return Ok(None);
        };
        let vars: Arc<dyn Vars> =
            Arc::new(self.scope(&host.name, Some(&context.task), &context.frame));
        let no_number = |why: &str| {
            let what = "Failed to convert the throttle value to an integer";
            Diagnostic::error(format!("{what}: {why}")).at(&node.span)
        };
        let text = text::string(&self.templar, node, &vars)
            .map_err(|wrong| no_number(&wrong.message.replace('`', "'")))?;
        let number: usize = text
            .trim()
            .parse()
            .map_err(|_| no_number(&format!("invalid literal for int() with base 10: '{text}'")))?;
        Ok((number > 0).then(|| Arc::new(Semaphore::new(number))))
    }

    /// A task that cannot begin fails on its hosts.
    fn all_fail(&self, context: &TaskContext, hosts: &[Arc<HostRun>], wrong: &Diagnostic) {
        for host in hosts {
            let result = self.failure(wrong);
            let ignored = self.ignores(context, host, &result);
            let ended = self.ended(context, &host.name, None, &result, ignored, 0);
            self.emit(Event::HostEnded(ended));
            tally::count(&mut host.state().recap, &result.status(), ignored);
            self.settle(context, host, &result, ignored);
        }
        self.judge(&context.task, &context.frame, hosts);
    }

    /// A keyword that is a bool.
    pub(crate) fn keyword_is(
        &self,
        keyword: Keyword,
        host: &HostRun,
        context: &TaskContext,
        default: bool,
    ) -> bool {
        let (frame, task) = (&context.frame, Some(&*context.task));
        if frame.keyword(task, keyword).is_none() {
            return default;
        }
        let vars: Arc<dyn Vars> = Arc::new(self.scope(&host.name, task, frame));
        let Some(node) = self.said(frame, task, keyword, &vars) else {
            return default;
        };
        text::boolean(&self.templar, node, &vars).unwrap_or(default)
    }

    fn ignores(&self, context: &TaskContext, host: &HostRun, result: &TaskResult) -> bool {
        if result.is_unreachable() {
            let said = || self.keyword_is(Keyword::IgnoreUnreachable, host, context, false);
            return result.ignored.unwrap_or_else(said);
        }
        result.is_failed() && self.keyword_is(Keyword::IgnoreErrors, host, context, false)
    }

    pub(crate) fn register_name(&self, context: &TaskContext) -> Option<String> {
        context
            .task
            .keywords
            .get(Keyword::Register)?
            .as_str()
            .map(str::to_owned)
    }

    /// A failure with its place drawn.
    pub(crate) fn failure(&self, diagnostic: &Diagnostic) -> TaskResult {
        let mut result = TaskResult::failed(diagnostic.message.clone());
        result.of_task = true;
        result.diagnostic = Some(render(diagnostic, Style::Plain));
        result.quoted = diagnostic.span().map(Span::lines).unwrap_or_default();
        result
    }
}
