//! Text that needs quotes, or has them wrong.

use rplay_diag::{Diagnostic, Span};

use super::Mistake;

impl Mistake<'_> {
    pub(super) fn template(&self) -> Option<Diagnostic> {
        let lines = self.lines();
        let (line, at) = lines.iter().take(3).find_map(|line| {
            let found = [": {{", "- {{", ": {%", "- {%"]
                .iter()
                .find_map(|p| line.text.find(p))?;
            Some((line, line.start + found + 2))
        })?;
        Some(quote_template(&self.span(at, line.start + line.text.len())))
    }

    pub(super) fn unclosed_quote(&self) -> Option<Diagnostic> {
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

    /// `msg: note: this`.
    pub(super) fn second_colon(&self) -> Option<Diagnostic> {
        if !self.words.contains("mapping values are not allowed") {
            return None;
        }
        let line = *self.lines().first()?;
        let (key, value) = line.text.split_once(": ")?;
        if value.starts_with(['"', '\'']) || !value.contains(": ") && !value.ends_with(':') {
            return None;
        }
        let start = line.start + key.len() + 2;
        Some(
            Diagnostic::error("text that holds `: ` must be quoted")
                .at(&self.span(start, line.start + line.text.len()))
                .help(in_quotes(&format!("{}: ", key.trim()), value)),
        )
    }

    /// `- ("name: " ~ x) in y`: the text before the colon is no key but the beginning of the value.
    pub(super) fn colon_inside_text(&self) -> Option<Diagnostic> {
        let line = *self.lines().first()?;
        let item = line.text.trim_start().strip_prefix("- ")?.trim_start();
        let (key, _) = item.split_once(": ")?;
        if key.starts_with(['"', '\'']) || !key.contains(['"', '\'', '(']) {
            return None;
        }
        let start = line.start + line.text.len() - item.len();
        Some(
            Diagnostic::error("text that holds `: ` must be quoted")
                .at(&self.span(start, line.start + line.text.len()))
                .help(in_quotes("- ", item)),
        )
    }

    /// `path: "{{ dir }}"/file`.
    pub(super) fn text_after_quote(&self) -> Option<Diagnostic> {
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
                .help(requoted(value.trim(), written)),
        )
    }

    /// A value that begins with a character that means something to YAML.
    pub(super) fn reserved(&self) -> Option<Diagnostic> {
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
    pub(super) fn escape(&self) -> Option<Diagnostic> {
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
    pub(super) fn text_after_block_sign(&self) -> Option<Diagnostic> {
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
    Diagnostic::error("a template that begins a value must be quoted")
        .at(&span.slice(0, written.len()))
        .help(in_quotes("", written))
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
        return format!("write `\"{inner}{path}\"`");
    }
    in_quotes("", &format!("{quoted} {}", path.trim_start()))
}

/// The help that puts `text` into quotes, or into a block where it has both kinds inside.
fn in_quotes(before: &str, text: &str) -> String {
    match (text.contains('"'), text.contains('\'')) {
        (false, _) => format!("write `{before}\"{text}\"`"),
        (true, false) => format!("write `{before}'{text}'`"),
        (true, true) => format!("write `{before}>-` and the text below it, indented"),
    }
}
