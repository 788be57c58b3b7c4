//! Everything found wrong in one load, so that all of it is shown at once.

use rplay_diag::{Diagnostic, Severity, Span};

/// Errors and warnings.
#[derive(Debug, Default)]
pub struct Problems {
    found: Vec<Diagnostic>,
    /// How many of them say that a file or role is not there.
    absent: usize,
}

/// Why nothing could be read of what an include names.
#[derive(Debug)]
pub enum Unread {
    /// It, or what it imports, is not there: which may depend on the host.
    Absent(Vec<Diagnostic>),
    /// What it says is wrong, for whoever reads it.
    Wrong(Vec<Diagnostic>),
}

impl Problems {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        // A role that two plays use is read twice; its mistakes are said once.
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// A file or role that is not there.
    pub(crate) fn push_absent(&mut self, diagnostic: Diagnostic) {
        let before = self.found.len();
        self.push(diagnostic);
        self.absent += self.found.len() - before;
    }

    /// What is wrong, where anything is an error.
    pub(crate) fn into_unread(self) -> Result<Vec<Diagnostic>, Unread> {
        match (self.count(), self.absent) {
            (0, _) => Ok(self.into_vec()),
            (errors, absent) if errors == absent => Err(Unread::Absent(self.into_vec())),
            _ => Err(Unread::Wrong(self.into_vec())),
        }
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|d| self.push(d));
    }

    /// How many errors there are.
    pub(crate) fn count(&self) -> usize {
        self.found
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count()
    }

    /// Whether something inside `span` is reported already.
    pub(crate) fn covers(&self, span: &Span) -> bool {
        self.found.iter().filter_map(Diagnostic::span).any(|s| {
            s.source() == span.source() && s.start() >= span.start() && s.end() <= span.end()
        })
    }

    /// Whether anything is an error.
    pub fn has_errors(&self) -> bool {
        self.count() > 0
    }

    /// All of them: file by file in the order they came up, each from its top to its end.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        let mut files: Vec<String> = vec![];
        for name in self
            .found
            .iter()
            .filter_map(Diagnostic::span)
            .map(|s| s.source().name())
        {
            if !files.iter().any(|file| file == name) {
                files.push(name.to_owned());
            }
        }
        self.found.sort_by_key(|diagnostic| {
            diagnostic.span().map(|span| {
                (
                    files.iter().position(|file| file == span.source().name()),
                    span.start(),
                )
            })
        });
        self.found
    }
}
