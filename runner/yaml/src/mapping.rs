//! Mappings: keys, duplicates, and what `<<` merges.

use indexmap::map::MutableKeys;
use rplay_diag::{Diagnostic, Span};
use saphyr_parser::{Event, ScalarStyle};

use crate::load::{Fault, Loader};
use crate::mistake;
use crate::{Key, Kind, Map, Node};

/// Reads a mapping up to its end.
pub(crate) fn read(loader: &mut Loader<'_>) -> Result<(Map, Span), Fault> {
    let mut own = Map::new();
    let mut merged: Vec<Map> = vec![];
    loop {
        let (event, span) = match loader.next()? {
            (Event::MappingEnd, end) => return Ok((merge(merged, own), end)),
            other => other,
        };
        let is_merge =
            matches!(&event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<");
        let key = key(loader.node(event, span)?)?;
        let (event, span) = loader.next()?;
        let value = loader.node(event, span)?;
        if is_merge {
            merged.extend(sources(value)?);
            continue;
        }
        if let Some((first, _)) = own.get_key_value(key.text.as_str()) {
            // Ansible's words, which people look for in its output.
            let words = format!(
                "Found duplicate mapping key '{}': the last one counts",
                key.text
            );
            let warning = Diagnostic::warning(words).at(&key.span);
            loader
                .warnings
                .push(warning.label(&first.span, "first here"));
        }
        set(&mut own, key, value);
    }
}

/// The later value wins, at the place of the first.
fn set(map: &mut Map, key: Key, value: Node) {
    match map.get_full_mut2(key.text.as_str()) {
        Some((_, old_key, old_value)) => {
            *old_key = key;
            *old_value = value;
        }
        None => {
            map.insert(key, value);
        }
    }
}

/// What was merged comes first in order and last in rank; of two merged, the first has the say.
fn merge(merged: Vec<Map>, own: Map) -> Map {
    if merged.is_empty() {
        return own;
    }
    let mut all = Map::new();
    for (key, value) in merged.into_iter().rev().flatten().chain(own) {
        set(&mut all, key, value);
    }
    all
}

fn sources(value: Node) -> Result<Vec<Map>, Diagnostic> {
    match value.kind {
        Kind::Map(map) => Ok(vec![map]),
        Kind::Seq(items) => {
            let maps = items
                .into_iter()
                .map(sources)
                .collect::<Result<Vec<_>, _>>()?;
            Ok(maps.into_iter().flatten().collect())
        }
        _ => Err(Diagnostic::error("`<<` merges mappings only").at(&value.span)),
    }
}

fn key(node: Node) -> Result<Key, Diagnostic> {
    let text = match node.kind {
        Kind::Str(text) | Kind::Unsafe(text) => text,
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Int(number) => number.to_string(),
        Kind::Float(number) => format!("{number:?}"),
        Kind::Null if node.span.start() == node.span.end() => {
            let error = Diagnostic::error("there is no key before this colon");
            return Err(error.at(&colon(&node.span)));
        }
        Kind::Null => "None".to_owned(),
        Kind::Map(_) => {
            return Err(mistake::unquoted_template(&node.span)
                .unwrap_or_else(|| Diagnostic::error("a mapping cannot be a key").at(&node.span)));
        }
        Kind::Seq(_) => return Err(Diagnostic::error("a list cannot be a key").at(&node.span)),
        Kind::Vault(_) => return Err(Diagnostic::error("a secret cannot be a key").at(&node.span)),
    };
    Ok(Key {
        text,
        span: node.span,
    })
}

/// The character after a place where nothing is written.
fn colon(span: &Span) -> Span {
    Span::new(span.source().clone(), span.start(), span.start() + 1)
}
