//! A result as YAML, a level deep, as `result_format=yaml` has it.

use std::borrow::Cow;

use rplay_yaml::plain::{can_stand, escape, is_printable};
use serde_json::{Map, Value};

use super::dump::sorted;

/// How a result is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// To be read by people: texts of several lines without what is not seen of them, and the lines of
    /// outputs left out.
    Pretty,
    /// To be read back as it was.
    Exact,
}

impl Layout {
    /// How far a level stands further in.
    fn indent(self) -> usize {
        match self {
            Self::Pretty => 4,
            Self::Exact => 2,
        }
    }
}

/// The result's keys, each on lines of its own.
pub(crate) fn yaml(map: &Map<String, Value>, layout: Layout) -> String {
    let Value::Object(mut map) = sorted(map) else {
        return String::new();
    };
    for key in ["stdout", "stderr"] {
        let lines = format!("{key}_lines");
        if layout == Layout::Pretty && map.contains_key(key) && map.contains_key(&lines) {
            map.insert(lines, Value::String("<omitted>".to_owned()));
        }
    }
    let mut out = String::new();
    Writer { layout }.mapping(&map, 4, &mut out);
    out
}

struct Writer {
    layout: Layout,
}

impl Writer {
    fn mapping(&self, map: &Map<String, Value>, depth: usize, out: &mut String) {
        for (key, value) in map {
            begin_line(depth, out);
            out.push_str(&on_a_line(key));
            out.push(':');
            match value {
                Value::Object(map) if !map.is_empty() => {
                    self.mapping(map, depth + self.layout.indent(), out);
                }
                Value::Array(items) if !items.is_empty() => self.sequence(items, depth, out),
                other => self.scalar(other, depth, out),
            }
        }
    }

    fn sequence(&self, items: &[Value], depth: usize, out: &mut String) {
        let inside = depth + self.layout.indent();
        for item in items {
            begin_line(depth, out);
            out.push('-');
            let mut inner = String::new();
            match item {
                Value::Object(map) if !map.is_empty() => self.mapping(map, inside, &mut inner),
                Value::Array(items) if !items.is_empty() => {
                    self.sequence(items, inside, &mut inner);
                }
                other => {
                    self.scalar(other, depth, out);
                    continue;
                }
            }
            // The first of what is inside stands beside the dash.
            out.push_str(&" ".repeat(self.layout.indent() - 1));
            out.push_str(inner.trim_start());
        }
    }

    fn scalar(&self, value: &Value, depth: usize, out: &mut String) {
        out.push(' ');
        match value {
            Value::String(text) if text.contains('\n') => self.lines(text, depth, out),
            Value::String(text) if text == "<omitted>" => out.push_str(text),
            Value::String(text) => out.push_str(&on_a_line(text)),
            Value::Object(_) => out.push_str("{}"),
            Value::Array(_) => out.push_str("[]"),
            other => out.push_str(&other.to_string()),
        }
    }

    /// A text of several lines.
    fn lines(&self, text: &str, depth: usize, out: &mut String) {
        let seen = match self.layout {
            Layout::Pretty => Cow::Owned(what_is_seen(text)),
            Layout::Exact => Cow::Borrowed(text),
        };
        if can_be_block(&seen) {
            self.block(&seen, depth, out);
        } else {
            out.push_str(&escaped(&seen));
        }
    }

    /// Its lines as they are.
    fn block(&self, text: &str, depth: usize, out: &mut String) {
        out.push('|');
        // Where the first line does not show how far in the block stands, that is said.
        if text.starts_with([' ', '\n']) {
            out.push_str(&self.layout.indent().to_string());
        }
        let body = text.strip_suffix('\n');
        match body {
            None => out.push('-'),
            Some(body) if body.is_empty() || body.ends_with('\n') => out.push('+'),
            Some(_) => {}
        }
        for line in body.unwrap_or(text).split('\n') {
            if line.is_empty() {
                out.push('\n');
            } else {
                begin_line(depth + self.layout.indent(), out);
                out.push_str(line);
            }
        }
    }
}

fn begin_line(depth: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&" ".repeat(depth));
}

/// A text on one line, with the least of quotes.
fn on_a_line(text: &str) -> Cow<'_, str> {
    if can_stand(text, false) {
        return text.into();
    }
    if !text.chars().all(is_printable) {
        return escaped(text).into();
    }
    format!("'{}'", text.replace('\'', "''")).into()
}

fn escaped(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match escape(c) {
            Some(escaped) => out.push_str(&escaped),
            None => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A text of several lines as it looks: blanks at the ends of lines and what cannot be printed are
/// gone, a tab is the blanks that it is shown as.
fn what_is_seen(text: &str) -> String {
    let lines = text.split('\n').map(|line| {
        let mut seen = String::new();
        for c in line.chars() {
            match c {
                '\t' => seen.push_str(&" ".repeat(8 - seen.chars().count() % 8)),
                c if c.is_control() => {}
                c => seen.push(c),
            }
        }
        seen.truncate(seen.trim_end().len());
        seen
    });
    let seen = lines.collect::<Vec<_>>().join("\n");
    seen.trim_end().to_owned()
}

/// Whether a text reads back the same from a block of its lines.
fn can_be_block(text: &str) -> bool {
    let special = |c: char| c != '\n' && !is_printable(c) || matches!(c, '\u{2028}' | '\u{2029}');
    !text.is_empty() && !text.contains(special) && !text.contains(" \n") && !text.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn written(value: Value, layout: Layout) -> String {
        yaml(&Map::from_iter([("k".to_owned(), value)]), layout)
    }

    #[test]
    fn collections_stand_under_their_key_and_output_lines_are_left_out() {
        let text = r#"{"msg": "é \"x\"", "changed": false, "list": [1, {"b": [], "a": null}, [2]], "stdout": "a\nb", "stdout_lines": ["a", "b"]}"#;
        let map: Map<String, Value> = serde_json::from_str(text).unwrap();
        insta::assert_snapshot!(format!("=>{}", yaml(&map, Layout::Pretty)), @r#"
        =>
            changed: false
            list:
            - 1
            -   a: null
                b: []
            -   - 2
            msg: é "x"
            stdout: |-
                a
                b
            stdout_lines: <omitted>
        "#);
    }

    #[test]
    fn an_exact_block_says_how_it_ends_and_where_it_begins() {
        let exact = |text: &str| written(text.into(), Layout::Exact);
        assert_eq!(exact("a\nb"), "\n    k: |-\n      a\n      b");
        assert_eq!(exact("a\nb\n"), "\n    k: |\n      a\n      b");
        assert_eq!(exact("a\nb\n\n"), "\n    k: |+\n      a\n      b\n");
        assert_eq!(exact(" a\nb"), "\n    k: |2-\n       a\n      b");
        assert_eq!(exact("a \nb"), "\n    k: \"a \\nb\"");
        assert_eq!(exact("a\tb\n"), "\n    k: \"a\\tb\\n\"");
    }

    #[test]
    fn a_pretty_block_has_what_is_seen_of_it() {
        let pretty = |text: &str| written(text.into(), Layout::Pretty);
        assert_eq!(pretty("a \nb\n\n"), "\n    k: |-\n        a\n        b");
        let shown = pretty("a\tb\r\n\u{7}c\n");
        assert_eq!(shown, "\n    k: |-\n        a       b\n        c");
        assert_eq!(pretty(" \n"), "\n    k: \"\"");
        let listed = written(json!(["a\nb"]), Layout::Pretty);
        assert_eq!(listed, "\n    k:\n    - |-\n        a\n        b");
    }

    #[test]
    fn what_would_read_back_as_something_else_is_quoted() {
        for (text, want) in [
            ("true", "'true'"),
            ("12", "'12'"),
            ("a: b", "'a: b'"),
            ("it's", "it's"),
            ("'", "''''"),
            ("0beef", "0beef"),
            ("a\tb", "\"a\\tb\""),
            ("😀", "\"\\U0001F600\""),
        ] {
            let wanted = format!("\n    k: {want}");
            assert_eq!(written(text.into(), Layout::Pretty), wanted);
        }
    }
}
