//! TOML as Python's `tomli-w` writes it.

use rplay_yaml::{Kind, Map, Node};

use super::python;
use super::view::{Part, is_date};

/// The text of it.
///
/// # Errors
/// What TOML cannot say: there is no null in it, and no vault.
pub(crate) fn written(part: &Part<'_>) -> Result<String, String> {
    let mut out = String::new();
    if let Part::Table(top) = part {
        let pairs = top
            .iter()
            .map(|(name, part)| (name.as_str(), Item::of(part)));
        table(&pairs.collect::<Vec<_>>(), &[], &mut out)?;
    }
    Ok(out)
}

/// A part or a value: both have tables.
#[derive(Clone, Copy)]
enum Item<'a> {
    Part(&'a Part<'a>),
    Node(&'a Node),
}

impl<'a> Item<'a> {
    fn of(part: &'a Part<'a>) -> Self {
        match part {
            Part::Value(_, node) => Self::Node(node),
            part => Self::Part(part),
        }
    }

    fn table(self) -> Option<Vec<(&'a str, Self)>> {
        match self {
            Self::Part(Part::Table(table)) => {
                let pairs = table
                    .iter()
                    .map(|(name, part)| (name.as_str(), Item::of(part)));
                Some(pairs.collect())
            }
            Self::Node(Node {
                kind: Kind::Map(map),
                ..
            }) => Some(entries(map)),
            _ => None,
        }
    }
}

fn entries(map: &Map) -> Vec<(&str, Item<'_>)> {
    map.iter()
        .map(|(key, node)| (key.text.as_str(), Item::Node(node)))
        .collect()
}

/// A table's own values first, then the tables in it.
fn table(pairs: &[(&str, Item<'_>)], path: &[&str], out: &mut String) -> Result<(), String> {
    let (tables, values): (Vec<_>, Vec<_>) = pairs
        .iter()
        .map(|(n, i)| (*n, *i))
        .partition(|(_, item)| item.table().is_some());
    // A table of nothing but tables needs no heading.
    if !path.is_empty() && (!values.is_empty() || tables.is_empty()) {
        if !out.is_empty() {
            out.push('\n');
        }
        let names: Vec<String> = path.iter().map(|name| key(name)).collect();
        out.push_str(&format!("[{}]\n", names.join(".")));
    }
    for (name, item) in values {
        out.push_str(&key(name));
        out.push_str(" = ");
        value(item, name, 0, out)?;
        out.push('\n');
    }
    for (name, item) in tables {
        let inner = item.table().unwrap_or_default();
        let mut path = path.to_vec();
        path.push(name);
        table(&inner, &path, out)?;
    }
    Ok(())
}

fn value(item: Item<'_>, name: &str, level: usize, out: &mut String) -> Result<(), String> {
    let node = match item {
        Item::Node(node) => node,
        Item::Part(Part::Text(text)) => {
            out.push_str(&quoted(text));
            return Ok(());
        }
        Item::Part(Part::Names(names)) => {
            let texts = names.iter().map(|name| quoted(name)).collect();
            out.push_str(&list(texts, level));
            return Ok(());
        }
        Item::Part(_) => return Ok(()),
    };
    match &node.kind {
        Kind::Null => return Err(format!("TOML has no null: `{name}` cannot be written")),
        Kind::Vault(_) => return Err(format!("TOML has no vaults: `{name}` cannot be written")),
        Kind::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Kind::Int(n) => out.push_str(&n.to_string()),
        Kind::Float(n) => out.push_str(&python::float(*n)),
        Kind::Str(text) if is_date(node) => out.push_str(&text.replacen('T', " ", 1)),
        Kind::Str(text) | Kind::Unsafe(text) => out.push_str(&quoted(text)),
        Kind::Seq(items) => {
            let mut texts = vec![];
            for item in items {
                let mut text = String::new();
                value(Item::Node(item), name, level + 1, &mut text)?;
                texts.push(text);
            }
            out.push_str(&list(texts, level));
        }
        Kind::Map(map) => {
            let mut texts = vec![];
            for (name, item) in entries(map) {
                let mut text = format!("{} = ", key(name));
                value(item, name, level, &mut text)?;
                texts.push(text);
            }
            out.push_str(&match texts.is_empty() {
                true => "{}".to_owned(),
                false => format!("{{ {} }}", texts.join(", ")),
            });
        }
    }
    Ok(())
}

fn list(items: Vec<String>, level: usize) -> String {
    if items.is_empty() {
        return "[]".to_owned();
    }
    let margin = "    ".repeat(level + 1);
    let lines = items.into_iter().map(|item| format!("{margin}{item},\n"));
    format!("[\n{}{}]", lines.collect::<String>(), "    ".repeat(level))
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => quoted(name),
    }
}

fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\n' => out.push_str("\\n"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            c if (u32::from(c) < 0x20 && c != '\t') || c == '\u{7f}' => {
                out.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
