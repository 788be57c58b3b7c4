//! The Jinja2 environment with Ansible's settings, and how values print.

use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value};
use rplay_diag::{Diagnostic, Source, Span};

use crate::context::Context;
use crate::diagnose::diagnose;
use crate::templar::TextOptions;
use crate::unknown::{self, Unknown};

/// An environment with every filter, test and function.
pub(crate) fn environment(chaining: bool) -> Environment<'static> {
    let mut env = Environment::new();
    env.set_debug(true);
    env.set_syntax(syntax(TextOptions::default()));
    env.set_undefined_behavior(if chaining {
        UndefinedBehavior::Chainable
    } else {
        UndefinedBehavior::Strict
    });
    env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    env.set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
    env.set_formatter(|out, _, value| {
        if value.is_undefined() {
            return Err(ErrorKind::UndefinedError.into());
        }
        let value = valid(value.clone())?;
        out.write_str(&text_of(&value))?;
        Ok(())
    });
    crate::filters::register(&mut env);
    crate::tests_of_values::register(&mut env);
    env
}

/// Ansible's whitespace.
fn syntax(options: TextOptions) -> SyntaxConfig {
    SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .trim_blocks(options.trim_blocks)
        .lstrip_blocks(options.lstrip_blocks)
        .build()
        .expect("bug: Jinja's own delimiters are good")
}

/// A value that is no hidden error.
pub(crate) fn valid(value: Value) -> Result<Value, Error> {
    if value.kind() != ValueKind::Invalid {
        return Ok(value);
    }
    // Iteration is the one public way to the error inside.
    for item in Value::from(vec![value.clone()]).try_iter()?.checked() {
        item?;
    }
    Ok(value)
}

/// What a value is called in Python, for messages.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq | ValueKind::Iterable => "list",
        _ => "dict",
    }
}

/// A value inside a text, as Python prints it; nothing for none.
pub(crate) fn text_of(value: &Value) -> String {
    match value.kind() {
        ValueKind::None => String::new(),
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        _ => repr(value),
    }
}

/// A value as Python's `repr`.
pub(crate) fn repr(value: &Value) -> String {
    if value.downcast_object_ref::<Unknown>().is_some() {
        return value.to_string();
    }
    match value.kind() {
        ValueKind::None => "None".to_owned(),
        ValueKind::Bool => if value.is_true() { "True" } else { "False" }.to_owned(),
        ValueKind::String => quoted(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let items = value.try_iter().into_iter().flatten().map(|v| repr(&v));
            format!("[{}]", items.collect::<Vec<_>>().join(", "))
        }
        ValueKind::Map => {
            let mut out = String::from("{");
            for (i, key) in value.try_iter().into_iter().flatten().enumerate() {
                let item = value.get_item(&key).unwrap_or_default();
                let comma = if i > 0 { ", " } else { "" };
                // Writing to a string cannot fail.
                let _ = write!(out, "{comma}{}: {}", repr(&key), repr(&item));
            }
            out.push('}');
            out
        }
        _ => value.to_string(),
    }
}

fn quoted(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\\\")
        .replace('\n', "\\n")
        .replace('\t', "\\t");
    if text.contains('\'') && !text.contains('"') {
        return format!("\"{escaped}\"");
    }
    format!("'{}'", escaped.replace('\'', "\\'"))
}

/// A template file as text.
pub(crate) fn render_file(
    source: &Arc<Source>,
    options: TextOptions,
    context: &Arc<Context>,
) -> Result<String, Diagnostic> {
    let (options, text) = header(source.text(), options);
    let mut env = environment(false);
    env.set_syntax(syntax(options));
    if let Some(io) = context.vars.io() {
        env.set_loader(move |name| Ok(io.read("templates", name).ok()));
    }
    let name = source.name().to_owned();
    let whole = Span::new(source.clone(), 0, source.text().len());
    let diagnosed = |error: &Error| {
        let offset = source.text().len() - text.len();
        let span = whole.slice(offset, source.text().len());
        diagnose(error, text, &span, &*context.vars)
    };
    let names = || Value::from_dyn_object(context.clone());
    let strict = env
        .template_from_named_str(&name, text)
        .and_then(|template| template.render(names()));
    match strict {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == ErrorKind::UndefinedError => {
            let mut chaining = env.clone();
            chaining.set_undefined_behavior(UndefinedBehavior::Chainable);
            chaining
                .template_from_named_str(&name, text)
                .and_then(|template| template.render(names()))
                .map_err(|_| diagnosed(&error))
        }
        Err(error) => Err(diagnosed(&error)),
    }
}

/// The settings of a first line `#jinja2: trim_blocks:False`, and the text after it.
fn header(text: &str, mut options: TextOptions) -> (TextOptions, &str) {
    let Some(rest) = text.strip_prefix("#jinja2:") else {
        return (options, text);
    };
    let (line, body) = rest.split_once('\n').unwrap_or((rest, ""));
    for setting in line.split(',') {
        let Some((name, value)) = setting.split_once(':') else {
            continue;
        };
        let on = value.trim().eq_ignore_ascii_case("true");
        match name.trim() {
            "trim_blocks" => options.trim_blocks = on,
            "lstrip_blocks" => options.lstrip_blocks = on,
            _ => {}
        }
    }
    (options, body)
}

/// The context that a function or filter is called in.
pub(crate) fn context_of(state: &mut minijinja::State<'_, '_>) -> Result<Arc<Context>, Error> {
    state
        .lookup(crate::context::SELF)
        .and_then(|value| value.downcast_object::<Context>())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "this works in a playbook only"))
}

/// A filter's failure in words.
pub(crate) fn wrong(words: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, words.into())
}

/// A value as text, where a filter needs text; touching what is unknown.
pub(crate) fn string(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    if let Some(origins) = unknown::origins(value) {
        unknown::touch(&origins);
    }
    Ok(text_of(value))
}

/// A path with `~` and nothing else expanded.
pub(crate) fn home_path(text: &str) -> PathBuf {
    let home = std::env::var("HOME").unwrap_or_default();
    match text.strip_prefix("~/") {
        Some(rest) => PathBuf::from(home).join(rest),
        None if text == "~" => home.into(),
        None => text.into(),
    }
}
