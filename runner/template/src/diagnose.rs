//! The evaluator's errors as diagnostics: the place in the YAML or template, the name, the help.

use std::error::Error as _;
use std::ops::Range;
use std::sync::Arc;

use minijinja::{Error, ErrorKind};
use rplay_diag::{Diagnostic, Source, Span, did_you_mean};
use rplay_yaml::{Kind, Node};

use crate::missing::Miss;
use crate::vars::Vars;

/// Why something could not be rendered.
#[derive(Debug)]
pub(crate) struct Failure {
    pub diagnostic: Diagnostic,
    /// It rests on something undefined, which `default` may stand in for.
    pub undefined: bool,
}

impl From<Diagnostic> for Box<Failure> {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::new(Failure {
            diagnostic,
            undefined: false,
        })
    }
}

/// Where an evaluated text is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    /// It is a node's.
    Node(&'a Node),
    /// It stands somewhere in a span.
    Text(&'a str, &'a Span),
    /// It is a file's, from this byte on.
    File(&'a Arc<Source>, usize),
}

impl Place<'_> {
    /// All of it.
    pub(crate) fn whole(&self) -> Span {
        match self {
            Self::Node(node) => node.span.clone(),
            Self::Text(_, span) => (*span).clone(),
            Self::File(source, _) => Span::new((*source).clone(), 0, 0),
        }
    }

    /// A range of its text.
    pub(crate) fn range(&self, range: &Range<usize>) -> Span {
        match self {
            Self::Node(node) => node.locate_range(range.start, range.end),
            Self::Text(text, span) => {
                let written = span
                    .source()
                    .text()
                    .get(span.start()..span.end())
                    .unwrap_or("");
                match written.find(text) {
                    Some(at) => span.slice(at + range.start, at + range.end),
                    None => Node {
                        span: (*span).clone(),
                        kind: Kind::Str((*text).to_owned()),
                    }
                    .locate_range(range.start, range.end),
                }
            }
            Self::File(source, from) => {
                Span::new((*source).clone(), from + range.start, from + range.end)
            }
        }
    }
}

/// An error of evaluating `text`; `range` is the part of it that the error is about.
pub(crate) fn failure(
    error: &Error,
    text: &str,
    range: Option<Range<usize>>,
    place: &Place<'_>,
    misses: Vec<Miss>,
    vars: &dyn Vars,
) -> Box<Failure> {
    let range = range.filter(|r| !r.is_empty() && text.get(r.clone()).is_some());
    let span = range
        .as_ref()
        .map_or_else(|| place.whole(), |range| place.range(range));
    if let Some(inner) = carried(error) {
        return used_at(inner, &span).into();
    }
    if error.kind() == ErrorKind::UndefinedError {
        let diagnostic = undefined(error, text, range, place, misses, vars);
        return Box::new(Failure {
            diagnostic,
            undefined: true,
        });
    }
    described(error, &span).into()
}

/// The words of an error that is about nothing undefined.
pub(crate) fn described(error: &Error, span: &Span) -> Diagnostic {
    let detail = error
        .detail()
        .map_or_else(|| error.kind().to_string(), str::to_owned);
    let unknown = |what: &str, names: &[&str]| {
        let name = detail.split_whitespace().nth(1).unwrap_or_default();
        // Ansible's words, which playbooks look for.
        let diagnostic = Diagnostic::error(format!("No {what} named '{name}'")).at(span);
        let bare = name.rsplit('.').next().unwrap_or(name);
        match did_you_mean(bare, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic,
        }
    };
    match error.kind() {
        ErrorKind::SyntaxError => syntax(&detail, span),
        _ if detail.starts_with("unable to calculate ") => {
            let sum = detail.trim_start_matches("unable to calculate ");
            let zero = if sum.ends_with(" 0") || sum.ends_with(" 0.0") {
                "division by zero"
            } else {
                "it is too large"
            };
            Diagnostic::error(format!("`{sum}` cannot be calculated: {zero}")).at(span)
        }
        ErrorKind::UnknownFilter => unknown("filter", &crate::filters::names()),
        ErrorKind::UnknownTest => unknown("test", &crate::tests_of_values::names()),
        ErrorKind::UnknownFunction => {
            let name = detail.split_whitespace().next().unwrap_or_default();
            let diagnostic = Diagnostic::error(format!("'{name}' is undefined")).at(span);
            match did_you_mean(name, crate::filters::functions().iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help("there is no such function"),
            }
        }
        ErrorKind::TemplateNotFound => Diagnostic::error(detail).at(span),
        _ => Diagnostic::error(detail).at(span),
    }
}

fn syntax(detail: &str, span: &Span) -> Diagnostic {
    let diagnostic = Diagnostic::error(format!("template syntax: {detail}")).at(span);
    if detail.contains("unexpected end of input") || detail.contains("end of block") {
        return diagnostic.help("a `{{`, a `{%` or a bracket is not closed");
    }
    diagnostic
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

fn used_at(inner: Diagnostic, span: &Span) -> Diagnostic {
    if inner.labels.iter().any(|l| l.span == *span) || inner.labels.len() > 3 {
        return inner;
    }
    inner.label(span, "used here")
}

/// The error for something that is not there: of all that was missed, what stands in the range.
fn undefined(
    error: &Error,
    text: &str,
    range: Option<Range<usize>>,
    place: &Place<'_>,
    mut misses: Vec<Miss>,
    vars: &dyn Vars,
) -> Diagnostic {
    let all = range.clone().unwrap_or(0..text.len());
    misses.retain(|miss| !matches!(miss, Miss::Name(name) if crate::filters::functions().contains(&name.as_str())));
    let at = misses
        .iter()
        .rposition(|miss| written_at(miss, text, &all).is_some());
    let at = at.or_else(|| misses.len().checked_sub(1));
    let Some(miss) = at.map(|at| misses.swap_remove(at)) else {
        let span = range.map_or_else(|| place.whole(), |range| place.range(&range));
        let words = error
            .detail()
            .filter(|d| !d.is_empty() && !d.starts_with('`'));
        let words = words.map_or_else(|| "a value is undefined".to_owned(), str::to_owned);
        return Diagnostic::error(words).at(&span);
    };
    let at = written_at(&miss, text, &all).or_else(|| written_at(&miss, text, &(0..text.len())));
    let span = at
        .or(range)
        .map_or_else(|| place.whole(), |range| place.range(&range));
    match miss {
        Miss::Nested { diagnostic, .. } => used_at(diagnostic, &span),
        Miss::Name(name) => missing(&name, &span, vars),
        Miss::Key {
            words, near, keys, ..
        } => {
            let diagnostic = Diagnostic::error(words).at(&span);
            match near {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None if !keys.is_empty() => {
                    diagnostic.help(format!("its keys are `{}`", keys.join("`, `")))
                }
                None => diagnostic.help("`| default(...)` would stand in for it"),
            }
        }
    }
}

/// Where in a range of the text the name of what was missed stands.
fn written_at(miss: &Miss, text: &str, range: &Range<usize>) -> Option<Range<usize>> {
    let (name, from) = match miss {
        Miss::Name(name) | Miss::Nested { name, .. } => (name, range.start),
        Miss::Key {
            written, offset, ..
        } => {
            if !range.contains(offset) {
                return None;
            }
            (written, *offset)
        }
    };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let part = text.get(from..range.end)?;
    let found = part
        .match_indices(name.as_str())
        .map(|(at, _)| at)
        .find(|at| {
            let before = part[..*at].chars().next_back();
            let after = part[at + name.len()..].chars().next();
            !before.is_some_and(word) && !after.is_some_and(word)
        });
    found.map(|at| from + at..from + at + name.len())
}

/// The error for a variable that is not there.
pub(crate) fn missing(name: &str, span: &Span, vars: &dyn Vars) -> Diagnostic {
    // Ansible's words and quotes: playbooks look for them in `result.msg`.
    let diagnostic = Diagnostic::error(format!("'{name}' is undefined")).at(span);
    match did_you_mean(name, vars.names().iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}
