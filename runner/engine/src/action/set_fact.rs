//! Sets variables of a host.

use futures::future::{BoxFuture, FutureExt, ready};
use indexmap::IndexMap;
use rplay_api::Doc;
use rplay_diag::Diagnostic;
use rplay_playbook::reserved_name;
use rplay_template::{Trouble, is_omit, kept, to_json, unknown};
use rplay_yaml::{Kind, Node};
use serde_json::{Map, Value as Json};

use super::{Action, Call, settled};
use crate::result::TaskResult;
use crate::text;

pub(super) const ACTION: Action = Action {
    doc: Doc {
        name: "set_fact",
        aliases: &[],
        summary: "Sets variables of a host, for the rest of the run",
        description: "Takes any names. What a dry run cannot know stays unknown in the variable.",
        free_form: None,
        examples: r#"
- set_fact:
    address: "{{ ansible_host | default(inventory_hostname) }}"
    ports: [2379, 2380]
"#,
        returns: &[],
    },
    // Any name is an argument.
    spec: Vec::new,
    run,
};

/// The key of a result that has them.
const FACTS: &str = "ansible_facts";

fn run(call: Call<'_>) -> BoxFuture<'_, TaskResult> {
    ready(settled(set(call))).boxed()
}

fn set(call: Call<'_>) -> Result<TaskResult, TaskResult> {
    let action = &call.context.task.action;
    let mut facts = Map::new();
    let mut values = IndexMap::new();
    let cacheable = match action.args.get("cacheable") {
        None => false,
        Some(node) => text::boolean(&call.run.templar, node, call.vars)
            .map_err(|wrong| call.run.failure(&wrong))?,
    };
    let owner = call.run.owner_of_facts(call.context, call.host, call.vars);
    for (key, node) in &action.args {
        if key.text == "cacheable" {
            continue;
        }
        let name = Node {
            span: key.span.clone(),
            kind: Kind::Str(key.text.clone()),
        };
        let name = call
            .run
            .templar
            .render(&name, call.vars)
            .map_err(|d| call.run.failure(&d))?;
        if let (None, Ok(number)) = (name.as_str(), i64::try_from(name.clone())) {
            let words = format!("Invalid variable name '{number}' of type 'int'");
            return Err(call.run.failure(&Diagnostic::error(words).at(&key.span)));
        }
        let name = crate::text::plain(&name);
        if !is_identifier(&name) {
            let words = format!("Invalid variable name {name:?}").replace('"', "'");
            let wrong = Diagnostic::error(words).at(&key.span);
            return Err(call.run.failure(&wrong.help(
                "a variable's name is made of letters, digits and underscores, and begins with no digit",
            )));
        }
        if let Some(warning) = reserved_name(&name, &key.span) {
            call.run.warn(&warning);
        }
        let value = call
            .run
            .templar
            .render(node, call.vars)
            .map_err(|d| call.run.failure(&d))?;
        if is_omit(&value) {
            continue;
        }
        let (value, shown) = match to_json(&value) {
            Ok(json) => (kept(&json, &value), json),
            Err(Trouble::Unknown(origins)) => {
                (unknown::value(&origins), Json::from(unknown::PLACEHOLDER))
            }
            Err(Trouble::Error(words)) => {
                let diagnostic = Diagnostic::error(words).at(&node.span);
                return Err(call.run.failure(&diagnostic));
            }
        };
        call.run.store.update(&owner, |vars| {
            vars.set(&name, value.clone());
            if cacheable {
                vars.add_facts(IndexMap::from([(name.clone(), value.clone())]));
            }
        });
        values.insert(name.clone(), value);
        facts.insert(name, shown);
    }
    let mut result = TaskResult::done(false, Map::new()).with(FACTS, facts);
    result.values.insert(FACTS.to_owned(), unknown::map(values));
    Ok(result)
}

/// Words of Python's and YAML's that no variable can be called.
const RESERVED: [&str; 38] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "false", "finally", "for", "from", "global", "if",
    "import", "in", "is", "lambda", "none", "nonlocal", "not", "or", "pass", "raise", "return",
    "true", "try", "while", "with", "yield",
];

pub(super) fn is_identifier(name: &str) -> bool {
    if RESERVED.contains(&name) {
        return false;
    }
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
