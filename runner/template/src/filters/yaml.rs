//! YAML in and out, in the style of PyYAML.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};
use rplay_diag::Source;
use rplay_yaml::{Kind, Node};

use crate::call::{Args, Callable, Out, items, strict};
use crate::python::{float, named, text, wrong};

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

/// How collections are written.
#[derive(Clone, Copy)]
struct Style {
    indent: usize,
    sort: bool,
    /// Collections of scalars on one line.
    flow_leaves: bool,
    /// All collections on one line.
    flow: bool,
}

fn to_yaml(args: &Args, indent: usize, flow_leaves: bool) -> Out {
    let value = args.req(0)?;
    let flow = args.some(4).map(Value::is_true);
    let style = Style {
        indent: args
            .int(1)?
            .map_or(indent, |n| usize::try_from(n).unwrap_or(2).clamp(1, 9)),
        sort: args.flag(3, true),
        flow_leaves: flow_leaves && flow.is_none(),
        flow: flow == Some(true),
    };
    let mut out = String::new();
    if is_flow(value, style)? {
        flow_of(value, style, &mut out)?;
        out.push('\n');
    } else {
        block(value, style, 0, &mut out)?;
    }
    Ok(out.into())
}

fn is_collection(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map
    )
}

fn children(value: &Value, style: Style) -> Result<Vec<(Option<Value>, Value)>, Error> {
    if value.kind() != ValueKind::Map {
        return Ok(items(value)?.into_iter().map(|item| (None, item)).collect());
    }
    let mut keys = items(value)?;
    if style.sort {
        keys.sort();
    }
    keys.into_iter()
        .map(|key| value.get_item(&key).map(|item| (Some(key), item)))
        .collect()
}

fn is_flow(value: &Value, style: Style) -> Result<bool, Error> {
    if !is_collection(value) || style.flow || value.len() == Some(0) {
        return Ok(true);
    }
    Ok(style.flow_leaves
        && !children(value, style)?
            .iter()
            .any(|(_, item)| is_collection(item)))
}

fn block(value: &Value, style: Style, level: usize, out: &mut String) -> Result<(), Error> {
    let margin = " ".repeat(level);
    for (at, (key, item)) in children(value, style)?.into_iter().enumerate() {
        // The first line of a collection in a list stands behind its dash.
        if at > 0 || !out.ends_with(' ') {
            out.push_str(&margin);
        }
        let is_item = key.is_none();
        match &key {
            Some(key) => {
                scalar(key, false, out)?;
                out.push(':');
            }
            None => out.push('-'),
        }
        if is_flow(&item, style)? {
            out.push(' ');
            flow_of(&item, style, out)?;
            out.push('\n');
        } else if is_item {
            out.push_str(&" ".repeat(style.indent - 1));
            block(&item, style, level + style.indent, out)?;
        } else {
            out.push('\n');
            let below = if item.kind() == ValueKind::Map {
                level + style.indent
            } else {
                level
            };
            block(&item, style, below, out)?;
        }
    }
    Ok(())
}

fn flow_of(value: &Value, style: Style, out: &mut String) -> Result<(), Error> {
    if !is_collection(value) {
        return scalar(value, false, out);
    }
    let (open, close) = if value.kind() == ValueKind::Map {
        ('{', '}')
    } else {
        ('[', ']')
    };
    out.push(open);
    for (at, (key, item)) in children(value, style)?.into_iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        if let Some(key) = key {
            scalar(&key, true, out)?;
            out.push_str(": ");
        }
        match is_collection(&item) {
            true => flow_of(&item, style, out)?,
            false => scalar(&item, true, out)?,
        }
    }
    out.push(close);
    Ok(())
}

fn scalar(value: &Value, in_flow: bool, out: &mut String) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => out.push_str(&number(f64::try_from(value.clone())?)),
        ValueKind::String => out.push_str(&quoted(value.as_str().unwrap_or_default(), in_flow)),
        ValueKind::Undefined | ValueKind::Invalid => {
            return Err(wrong("a part of the value is undefined"));
        }
        _ if value.as_object().is_some() => out.push_str(&quoted(&text(value)?, in_flow)),
        _ => return Err(wrong(format!("{} cannot be written as YAML", named(value)))),
    }
    Ok(())
}

fn number(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    float(number)
}

/// A text, quoted where it would be read as something else.
fn quoted(text: &str, in_flow: bool) -> String {
    let control = |c: char| c.is_control() || c == '\u{feff}';
    if text.contains(control) {
        return double_quoted(text);
    }
    if plain(text, in_flow) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "''"))
}

fn plain(text: &str, in_flow: bool) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let second = text.chars().nth(1);
    let mark = match first {
        '-' | '?' | ':' => second.is_none_or(char::is_whitespace),
        _ => ",[]{}#&*!|>'\"%@`".contains(first),
    };
    let broken = text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.starts_with("---")
        || text.starts_with("...");
    let in_brackets = in_flow && text.contains([',', '[', ']', '{', '}', '?', ':']);
    if mark || broken || in_brackets || text.trim() != text {
        return false;
    }
    if is_date(text) {
        return false;
    }
    // It is read back as it is, by the rules of YAML 1.1.
    let source = Source::new("", text);
    rplay_yaml::load(&source)
        .is_ok_and(|loaded| matches!(loaded.root(&source).kind, Kind::Str(read) if read == text))
}

/// Whether YAML takes a text for a date: `2021-01-02`, with or without a time.
fn is_date(text: &str) -> bool {
    let day = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(digits)
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() && u32::from(c) < 256 => {
                out.push_str(&format!("\\x{:02X}", u32::from(c)))
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
