//! Handlebars, in strict mode and without HTML escaping, for `.hbs` templates.

mod helpers;
mod names;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use handlebars::{Handlebars, RenderError, RenderErrorReason, Template, TemplateError};
use minijinja::Value;
use minijinja::value::ValueKind;
use rplay_diag::{Diagnostic, Source, Span, did_you_mean};
use serde_json::{Map, Value as Json};

use crate::context::{Context, is_omit};
use crate::diagnose::{Place, failure};
use crate::missing::{self, Miss};
use crate::operate;
use crate::python::{text, valid};
use crate::unknown;
use names::Used;

/// A template's engine, with what it uses; made once for each text.
struct Compiled {
    engine: Handlebars<'static>,
    used: Used,
}

/// The name that the template itself is registered under.
const TEMPLATE: &str = "template";

/// A template as text.
pub(crate) fn render(source: &Arc<Source>, context: &Arc<Context>) -> Result<String, Diagnostic> {
    let compiled = compiled(source, context)?;
    let (data, misses) = missing::watch(|| data(&compiled.used, source, context));
    compiled.engine.render(TEMPLATE, &data?).map_err(|error| {
        let name = error.template_name.as_deref().unwrap_or(TEMPLATE);
        let source = match name == TEMPLATE {
            true => source.clone(),
            // What went wrong in a part is told by the part's name: its text is not kept.
            false => {
                return Diagnostic::error(format!("in the template `{name}`: {}", error.reason()));
            }
        };
        let span = match (error.line_no, error.column_no) {
            (Some(line), Some(column)) => at(&source, line, column),
            _ => Span::new(source.clone(), 0, 0),
        };
        explain(&error, &span, context, misses)
    })
}

fn compiled(source: &Arc<Source>, context: &Arc<Context>) -> Result<Arc<Compiled>, Diagnostic> {
    static KNOWN: OnceLock<Mutex<HashMap<Arc<str>, Arc<Compiled>>>> = OnceLock::new();
    let known = || {
        KNOWN
            .get_or_init(Mutex::default)
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(compiled) = known().get(source.text()) {
        return Ok(compiled.clone());
    }
    let template = Template::compile(source.text()).map_err(|error| broken(&error, source))?;
    let mut used = Used::default();
    used.template(&template);
    let mut engine = helpers::engine();
    engine.register_template(TEMPLATE, template);
    let mut asked: Vec<String> = used.partials.iter().cloned().collect();
    let keep = asked.is_empty();
    // Parts are looked for as templates are, with the parts that they name in turn.
    while let Some(name) = asked.pop() {
        if engine.has_template(&name) {
            continue;
        }
        let part = part(&name, context)?;
        let mut inner = Used::default();
        inner.template(&part);
        asked.extend(inner.partials.iter().cloned());
        used.take(inner);
        engine.register_template(&name, part);
    }
    let compiled = Arc::new(Compiled { engine, used });
    if keep {
        known().insert(source.text().into(), compiled.clone());
    }
    Ok(compiled)
}

fn part(name: &str, context: &Arc<Context>) -> Result<Template, Diagnostic> {
    let io = context.vars.io();
    let read = |file: &str| io.as_ref().and_then(|io| io.read("templates", file).ok());
    let file = format!("{name}.hbs");
    let found = read(&file)
        .map(|text| (file, text))
        .or_else(|| read(name).map(|text| (name.to_owned(), text)));
    let (file, text) = found.ok_or_else(|| {
        Diagnostic::error(format!(
            "there is no template `{name}.hbs` for `{{{{> {name}}}}}`"
        ))
    })?;
    let source = Source::new(file, text);
    Template::compile(source.text()).map_err(|error| broken(&error, &source))
}

fn broken(error: &TemplateError, source: &Arc<Source>) -> Diagnostic {
    let span = error.pos().map_or_else(
        || Span::new(source.clone(), 0, 0),
        |(line, column)| at(source, line, column),
    );
    let reason = error.reason().to_string();
    match reason.split_once(": expected ") {
        // What may follow is everything that the language has, and helps nobody.
        Some((_, expected)) if expected.matches(',').count() > 5 => {
            Diagnostic::error("template syntax: this is no good place to end")
                .at(&span)
                .help("a block (`{{#if ..}}`) before it is not closed, or a `{{` is not")
        }
        _ => Diagnostic::error(format!("template syntax: {reason}")).at(&span),
    }
}

/// The variables that the template uses: all others would be rendered for nothing.
fn data(
    used: &Used,
    source: &Arc<Source>,
    context: &Arc<Context>,
) -> Result<Map<String, Json>, Diagnostic> {
    let mut data = Map::new();
    for name in used.roots() {
        // What is not there is found out when it is used.
        let Some(value) = context.variable(name) else {
            continue;
        };
        // What is unknown in it counts where the template asks for it.
        let (json, _) = unknown::watch(|| valid(value.clone()).and_then(|value| known(&value)));
        let json = json.map_err(|error| {
            let at = source.text().find(name).unwrap_or(0);
            let place = Place::File(source, 0);
            failure(
                &error,
                source.text(),
                Some(at..at + name.len()),
                &place,
                vec![],
                &*context.vars,
            )
            .diagnostic
        })?;
        if let Some(json) = json {
            data.insert(name.to_owned(), json);
        }
        for path in used
            .paths
            .iter()
            .filter(|path| path.first().is_some_and(|root| root == name))
        {
            touch(&value, &path[1..]);
        }
    }
    Ok(data)
}

/// A value as JSON, with a placeholder for what is unknown and without what is undefined.
fn known(value: &Value) -> Result<Option<Json>, minijinja::Error> {
    if unknown::origins(value).is_some() {
        return Ok(Some(unknown::PLACEHOLDER.into()));
    }
    Ok(Some(match value.kind() {
        ValueKind::Undefined => return Ok(None),
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Result<Vec<_>, _> = value.try_iter()?.map(|item| known(&item)).collect();
            items?.into_iter().flatten().collect()
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter()? {
                if let Some(item) = known(&value.get_item(&key)?)? {
                    map.insert(text(&key)?, item);
                }
            }
            Json::Object(map)
        }
        _ if is_omit(value) => return Ok(None),
        _ => crate::filters::encode::plain(&valid(value.clone())?)?,
    }))
}

/// Notes the unknowns that a path leads to or through.
fn touch(value: &Value, path: &[String]) {
    if let Some(origins) = unknown::origins(value) {
        unknown::touch(&origins);
        return;
    }
    let ((), touched) = unknown::watch(|| match path.split_first() {
        Some((key, rest)) => {
            let key = key
                .parse::<usize>()
                .map_or_else(|_| Value::from(key.as_str()), Value::from);
            if let Ok(found) = operate::key(value, &key, 0)
                && !found.is_undefined()
            {
                touch(&found, rest);
            }
        }
        // All that is in it may be gone over.
        None => drop(known(value)),
    });
    unknown::touch(&touched);
}

fn at(source: &Arc<Source>, line: usize, column: usize) -> Span {
    let mut offset = 0;
    for (i, text) in source.text().split_inclusive('\n').enumerate() {
        if i + 1 == line {
            let end = text.trim_end().len();
            let start = text
                .char_indices()
                .nth(column.saturating_sub(1))
                .map_or(end, |(at, _)| at.min(end));
            // The expression is what is meant, not the rest of its line.
            let close = text[start..end].find("}}").map_or(end, |at| start + at + 2);
            return Span::new(source.clone(), offset + start, offset + close);
        }
        offset += text.len();
    }
    Span::new(source.clone(), offset, offset)
}

fn explain(
    error: &RenderError,
    span: &Span,
    context: &Arc<Context>,
    misses: Vec<Miss>,
) -> Diagnostic {
    let path = match error.reason() {
        RenderErrorReason::MissingVariable(Some(path)) => path,
        RenderErrorReason::HelperNotFound(name) => {
            let diagnostic = Diagnostic::error(format!("there is no helper `{name}`")).at(span);
            return match did_you_mean(name, helpers::NAMES.iter().copied()) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic,
            };
        }
        reason => return Diagnostic::error(format!("template: {reason}")).at(span),
    };
    let bare = path
        .trim_start_matches("this.")
        .trim_start_matches("@root.");
    let root = bare.split(['.', '/', '[']).next().unwrap_or(bare);
    let nested = misses.into_iter().find_map(|miss| match miss {
        Miss::Nested { name, diagnostic } if name == root => Some(diagnostic),
        _ => None,
    });
    if let Some(diagnostic) = nested {
        return diagnostic.label(span, "used here");
    }
    let diagnostic = Diagnostic::error(format!("'{path}' is undefined")).at(span);
    if let Some(value) = context.variable(root) {
        return keys_of(&value, bare, diagnostic);
    }
    let names = context.vars.names();
    match did_you_mean(root, names.iter().map(String::as_str)) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    }
}

/// Help about the first part of a path that is not there.
fn keys_of(value: &Value, path: &str, diagnostic: Diagnostic) -> Diagnostic {
    let mut at = value.clone();
    for key in path.split('.').skip(1) {
        let next = operate::key(&at, &Value::from(key), 0).unwrap_or_default();
        if next.is_undefined() {
            let keys: Vec<String> = at
                .try_iter()
                .into_iter()
                .flatten()
                .filter_map(|k| k.as_str().map(str::to_owned))
                .collect();
            return match did_you_mean(key, keys.iter().map(String::as_str)) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => diagnostic.help(format!("there is no key `{key}`")),
            };
        }
        at = next;
    }
    diagnostic
}
