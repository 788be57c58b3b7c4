//! What people most often mean by a text that is no YAML.

use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};

/// The scanner's words at its place, or better ones at a better place.
pub(crate) fn explain(source: &Arc<Source>, at: usize, words: &str) -> Diagnostic {
    Mistake { source, at, words }.explain()
}

/// What is said where `span`, a mapping used as a key, is the inside of `{{ x }}`.
pub(crate) fn unquoted_template(span: &Span) -> Option<Diagnostic> {
    let at = span.start().checked_sub(1)?;
    let text = span.source().text();
    if !text.get(at..)?.starts_with("{{") {
        return None;
    }
    let end = text[at..].find(['\n', '\r']).map_or(text.len(), |i| at + i);
    Some(quote_template(&Span::new(span.source().clone(), at, end)))
}

fn quote_template(span: &Span) -> Diagnostic {
    let written = span
        .source()
        .text()
        .get(span.start()..span.end())
        .unwrap_or_default();
    let written = written.split(" #").next().unwrap_or_default().trim_end();
    let quote = if written.contains('"') { '\'' } else { '"' };
    Diagnostic::error("a template that begins a value must be quoted")
        .at(&span.slice(0, written.len()))
        .help(format!("write `{quote}{written}{quote}`"))
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
            .or_else(|| self.anchor())
            .or_else(|| self.unclosed_bracket())
            .or_else(|| self.missing_space())
            .or_else(|| self.second_colon())
            .or_else(|| self.text_after_quote())
            .or_else(|| self.escape())
            .or_else(|| self.text_after_block_sign())
            .or_else(|| self.reserved())
            .or_else(|| self.key_among_items())
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
                lines.push(Line {
                    start,
                    text: text.trim_end(),
                });
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
        let near = self.words.contains("tab")
            || self.lines().iter().take(2).any(|l| l.start == line.start);
        near.then(|| {
            Diagnostic::error("a tab cannot indent YAML")
                .at(&self.span(tab, tab + 1))
                .help("indent with spaces")
        })
    }

    fn template(&self) -> Option<Diagnostic> {
        let lines = self.lines();
        let (line, at) = lines.iter().take(3).find_map(|line| {
            let found = [": {{", "- {{", ": {%", "- {%"]
                .iter()
                .find_map(|p| line.text.find(p))?;
            Some((line, line.start + found + 2))
        })?;
        Some(quote_template(&self.span(at, line.start + line.text.len())))
    }

    fn unclosed_quote(&self) -> Option<Diagnostic> {
        if !self.words.contains("quoted scalar") || self.words.contains("escape") {
            return None;
        }
        if self.words.contains("trailing content") {
            return None;
        }
        // The scanner points at the quote that opens, or at what it stumbled over inside.
        let until = (self.at + 1).min(self.text().len());
        let before = self.text().get(..until)?;
        let open = before
            .char_indices()
            .filter(|(i, c)| {
                matches!(c, '"' | '\'')
                    && before[..*i]
                        .chars()
                        .next_back()
                        .is_none_or(|p| p.is_whitespace() || "[{,(".contains(p))
            })
            .map(|(i, _)| i)
            .next_back()?;
        Some(
            Diagnostic::error("this quote is never closed")
                .at(&self.span(open, open + 1))
                .help("close it where the text ends"),
        )
    }

    /// `*base` without `&base`.
    fn anchor(&self) -> Option<Diagnostic> {
        if !self.words.contains("unknown anchor") {
            return None;
        }
        let rest = self.text().get(self.at..)?.strip_prefix('*')?;
        let name = rest
            .split(|c: char| c.is_whitespace() || ",]}".contains(c))
            .next()?;
        Some(
            Diagnostic::error(format!("there is no anchor `{name}`"))
                .at(&self.span(self.at, self.at + 1 + name.len()))
                .help(format!(
                    "mark the value to repeat with `&{name}`, above; or quote text that begins with `*`"
                )),
        )
    }

    fn unclosed_bracket(&self) -> Option<Diagnostic> {
        if !["flow", "illegal placement"]
            .iter()
            .any(|words| self.words.contains(words))
        {
            return None;
        }
        let before = self.text().get(..self.at)?;
        let mut closed = 0_usize;
        let open = before.char_indices().rev().find(|(_, c)| match c {
            ']' | '}' => {
                closed += 1;
                false
            }
            '[' | '{' if closed > 0 => {
                closed -= 1;
                false
            }
            '[' | '{' => true,
            _ => false,
        });
        let (at, bracket) = open?;
        Some(
            Diagnostic::error(format!(
                "this `{bracket}` is not closed before the next thing begins"
            ))
            .at(&self.span(at, at + 1))
            .label(&self.here(), "here")
            .help("close the bracket, put a comma between the values, or quote the text"),
        )
    }

    /// `name:value` where `name: value` is meant, on this line or just above it.
    fn missing_space(&self) -> Option<Diagnostic> {
        let expected = [
            "mapping values",
            "':'",
            "simple key",
            "block mapping",
            "expected key",
        ];
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
        let quoted = if value.contains('"') {
            format!("'{value}'")
        } else {
            format!("\"{value}\"")
        };
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
        let written = line.text.get(column..).unwrap_or_default();
        if written.trim_start().starts_with('#') {
            return None;
        }
        let before = line.text.get(..column)?.trim_end();
        let quote = before
            .chars()
            .next_back()
            .filter(|c| matches!(c, '"' | '\''))?;
        let (_, value) = before
            .split_once(": ")
            .or_else(|| before.split_once("- "))?;
        if !value.trim_start().starts_with(quote) {
            return None;
        }
        Some(
            Diagnostic::error("there is text after the closing quote")
                .at(&self.span(self.at, line.start + line.text.len()))
                .help(format!("write {}", requoted(value.trim(), written))),
        )
    }

    /// A value that begins with a character that means something to YAML.
    fn reserved(&self) -> Option<Diagnostic> {
        // The scanner may have gone past the `*` or `&` already.
        let before = self.text().get(..self.at)?.chars().next_back();
        let back = usize::from(matches!(before, Some('*' | '&')));
        let at = self.at - back;
        let next = self.text().get(at..)?.chars().next()?;
        let starts_value = [
            "unexpected character",
            "alias",
            "anchor",
            "directive",
            "node content",
        ]
        .iter()
        .any(|words| self.words.contains(words));
        if !starts_value || !matches!(next, '@' | '`' | '%' | '*' | '&' | ',') {
            return None;
        }
        Some(
            Diagnostic::error(format!(
                "text that begins with {} must be quoted",
                quoted_char(next)
            ))
            .at(&self.span(at, at + 1))
            .help("put quotes around the whole value"),
        )
    }

    /// `path: "C:\dir"`.
    fn escape(&self) -> Option<Diagnostic> {
        if !self.words.contains("escape") {
            return None;
        }
        let quoted = self.text().get(self.at..)?;
        let mut characters = quoted.char_indices().peekable();
        while let Some((i, c)) = characters.next() {
            if c != '\\' {
                continue;
            }
            let (_, next) = characters.next()?;
            if !"0abtnvfre \"/\\N_LPxuU\t\r\n".contains(next) {
                let at = self.at + i;
                return Some(
                    Diagnostic::error(format!("`\\{next}` is no escape of YAML"))
                        .at(&self.span(at, at + 1 + next.len_utf8()))
                        .help("between double quotes write `\\\\` for a backslash, or use single quotes"),
                );
            }
        }
        None
    }

    /// `msg: > text`.
    fn text_after_block_sign(&self) -> Option<Diagnostic> {
        if !self.words.contains("block scalar") || !self.words.contains("comment or line break") {
            return None;
        }
        let sign = self.text().get(self.at..)?.chars().next()?;
        let line = *self.lines().first()?;
        Some(
            Diagnostic::error(format!("text after `{sign}` begins on the next line"))
                .at(&self.span(self.at, line.start + line.text.len()))
                .help("quote the value if it is meant to begin with this sign"),
        )
    }

    /// A key in the column of a list's dashes.
    fn key_among_items(&self) -> Option<Diagnostic> {
        if !self.words.contains("did not find expected '-' indicator") {
            return None;
        }
        let lines = self.lines();
        let line = lines.first()?;
        let item = lines[1..].iter().find(|other| {
            other.indent() <= line.indent() && other.text.trim_start().starts_with("- ")
        })?;
        let column = item.indent() + 2;
        let from = line.start + line.indent();
        Some(
            Diagnostic::error("this line does not line up with the list item above")
                .at(&self.span(from, line.start + line.text.len()))
                .label(
                    &self.span(item.start + item.indent(), item.start + item.text.len()),
                    "the item",
                )
                .help(format!(
                    "what belongs to the item begins in column {}",
                    column + 1
                )),
        )
    }

    /// A line that begins where nothing above it does.
    fn indentation(&self) -> Option<Diagnostic> {
        let expected = [
            "indent",
            "expected key",
            "block mapping",
            "'-'",
            "mapping values",
            "block collection",
            "sequence entries",
            "simple key",
            "<document start>",
        ];
        if !expected.iter().any(|words| self.words.contains(words)) {
            return None;
        }
        let lines = self.lines();
        let (line, above) = (lines.first()?, lines.get(1)?);
        let begin = above.start + above.indent();
        let above = self.span(begin, above.start + above.text.len());
        let item = line.text.trim_start().starts_with("- ");
        if item && self.words.contains("did not find expected key") {
            let dash = line.start + line.indent();
            return Some(
                Diagnostic::error("a list item cannot stand among the keys of a mapping")
                    .at(&self.span(dash, dash + 1))
                    .label(&above, "a key")
                    .help("indent the list under its own key"),
            );
        }
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
        Some(
            error
                .label(&above, "after this line")
                .help("what belongs together must begin in the same column"),
        )
    }
}

/// A character in backticks; a backtick itself in words.
fn quoted_char(c: char) -> String {
    if c == '`' {
        "a backtick".to_owned()
    } else {
        format!("`{c}`")
    }
}

/// The whole value in quotes: `"{{ x }}"/y` becomes `"{{ x }}/y"`, `"a" in b` becomes `'"a" in b'`.
fn requoted(quoted: &str, rest: &str) -> String {
    let inner = quoted
        .get(1..quoted.len().saturating_sub(1))
        .unwrap_or_default();
    let path = rest.trim_end();
    if inner.starts_with("{{") && !path.contains(['"', '\'']) && !rest.starts_with(' ') {
        return format!("`\"{inner}{path}\"`");
    }
    let whole = format!("{quoted} {}", path.trim_start());
    if whole.contains('\'') {
        format!("`\"{whole}\"`")
    } else {
        format!("`'{whole}'`")
    }
}
