//! Actions: what a task does on the controller. One file an action, as with modules.

mod add_host;
mod assert;
mod debug;
mod fail;
mod group_by;
mod include_vars;
mod keys;
mod meta;
mod pause;
mod raw;
mod reboot;
mod set_fact;
mod set_stats;
mod statics;
mod validate_argument_spec;
mod wait_for_connection;

use std::sync::Arc;

use futures::future::BoxFuture;
use rplay_api::{ArgMap, ArgSpec, Args, Doc};
use rplay_diag::Diagnostic;
use rplay_template::Vars;
use rplay_yaml::{Kind, Map, Node};

use crate::host_run::HostRun;
use crate::result::TaskResult;
use crate::run::Run;
use crate::task::TaskContext;
use crate::text::{Unusable, content};

/// A call of an action.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub run: &'a Arc<Run>,
    pub context: &'a TaskContext,
    pub host: &'a Arc<HostRun>,
    pub vars: &'a Arc<dyn Vars>,
}

/// A row of the registry.
pub(crate) struct Action {
    pub doc: Doc,
    pub spec: fn() -> Vec<ArgSpec>,
    pub run: for<'a> fn(Call<'a>) -> BoxFuture<'a, TaskResult>,
}

/// Every action, by name.
pub(crate) static ACTIONS: &[Action] = &[
    add_host::ACTION,
    assert::ACTION,
    debug::ACTION,
    fail::ACTION,
    group_by::ACTION,
    statics::IMPORT_ROLE,
    statics::IMPORT_TASKS,
    statics::INCLUDE_ROLE,
    statics::INCLUDE_TASKS,
    include_vars::ACTION,
    meta::ACTION,
    pause::ACTION,
    raw::ACTION,
    reboot::ACTION,
    set_fact::ACTION,
    set_stats::ACTION,
    validate_argument_spec::ACTION,
    wait_for_connection::ACTION,
];

/// The action of that name.
pub(crate) fn find(name: &str) -> Option<&'static Action> {
    ACTIONS
        .iter()
        .find(|a| a.doc.name == name || a.doc.aliases.contains(&name))
}

impl Call<'_> {
    /// The arguments, rendered and typed.
    ///
    /// # Errors
    /// The result to end with.
    fn args<A: Args>(&self) -> Result<A, TaskResult> {
        let map = self.map()?;
        A::parse(&map).map_err(|error| {
            let action = &self.context.task.action;
            let written = action.args.get(error.arg.as_str());
            let span = written.map_or(&action.span, |node| &node.span);
            let words = format!("`{}`: {error}", action.name);
            self.run.failure(&Diagnostic::error(words).at(span))
        })
    }

    /// The arguments as they are written; those that come from one template as its data.
    ///
    /// # Errors
    /// The result to end with.
    fn written(&self) -> Result<Map, TaskResult> {
        let action = &self.context.task.action;
        let mut args = action.args.clone();
        for template in action.templates.iter().rev() {
            let run = self.run;
            let value = run.templar.render(template, self.vars);
            let value = value.map_err(|d| run.failure(&d))?;
            if let Kind::Map(map) = content(&value, &template.span) {
                for (key, node) in map {
                    args.entry(key).or_insert(node);
                }
            }
        }
        Ok(args)
    }

    /// The list that a template gives, each item as trusted as where it comes from; none where it
    /// gives no list.
    ///
    /// # Errors
    /// The result to end with.
    fn listed(&self, node: &Node) -> Result<Option<Node>, TaskResult> {
        if !node.as_str().is_some_and(rplay_template::is_in_braces) {
            return Ok(None);
        }
        let value = self.run.templar.render(node, self.vars);
        let value = value.map_err(|d| self.run.failure(&d))?;
        let kind = content(&value, &node.span);
        let span = node.span.clone();
        Ok(matches!(kind, Kind::Seq(_)).then_some(Node { span, kind }))
    }

    /// The arguments, rendered.
    ///
    /// # Errors
    /// The result to end with.
    fn map(&self) -> Result<ArgMap, TaskResult> {
        self.run
            .arguments(self.context, self.vars)
            .map_err(|unusable| match unusable {
                Unusable::Unknown(origins) => TaskResult::unknown(origins),
                Unusable::Wrong(diagnostic) => self.run.failure(&diagnostic),
            })
    }
}

/// The result of an action that ends early, or not.
fn settled(result: Result<TaskResult, TaskResult>) -> TaskResult {
    result.unwrap_or_else(|early| early)
}
