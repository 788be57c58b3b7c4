//! Shows a text or a variable.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use rplay_template::{Trouble, to_json};
use rplay_yaml::Kind;
use serde_json::{Map, Value as Json};

use super::{Action, Call, settled};
use crate::result::TaskResult;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "debug",
        aliases: &[],
        summary: "Shows a text or a variable",
        description: "Nothing on the host is touched.",
        free_form: None,
        examples: r#"
- debug:
    msg: "the address is {{ ansible_host }}"
- debug:
    var: ansible_facts.os_family
"#,
        returns: &[],
    },
    spec: DebugArgs::spec,
    run,
};

/// Arguments of `debug`.
#[derive(Args)]
struct DebugArgs {
    /// The text to show; any value.
    msg: Option<Json>,
    /// The variable (or expression) to show.
    var: Option<String>,
    /// Show it only with as many `-v`.
    #[arg(default = 0_u8)]
    verbosity: u8,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(show(call))).boxed()
}

fn show(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let args: DebugArgs = call.args()?;
    if args.verbosity > call.run.options.verbosity {
        return Ok(TaskResult::skipped("Verbosity threshold not met."));
    }
    let mut data = Map::from_iter([("_rplay_show".to_owned(), true.into())]);
    let mut warnings = vec![];
    match (args.var, args.msg) {
        (Some(var), _) => {
            let action = &call.context.task.action;
            let span = action.args.get("var").map_or(&action.span, |n| &n.span);
            if let Some(Kind::Map(_) | Kind::Seq(_)) = action.args.get("var").map(|n| &n.kind) {
                let words = "`var` is not a string and conversion is not allowed";
                return Err(call.run.failure(&Diagnostic::error(words).at(span)));
            }
            if let Some(Kind::Unsafe(_)) = action.args.get("var").map(|n| &n.kind) {
                let words = format!("`{var}` is an untrusted template or expression: it is data");
                return Err(call.run.failure(&Diagnostic::error(words).at(span)));
            }
            let shown = match call.run.templar.expression(&var, span, call.vars) {
                Err(wrong) if !is_about_nothing(&wrong) => {
                    return Err(call.run.failure(&wrong));
                }
                Err(wrong) => {
                    let words = format!("error 1 - {}", wrong.message);
                    warnings.push(format!("Encountered 1 template error.\n{words}"));
                    format!("<< {words} >>").into()
                }
                Ok(value) => match to_json(&value) {
                    Ok(json) => json,
                    Err(Trouble::Unknown(origins)) => return Err(TaskResult::unknown(origins)),
                    Err(Trouble::Error(words)) => words.into(),
                },
            };
            data.insert(var, shown);
        }
        (None, msg) => {
            data.insert(
                "msg".to_owned(),
                msg.unwrap_or_else(|| "Hello world!".into()),
            );
        }
    }
    let mut result = TaskResult::done(false, data);
    result.warnings = warnings;
    Ok(result)
}

/// Whether an error says that something is not there: what is shown says so too.
fn is_about_nothing(wrong: &Diagnostic) -> bool {
    wrong.message.contains("is undefined") || wrong.message.contains("has no attribute")
}
