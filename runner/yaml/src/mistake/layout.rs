//! Lines and brackets out of place.

use rplay_diag::Diagnostic;

use super::Mistake;

impl Mistake<'_> {
    pub(super) fn tab(&self) -> Option<Diagnostic> {
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

    /// `name:value` where `name: value` is meant, on this line or just above it.
    pub(super) fn missing_space(&self) -> Option<Diagnostic> {
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

    /// `*base` without `&base`.
    pub(super) fn anchor(&self) -> Option<Diagnostic> {
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

    pub(super) fn unclosed_bracket(&self) -> Option<Diagnostic> {
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

    /// A key in the column of a list's dashes.
    pub(super) fn key_among_items(&self) -> Option<Diagnostic> {
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
    pub(super) fn indentation(&self) -> Option<Diagnostic> {
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
