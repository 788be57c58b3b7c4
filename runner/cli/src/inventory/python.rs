//! Values as Python prints them.

use rplay_template::{Value, in_words};
use rplay_yaml::{Kind, Node};

/// A float: `1.0`, `1e+20`.
pub(crate) fn float(number: f64) -> String {
    in_words(&Value::from(number))
}

/// A value as Python's `str`.
pub(crate) fn text(node: &Node) -> String {
    in_words(&data(node))
}

/// A node as data.
fn data(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::from(()),
        Kind::Bool(b) => Value::from(*b),
        Kind::Int(n) => Value::from(*n),
        Kind::Float(n) => Value::from(*n),
        Kind::Str(text) | Kind::Unsafe(text) | Kind::Vault(text) => Value::from(text.as_str()),
        Kind::Seq(items) => items.iter().map(data).collect::<Vec<_>>().into(),
        Kind::Map(map) => Value::from_pairs(map.iter().map(|(k, v)| (k.text.clone(), data(v)))),
    }
}
