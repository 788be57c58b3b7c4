//! What people most often mean by a text that is no YAML.

mod layout;
mod quoting;

use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};

pub(crate) use quoting::unquoted_template;

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
            .or_else(|| self.anchor())
            .or_else(|| self.unclosed_bracket())
            .or_else(|| self.missing_space())
            .or_else(|| self.second_colon())
            .or_else(|| self.colon_inside_text())
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
}
