//! Mappings of one name from several places, merged: `hash_behaviour=merge`.

use std::sync::Arc;

use rplay_diag::Span;
use rplay_template::{Value, Var, to_json};
use rplay_yaml::{Key, Kind, Map, Node};
use serde_json::Value as Json;

/// A variable with those of lower levels under it, highest first, for as long as all are mappings.
pub(crate) fn under(top: Var, lower: impl Iterator<Item = Var>) -> Var {
    let Some(mut merged) = mapping(&top) else {
        return top;
    };
    let mut alone = true;
    for var in lower {
        let Some(below) = mapping(&var) else { break };
        merged = merge(below, &merged);
        alone = false;
    }
    match alone {
        true => top,
        false => Var::Raw(Arc::new(merged)),
    }
}

/// A variable as a node, where it is a mapping and all of it is known.
fn mapping(var: &Var) -> Option<Node> {
    match var {
        Var::Raw(node) => node.as_map().map(|_| (**node).clone()),
        Var::Value(value) => data(value).filter(|node| node.as_map().is_some()),
    }
}

fn data(value: &Value) -> Option<Node> {
    let json = to_json(value).ok()?;
    Some(node(&json, &Span::synthetic("data")))
}

/// JSON as a node: data, in which no template is rendered.
fn node(json: &Json, span: &Span) -> Node {
    let kind = match json {
        Json::Null => Kind::Null,
        Json::Bool(b) => Kind::Bool(*b),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| Kind::Float(n.as_f64().unwrap_or(0.0)), Kind::Int),
        Json::String(text) => Kind::Unsafe(text.clone()),
        Json::Array(items) => Kind::Seq(items.iter().map(|item| node(item, span)).collect()),
        Json::Object(map) => {
            let key = |name: &String| Key {
                text: name.clone(),
                span: span.clone(),
            };
            Kind::Map(map.iter().map(|(k, v)| (key(k), node(v, span))).collect())
        }
    };
    Node {
        span: span.clone(),
        kind,
    }
}

/// The keys of both; of a key that both have, the upper value, merged where both are mappings.
fn merge(below: Node, upper: &Node) -> Node {
    let (Kind::Map(mut all), Kind::Map(over)) = (below.kind, &upper.kind) else {
        return upper.clone();
    };
    for (key, value) in over {
        let value = match all.get(key.text.as_str()) {
            Some(old) => merge(old.clone(), value),
            None => value.clone(),
        };
        all.insert(key.clone(), value);
    }
    Node {
        span: upper.span.clone(),
        kind: Kind::Map(all as Map),
    }
}
