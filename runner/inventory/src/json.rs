//! JSON as spanned nodes.

use std::sync::Arc;

use rplay_diag::{Source, Span};
use rplay_yaml::{Key, Kind, Map, Node};
use serde_json::Value as Json;

/// JSON as nodes, each at its place in the text where YAML finds it: JSON is YAML but for some
/// numbers and escapes.
///
/// `{"__ansible_unsafe": text}` is text that is no template, `{"__ansible_vault": text}` a vault.
pub(crate) fn node(source: &Arc<Source>, json: &Json) -> Node {
    let span = Span::new(source.clone(), 0, source.text().len());
    let placed = rplay_yaml::load(source).map(|loaded| loaded.root(source));
    made(json, placed.ok().as_ref(), &span)
}

/// JSON as nodes; `placed` is the same value with its places.
fn made(json: &Json, placed: Option<&Node>, above: &Span) -> Node {
    let span = placed.map_or(above, |node| &node.span).clone();
    let kind = match json {
        Json::Null => Kind::Null,
        Json::Bool(b) => Kind::Bool(*b),
        Json::Number(n) => number(n),
        Json::String(text) => Kind::Str(text.clone()),
        Json::Array(items) => {
            let places = placed.and_then(Node::as_seq).unwrap_or_default();
            let items = items.iter().enumerate();
            Kind::Seq(
                items
                    .map(|(at, item)| made(item, places.get(at), &span))
                    .collect(),
            )
        }
        Json::Object(map) => match marked(map) {
            Some(kind) => kind,
            None => Kind::Map(mapping(map, placed.and_then(Node::as_map), &span)),
        },
    };
    Node { span, kind }
}

fn mapping(map: &serde_json::Map<String, Json>, places: Option<&Map>, above: &Span) -> Map {
    let pairs = map.iter().map(|(name, value)| {
        let place = places.and_then(|map| map.get_key_value(name.as_str()));
        let span = place.map_or(above, |(key, _)| &key.span).clone();
        let text = name.clone();
        (
            Key { text, span },
            made(value, place.map(|(_, node)| node), above),
        )
    });
    pairs.collect()
}

fn marked(map: &serde_json::Map<String, Json>) -> Option<Kind> {
    let (mark, text) = map.iter().next().filter(|_| map.len() == 1)?;
    let text = text.as_str()?.to_owned();
    match mark.as_str() {
        "__ansible_unsafe" => Some(Kind::Unsafe(text)),
        "__ansible_vault" => Some(Kind::Vault(text)),
        _ => None,
    }
}

fn number(number: &serde_json::Number) -> Kind {
    if let Some(n) = number.as_i64() {
        return Kind::Int(n);
    }
    match number.as_f64() {
        Some(n) if number.is_f64() => Kind::Float(n),
        _ => Kind::Str(number.to_string()),
    }
}

/// What Python calls the type.
pub(crate) fn type_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "NoneType",
        Json::Bool(_) => "bool",
        Json::Number(n) if n.is_f64() => "float",
        Json::Number(_) => "int",
        Json::String(_) => "str",
        Json::Array(_) => "list",
        Json::Object(_) => "dict",
    }
}
