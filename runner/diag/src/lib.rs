//! Source files, spans and diagnostics: the one place that draws an error.
//!
//! Owns how a mistake is pointed at (file, line, column, caret, help). Knows nothing of YAML,
//! plays or hosts, and does no I/O.

mod diagnostic;
mod render;
mod source;
mod suggest;

pub use diagnostic::{Diagnostic, Label, Severity};
pub use render::{Style, render};
pub use source::{LineCol, Source, Span};
pub use suggest::did_you_mean;
