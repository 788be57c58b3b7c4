//! Mappings of one name from several places, merged: `hash_behaviour=merge`.

use std::sync::Arc;

use rplay_diag::Span;
use rplay_template::{Value, Var, to_json};
use rplay_yaml::{Kind, Map, Node};

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
    let span = Span::synthetic("data");
    let kind = rplay_template::as_data(&json, &span);
    Some(Node { span, kind })
}

/// The keys of both; of a key that both have, the upper value, merged where both are mappings.
pub fn merge(below: Node, upper: &Node) -> Node {
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
