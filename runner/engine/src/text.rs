//! Keywords' values as plain Rust types.

use std::sync::Arc;

use rplay_diag::Diagnostic;
use rplay_template::{Templar, Trouble, Value, Vars, to_json, unknown};
use rplay_yaml::Node;
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
    match to_json(value) {
        Ok(Json::String(text)) => text,
        Ok(Json::Bool(true)) => "True".to_owned(),
        Ok(Json::Bool(false)) => "False".to_owned(),
        Ok(Json::Null) => String::new(),
        Ok(other) => other.to_string(),
        Err(_) => value.to_string(),
    }
}

/// A node rendered to a bool, with Ansible's words for it.
pub(crate) fn boolean(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<bool, Diagnostic> {
    let text = string(templar, node, vars)?;
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" | "y" | "t" => Ok(true),
        "false" | "no" | "off" | "0" | "n" | "f" | "" => Ok(false),
        other => Err(Diagnostic::error(format!("`{other}` is not a boolean")).at(&node.span)),
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
    let value = templar.render(node, vars)?;
    if value.as_str().is_some() || value.try_iter().is_err() {
        let text = plain(&value);
        return Ok(text
            .split(',')
            .map(|w| w.trim().to_owned())
            .filter(|w| !w.is_empty())
            .collect());
    }
    Ok(value
        .try_iter()
        .into_iter()
        .flatten()
        .map(|v| plain(&v))
        .collect())
}

/// A node rendered to a list of texts, where a comma is part of a text.
pub(crate) fn words_uncut(
    templar: &Templar,
    node: &Node,
    vars: &Arc<dyn Vars>,
) -> Result<Vec<String>, Diagnostic> {
    let value = templar.render(node, vars)?;
    if value.as_str().is_some() || value.try_iter().is_err() {
        return Ok(vec![plain(&value)]);
    }
    Ok(value
        .try_iter()
        .into_iter()
        .flatten()
        .map(|v| plain(&v))
        .collect())
}
