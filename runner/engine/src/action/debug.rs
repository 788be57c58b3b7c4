//! Shows a text or a variable.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::{Diagnostic, Span};
use rplay_template::{Trouble, is_omit, to_json};
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
    // A message of nothing is one.
    let nothing = call.map()?.get("msg").is_some_and(Json::is_null);
    let msg = args.msg.or_else(|| nothing.then_some(Json::Null));
    if args.verbosity > call.run.options.verbosity {
        let why = "Verbosity threshold not met.";
        let not_shown = TaskResult::skipped(why).with("skipped_reason", why);
        return Ok(not_shown.with("failed", false));
    }
    let mut data = Map::from_iter([("_rplay_show".to_owned(), true.into())]);
    let mut warnings = vec![];
    match (args.var, msg) {
        (Some(_), Some(_)) => {
            let words = "`msg` and `var`: parameters are mutually exclusive";
            let wrong = Diagnostic::error(words).at(&call.context.task.action.span);
            return Err(call.run.failure(&wrong.help("leave one of them out")));
        }
        (Some(var), None) => {
            let span = &trusted(&call, &var)?;
            let shown = match call.run.templar.expression(&var, span, call.vars) {
                Err(wrong) if !is_about_nothing(&wrong) => {
                    return Err(call.run.failure(&wrong));
                }
                Err(wrong) => {
                    let words = format!("error 1 - {}", wrong.message);
                    warnings.push(format!("Encountered 1 template error.\n{words}"));
                    format!("<< {words} >>").into()
                }
                Ok(value) if is_omit(&value) => {
                    warnings.push(format!("`{var}` is omitted: it could not be omitted here"));
                    "<<Omit>>".into()
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

/// The place of `var`, which is an expression, and must be the playbook's own.
fn trusted(call: &Call<'_>, var: &str) -> Result<Span, TaskResult> {
    let wrong = |diagnostic: Diagnostic| call.run.failure(&diagnostic);
    let written = call.written()?;
    let Some(node) = written.get("var") else {
        return Ok(call.context.task.action.span.clone());
    };
    let is_own = match &node.kind {
        Kind::Map(_) | Kind::Seq(_) => {
            let words = "`var` is not a string and conversion is not allowed";
            return Err(wrong(Diagnostic::error(words).at(&node.span)));
        }
        Kind::Str(text) if rplay_playbook::is_template(text) => {
            let value = call.run.templar.render(node, call.vars).map_err(wrong)?;
            value.is_safe()
        }
        kind => !matches!(kind, Kind::Unsafe(_)),
    };
    if is_own {
        return Ok(node.span.clone());
    }
    let words = format!("`{var}` is an untrusted template or expression: it is data");
    let help = "`msg` shows a value; the name of a variable is text of the playbook";
    Err(wrong(Diagnostic::error(words).at(&node.span).help(help)))
}

/// Whether an error says that something is not there: what is shown says so too.
fn is_about_nothing(wrong: &Diagnostic) -> bool {
    let words = ["is undefined", "has no attribute", "has no element"];
    words.iter().any(|words| wrong.message.contains(words))
}
