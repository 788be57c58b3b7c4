//! Draws a diagnostic: the message, the line, a caret, the help.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::{Diagnostic, Label, Severity, Source};

/// Whether to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// No escape codes.
    Plain,
    /// ANSI colour.
    Colour,
}

/// The labels of each source, in the order that the sources come up; the first label is the caret.
fn by_source(diagnostic: &Diagnostic) -> Vec<(&Source, Vec<(AnnotationKind, &Label)>)> {
    let mut sources: Vec<(&Source, Vec<(AnnotationKind, &Label)>)> = vec![];
    for (index, label) in diagnostic.labels.iter().enumerate() {
        let kind = if index == 0 {
            AnnotationKind::Primary
        } else {
            AnnotationKind::Context
        };
        let source: &Source = label.span.source();
        match sources
            .iter_mut()
            .find(|(other, _)| std::ptr::eq(*other, source))
        {
            Some((_, labels)) => labels.push((kind, label)),
            None => sources.push((source, vec![(kind, label)])),
        }
    }
    sources
}

/// The whole text of a diagnostic, without a trailing newline.
pub fn render(diagnostic: &Diagnostic, style: Style) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message));
    for (source, labels) in by_source(diagnostic) {
        if source.text().is_empty() {
            group = group.element(Level::NOTE.message(format!("in {}", source.name())));
            continue;
        }
        let annotations = labels.into_iter().map(|(kind, label)| {
            let len = source.text().len();
            let range = label.span.start().min(len)..label.span.end().min(len);
            let annotation = kind.span(range);
            if label.text.is_empty() {
                annotation
            } else {
                annotation.label(&label.text)
            }
        });
        let snippet = Snippet::source(source.shown())
            .path(source.name())
            .annotations(annotations);
        group = group.element(snippet);
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
