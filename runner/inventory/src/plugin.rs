//! Inventories that a configuration in YAML describes: `plugin: constructed`, `plugin: generator`.

use std::sync::Arc;

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Kind, Map, Node};

use crate::builder::Builder;
use crate::model::Layer;
use crate::vars_files::VarsFiles;
use crate::{constructed, generator};

/// Renders what a configuration has of templates. Which language they are in is not known here.
pub trait Render {
    /// A value with the templates in it rendered, with the variables of some layers, later ones
    /// over earlier ones.
    ///
    /// # Errors
    /// A template that cannot be rendered.
    fn template(&self, node: &Node, vars: &[Layer]) -> Result<Node, Diagnostic>;

    /// The value of an expression.
    ///
    /// # Errors
    /// An expression that cannot be evaluated.
    fn expression(&self, node: &Node, vars: &[Layer]) -> Result<Node, Diagnostic>;

    /// Whether a condition holds.
    ///
    /// # Errors
    /// A condition that cannot be decided.
    fn condition(&self, node: &Node, vars: &[Layer]) -> Result<bool, Diagnostic>;
}

/// What a plugin may use besides its configuration.
pub(crate) struct Around<'a> {
    pub render: &'a dyn Render,
    /// `-e`, where plugins may see it without saying so.
    pub use_extra: bool,
    /// `-e`.
    pub extra: &'a [Layer],
    /// `group_vars` and `host_vars` beside the sources, when asked for.
    pub files: &'a dyn Fn() -> Result<Vec<VarsFiles>, Diagnostic>,
}

/// The plugins that are built in.
const KNOWN: [&str; 2] = ["constructed", "generator"];

/// The plugin that a configuration names, without its collection.
pub(crate) fn named(root: &Node) -> Option<&str> {
    let name = root.get("plugin")?.as_str()?;
    Some(short(name))
}

/// A plugin's name without the collection of those that are built in.
pub(crate) fn short(name: &str) -> &str {
    let builtin = ["ansible.builtin.", "ansible.legacy."];
    let short = builtin.iter().find_map(|start| name.strip_prefix(start));
    short.unwrap_or(name)
}

/// Adds what a configuration describes to the inventory.
pub(crate) fn read(
    root: &Node,
    builder: &mut Builder<'_>,
    around: &Around<'_>,
) -> Result<(), Diagnostic> {
    let Kind::Map(config) = &root.kind else {
        return Err(Diagnostic::error("a plugin's configuration is a mapping").at(&root.span));
    };
    match named(root) {
        Some("constructed") => constructed::read(config, builder, around),
        Some("generator") => generator::read(config, builder, around),
        other => {
            let name = other.unwrap_or_default();
            let words = format!(
                "inventory config '{}' specifies unknown plugin '{name}'",
                builder.path.display()
            );
            let span = root.get("plugin").map_or(&root.span, |node| &node.span);
            let error = Diagnostic::error(words).at(span);
            Err(match did_you_mean(name, KNOWN) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(
                    "`constructed` and `generator` are built in; others are in Python, and run where ansible-core and their collection are installed on this machine",
                ),
            })
        }
    }
}

/// Whether an option of a configuration is on.
pub(crate) fn flag(config: &Map, name: &str, default: bool) -> Result<bool, Diagnostic> {
    let Some(node) = config.get(name) else {
        return Ok(default);
    };
    match &node.kind {
        Kind::Bool(on) => Ok(*on),
        Kind::Int(n @ (0 | 1)) => Ok(*n == 1),
        Kind::Str(text) => match text.to_lowercase().as_str() {
            "true" | "yes" | "on" | "1" | "y" | "t" => Ok(true),
            "false" | "no" | "off" | "0" | "n" | "f" => Ok(false),
            _ => Err(wrong(name, node, "true or false")),
        },
        _ => Err(wrong(name, node, "true or false")),
    }
}

/// A part of a configuration that is a mapping.
pub(crate) fn mapping<'a>(config: &'a Map, name: &str) -> Result<Option<&'a Map>, Diagnostic> {
    match config.get(name) {
        None => Ok(None),
        Some(Node {
            kind: Kind::Null, ..
        }) => Ok(None),
        Some(node) => node
            .as_map()
            .map(Some)
            .ok_or_else(|| wrong(name, node, "a mapping")),
    }
}

/// A part of a configuration that is a list.
pub(crate) fn list<'a>(config: &'a Map, name: &str) -> Result<&'a [Node], Diagnostic> {
    match config.get(name) {
        None => Ok(&[]),
        Some(Node {
            kind: Kind::Null, ..
        }) => Ok(&[]),
        Some(node) => node.as_seq().ok_or_else(|| wrong(name, node, "a list")),
    }
}

pub(crate) fn wrong(name: &str, node: &Node, wanted: &str) -> Diagnostic {
    let words = format!("`{name}` is {wanted}, not {}", node.describe());
    Diagnostic::error(words).at(&node.span)
}

/// A value as part of a name: as Python prints it.
pub(crate) fn text(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "None".to_owned(),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Int(n) => n.to_string(),
        Kind::Float(n) => format!("{n:?}"),
        Kind::Str(text) | Kind::Unsafe(text) | Kind::Vault(text) => text.clone(),
        Kind::Seq(items) => format!("[{}]", listed(items.iter().map(quoted))),
        Kind::Map(map) => {
            let pairs = map
                .iter()
                .map(|(key, node)| format!("'{}': {}", key.text, quoted(node)));
            format!("{{{}}}", listed(pairs))
        }
    }
}

fn quoted(node: &Node) -> String {
    match &node.kind {
        Kind::Str(text) | Kind::Unsafe(text) | Kind::Vault(text) => format!("'{text}'"),
        _ => text(node),
    }
}

fn listed(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Variables of one value each, as a layer.
pub(crate) fn layer<'a>(pairs: impl IntoIterator<Item = (&'a str, Node)>) -> Layer {
    let key = |name: &str, node: &Node| rplay_yaml::Key {
        text: name.to_owned(),
        span: node.span.clone(),
    };
    let pairs = pairs.into_iter();
    Arc::new(pairs.map(|(name, node)| (key(name, &node), node)).collect())
}
