//! Holds variables against an argument specification; each role with one begins with this task.

use futures::future::{BoxFuture, FutureExt, ready};
use rplay_api::{Args, Doc};
use rplay_diag::Diagnostic;
use rplay_template::{Value, as_data, to_json};
use rplay_yaml::Node;
use serde_json::{Map, Value as Json};

use super::{Action, Call, settled};
use crate::arg_spec;
use crate::result::TaskResult;
use crate::text::{Unusable, plain_json};

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "validate_argument_spec",
        aliases: &[],
        summary: "Holds variables against an argument specification",
        description: "A role with `meta/argument_specs.yml` begins with this task by itself.",
        free_form: None,
        examples: r#"
- validate_argument_spec:
    argument_spec:
      port: {type: int, required: true}
"#,
        returns: &[],
    },
    spec: ValidateArgs::spec,
    run,
};

/// Arguments of `validate_argument_spec`.
#[derive(Args)]
#[allow(dead_code)]
struct ValidateArgs {
    /// The options by name.
    argument_spec: Json,
    /// The values; by default the variables of the options' names.
    provided_arguments: Option<Json>,
    /// What the specification is of, for the result.
    validate_args_context: Option<Json>,
}

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(hold(call))).boxed()
}

fn hold(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let action = &call.context.task.action;
    let wrong = |d: Diagnostic| call.run.failure(&d);
    let rendered = |node: &Node| match crate::text::json(&call.run.templar, node, call.vars) {
        Ok(json) => Ok(json),
        Err(Unusable::Unknown(origins)) => Err(TaskResult::unknown(origins)),
        Err(Unusable::Wrong(diagnostic)) => Err(wrong(diagnostic)),
    };
    let Some(options) = action.args.get("argument_spec") else {
        let words = "`validate_argument_spec` needs `argument_spec`";
        return Err(wrong(Diagnostic::error(words).at(&action.span)));
    };
    // A specification is data, unless all of it comes from a template.
    let options = match options.as_str() {
        Some(_) => Node {
            span: options.span.clone(),
            kind: as_data(&rendered(options)?, &options.span),
        },
        None => options.clone(),
    };
    let values = match action.args.get("provided_arguments") {
        Some(node) => rendered(node)?,
        None => Json::Object(given(call, &options)?),
    };
    let errors = arg_spec::errors(&options, values.as_object().unwrap_or(&Map::new()));
    let about = action
        .args
        .get("validate_args_context")
        .map(rendered)
        .transpose()?;
    let about = about.unwrap_or_else(|| Json::Object(Map::new()));
    if errors.is_empty() {
        let msg = "The arg spec validation passed";
        return Ok(TaskResult::done(false, Map::new())
            .with("msg", msg)
            .with("validate_args_context", about));
    }
    let msg = format!("Validation of arguments failed:\n{}", errors.join("\n"));
    let span = &options.span;
    let mut failure = wrong(Diagnostic::error(errors.join("; ")).at(span));
    failure.end = crate::result::Ending::Failed(msg);
    Err(failure
        .with("argument_errors", errors)
        .with("argument_spec_data", plain_json(&options))
        .with("validate_args_context", about))
}

/// The variables that have an option's name, or an alias of it.
fn given(call: Call<'_>, options: &Node) -> Result<Map<String, Json>, TaskResult> {
    let mut values = Map::new();
    for (key, option) in options.as_map().into_iter().flatten() {
        let aliases = option
            .get("aliases")
            .and_then(Node::as_seq)
            .unwrap_or_default();
        let names = [key.text.as_str()].into_iter();
        for name in names.chain(aliases.iter().filter_map(Node::as_str)) {
            if call.vars.get(name).is_none() {
                continue;
            }
            let span = &key.span;
            let value: Value = call
                .run
                .templar
                .expression(name, span, call.vars)
                .map_err(|d| call.run.failure(&d))?;
            if let Ok(json) = to_json(&value) {
                values.insert(name.to_owned(), json);
            }
        }
    }
    Ok(values)
}
