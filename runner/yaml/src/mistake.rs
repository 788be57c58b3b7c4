//! What people most often mean by a text that is no YAML.

use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};

/// The help for `key: {{ x }}`.
pub(crate) const QUOTE_TEMPLATES: &str =
    "a value that begins with `{{` must be quoted: `\"{{ name }}\"`";

/// The scanner's words at its place, or better ones at a better place.
pub(crate) fn explain(source: &Arc<Source>, at: usize, words: &str) -> Diagnostic {
    Mistake { source, at, words }.explain()
}

struct Mistake<'a> {
    source: &'a Arc<Source>,
    at: usize,
    words: &'a str,
}

/// A line and where it begins.
#[derive(Clone, Copy)]
struct Line<'a> {
    start: usize,
    text: &'a str,
}

impl Line<'_> {
    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }
}

impl<'a> Mistake<'a> {
    fn explain(&self) -> Diagnostic {
        self.tab()
            .or_else(|| self.template())
            .or_else(|| self.unclosed_quote())
            .or_else(|| self.missing_space())
            .or_else(|| self.second_colon())
            .or_else(|| self.text_after_quote())
            .or_else(|| self.reserved())
            .or_else(|| self.indentation())
            .unwrap_or_else(|| {
                Diagnostic::error(format!("invalid YAML: {}", self.words)).at(&self.here())
            })
    }

    fn text(&self) -> &'a str {
        self.source.text()
    }

    fn here(&self) -> Span {
        let next = self.text()[self.at.min(self.text().len())..].chars().next();
        self.span(self.at, self.at + next.map_or(0, char::len_utf8))
    }

    fn span(&self, start: usize, end: usize) -> Span {
        let len = self.text().len();
        Span::new(self.source.clone(), start.min(len), end.min(len))
    }

    /// The line of the error, and those above it, nearest first; blank lines and comments left out.
    fn lines(&self) -> Vec<Line<'a>> {
        let mut start = 0;
        let mut lines = vec![];
        for text in self.text().split_inclusive('\n') {
            if start > self.at {
                break;
            }
            let trimmed = text.trim();
            if !trimmed.is_empty() && !trimmed.starts_with('#') {
                lines.push(Line { start, text: text.trim_end() });
            }
            start += text.len();
        }
        lines.reverse();
        lines
    }

    fn tab(&self) -> Option<Diagnostic> {
        let line = self.lines().into_iter().find(|line| {
            let blank = &line.text[..line.indent()];
            blank.contains('\t')
        })?;
        let tab = line.start + line.text.find('\t')?;
        let near = self.words.contains("tab") || self.lines().iter().take(2).any(|l| l.start == line.start);
        near.then(|| {
            Diagnostic::error("a tab cannot indent YAML")
                .at(&self.span(tab, tab + 1))
                .help("indent with spaces")
        })
    }

    fn template(&self) -> Option<Diagnostic> {
        let lines = self.lines();
        let (line, at) = lines.iter().take(3).find_map(|line| {
            let found = [": {{", "- {{", ": {%", "- {%"].iter().find_map(|p| line.text.find(p))?;
            Some((line, line.start + found + 2))
        })?;
        let error = Diagnostic::error("a template that begins a value must be quoted")
            .at(&self.span(at, line.start + line.text.len()));
        let written = line.text.get(at - line.start..).unwrap_or_default();
        let quoted = if written.contains('"') { format!("'{written}'") } else { format!("\"{written}\"") };
        Some(error.help(format!("write `{quoted}`")))
    }

    fn unclosed_quote(&self) -> Option<Diagnostic> {
        if !self.words.contains("quoted scalar") || self.words.contains("escape") {
            return None;
        }
        if self.words.contains("trailing content") {
            return None;
        }
        let before = &self.text()[..self.at.min(self.text().len())];
        let open = before
            .char_indices()
            .filter(|(i, c)| {
                matches!(c, '"' | '\'')
                    && before[..*i].chars().next_back().is_none_or(|p| p.is_whitespace() || "[{,(".contains(p))
            })
            .map(|(i, _)| i)
            .next_back()?;
        Some(
            Diagnostic::error("this quote is never closed")
                .at(&self.span(open, open + 1))
                .help(format!("invalid YAML: {}", self.words)),
        )
    }

    /// `name:value` where `name: value` is meant, on this line or just above it.
    fn missing_space(&self) -> Option<Diagnostic> {
        let expected = ["mapping values", "':'", "simple key", "block mapping", "expected key"];
        if !expected.iter().any(|words| self.words.contains(words)) {
            return None;
        }
        self.lines().into_iter().take(2).find_map(|line| {
            let body = line.text.trim_start().trim_start_matches("- ");
            let word = body.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))?;
            let rest = body.get(word..)?.strip_prefix(':')?;
            if word == 0 || rest.is_empty() || rest.starts_with([' ', ':', '/']) {
                return None;
            }
            let colon = line.start + (line.text.len() - body.len()) + word;
            Some(
                Diagnostic::error("a space is missing after this colon")
                    .at(&self.span(colon, colon + 1))
                    .help(format!("write `{}: {rest}`", &body[..word])),
            )
        })
    }

    /// `msg: note: this`.
    fn second_colon(&self) -> Option<Diagnostic> {
        if !self.words.contains("mapping values are not allowed") {
            return None;
        }
        let line = *self.lines().first()?;
        let (key, value) = line.text.split_once(": ")?;
        if value.starts_with(['"', '\'']) || !value.contains(": ") && !value.ends_with(':') {
            return None;
        }
        let start = line.start + key.len() + 2;
        let quoted = if value.contains('"') { format!("'{value}'") } else { format!("\"{value}\"") };
        Some(
            Diagnostic::error("text that holds `: ` must be quoted")
                .at(&self.span(start, line.start + line.text.len()))
                .help(format!("write `{}: {quoted}`", key.trim())),
        )
    }

    /// `path: "{{ dir }}"/file`.
    fn text_after_quote(&self) -> Option<Diagnostic> {
        let line = *self.lines().first()?;
        let column = self.at.checked_sub(line.start)?;
        let before = line.text.get(..column)?.trim_end();
        let quote = before.chars().next_back().filter(|c| matches!(c, '"' | '\''))?;
        let (_, value) = before.split_once(": ").or_else(|| before.split_once("- "))?;
        if !value.trim_start().starts_with(quote) {
            return None;
        }
        Some(
            Diagnostic::error("there is text after the closing quote")
                .at(&self.span(self.at, line.start + line.text.len()))
                .help("quote the whole value, or none of it"),
        )
    }

    /// A value that begins with a character that means something to YAML.
    fn reserved(&self) -> Option<Diagnostic> {
        let next = self.text().get(self.at..)?.chars().next()?;
        let starts_value = self.words.contains("unexpected character")
            || self.words.contains("alias")
            || self.words.contains("directive");
        if !starts_value || !matches!(next, '@' | '`' | '%' | '*' | '&') {
            return None;
        }
        Some(
            Diagnostic::error(format!("text cannot begin with `{next}` in YAML"))
                .at(&self.here())
                .help("quote the value"),
        )
    }

    /// A line that begins where nothing above it does.
    fn indentation(&self) -> Option<Diagnostic> {
        let expected = ["indent", "expected key", "block mapping", "'-'", "mapping values", "block collection", "sequence entries", "simple key", "<document start>"];
        if !expected.iter().any(|words| self.words.contains(words)) {
            return None;
        }
        let lines = self.lines();
        let (line, above) = (lines.first()?, lines.get(1)?);
        let fits = lines[1..].iter().any(|other| {
            let dash = other.text.trim_start().starts_with("- ");
            other.indent() == line.indent() || (dash && other.indent() + 2 == line.indent())
        });
        let from = line.start + line.indent();
        let to = line.start + line.text.len();
        let error = if fits {
            Diagnostic::error(format!("invalid YAML: {}", self.words)).at(&self.here())
        } else {
            Diagnostic::error("this line is indented like none above it").at(&self.span(from, to))
        };
        let begin = above.start + above.indent();
        Some(
            error
                .label(&self.span(begin, above.start + above.text.len()), "after this line")
                .help("what belongs together must begin in the same column"),
        )
    }
}
