//! Keywords' values as plain Rust types.

use std::sync::Arc;

use rplay_diag::{Diagnostic, Span};
use rplay_template::{Templar, Trouble, Value, ValueKind, Vars, as_data, to_json, unknown};
use rplay_yaml::{Key, Kind, Node};
use serde_json::Value as Json;

/// A keyword's value cannot be used.
pub(crate) enum Unusable {
    /// It is wrong.
    Wrong(Diagnostic),
    /// A dry run cannot know it.
    Unknown(Vec<rplay_template::Origin>),
}

/// A node rendered to JSON.
pub(crate) fn json(templar: &Templar, node: &Node, vars: &Arc<dyn Vars>) -> Result<Json, Unusable> {
    let value = templar.render(node, vars).map_err(Unusable::Wrong)?;
    value_json(&value, node)
}

/// A rendered value as JSON.
pub(crate) fn value_json(value: &Value, node: &Node) -> Result<Json, Unusable> {
    match to_json(value) {
        Ok(json) => Ok(json),
        Err(Trouble::Unknown(origins)) => Err(Unusable::Unknown(origins)),
        Err(Trouble::Error(words)) => Err(Unusable::Wrong(Diagnostic::error(words).at(&node.span))),
    }
}

/// A node rendered to text.
pub(crate) fn string(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<String, Diagnostic> {
    match templar.render(node, vars)? {
        value if unknown::origins(&value).is_some() => {
            Err(Diagnostic::error("a dry run cannot know this").at(&node.span))
        }
        value => Ok(plain(&value)),
    }
}

/// A value as text, as Ansible prints it.
pub(crate) fn plain(value: &Value) -> String {
    if value.is_none() {
        return String::new();
    }
    rplay_template::in_words(value)
}

/// A node rendered to a bool, with Ansible's words for it.
pub(crate) fn boolean(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<bool, Diagnostic> {
    let text = string(templar, node, vars)?.to_lowercase();
    truth(&text)
        .ok_or_else(|| Diagnostic::error(format!("`{text}` is not a boolean")).at(&node.span))
}

/// A word in lowercase as a bool.
pub(crate) fn truth(word: &str) -> Option<bool> {
    match word {
        "true" | "yes" | "on" | "1" | "y" | "t" => Some(true),
        "false" | "no" | "off" | "0" | "n" | "f" | "" => Some(false),
        _ => None,
    }
}

/// A node rendered to a number.
pub(crate) fn number(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<f64, Diagnostic> {
    let text = string(templar, node, vars)?;
    text.trim()
        .parse()
        .map_err(|_| Diagnostic::error(format!("`{text}` is not a number")).at(&node.span))
}

/// A node rendered to a list of texts; text is split at commas.
pub(crate) fn words(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<Vec<String>, Diagnostic> {
    Ok(words_of(&templar.render(node, vars)?))
}

/// A variable's text, where it has any.
pub(crate) fn variable(templar: &Templar, vars: &Arc<dyn Vars>, name: &str) -> Option<String> {
    vars.get(name)?;
    let text = plain(&templar.view(vars).get_attr(name).ok()?);
    (!text.is_empty()).then_some(text)
}

/// Words as a shell reads them; where its quotes are not even, those between blanks.
pub(crate) fn shell_words(text: &str) -> Vec<String> {
    let plain = || text.split_whitespace().map(str::to_owned).collect();
    shlex::split(text).unwrap_or_else(plain)
}

/// A list's texts; text is split at commas.
pub(crate) fn words_of(value: &Value) -> Vec<String> {
    items(value).unwrap_or_else(|| {
        let text = plain(value);
        let words = text.split(',').map(str::trim).filter(|w| !w.is_empty());
        words.map(str::to_owned).collect()
    })
}

/// A node rendered to a list of texts, where a comma is part of a text.
pub(crate) fn words_uncut(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<Vec<String>, Diagnostic> {
    let value = templar.render(node, vars)?;
    Ok(items(&value).unwrap_or_else(|| vec![plain(&value)]))
}

/// The items of a list as texts; `None` where it is no list.
fn items(value: &Value) -> Option<Vec<String>> {
    let list = value.try_iter().ok().filter(|_| value.as_str().is_none())?;
    Some(list.map(|v| plain(&v)).collect())
}

/// A value as the content of a node. What the playbook wrote stays what it is, so that an
/// expression in it is one; all other text is data.
pub(crate) fn content(value: &Value, span: &Span) -> Kind {
    let node = |value: &Value| Node {
        span: span.clone(),
        kind: content(value, span),
    };
    let items = || value.try_iter().into_iter().flatten();
    match (value.as_str(), value.kind()) {
        (Some(text), _) if value.is_safe() => Kind::Str(text.to_owned()),
        (_, ValueKind::Seq | ValueKind::Iterable) => Kind::Seq(items().map(|v| node(&v)).collect()),
        (_, ValueKind::Map) => {
            let pair = |name: Value| {
                let item = value.get_item(&name).unwrap_or_default();
                (key(&plain(&name), span), node(&item))
            };
            Kind::Map(items().map(pair).collect())
        }
        _ => to_json(value).map_or_else(|_| Kind::Str(value.to_string()), |v| as_data(&v, span)),
    }
}

/// A name as the key of a node.
pub(crate) fn key(name: &str, span: &Span) -> Key {
    Key {
        text: name.to_owned(),
        span: span.clone(),
    }
}

/// A node as JSON, no template rendered.
pub(crate) fn plain_json(node: &Node) -> Json {
    match &node.kind {
        Kind::Null => Json::Null,
        Kind::Bool(b) => (*b).into(),
        Kind::Int(n) => (*n).into(),
        Kind::Float(n) => (*n).into(),
        Kind::Str(text) | Kind::Unsafe(text) | Kind::Vault(text) => text.clone().into(),
        Kind::Seq(items) => items.iter().map(plain_json).collect(),
        Kind::Map(map) => {
            let pairs = map.iter().map(|(k, v)| (k.text.clone(), plain_json(v)));
            Json::Object(pairs.collect())
        }
    }
}
