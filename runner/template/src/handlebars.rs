//! Handlebars, in strict mode and without HTML escaping, for `.hbs` templates.

use std::sync::Arc;

use handlebars::{Handlebars, RenderErrorReason};
use minijinja::Value;
use rplay_diag::{Diagnostic, Source, Span, did_you_mean};
use serde_json::{Map, Value as Json};

use crate::context::Context;

/// Helpers of our own. The macro that writes them is not ours to lint.
#[allow(clippy::manual_is_multiple_of, clippy::needless_borrow)]
mod helpers {
    use handlebars::handlebars_helper;

    use super::{Json, plain};

    handlebars_helper!(join: |list: Json, by: str| match list {
        Json::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(by),
        other => plain(&other),
    });
    handlebars_helper!(upper: |text: str| text.to_uppercase());
    handlebars_helper!(lower: |text: str| text.to_lowercase());
    handlebars_helper!(to_json: |value: Json| value.to_string());
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A template as text.
pub(crate) fn render(source: &Arc<Source>, context: &Arc<Context>) -> Result<String, Diagnostic> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(handlebars::no_escape);
    engine.register_helper("join", Box::new(helpers::join));
    engine.register_helper("upper", Box::new(helpers::upper));
    engine.register_helper("lower", Box::new(helpers::lower));
    engine.register_helper("to_json", Box::new(helpers::to_json));
    let text = source.text();
    engine
        .register_template_string("template", text)
        .map_err(|error| {
            let place = error.pos().map(|(line, column)| at(source, line, column));
            let words = format!("template syntax: {}", error.reason());
            match place {
                Some(span) => Diagnostic::error(words).at(&span),
                None => Diagnostic::error(words).at(&Span::new(source.clone(), 0, 0)),
            }
        })?;
    let data = used(text, context)?;
    engine.render("template", &data).map_err(|error| {
        let span = match (error.line_no, error.column_no) {
            (Some(line), Some(column)) => at(source, line, column),
            _ => Span::new(source.clone(), 0, 0),
        };
        explain(error.reason(), &span, context)
    })
}

/// The variables whose names stand in the template: all others would be rendered for nothing.
fn used(text: &str, context: &Arc<Context>) -> Result<Map<String, Json>, Diagnostic> {
    let mut data = Map::new();
    let names = Value::from_dyn_object(context.clone());
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    let mut seen: Vec<&str> = words.filter(|w| !w.is_empty()).collect();
    seen.sort_unstable();
    seen.dedup();
    for name in seen {
        if context.vars.get(name).is_none() {
            continue;
        }
        let value = names.get_attr(name).and_then(crate::jinja::valid);
        let value = value.map_err(|e| {
            let place = Span::synthetic(format!("the variable `{name}`"));
            crate::diagnose::diagnose(&e, "", &place, &*context.vars)
        })?;
        let json = if crate::unknown::origins(&value).is_some() {
            Json::String(crate::unknown::PLACEHOLDER.to_owned())
        } else {
            serde_json::to_value(&value).map_err(|e| {
                Diagnostic::error(format!(
                    "the variable `{name}` cannot be used in a template: {e}"
                ))
            })?
        };
        data.insert(name.to_owned(), json);
    }
    Ok(data)
}

fn at(source: &Arc<Source>, line: usize, column: usize) -> Span {
    let mut offset = 0;
    for (i, text) in source.text().split_inclusive('\n').enumerate() {
        if i + 1 == line {
            let start = offset + column.saturating_sub(1).min(text.trim_end().len());
            let end = offset + text.trim_end().len();
            return Span::new(source.clone(), start, end);
        }
        offset += text.len();
    }
    Span::new(source.clone(), offset, offset)
}

fn explain(reason: &RenderErrorReason, span: &Span, context: &Arc<Context>) -> Diagnostic {
    let RenderErrorReason::MissingVariable(Some(path)) = reason else {
        return Diagnostic::error(format!("template: {reason}")).at(span);
    };
    let root = path.split(['.', '/']).next().unwrap_or(path);
    let diagnostic = Diagnostic::error(format!("`{path}` is undefined")).at(span);
    let names = context.vars.names();
    match did_you_mean(root, names.iter().map(String::as_str)) {
        Some(near) if near != root => diagnostic.help(format!("did you mean `{near}`?")),
        _ => diagnostic,
    }
}
