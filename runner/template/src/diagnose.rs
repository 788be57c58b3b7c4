//! The evaluator's errors as diagnostics: the place in the YAML or template, the name, the help.

use std::error::Error as _;

use minijinja::{Error, ErrorKind};
use rplay_diag::{Diagnostic, Span, did_you_mean};

use crate::vars::Vars;

/// An error of evaluating `text`, which stands at `span` (whose first byte is the text's, or a
/// quote or block marker before it).
pub(crate) fn diagnose(error: &Error, text: &str, span: &Span, vars: &dyn Vars) -> Diagnostic {
    if let Some(inner) = carried(error) {
        return used_at(inner, span);
    }
    let place = error
        .range()
        .and_then(|range| place(&range, text, span))
        .unwrap_or_else(|| span.clone());
    if error.kind() == ErrorKind::UndefinedError {
        return undefined(error, text, &place, vars);
    }
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let message = match error.kind() {
        ErrorKind::SyntaxError => format!("template syntax: {detail}"),
        ErrorKind::UnknownFilter => format!("there is no filter of this name: {detail}"),
        ErrorKind::UnknownTest => format!("there is no test of this name: {detail}"),
        ErrorKind::UnknownFunction => format!("there is no function of this name: {detail}"),
        _ => detail,
    };
    Diagnostic::error(message).at(&place)
}

/// The diagnostic of a variable that was rendered inside this one.
fn carried(error: &Error) -> Option<Diagnostic> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(diagnostic) = inner.downcast_ref::<Diagnostic>() {
            return Some(diagnostic.clone());
        }
        source = inner.source();
    }
    None
}

fn used_at(mut inner: Diagnostic, span: &Span) -> Diagnostic {
    if inner.labels.iter().any(|l| l.span == *span) || inner.labels.len() > 3 {
        return inner;
    }
    inner = inner.label(span, "used here");
    inner
}

/// A range of the text as a place in the source: the text is looked for inside the span.
fn place(range: &std::ops::Range<usize>, text: &str, span: &Span) -> Option<Span> {
    let written = span.source().text().get(span.start()..span.end())?;
    let piece = text.get(range.clone()).filter(|p| !p.is_empty())?;
    // As written, the text may be indented or escaped: the nearest same piece is it.
    let at = match written.find(text) {
        Some(start) => start + range.start,
        None => written
            .match_indices(piece)
            .map(|(i, _)| i)
            .min_by_key(|i| i.abs_diff(range.start))?,
    };
    Some(span.slice(at, at + piece.len()))
}

/// The error for a name that is not there.
pub(crate) fn missing(name: &str, text: &str, span: &Span, vars: &dyn Vars) -> Diagnostic {
    let at = text.find(name).unwrap_or(0);
    let place = place(&(at..at + name.len()), text, span).unwrap_or_else(|| span.clone());
    let diagnostic = Diagnostic::error(format!("`{name}` is undefined")).at(&place);
    match did_you_mean(name, vars.names().iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

fn undefined(error: &Error, text: &str, place: &Span, vars: &dyn Vars) -> Diagnostic {
    let piece = error.range().and_then(|r| text.get(r)).unwrap_or("").trim();
    let piece = piece.trim_start_matches("{{").trim_end_matches("}}").trim();
    let root: String = piece
        .chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect();
    let detail = error.detail().unwrap_or("undefined value");
    if root.is_empty() {
        return Diagnostic::error(format!("a value is undefined: {detail}")).at(place);
    }
    if vars.get(&root).is_some() {
        let words = format!("`{piece}` is undefined");
        return Diagnostic::error(words).at(place).help(format!(
            "`{root}` has no such key; `{piece} | default('')` would stand in for it"
        ));
    }
    missing(&root, text, place, vars)
}
