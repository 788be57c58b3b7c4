//! Values as Python prints them.

use rplay_template::{Value, from_node, in_words};
use rplay_yaml::Node;

/// A float: `1.0`, `1e+20`.
pub(crate) fn float(number: f64) -> String {
    in_words(&Value::from(number))
}

/// A value as Python's `str`.
pub(crate) fn text(node: &Node) -> String {
    in_words(&from_node(node))
}
