//! Fails where a condition does not hold.

use std::sync::Arc;

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use rplay_template::{Decision, Var, Vars};
use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json};

use super::{Action, Call, settled};
use crate::result::TaskResult;
use crate::text;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "assert",
        aliases: &[],
        summary: "Fails where a condition does not hold",
        description: "Conditions are bare expressions, as in `when`.",
        free_form: None,
        examples: r#"
- assert:
    that:
      - members | length is divisibleby 2 == false
      - port | int > 1024
    fail_msg: an odd number of members is needed
"#,
        returns: &[],
    },
    spec: AssertArgs::spec,
    run,
};

/// Arguments of `assert`; what they hold is read unrendered, so that a message that needs what is
/// undefined is no error while the conditions hold.
#[derive(Args)]
#[allow(dead_code)]
struct AssertArgs {
    /// A condition, or a list of which all must hold.
    that: Json,
    /// What to say where one does not.
    #[arg(alias = "msg")]
    fail_msg: Option<String>,
    /// What to say where all hold.
    success_msg: Option<String>,
    /// Say nothing where all hold.
    #[arg(default = false)]
    quiet: bool,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(hold(call))).boxed()
}

fn hold(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let action = &call.context.task.action;
    let wrong = |d: Diagnostic| call.run.failure(&d);
    let args = call.written()?;
    let Some(that) = args.get("that") else {
        return Err(wrong(
            Diagnostic::error("missing required arguments: that").at(&action.span),
        ));
    };
    let written = written_list(that, call.vars, MOST_NAMES);
    let listed = match written {
        None => call.listed(that)?.map(Arc::new),
        written => written,
    };
    let that = listed.as_deref().unwrap_or(that);
    let conditions: Vec<&Node> = that
        .as_seq()
        .map_or_else(|| vec![that], |items| items.iter().collect());
    let message = |names: &[&str]| -> Result<Option<String>, TaskResult> {
        let node = names.iter().find_map(|n| args.get(*n));
        node.map(|n| text::string(&call.run.templar, n, call.vars).map_err(wrong))
            .transpose()
    };
    let mut braces = vec![];
    for condition in conditions {
        if condition.kind == Kind::Null {
            let words = "Empty conditional expressions are not allowed";
            return Err(wrong(Diagnostic::error(words).at(&condition.span)));
        }
        let decision = call.run.decide(condition, call.vars, &mut braces);
        match decision.map_err(wrong)? {
            Decision::True => {}
            Decision::Unknown(origins) => return Err(TaskResult::unknown(origins)),
            Decision::False => {
                let msg =
                    message(&["fail_msg", "msg"])?.unwrap_or_else(|| "Assertion failed".to_owned());
                let drawn = Diagnostic::error("this does not hold").at(&condition.span);
                let mut result = wrong(drawn);
                result.end = crate::result::Ending::Failed(msg);
                result.of_task = false;
                result.braces = braces;
                let text = condition.as_str().unwrap_or("false").to_owned();
                return Err(result.with("assertion", text).with("evaluated_to", false));
            }
        }
    }
    let msg = message(&["success_msg"])?.unwrap_or_else(|| "All assertions passed".to_owned());
    let mut result = TaskResult::done(false, Map::new()).with("msg", msg);
    result.braces = braces;
    let quiet = args
        .get("quiet")
        .is_some_and(|node| text::boolean(&call.run.templar, node, call.vars).unwrap_or(false));
    Ok(match quiet {
        true => result.with("_rplay_quiet", true),
        false => result,
    })
}

/// How often a variable may name another one: those that name each other have no end.
const MOST_NAMES: u8 = 8;

/// The list that a variable is written as, where `{{ NAME }}` is all that is said: its conditions are
/// as they were written, each in its place.
fn written_list(node: &Node, vars: &Arc<dyn Vars>, names: u8) -> Option<Arc<Node>> {
    let name = node.as_str()?.trim();
    let name = name.strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let Some(Var::Raw(node)) = vars.get(name) else {
        return None;
    };
    match &node.kind {
        Kind::Seq(_) => Some(node),
        Kind::Str(_) if names > 0 => written_list(&node, vars, names - 1),
        _ => None,
    }
}
