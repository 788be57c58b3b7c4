//! A result as text: JSON on one line or indented, keys sorted, or YAML.

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

fn sorted(map: &Map<String, Value>) -> Value {
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

/// YAML, a level deep, as `result_format=yaml` has it; `short` leaves out the lines of outputs.
pub(crate) fn yaml(map: &Map<String, Value>, short: bool) -> String {
    let Value::Object(mut map) = sorted(map) else {
        return String::new();
    };
    for key in ["stdout", "stderr"] {
        let lines = format!("{key}_lines");
        if short && map.contains_key(key) && map.contains_key(&lines) {
            map.insert(lines, Value::String("<omitted>".to_owned()));
        }
    }
    let mut out = String::new();
    mapping(&map, 4, &mut out);
    out
}

fn mapping(map: &Map<String, Value>, depth: usize, out: &mut String) {
    for (key, value) in map {
        out.push('\n');
        out.push_str(&" ".repeat(depth));
        out.push_str(&scalar(&Value::String(key.clone()), depth));
        out.push(':');
        after_mark(value, depth, out);
    }
}

fn after_mark(value: &Value, depth: usize, out: &mut String) {
    match value {
        Value::Object(map) if !map.is_empty() => mapping(map, depth + 4, out),
        Value::Array(items) if !items.is_empty() => sequence(items, depth, out),
        other => {
            out.push(' ');
            out.push_str(&scalar(other, depth + 4));
        }
    }
}

fn sequence(items: &[Value], depth: usize, out: &mut String) {
    for item in items {
        out.push('\n');
        out.push_str(&" ".repeat(depth));
        out.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => {
                // The first key stands beside the dash.
                let mut inner = String::new();
                mapping(map, depth + 4, &mut inner);
                out.push_str("   ");
                out.push_str(inner.trim_start());
            }
            other => after_mark(other, depth + 2, out),
        }
    }
}

fn scalar(value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => string(text, depth),
        Value::Object(_) => "{}".to_owned(),
        Value::Array(_) => "[]".to_owned(),
        other => other.to_string(),
    }
}

fn string(text: &str, depth: usize) -> String {
    if text.contains('\n') && !text.contains(|c: char| c.is_control() && c != '\n') {
        let mark = if text.ends_with('\n') { "|" } else { "|-" };
        let pad = " ".repeat(depth);
        let lines = text.trim_end_matches('\n').split('\n');
        let lines = lines.map(|line| {
            if line.is_empty() {
                String::new()
            } else {
                format!("{pad}{line}")
            }
        });
        return format!("{mark}\n{}", lines.collect::<Vec<_>>().join("\n"));
    }
    if text.contains(char::is_control) {
        return Value::String(text.to_owned()).to_string();
    }
    if text == "<omitted>" || is_plain(text) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

/// Whether a text reads back as the same text without quotes.
fn is_plain(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words = [
        "true", "false", "yes", "no", "on", "off", "null", "~", "y", "n", "=", "<<",
    ];
    let first = text.chars().next();
    let starts_well = first.is_some_and(|c| c.is_alphabetic() || "/._(".contains(c));
    let ends_well = !text.ends_with([' ', ':']);
    starts_well
        && ends_well
        && !words.contains(&lower.as_str())
        && !text.contains(": ")
        && !text.contains(" #")
        && text.parse::<f64>().is_err()
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

    #[test]
    fn yaml_writes_blocks_and_leaves_out_the_lines() {
        insta::assert_snapshot!(yaml(&map(), true), @r#"
            changed: false
            list:
            - 1
            -   a: null
                b: []
            msg: é "x"
            stdout: |-
                a
                b
            stdout_lines: <omitted>
        "#);
    }

    #[test]
    fn what_would_read_back_as_something_else_is_quoted() {
        for text in [
            "true", "12", "1e3", "a: b", "a #b", "", "- x", "Null", "it's",
        ] {
            let quoted = string(text, 0);
            assert_eq!(quoted.starts_with('\''), text != "it's", "{quoted}");
        }
    }
}
