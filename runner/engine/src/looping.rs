//! Loops: what a task goes over, and the result of the whole.

use std::sync::Arc;
use std::time::{Duration, Instant};

use indexmap::IndexMap;
use rplay_diag::Diagnostic;
use rplay_event::Event;
use rplay_playbook::{Keyword, Loop, Task};
use rplay_template::{Decision, Origin, Value, ValueKind, Vars, unknown};
use rplay_vars::{Level, Scope};
use rplay_yaml::Node;
use serde_json::{Map, Value as Json};

use crate::hidden;
use crate::host_run::HostRun;
use crate::known_part;
use crate::result::{Ending, TaskResult};
use crate::run::Run;
use crate::task::TaskContext;
use crate::text::{self, Unusable};

/// `loop_control`.
pub(crate) struct Control {
    pub var: String,
    index: Option<String>,
    label: Option<Node>,
    pause: f64,
    extended: bool,
    all_items: bool,
}

impl Run {
    /// Runs a task on a host, once or for every item, and registers what comes of it.
    pub(crate) async fn looped(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
    ) -> TaskResult {
        let scope = self.scope(&host.name, Some(&context.task), &context.frame);
        let result = match &context.task.looped {
            None => {
                let turn = host.line.take(&context.task);
                self.attempts(context, host, scope, turn).await
            }
            Some(over) => {
                host.line.clear();
                match self.loop_items(over, &scope) {
                    Ok(items) => self.each(context, host, &scope, items).await,
                    Err(unusable) => self.without_items(context, &scope, unusable),
                }
            }
        };
        if context.is_secret {
            hidden::hide(&result.data, self.templar.redactor());
        }
        self.keep(context, host, &result);
        self.share_facts(context, host, &result);
        self.note_doubt(context, host, &result);
        result
    }

    /// Keeps a result under the name that its task registers it by.
    pub(crate) fn keep(&self, context: &TaskContext, host: &HostRun, result: &TaskResult) {
        if let Some(name) = self.register_name(context) {
            let value = result.value(&context.origin);
            self.store.update(&host.name, |vars| vars.set(&name, value));
        }
    }

    /// What a task that is not decided may bring, later tasks may find.
    pub(crate) fn note_doubt(&self, context: &TaskContext, host: &HostRun, result: &TaskResult) {
        let says_no = result.data.get("changed") == Some(&false.into());
        if !matches!(result.end, Ending::Unknown(_)) || says_no {
            return;
        }
        let scope = self.scope(&host.name, Some(&context.task), &context.frame);
        let vars: Arc<dyn Vars> = Arc::new(scope);
        let other = self.delegated_to(context, &vars);
        let place = other.as_deref().unwrap_or(&host.name);
        let action = &context.task.action.name;
        self.doubts.add(place, action, &context.origin);
    }

    /// A loop over nothing that can be told is no error where the condition says no anyway.
    pub(crate) fn without_items(
        &self,
        context: &TaskContext,
        scope: &Scope,
        unusable: Unusable,
    ) -> TaskResult {
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let gate = self.condition(context, &vars).ok();
        if let Some(not_run) = gate.and_then(|gate| gate.not_run)
            && (not_run.is_skipped() || matches!(unusable, Unusable::Wrong(_)))
        {
            return not_run;
        }
        let var = self.control(context, &vars).map(|control| control.var);
        let var = var.unwrap_or_else(|_| "item".to_owned());
        match unusable {
            Unusable::Wrong(diagnostic) => self.failure(&diagnostic),
            Unusable::Unknown(origins) => {
                // The task's texts can still be told, with the item unknown in them.
                let item = IndexMap::from([(var, unknown::value(&origins))]);
                let inner: Arc<dyn Vars> = Arc::new(scope.clone().with_values(Level::Loop, item));
                let known = self.known_part(context, &inner);
                let result = TaskResult::unknown(origins);
                match known.is_empty() {
                    true => result,
                    false => result.with(known_part::KEY, known),
                }
            }
        }
    }

    /// What stands at the loop. Names of files of which the first is taken may be undefined: they are
    /// passed over.
    fn rendered_items(&self, over: &Loop, vars: &Arc<dyn Vars>) -> Result<Value, Diagnostic> {
        let lookup = over
            .lookup
            .as_deref()
            .and_then(|name| name.rsplit('.').next());
        match (lookup, over.items.as_seq()) {
            (Some("first_found"), Some(items)) => {
                let items = items
                    .iter()
                    .map(|item| self.templar.render_defined(item, vars));
                let items: Result<Vec<_>, _> = items.filter_map(Result::transpose).collect();
                items.map(unknown::list)
            }
            _ => self.templar.render(&over.items, vars),
        }
    }

    /// The items that a loop goes over.
    pub(crate) fn loop_items(&self, over: &Loop, scope: &Scope) -> Result<Vec<Value>, Unusable> {
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let value = self.rendered_items(over, &vars).map_err(Unusable::Wrong)?;
        if let Some(origins) = unknown::origins(&value) {
            return Err(Unusable::Unknown(origins));
        }
        let wrong = |words: String| Unusable::Wrong(Diagnostic::error(words).at(&over.items.span));
        let Some(lookup) = &over.lookup else {
            let json = text::value_json(&value, &over.items);
            let known = match json {
                Ok(Json::Array(_)) => value.try_iter().map_err(|e| wrong(e.to_string()))?,
                Ok(other) => {
                    let words = format!("`loop` takes a list, not `{other}`");
                    return Err(wrong(words));
                }
                // Some items are unknown: the known ones can still be gone over.
                Err(Unusable::Unknown(_)) if value.try_iter().is_ok() => {
                    value.try_iter().map_err(|e| wrong(e.to_string()))?
                }
                Err(other) => return Err(other),
            };
            return Ok(known.collect());
        };
        let terms: Vec<Value> = match value.try_iter() {
            Ok(items) if matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable) => {
                items.collect()
            }
            _ => vec![value],
        };
        self.templar.lookup(lookup, &terms, &vars).map_err(wrong)
    }

    pub(crate) fn control(
        &self,
        context: &TaskContext,
        vars: &Arc<dyn Vars>,
    ) -> Result<Control, Diagnostic> {
        let mut control = Control {
            var: "item".to_owned(),
            index: None,
            label: None,
            pause: 0.0,
            extended: false,
            all_items: true,
        };
        let Some(node) = context.task.keywords.get(Keyword::LoopControl) else {
            return Ok(control);
        };
        for (key, value) in node.as_map().into_iter().flatten() {
            let plain = || text::string(&self.templar, value, vars);
            match key.text.as_str() {
                "loop_var" => control.var = plain()?,
                "index_var" => control.index = Some(plain()?),
                "label" => control.label = Some(value.clone()),
                "pause" => control.pause = text::number(&self.templar, value, vars)?,
                "extended" => control.extended = text::boolean(&self.templar, value, vars)?,
                "extended_allitems" => {
                    control.all_items = text::boolean(&self.templar, value, vars)?;
                }
                "break_when" => {}
                other => {
                    let words = format!("`{other}` is no part of loop_control");
                    return Err(Diagnostic::error(words).at(&key.span));
                }
            }
        }
        Ok(control)
    }

    async fn each(
        self: &Arc<Self>,
        context: &TaskContext,
        host: &Arc<HostRun>,
        scope: &Scope,
        items: Vec<Value>,
    ) -> TaskResult {
        let vars: Arc<dyn Vars> = Arc::new(scope.clone());
        let control = match self.control(context, &vars) {
            Ok(control) => control,
            Err(diagnostic) => return self.failure(&diagnostic),
        };
        let (mut results, mut is_lost) = (vec![], false);
        let mut braces = vec![];
        let mut ahead = self.ahead_of_loop(context);
        let vars_of = |index: usize| -> Arc<dyn Vars> {
            Arc::new(
                scope
                    .clone()
                    .with_values(Level::Loop, control.vars(&items, index)),
            )
        };
        for (index, item) in items.iter().enumerate() {
            if index > 0 && control.pause > 0.0 {
                tokio::time::sleep(Duration::from_secs_f64(control.pause)).await;
            }
            // What a fact-setting item set is there for the next.
            let outer = if index > 0 && sets_facts(&context.task) {
                self.scope(&host.name, Some(&context.task), &context.frame)
            } else {
                scope.clone()
            };
            let inner = outer.with_values(Level::Loop, control.vars(&items, index));
            let begun = Instant::now();
            let place = (index, items.len());
            let turn = self.next_item(context, host, &mut ahead, place, &vars_of);
            let turn = turn.await;
            let mut result = self.attempts(context, host, inner.clone(), turn).await;
            // The loop's own result says them.
            braces.append(&mut result.braces);
            // The item's own result is there under its registered name.
            let own = self
                .register_name(context)
                .map(|name| (name, result.value(&context.origin)));
            let own: IndexMap<String, Value> = own.into_iter().collect();
            let inner: Arc<dyn Vars> = Arc::new(inner.with_values(Level::Loop, own));
            let label = self.label(&control, item, &inner);
            let label = label.unwrap_or_else(|wrong| {
                result = mislabelled(
                    std::mem::replace(&mut result, TaskResult::failed("")),
                    &wrong,
                );
                rplay_template::in_words(item)
            });
            let shown =
                rplay_template::to_json(item).unwrap_or_else(|_| Json::from(item.to_string()));
            result.data.insert(control.var.clone(), shown);
            result.values.insert(control.var.clone(), item.clone());
            result
                .data
                .insert("ansible_loop_var".to_owned(), control.var.clone().into());
            if let Some(name) = &control.index {
                result.data.insert(name.clone(), index.into());
                let name = Json::from(name.as_str());
                result.data.insert("ansible_index_var".to_owned(), name);
            }
            if control.extended {
                let place = rplay_template::to_json(&control.place(&items, index));
                let place = place.map(|place| ("ansible_loop".to_owned(), place));
                result.data.extend(place);
            }
            let took = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            let ignored = false;
            let ended = self.ended(context, &host.name, Some(label), &result, ignored, took);
            self.emit(Event::ItemEnded(ended));
            let lost = result.is_unreachable() && !self.passes_over(context, &inner);
            is_lost |= lost;
            results.push(result);
            // The host would be waited for with every item.
            if lost || self.break_when(context, &inner) {
                break;
            }
        }
        TaskResult {
            ignored: Some(!is_lost),
            braces,
            ..whole(results, &context.origin)
        }
    }

    /// Whether an item goes on without its host.
    fn passes_over(&self, context: &TaskContext, vars: &Arc<dyn Vars>) -> bool {
        let (frame, task) = (&context.frame, Some(&*context.task));
        let said = self.said(frame, task, Keyword::IgnoreUnreachable, vars);
        said.is_some_and(|node| text::boolean(&self.templar, node, vars).unwrap_or(false))
    }

    fn break_when(&self, context: &TaskContext, vars: &Arc<dyn Vars>) -> bool {
        let control = context.task.keywords.get(Keyword::LoopControl);
        let Some(node) = control.and_then(|c| c.get("break_when")) else {
            return false;
        };
        let mut braces = vec![];
        let breaks = self.decide(node, vars, &mut braces) == Ok(Decision::True);
        self.tell_of_braces(context, &braces);
        breaks
    }

    /// How an item is named in the output.
    ///
    /// # Errors
    /// A `label` that cannot be rendered.
    pub(crate) fn label(
        &self,
        control: &Control,
        item: &Value,
        vars: &Arc<dyn Vars>,
    ) -> Result<String, Diagnostic> {
        match &control.label {
            Some(node) => text::string(&self.templar, node, vars),
            None => Ok(rplay_template::in_words(item)),
        }
    }
}

/// An item whose label cannot be rendered has failed, whatever came of it.
fn mislabelled(result: TaskResult, wrong: &Diagnostic) -> TaskResult {
    let words = &wrong.message;
    TaskResult {
        data: result.data,
        changes: result.changes,
        warnings: result.warnings,
        braces: result.braces,
        ..TaskResult::failed(format!("Failed to template loop_control.label: {words}"))
    }
}

/// Whether a task's items may set what the next item uses.
fn sets_facts(task: &Task) -> bool {
    matches!(task.action.name.as_str(), "set_fact" | "include_vars")
}

impl Control {
    /// The variables of one item.
    pub(crate) fn vars(&self, items: &[Value], index: usize) -> IndexMap<String, Value> {
        let mut vars = IndexMap::from([(self.var.clone(), items[index].clone())]);
        if let Some(name) = &self.index {
            vars.insert(name.clone(), Value::from(index));
        }
        let name = Value::from(self.var.as_str());
        vars.insert("ansible_loop_var".to_owned(), name);
        if let Some(name) = &self.index {
            vars.insert("ansible_index_var".to_owned(), Value::from(name.as_str()));
        }
        if self.extended {
            vars.insert("ansible_loop".to_owned(), self.place(items, index));
        }
        vars
    }

    /// `ansible_loop`: where in the loop an item is.
    fn place(&self, items: &[Value], index: usize) -> Value {
        let len = items.len();
        let mut pairs = vec![
            ("index", Value::from(index + 1)),
            ("index0", Value::from(index)),
            ("first", Value::from(index == 0)),
            ("last", Value::from(index + 1 == len)),
            ("length", Value::from(len)),
            ("revindex", Value::from(len - index)),
            ("revindex0", Value::from(len - index - 1)),
        ];
        if self.all_items {
            pairs.push(("allitems", Value::from(items.to_vec())));
        }
        if index > 0 {
            pairs.push(("previtem", items[index - 1].clone()));
        }
        if let Some(next) = items.get(index + 1) {
            pairs.push(("nextitem", next.clone()));
        }
        Value::from_pairs(pairs)
    }
}

/// The result of a loop: changed or failed where an item is.
fn whole(mut results: Vec<TaskResult>, origin: &Origin) -> TaskResult {
    for result in &mut results {
        // As in Ansible, only what a loop lists has it.
        let invocation = result.invocation.take();
        let invocation = invocation.map(|called| ("invocation".to_owned(), called));
        result.data.extend(invocation);
    }
    let mut unknown: Vec<Origin> = vec![];
    for result in &results {
        if let Ending::Unknown(origins) = &result.end {
            unknown.extend(
                origins
                    .iter()
                    .filter(|o| !unknown.contains(o))
                    .cloned()
                    .collect::<Vec<_>>(),
            );
        }
    }
    let list: Vec<Json> = results
        .iter()
        .map(|r| Json::Object(r.with_exception()))
        .collect();
    let changed = results.iter().any(TaskResult::has_changed);
    let failed = results.iter().any(TaskResult::is_failed);
    let lost = results.iter().find(|r| r.is_unreachable());
    let mut whole = if let Some(TaskResult {
        end: Ending::Unreachable(msg),
        ..
    }) = lost
    {
        TaskResult::unreachable(msg.clone())
    } else if failed {
        TaskResult::failed("One or more items failed")
    } else if !unknown.is_empty() {
        TaskResult::unknown(unknown)
    } else if !results.is_empty() && results.iter().all(TaskResult::is_skipped) {
        TaskResult::skipped("All items skipped").with("msg", "All items skipped")
    } else if results.is_empty() {
        let why = "No items in the list";
        TaskResult::skipped(why).with("skipped_reason", why)
    } else {
        TaskResult::done(changed, Map::new()).with("msg", "All items completed")
    };
    if changed {
        whole.data.insert("changed".to_owned(), true.into());
    }
    if !matches!(whole.end, Ending::Skipped(_) | Ending::Unreachable(_)) {
        whole.data.insert("skipped".to_owned(), false.into());
    }
    let values: Vec<Value> = results.iter().map(|r| r.value(origin)).collect();
    whole
        .values
        .insert("results".to_owned(), Value::from(values));
    whole.changes = results.into_iter().flat_map(|r| r.changes).collect();
    whole.with("results", list)
}
