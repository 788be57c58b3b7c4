//! Everything found wrong in one load, so that all of it is shown at once.

use rplay_diag::{Diagnostic, Severity, Span};

/// Errors and warnings, in the order found.
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

    /// Whether something inside `span` is reported already.
    pub(crate) fn covers(&self, span: &Span) -> bool {
        self.0.iter().filter_map(Diagnostic::span).any(|s| {
            s.source() == span.source() && s.start() >= span.start() && s.end() <= span.end()
        })
    }

    /// Whether anything is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// All of them.
    pub fn into_vec(self) -> Vec<Diagnostic> {
        self.0
    }
}
