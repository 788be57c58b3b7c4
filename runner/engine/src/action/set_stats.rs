//! Gives figures to the run, shown after the recap where `show_custom_stats` is set.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use serde_json::{Map, Value as Json, json};

use super::set_fact::is_identifier;
use super::{Action, Call, settled};
use crate::result::TaskResult;
use crate::text;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "set_stats",
        aliases: &[],
        summary: "Gives figures to the run",
        description: "Shown after the recap where `show_custom_stats` is set, and in each run's events.",
        free_form: None,
        examples: r#"
- set_stats:
    data:
      packages_changed: 3
"#,
        returns: &[],
    },
    spec: SetStatsArgs::spec,
    run,
};

/// Arguments of `set_stats`.
#[derive(Args)]
struct SetStatsArgs {
    /// The figures by name.
    data: Json,
    /// Keep them for each host, and not for the run as a whole: no by default.
    per_host: Option<Json>,
    /// Add to a figure that is there, and do not take its place: yes by default.
    aggregate: Option<Json>,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(give(call))).boxed()
}

fn give(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: SetStatsArgs = call.args()?;
    let span = &call.context.task.action.span;
    let Json::Object(data) = args.data else {
        let words = "The 'data' option needs to be a dictionary/hash";
        return Err(TaskResult {
            of_task: false,
            ..call.run.failure(&Diagnostic::error(words).at(span))
        });
    };
    if let Some(name) = data.keys().find(|name| !is_identifier(name)) {
        let words = format!("Invalid variable name '{name}'");
        return Err(call.run.failure(&Diagnostic::error(words).at(span).help(
            "a variable's name is made of letters, digits and underscores, and begins with no digit",
        )));
    }
    let stats = json!({
        "data": data,
        "per_host": args.per_host.is_some_and(|v| is_true(&v)),
        "aggregate": args.aggregate.is_none_or(|v| is_true(&v)),
    });
    Ok(TaskResult::done(false, Map::new()).with("ansible_stats", stats))
}

/// Any word that is not one for true is false, as in Ansible.
fn is_true(value: &Json) -> bool {
    match value {
        Json::String(word) => text::truth(&word.to_lowercase()) == Some(true),
        other => other == &Json::Bool(true) || other == &Json::from(1),
    }
}
