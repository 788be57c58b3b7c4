//! Values written as YAML, line for line as PyYAML writes them: a file that Ansible made stays as it
//! is. Long texts go on in a next line, and texts of several lines are quoted with their lines apart.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use rplay_yaml::plain::{can_stand, escape, is_printable};

use crate::call::items;
use crate::python::{float, named, text, wrong};

/// How collections are written.
#[derive(Clone, Copy)]
pub(super) struct Style {
    pub indent: usize,
    pub sort: bool,
    /// Collections of scalars on one line.
    pub flow_leaves: bool,
    /// All collections on one line.
    pub flow: bool,
    /// The column after which a line is broken where it can be.
    pub width: usize,
}

/// A value as a document.
pub(super) fn emit(value: &Value, style: Style) -> Result<String, Error> {
    let mut emitter = Emitter {
        style,
        out: String::new(),
        column: 0,
        blank: true,
        begun: false,
    };
    if emitter.is_flow(value)? {
        emitter.inline(value, style.indent, Place::Block)?;
        emitter.out.push('\n');
    } else {
        emitter.block(value, 0)?;
        emitter.out.push('\n');
    }
    Ok(emitter.out)
}

/// Where a scalar stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Block,
    Flow,
    /// The key of a mapping, which stays on its line; whether in a flow one.
    Key(bool),
}

struct Emitter {
    style: Style,
    out: String,
    column: usize,
    /// What was written last is a blank, or the start of a line.
    blank: bool,
    /// Something but blanks and dashes stands on the line.
    begun: bool,
}

fn is_collection(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map
    )
}

impl Emitter {
    fn children(&self, value: &Value) -> Result<Vec<(Option<Value>, Value)>, Error> {
        if value.kind() != ValueKind::Map {
            return Ok(items(value)?.into_iter().map(|item| (None, item)).collect());
        }
        let mut keys = items(value)?;
        if self.style.sort {
            keys.sort();
        }
        keys.into_iter()
            .map(|key| value.get_item(&key).map(|item| (Some(key), item)))
            .collect()
    }

    fn is_flow(&self, value: &Value) -> Result<bool, Error> {
        if !is_collection(value) || self.style.flow || value.len() == Some(0) {
            return Ok(true);
        }
        let leaves = || {
            Ok::<bool, Error>(
                !self
                    .children(value)?
                    .iter()
                    .any(|(_, item)| is_collection(item)),
            )
        };
        Ok(self.style.flow_leaves && leaves()?)
    }

    /// A collection on lines of its own, which begin at `indent`.
    fn block(&mut self, value: &Value, indent: usize) -> Result<(), Error> {
        for (key, item) in self.children(value)? {
            self.line(indent);
            let below = match &key {
                Some(key) => {
                    self.scalar(key, indent, Place::Key(false))?;
                    self.write(":");
                    self.blank = false;
                    // A list stands no further in than its key.
                    if item.kind() == ValueKind::Map {
                        indent + self.style.indent
                    } else {
                        indent
                    }
                }
                None => {
                    let begun = self.begun;
                    self.write("-");
                    (self.begun, self.blank) = (begun, false);
                    indent + self.style.indent
                }
            };
            if self.is_flow(&item)? {
                self.inline(&item, indent + self.style.indent, Place::Block)?;
            } else {
                if key.is_some() {
                    self.begun = true;
                }
                self.block(&item, below)?;
            }
        }
        Ok(())
    }

    /// A scalar, or a collection in brackets; what goes on in a next line begins at `indent`.
    fn inline(&mut self, value: &Value, indent: usize, place: Place) -> Result<(), Error> {
        if !is_collection(value) {
            return self.scalar(value, indent, place);
        }
        let is_map = value.kind() == ValueKind::Map;
        self.apart();
        self.write(if is_map { "{" } else { "[" });
        self.blank = true;
        for (at, (key, item)) in self.children(value)?.into_iter().enumerate() {
            if at > 0 {
                self.write(",");
                self.blank = false;
            }
            if self.column > self.style.width {
                self.begun = true;
                self.line(indent);
            }
            if let Some(key) = &key {
                self.scalar(key, indent, Place::Key(true))?;
                self.write(":");
                self.blank = false;
            }
            self.inline(&item, indent + self.style.indent, Place::Flow)?;
        }
        self.write(if is_map { "}" } else { "]" });
        self.blank = false;
        Ok(())
    }

    /// Begins a line at a column, unless the present one can still be that line.
    fn line(&mut self, indent: usize) {
        if self.begun || self.column > indent {
            self.newline();
        }
        while self.column < indent {
            self.write(" ");
        }
        self.blank = true;
        self.begun = false;
    }

    fn newline(&mut self) {
        self.out.push('\n');
        (self.column, self.blank, self.begun) = (0, true, false);
    }

    fn write(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
        if !text.is_empty() && text != " " {
            self.begun = true;
        }
    }

    /// A blank, where none is there.
    fn apart(&mut self) {
        if !self.blank {
            self.out.push(' ');
            self.column += 1;
            self.blank = true;
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize, place: Place) -> Result<(), Error> {
        self.apart();
        match value.kind() {
            ValueKind::None => self.write("null"),
            ValueKind::Bool => self.write(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number if value.is_integer() => self.write(&value.to_string()),
            ValueKind::Number => self.write(&number(f64::try_from(value.clone())?)),
            ValueKind::String => self.text(value.as_str().unwrap_or_default(), indent, place),
            ValueKind::Undefined | ValueKind::Invalid => {
                return Err(wrong("a part of the value is undefined"));
            }
            _ if value.as_object().is_some() => self.text(&text(value)?, indent, place),
            _ => return Err(wrong(format!("{} cannot be written as YAML", named(value)))),
        }
        self.blank = false;
        Ok(())
    }

    fn text(&mut self, text: &str, indent: usize, place: Place) {
        let is_key = matches!(place, Place::Key(_));
        let lines_apart = text.contains('\n');
        if can_stand(text, matches!(place, Place::Flow | Place::Key(true))) {
            self.folded(text, indent, is_key);
        } else if can_be_single_quoted(text) && !(is_key && lines_apart) {
            self.write("'");
            self.single_quoted(text, indent, is_key);
            self.write("'");
        } else {
            self.double_quoted(text, indent, is_key);
        }
    }

    /// Words; a line that is full ends at a lone blank between two.
    fn folded(&mut self, text: &str, indent: usize, is_key: bool) {
        for (at, part) in runs(text) {
            let inside = at > 0 && at + part.len() < text.len();
            if part == " " && inside && !is_key && self.column > self.style.width {
                self.begun = true;
                self.line(indent);
            } else {
                self.write(part);
            }
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        let doubled = text.replace('\'', "''");
        let mut rest = doubled.as_str();
        while let Some(at) = rest.find('\n') {
            let (words, from) = rest.split_at(at);
            self.folded(words, indent, is_key);
            let after = from.trim_start_matches('\n');
            // One line's end alone would be read as a blank.
            for _ in 0..=from.len() - after.len() {
                self.newline();
            }
            self.line(indent);
            rest = after;
        }
        self.folded(rest, indent, is_key);
    }

    fn double_quoted(&mut self, text: &str, indent: usize, is_key: bool) {
        self.write("\"");
        let letters: Vec<char> = text.chars().collect();
        // What is not written yet begins there; a line is broken before it is.
        let mut pending = String::new();
        for (at, &c) in letters.iter().enumerate() {
            let inside = at > 0 && at + 1 < letters.len();
            let full = self.column + pending.chars().count() > self.style.width;
            if inside && !is_key && full && (c == ' ' || pending.is_empty()) {
                self.write(&std::mem::take(&mut pending));
                self.write("\\");
                self.newline();
                self.line(indent);
                if c == ' ' {
                    self.write("\\");
                }
            }
            match escape(c) {
                None => pending.push(c),
                Some(escaped) => {
                    self.write(&std::mem::take(&mut pending));
                    self.write(&escaped);
                }
            }
        }
        self.write(&pending);
        self.write("\"");
    }
}

/// A text's runs of blanks and of other letters, each with its place.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let is_blank = rest.starts_with(' ');
        let end = rest.find(|c| (c == ' ') != is_blank).unwrap_or(rest.len());
        let run = (at, &rest[..end]);
        at += end;
        (end > 0).then_some(run)
    })
}

fn number(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let written = float(number);
    // YAML 1.1 knows a number by its dot.
    match written.split_once('e') {
        Some((digits, power)) if !digits.contains('.') => format!("{digits}.0e{power}"),
        _ => written,
    }
}

fn can_be_single_quoted(text: &str) -> bool {
    let special = |c: char| c != '\n' && !is_printable(c) || matches!(c, '\u{2028}' | '\u{2029}');
    // Blanks at a line's end or start would be lost.
    !text.contains(special) && !text.contains(" \n") && !text.contains("\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nice(value: Value) -> String {
        let style = Style {
            indent: 4,
            sort: true,
            flow_leaves: false,
            flow: false,
            width: 80,
        };
        emit(&value, style).unwrap()
    }

    fn map(pairs: &[(&str, Value)]) -> Value {
        Value::from_pairs(pairs.iter().cloned())
    }

    #[test]
    fn a_long_line_goes_on_at_a_blank() {
        let long = "word ".repeat(30);
        let want = format!(
            "a: {}word\n    {}word\n",
            "word ".repeat(15),
            "word ".repeat(13)
        );
        assert_eq!(nice(map(&[("a", long.trim_end().into())])), want);
        let one = "x".repeat(90);
        assert_eq!(
            nice(map(&[("a", one.clone().into())])),
            format!("a: {one}\n")
        );
    }

    #[test]
    fn lines_are_kept_apart_in_quotes() {
        let got = nice(map(&[("a", "x\ny\n\nz\n".into())]));
        assert_eq!(got, "a: 'x\n\n    y\n\n\n    z\n\n    '\n");
        assert_eq!(nice(map(&[("a", "x \ny".into())])), "a: \"x \\ny\"\n");
    }

    #[test]
    fn lists_stand_under_their_key_and_mappings_further_in() {
        let inner = map(&[
            ("b", Value::from(vec![1, 2])),
            ("c", map(&[("d", Value::from(()))])),
        ]);
        let list = Value::from(vec![inner, Value::from(vec!["x"])]);
        let want = "a:\n-   b:\n    - 1\n    - 2\n    c:\n        d: null\n-   - x\n";
        assert_eq!(nice(map(&[("a", list)])), want);
    }
}
