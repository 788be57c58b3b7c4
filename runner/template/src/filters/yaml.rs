//! YAML in and out, in the style of PyYAML.

use minijinja::{State, Value};
use rplay_diag::Source;
use rplay_yaml::{Kind, Node};

use super::yaml_emitter::{Style, emit};
use crate::call::{Args, Callable, Out, strict};
use crate::python::wrong;

pub(super) const FILTERS: &[Callable] = &[
    strict(
        &["to_yaml"],
        &[
            "value",
            "indent",
            "width",
            "sort_keys",
            "default_flow_style",
            "**",
        ],
        |_, a| to_yaml(a, 2, true),
    ),
    strict(
        &["to_nice_yaml"],
        &[
            "value",
            "indent",
            "width",
            "sort_keys",
            "default_flow_style",
            "**",
        ],
        |_, a| to_yaml(a, 4, false),
    ),
    strict(&["from_yaml"], &["value"], from_yaml),
    strict(&["from_yaml_all"], &["value"], from_yaml_all),
];

fn from_yaml(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if value.as_str().is_none() {
        return Ok(value.clone());
    }
    let source = Source::new("<from_yaml>", args.text(0)?);
    let loaded = rplay_yaml::load(&source).map_err(|d| wrong(format!("`from_yaml`: {d}")))?;
    Ok(data(&loaded.root(&source)))
}

fn from_yaml_all(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if value.is_none() {
        return Ok(Vec::<Value>::new().into());
    }
    if value.as_str().is_none() {
        return Ok(value.clone());
    }
    let source = Source::new("<from_yaml_all>", args.text(0)?);
    let all = rplay_yaml::load_all(&source).map_err(|d| wrong(format!("`from_yaml_all`: {d}")))?;
    Ok(all.documents.iter().map(data).collect::<Vec<_>>().into())
}

/// A node as data: nothing in it is rendered.
pub fn data(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::from(()),
        Kind::Bool(b) => Value::from(*b),
        Kind::Int(n) => Value::from(*n),
        Kind::Float(n) => Value::from(*n),
        Kind::Str(text) | Kind::Unsafe(text) | Kind::Vault(text) => Value::from(text.as_str()),
        Kind::Seq(items) => items.iter().map(data).collect::<Vec<_>>().into(),
        Kind::Map(map) => Value::from_pairs(map.iter().map(|(k, v)| (k.text.clone(), data(v)))),
    }
}

fn to_yaml(args: &Args, indent: usize, flow_leaves: bool) -> Out {
    let flow = args.some(4).map(Value::is_true);
    let width = args.int(2)?.and_then(|n| usize::try_from(n).ok());
    let style = Style {
        indent: args
            .int(1)?
            .map_or(indent, |n| usize::try_from(n).unwrap_or(2).clamp(1, 9)),
        sort: args.flag(3, true),
        flow_leaves: flow_leaves && flow.is_none(),
        flow: flow == Some(true),
        width: width.unwrap_or(80),
    };
    emit(args.req(0)?, style).map(Value::from)
}
