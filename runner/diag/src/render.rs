//! Draws a diagnostic: the message, the line, a caret, the help.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Diagnostic, Severity};

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape codes.
    Plain,
    /// ANSI colour.
    Colour,
}

/// The whole text of a diagnostic, without a trailing newline.
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message));
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let source = label.span.source();
        if source.text().is_empty() {
            group = group.element(Level::NOTE.message(format!("in {}", source.name())));
            continue;
        }
        let kind = if index == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let len = source.text().len();
        let range = label.span.start().min(len)..label.span.end().min(len);
        let mut annotation = kind.span(range);
        if !label.text.is_empty() {
            annotation = annotation.label(&label.text);
        }
        group = group.element(
            Snippet::source(source.text())
                .path(source.name())
                .annotation(annotation),
        );
    }
    for help in &diagnostic.help {
        group = group.element(Level::HELP.message(help));
    }
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    renderer.render(&[group])
}
