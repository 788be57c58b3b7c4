//! Helpers, beside those that Handlebars brings (`if`, `unless`, `each`, `with`, `lookup`, `eq`,
//! `ne`, `gt`, `gte`, `lt`, `lte`, `and`, `or`, `not`, `len`).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, JsonTruthy, RenderContext, RenderError,
    RenderErrorReason, ScopedJson, no_escape,
};
use serde_json::Value as Json;

/// The names of all helpers.
pub(super) const NAMES: &[&str] = &[
    "if",
    "unless",
    "each",
    "with",
    "lookup",
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "and",
    "or",
    "not",
    "len",
    "default",
    "join",
    "lower",
    "upper",
    "trim",
    "replace",
    "concat",
    "contains",
    "first",
    "last",
    "quote",
    "to_json",
    "to_nice_json",
    "b64encode",
    "basename",
    "dirname",
    "add",
    "keys",
    "values",
    "indent",
];

/// An engine with all helpers.
pub(super) fn engine() -> Handlebars<'static> {
    let mut engine = Handlebars::new();
    engine.set_strict_mode(true);
    engine.register_escape_fn(no_escape);
    engine.register_helper("default", Box::new(Default_));
    let plain: [(&str, Body); 19] = [
        ("join", join),
        ("lower", |p| Ok(text(p, 0)?.to_lowercase().into())),
        ("upper", |p| Ok(text(p, 0)?.to_uppercase().into())),
        ("trim", |p| Ok(text(p, 0)?.trim().into())),
        ("replace", |p| {
            Ok(text(p, 0)?.replace(&text(p, 1)?, &text(p, 2)?).into())
        }),
        ("concat", |p| {
            Ok(p.iter().map(shown).collect::<String>().into())
        }),
        ("contains", contains),
        ("first", |p| {
            Ok(list(p)?.first().cloned().unwrap_or(Json::Null))
        }),
        ("last", |p| {
            Ok(list(p)?.last().cloned().unwrap_or(Json::Null))
        }),
        ("quote", |p| {
            Ok(format!("'{}'", text(p, 0)?.replace('\'', "'\"'\"'")).into())
        }),
        ("to_json", |p| Ok(param(p, 0)?.to_string().into())),
        ("to_nice_json", |p| Ok(format!("{:#}", param(p, 0)?).into())),
        ("b64encode", |p| Ok(STANDARD.encode(text(p, 0)?).into())),
        ("basename", |p| {
            Ok(text(p, 0)?.rsplit('/').next().unwrap_or_default().into())
        }),
        ("dirname", |p| {
            Ok(text(p, 0)?
                .rsplit_once('/')
                .map_or("", |(dir, _)| dir)
                .into())
        }),
        ("add", add),
        ("keys", |p| {
            map(p).map(|m| m.keys().map(|k| Json::from(k.as_str())).collect())
        }),
        ("values", |p| map(p).map(|m| m.values().cloned().collect())),
        ("indent", indent),
    ];
    for (name, body) in plain {
        engine.register_helper(name, Box::new(Plain(body)));
    }
    engine
}

type Body = fn(&[Json]) -> Result<Json, String>;

/// A helper that makes a value of values.
struct Plain(Body);

impl HelperDef for Plain {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let mut values = vec![];
        for param in helper.params() {
            if param.is_value_missing() {
                return Err(RenderError::strict_error(param.relative_path()));
            }
            values.push(param.value().clone());
        }
        (self.0)(&values).map(ScopedJson::Derived).map_err(|words| {
            RenderErrorReason::Other(format!("`{}` {words}", helper.name())).into()
        })
    }
}

/// `{{default name "instead"}}`: the first value that is there and not empty.
struct Default_;

impl HelperDef for Default_ {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let there = helper
            .params()
            .iter()
            .find(|p| !p.is_value_missing() && !p.value().is_null());
        match there.or_else(|| helper.params().last().filter(|p| !p.is_value_missing())) {
            Some(param) => Ok(ScopedJson::Derived(param.value().clone())),
            None => {
                let path = helper.params().last().and_then(|p| p.relative_path());
                Err(RenderError::strict_error(path))
            }
        }
    }
}

fn param(params: &[Json], at: usize) -> Result<&Json, String> {
    params
        .get(at)
        .ok_or_else(|| format!("needs {} values", at + 1))
}

/// A value as a text shows it.
fn shown(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}

fn text(params: &[Json], at: usize) -> Result<String, String> {
    param(params, at).map(shown)
}

fn list(params: &[Json]) -> Result<&Vec<Json>, String> {
    param(params, 0)?
        .as_array()
        .ok_or_else(|| "takes a list".to_owned())
}

fn map(params: &[Json]) -> Result<&serde_json::Map<String, Json>, String> {
    param(params, 0)?
        .as_object()
        .ok_or_else(|| "takes a mapping".to_owned())
}

fn join(params: &[Json]) -> Result<Json, String> {
    let by = if params.len() > 1 {
        text(params, 1)?
    } else {
        ", ".to_owned()
    };
    Ok(match param(params, 0)? {
        Json::Array(items) => items.iter().map(shown).collect::<Vec<_>>().join(&by),
        other => shown(other),
    }
    .into())
}

fn contains(params: &[Json]) -> Result<Json, String> {
    let wanted = param(params, 1)?;
    Ok(match param(params, 0)? {
        Json::Array(items) => items.contains(wanted),
        Json::Object(map) => map.contains_key(&shown(wanted)),
        Json::String(text) => text.contains(&shown(wanted)),
        other => other == wanted && other.is_truthy(false),
    }
    .into())
}

fn add(params: &[Json]) -> Result<Json, String> {
    let whole: Option<Vec<i64>> = params.iter().map(Json::as_i64).collect();
    if let Some(numbers) = whole {
        return Ok(numbers.iter().sum::<i64>().into());
    }
    let floats: Option<Vec<f64>> = params.iter().map(Json::as_f64).collect();
    floats
        .map(|f| f.iter().sum::<f64>().into())
        .ok_or_else(|| "takes numbers".to_owned())
}

/// `{{indent text 4}}`: every line but the first.
fn indent(params: &[Json]) -> Result<Json, String> {
    let width = param(params, 1)?
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(4);
    Ok(text(params, 0)?
        .replace('\n', &format!("\n{}", " ".repeat(width)))
        .into())
}
