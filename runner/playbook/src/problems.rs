//! Everything found wrong in one load, so that all of it is shown at once.

use rplay_diag::{Diagnostic, Severity, Span};

/// Errors and warnings.
#[derive(Debug, Default)]
pub struct Problems(Vec<Diagnostic>);

impl Problems {
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        // A role that two plays use is read twice; its mistakes are said once.
        if !self.0.contains(&diagnostic) {
            self.0.push(diagnostic);
        }
    }

    pub(crate) fn extend(&mut self, diagnostics: impl IntoIterator<Item = Diagnostic>) {
        diagnostics.into_iter().for_each(|d| self.push(d));
    }

    /// How many errors there are.
    pub(crate) fn count(&self) -> usize {
        self.0
            .iter()
            .filter(|d| d.severity == Severity::Error)
            .count()
    }

    /// Whether something inside `span` is reported already.
    pub(crate) fn covers(&self, span: &Span) -> bool {
        self.0.iter().filter_map(Diagnostic::span).any(|s| {
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
            .0
            .iter()
            .filter_map(Diagnostic::span)
            .map(|s| s.source().name())
        {
            if !files.iter().any(|file| file == name) {
                files.push(name.to_owned());
            }
        }
        self.0.sort_by_key(|diagnostic| {
            diagnostic.span().map(|span| {
                (
                    files.iter().position(|file| file == span.source().name()),
                    span.start(),
                )
            })
        });
        self.0
    }
}
