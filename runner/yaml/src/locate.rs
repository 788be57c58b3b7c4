//! From an offset in a scalar's value to the place in the source that it was written at.
//!
//! Nothing is kept for it: the source is walked again, which only happens when an error is drawn.

use std::ops::Range;

use rplay_diag::Span;

use crate::{Key, Kind, Node};

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    Plain,
    Single,
    Double,
    Block,
}

impl Node {
    /// The place of the byte `offset` of this node's text; the whole node where it has no text.
    pub fn locate(&self, offset: usize) -> Span {
        self.locate_range(offset, offset + 1)
    }

    /// The place of the bytes `from..to` of this node's text.
    pub fn locate_range(&self, from: usize, to: usize) -> Span {
        match &self.kind {
            Kind::Str(text) | Kind::Unsafe(text) | Kind::Vault(text) => {
                locate(text, &self.span, from..to)
            }
            _ => self.span.clone(),
        }
    }
}

impl Key {
    /// The place of the bytes `from..to` of this key's text.
    pub fn locate_range(&self, from: usize, to: usize) -> Span {
        locate(&self.text, &self.span, from..to)
    }
}

/// The place in `span` of a range of bytes of `value`, the text of the scalar written there: its
/// quotes, escapes, indentation and line breaks are counted.
pub fn locate(value: &str, span: &Span, range: Range<usize>) -> Span {
    let Range {
        start: from,
        end: to,
    } = range;
    let Some(written) = span.source().text().get(span.start()..span.end()) else {
        return span.clone();
    };
    if written.is_empty() {
        return span.clone();
    }
    let last = to.saturating_sub(1).max(from).min(value.len());
    let mut walk = Walk::new(written);
    let (mut start, mut end) = (None, None);
    for (at, c) in value.char_indices() {
        let (begin, after) = walk.step(c);
        if at + c.len_utf8() > from && start.is_none() {
            start = Some(begin);
        }
        if start.is_some() {
            end = Some(after);
        }
        if at + c.len_utf8() > last {
            break;
        }
    }
    match (start, end) {
        (Some(start), Some(end)) => span.slice(start, end.max(start)),
        _ => span.slice(walk.at, walk.at),
    }
}

struct Walk<'a> {
    written: &'a str,
    style: Style,
    at: usize,
}

impl<'a> Walk<'a> {
    fn new(written: &'a str) -> Self {
        let from = after_properties(written);
        let (style, at) = match written.as_bytes().get(from) {
            Some(b'\'') => (Style::Single, from + 1),
            Some(b'"') => (Style::Double, from + 1),
            Some(b'|' | b'>') => {
                let header = written[from..]
                    .find('\n')
                    .map_or(written.len(), |i| from + i + 1);
                (Style::Block, header)
            }
            _ => (Style::Plain, from),
        };
        Self { written, style, at }
    }

    /// Moves over the next character of the value; where it is written, begin and end.
    fn step(&mut self, c: char) -> (usize, usize) {
        loop {
            let Some(next) = self.written[self.at..].chars().next() else {
                return (self.at, self.at);
            };
            let begin = self.at;
            if next == '\\' && self.style == Style::Double {
                self.at += escape_len(&self.written[begin..]);
                // An escaped line break is no character of the value.
                if self.written[begin + 1..].starts_with(['\n', '\r']) {
                    continue;
                }
                return (begin, self.at);
            }
            if next == c {
                self.at += next.len_utf8();
                if c == '\'' && self.style == Style::Single {
                    self.at += usize::from(self.written[self.at..].starts_with('\''));
                }
                return (begin, self.at);
            }
            if c.is_whitespace() && next.is_whitespace() {
                // A folded line break: one blank of the value for all blanks written.
                let rest = &self.written[begin..];
                let blanks = rest
                    .find(|c: char| !c.is_whitespace())
                    .unwrap_or(rest.len());
                self.at += blanks;
                return (begin, self.at);
            }
            if next.is_whitespace() {
                self.at += next.len_utf8();
                continue;
            }
            // The value holds a blank that is written nowhere, or the two went apart.
            if !c.is_whitespace() {
                self.at += next.len_utf8();
            }
            return (begin, self.at);
        }
    }
}

/// Where the scalar itself begins: behind its tag and anchor.
fn after_properties(written: &str) -> usize {
    let mut rest = written;
    while rest.starts_with(['!', '&']) {
        let word = rest.find(char::is_whitespace).unwrap_or(rest.len());
        rest = rest[word..].trim_start();
    }
    written.len() - rest.len()
}

/// The bytes of the escape that `written` begins with.
fn escape_len(written: &str) -> usize {
    let digits = match written.as_bytes().get(1) {
        Some(b'x') => 2,
        Some(b'u') => 4,
        Some(b'U') => 8,
        _ => 0,
    };
    written.chars().take(2 + digits).map(char::len_utf8).sum()
}

#[cfg(test)]
mod tests {
    use rplay_diag::Source;

    use crate::load;

    /// Where `needle` of the value under `v` is said to be, as the source's own text and place.
    fn find(text: &str, needle: &str) -> (String, String) {
        let source = Source::new("t", text);
        let root = load(&source).unwrap().root(&source);
        let node = root.get("v").unwrap();
        let at = node.as_str().unwrap().find(needle).unwrap();
        let span = node.locate_range(at, at + needle.len());
        (
            source.text()[span.start()..span.end()].to_owned(),
            span.to_string(),
        )
    }

    #[test]
    fn a_word_of_a_literal_block_is_found_on_its_line() {
        let text = "v: |\n  one\n    two {{ x }}\n  three {{ y }}\n";
        assert_eq!(find(text, "{{ x }}"), ("{{ x }}".into(), "t:3:9".into()));
        assert_eq!(find(text, "y"), ("y".into(), "t:4:12".into()));
    }

    #[test]
    fn a_word_of_a_folded_block_is_found_on_its_line() {
        let text = "a: 1\nv: >-\n  one\n  two {{ x }}\n\n  é {{ y }}\n";
        assert_eq!(find(text, "{{ x }}"), ("{{ x }}".into(), "t:4:7".into()));
        assert_eq!(find(text, "{{ y }}"), ("{{ y }}".into(), "t:6:5".into()));
    }

    #[test]
    fn escapes_of_quotes_do_not_shift_it() {
        let text = "v: \"a\\tb \\\"q\\\" \\u00e9 {{ x }}\"\n";
        assert_eq!(find(text, "{{ x }}"), ("{{ x }}".into(), "t:1:23".into()));
        let text = "v: 'it''s {{ x }}'\n";
        assert_eq!(find(text, "{{ x }}"), ("{{ x }}".into(), "t:1:11".into()));
    }

    #[test]
    fn a_tag_and_an_anchor_are_left_out() {
        assert_eq!(find("v: &a !unsafe 'x {{ y }}'\n", "y").1, "t:1:21");
        assert_eq!(find("v: !unsafe |\n  x\n  {{ y }}\n", "y").1, "t:3:6");
    }

    #[test]
    fn a_plain_text_over_lines_is_followed() {
        let text = "v: one\n   two\n   {{ x }}\n";
        assert_eq!(find(text, "x"), ("x".into(), "t:3:7".into()));
        assert_eq!(find(text, "two"), ("two".into(), "t:2:4".into()));
    }
}
