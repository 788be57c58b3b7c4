//! Values as JSON and back, for modules and for what `register` keeps.

use minijinja::Value;
use minijinja::value::ValueKind;
use rplay_diag::Span;
use rplay_yaml::{Key, Kind, Node};
use serde_json::{Map, Number, Value as Json};

use crate::context::{Context, is_omit};
use crate::python::{text, valid};
use crate::templar::whole;
use crate::unknown::{self, Origin};

/// A value as JSON; `omit` is left out.
///
/// # Errors
/// The origins of the unknowns in it, or the words of a part that cannot be rendered.
pub fn to_json(value: &Value) -> Result<Json, Trouble> {
    if let Some(origins) = unknown::origins(value) {
        return Err(Trouble::Unknown(origins));
    }
    if value.downcast_object_ref::<Context>().is_some() {
        return to_json(&whole(value.clone()).map_err(|e| words(&e))?);
    }
    Ok(match value.kind() {
        ValueKind::Undefined => return Err(Trouble::Error("a value is undefined".to_owned())),
        ValueKind::None => Json::Null,
        ValueKind::Bool => Json::Bool(value.is_true()),
        ValueKind::Number => number(value),
        ValueKind::String => Json::from(value.as_str().unwrap_or_default()),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = vec![];
            for item in value.try_iter().map_err(|e| words(&e))?.checked() {
                let item = item.map_err(|e| words(&e))?;
                if !is_omit(&item) {
                    items.push(to_json(&item)?);
                }
            }
            Json::Array(items)
        }
        ValueKind::Map => {
            let mut map = Map::new();
            for key in value.try_iter().map_err(|e| words(&e))? {
                let item = value.get_item(&key).map_err(|e| words(&e))?;
                if !is_omit(&item) {
                    map.insert(text(&key).map_err(|e| words(&e))?, to_json(&item)?);
                }
            }
            Json::Object(map)
        }
        ValueKind::Invalid => {
            let error = valid(value.clone()).err();
            return Err(error.map_or_else(|| Trouble::Error(value.to_string()), |e| words(&e)));
        }
        _ => Json::from(value.to_string()),
    })
}

/// JSON as the content of a node: data, in which no template is rendered.
pub fn as_data(json: &Json, span: &Span) -> Kind {
    let node = |json: &Json| Node {
        span: span.clone(),
        kind: as_data(json, span),
    };
    let key = |name: &String| Key {
        text: name.clone(),
        span: span.clone(),
    };
    match json {
        Json::Null => Kind::Null,
        Json::Bool(b) => Kind::Bool(*b),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| Kind::Float(n.as_f64().unwrap_or(0.0)), Kind::Int),
        Json::String(text) => Kind::Unsafe(text.clone()),
        Json::Array(items) => Kind::Seq(items.iter().map(node).collect()),
        Json::Object(map) => Kind::Map(map.iter().map(|(k, v)| (key(k), node(v))).collect()),
    }
}

/// Data as a value.
pub fn from_json(json: &Json) -> Value {
    Value::from(minijinja::value::Serde(json))
}

/// Why a value has no JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Trouble {
    /// A dry run cannot know it.
    Unknown(Vec<Origin>),
    /// A part of it cannot be rendered: why.
    Error(String),
}

fn words(error: &minijinja::Error) -> Trouble {
    use std::error::Error as _;
    let inner = error.source().map(ToString::to_string);
    Trouble::Error(inner.unwrap_or_else(|| error.to_string()))
}

fn number(value: &Value) -> Json {
    if value.is_integer() {
        return value
            .as_i64()
            .map(Number::from)
            .or_else(|| u64::try_from(value.clone()).ok().map(Number::from))
            .map_or_else(|| Json::from(value.to_string()), Json::Number);
    }
    let float = f64::try_from(value.clone()).ok();
    float
        .and_then(Number::from_f64)
        .map_or_else(|| Json::from(value.to_string()), Json::Number)
}
