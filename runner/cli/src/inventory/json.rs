//! JSON as Python's `json.dumps` writes it with sorted keys and four spaces.

use rplay_yaml::{Kind, Node};

use super::python;
use super::view::Part;

/// What is marked as no plain text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Marks {
    /// Vaults, and texts that are no templates.
    All,
    /// Vaults.
    Vaults,
}

/// The text of it.
pub(crate) fn written(part: &Part<'_>, marks: Marks) -> String {
    let mut writer = Writer {
        out: String::new(),
        marks,
    };
    writer.part(part, 1);
    writer.out.push('\n');
    writer.out
}

struct Writer {
    out: String,
    marks: Marks,
}

impl Writer {
    fn part(&mut self, part: &Part<'_>, level: usize) {
        match part {
            Part::Text(text) => self.text(text),
            Part::Names(names) => {
                self.all('[', ']', names, level, |writer, name| writer.text(name));
            }
            Part::Value(_, node) => self.node(node, level),
            Part::Table(table) => {
                let mut pairs: Vec<(&String, &Part<'_>)> = table.iter().collect();
                pairs.sort_by_key(|(name, _)| *name);
                self.all('{', '}', &pairs, level, |writer, (name, part)| {
                    writer.key(name);
                    writer.part(part, level + 1);
                });
            }
        }
    }

    fn key(&mut self, name: &str) {
        self.text(name);
        self.out.push_str(": ");
    }

    /// Items between brackets, each on a line of its own.
    fn all<T>(
        &mut self,
        open: char,
        close: char,
        items: &[T],
        level: usize,
        mut each: impl FnMut(&mut Self, &T),
    ) {
        self.out.push(open);
        for (at, item) in items.iter().enumerate() {
            self.out.push_str(if at > 0 { ",\n" } else { "\n" });
            self.out.push_str(&"    ".repeat(level));
            each(self, item);
        }
        if !items.is_empty() {
            self.out.push('\n');
            self.out.push_str(&"    ".repeat(level - 1));
        }
        self.out.push(close);
    }

    fn node(&mut self, node: &Node, level: usize) {
        match &node.kind {
            Kind::Null => self.out.push_str("null"),
            Kind::Bool(b) => self.out.push_str(if *b { "true" } else { "false" }),
            Kind::Int(n) => self.out.push_str(&n.to_string()),
            Kind::Float(n) => self.out.push_str(&match n {
                n if n.is_nan() => "NaN".to_owned(),
                n if n.is_infinite() => if *n > 0.0 { "Infinity" } else { "-Infinity" }.to_owned(),
                n => python::float(*n),
            }),
            Kind::Str(text) => self.text(text),
            Kind::Unsafe(text) if self.marks == Marks::All => {
                self.marked("__ansible_unsafe", text, level);
            }
            Kind::Unsafe(text) => self.text(text),
            Kind::Vault(text) => self.marked("__ansible_vault", text, level),
            Kind::Seq(items) => {
                self.all('[', ']', items, level, |writer, item| {
                    writer.node(item, level + 1)
                });
            }
            Kind::Map(map) => {
                let mut pairs: Vec<_> = map.iter().collect();
                pairs.sort_by(|(a, _), (b, _)| a.text.cmp(&b.text));
                self.all('{', '}', &pairs, level, |writer, (key, node)| {
                    writer.key(&key.text);
                    writer.node(node, level + 1);
                });
            }
        }
    }

    fn marked(&mut self, mark: &str, text: &str, level: usize) {
        self.all('{', '}', &[(mark, text)], level, |writer, (mark, text)| {
            writer.key(mark);
            writer.text(text);
        });
    }

    fn text(&mut self, text: &str) {
        self.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.out.push_str("\\\""),
                '\\' => self.out.push_str("\\\\"),
                '\n' => self.out.push_str("\\n"),
                '\r' => self.out.push_str("\\r"),
                '\t' => self.out.push_str("\\t"),
                '\u{8}' => self.out.push_str("\\b"),
                '\u{c}' => self.out.push_str("\\f"),
                c if u32::from(c) < 0x20 => {
                    self.out.push_str(&format!("\\u{:04x}", u32::from(c)));
                }
                c => self.out.push(c),
            }
        }
        self.out.push('"');
    }
}
