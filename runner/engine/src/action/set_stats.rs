//! Gives figures to the run, shown after the recap where `show_custom_stats` is set.

use futures::future::{BoxFuture, FutureExt, ready};
use indexmap::IndexMap;
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use serde_json::{Map, Value as Json, json};

use super::set_fact::is_identifier;
use super::{Action, Call, settled};
use crate::result::TaskResult;

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
    data: IndexMap<String, Json>,
    /// Keep them for each host, and not for the run as a whole.
    #[arg(default = false)]
    per_host: bool,
    /// Add to a figure that is there; else take its place.
    #[arg(default = true)]
    aggregate: bool,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(give(call))).boxed()
}

fn give(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: SetStatsArgs = call.args()?;
    let span = &call.context.task.action.span;
    if let Some(name) = args.data.keys().find(|name| !is_identifier(name)) {
        let words = format!("The variable name '{name}' is not valid");
        return Err(call.run.failure(&Diagnostic::error(words).at(span).help(
            "a variable's name is made of letters, digits and underscores, and begins with no digit",
        )));
    }
    let stats = json!({
        "data": args.data,
        "per_host": args.per_host,
        "aggregate": args.aggregate,
    });
    Ok(TaskResult::done(false, Map::new()).with("ansible_stats", stats))
}
