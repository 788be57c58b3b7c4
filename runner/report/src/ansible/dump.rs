//! A result as JSON, on one line or indented, keys sorted.

use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use serde_json::{Map, Value};

/// JSON on one line, with a blank after each comma and colon.
pub(crate) fn one_line(map: &Map<String, Value>) -> String {
    written(&sorted(map), Spaced)
}

/// JSON with four blanks a level.
pub(crate) fn indented(map: &Map<String, Value>) -> String {
    written(&sorted(map), PrettyFormatter::with_indent(b"    "))
}

fn written<F: Formatter>(value: &Value, formatter: F) -> String {
    let mut out = vec![];
    // Writing JSON to memory cannot fail.
    let _ = value.serialize(&mut Serializer::with_formatter(&mut out, formatter));
    String::from_utf8_lossy(&out).into_owned()
}

pub(super) fn sorted(map: &Map<String, Value>) -> Value {
    let mut pairs: Vec<_> = map.iter().collect();
    pairs.sort_by_key(|(key, _)| *key);
    let pairs = pairs.into_iter().map(|(k, v)| (k.clone(), sorted_value(v)));
    Value::Object(pairs.collect())
}

fn sorted_value(value: &Value) -> Value {
    match value {
        Value::Object(map) => sorted(map),
        Value::Array(items) => items.iter().map(sorted_value).collect(),
        other => other.clone(),
    }
}

/// `{"a": 1, "b": [1, 2]}`.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { w.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        w: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if first { Ok(()) } else { w.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, w: &mut W) -> io::Result<()> {
        w.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> Map<String, Value> {
        let text = r#"{"msg": "é \"x\"", "changed": false, "list": [1, {"b": [], "a": null}], "stdout": "a\nb", "stdout_lines": ["a", "b"]}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn one_line_is_sorted_and_spaced() {
        insta::assert_snapshot!(one_line(&map()), @r#"{"changed": false, "list": [1, {"a": null, "b": []}], "msg": "é \"x\"", "stdout": "a\nb", "stdout_lines": ["a", "b"]}"#);
    }
}
