//! A source text and a range in it.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// One text that errors can point into: a playbook, a vars file, a template, `-e` on the command line.
#[derive(PartialEq, Eq, Hash)]
pub struct Source {
    name: String,
    text: String,
    is_secret: bool,
}

/// How an encrypted file begins.
const VAULT: &[u8] = b"$ANSIBLE_VAULT";

impl Source {
    /// A source under the name that errors show: its path, or words such as `<-e>`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        Arc::new(Self {
            name: name.into(),
            text: text.into(),
            is_secret: false,
        })
    }

    /// The text of a file; where the file itself is encrypted, and the text is what was in it, it
    /// is secret: errors tell places in it, and show none of it.
    pub fn of_file(path: &Path, text: impl Into<String>) -> Arc<Self> {
        let text: String = text.into();
        let opened = !text.as_bytes().starts_with(VAULT);
        Arc::new(Self {
            name: path.display().to_string(),
            is_secret: opened && begins_as_vault(path),
            text,
        })
    }

    /// Whether nobody may see the text.
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// The text as it may be seen: of a secret one only the lines' ends.
    pub fn shown(&self) -> Cow<'_, str> {
        if !self.is_secret {
            return Cow::Borrowed(&self.text);
        }
        // As long as it is in bytes, so that places in it stay what they are.
        let blank = |byte: u8| if byte == b'\n' { '\n' } else { ' ' };
        self.text.bytes().map(blank).collect()
    }

    /// The name that errors show.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Line and column of a byte offset; past the end it is the end.
    pub fn line_col(&self, offset: usize) -> LineCol {
        let mut end = offset.min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text[..end];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        LineCol {
            line: before.bytes().filter(|b| *b == b'\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

/// Whether a file on the disk is encrypted; one that is not there is not.
fn begins_as_vault(path: &Path) -> bool {
    let mut start = [0; VAULT.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == VAULT
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.name)
    }
}

/// A place as editors show it: both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineCol {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
}

/// A range of bytes in a source. Cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Span {
    source: Arc<Source>,
    start: u32,
    end: u32,
}

impl Span {
    /// The bytes `start..end` of `source`, widened to whole characters and cut off at its end.
    pub fn new(source: Arc<Source>, start: usize, end: usize) -> Self {
        let text = source.text();
        let start = text.floor_char_boundary(start);
        let end = text.ceil_char_boundary(end.clamp(start, text.len().max(start)));
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let (start, end) = (clip(start), clip(end));
        Self { source, start, end }
    }

    /// A span for what has no text of its own (a value made by the program), under `name`.
    pub fn synthetic(name: impl Into<String>) -> Self {
        Self::new(Source::new(name, ""), 0, 0)
    }

    /// The source this points into.
    pub fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// First byte.
    pub fn start(&self) -> usize {
        self.start as usize
    }

    /// One past the last byte.
    pub fn end(&self) -> usize {
        self.end as usize
    }

    /// The line that it begins in, and up to two before it; a secret is hidden.
    pub fn lines(&self) -> Vec<String> {
        let text = self.source.shown();
        let line = self.line_col().line;
        let first = line.saturating_sub(3);
        let lines = text.lines().skip(first).take(line - first);
        lines.map(str::to_owned).collect()
    }

    /// Where it starts.
    pub fn line_col(&self) -> LineCol {
        self.source.line_col(self.start())
    }

    /// A part of this span: `from..to` are byte offsets from its start.
    pub fn slice(&self, from: usize, to: usize) -> Self {
        let (from, to) = (self.start() + from, self.start() + to);
        Self::new(
            self.source.clone(),
            from.min(self.end()),
            to.min(self.end()),
        )
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.text.is_empty() {
            return f.write_str(&self.source.name);
        }
        let LineCol { line, column } = self.line_col();
        write!(f, "{}:{line}:{column}", self.source.name)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_was_encrypted_only_places_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("v.yml");
        std::fs::write(&path, "$ANSIBLE_VAULT;1.1;AES256\n00\n").unwrap();
        let source = Source::of_file(&path, "a: dummy\nb: ü\n");
        assert_eq!(source.shown(), "        \n     \n");
        let span = Span::new(source, 3, 8);
        let drawn = crate::render(
            &crate::Diagnostic::error("no").at(&span),
            crate::Style::Plain,
        );
        assert!(
            drawn.contains("v.yml:1:4") && !drawn.contains("dummy"),
            "{drawn}"
        );
        std::fs::write(&path, "a: plain\n").unwrap();
        assert_eq!(Source::of_file(&path, "a: plain\n").shown(), "a: plain\n");
    }

    #[test]
    fn a_span_holds_whole_characters() {
        let source = Source::new("t", "aé😀b");
        let span = Span::new(source.clone(), 2, 4);
        assert_eq!((span.start(), span.end()), (1, 7));
        assert_eq!(Span::new(source, 90, 95).start(), 8);
    }

    #[test]
    fn columns_count_characters() {
        let source = Source::new("t", "x\né: y");
        assert_eq!(source.line_col(6), LineCol { line: 2, column: 4 });
    }
}
