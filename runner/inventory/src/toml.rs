//! The TOML inventory: tables of groups with hosts, children and vars.

use std::ops::Range;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, Span};
use rplay_yaml::{Key, Kind, Map, Node};
use toml_edit::{Document, Item, TableLike, Value};

use crate::builder::Builder;
use crate::yaml;

/// Adds what a TOML text says to the inventory.
pub(crate) fn read(source: &Arc<Source>, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    let document = Document::parse(source.text()).map_err(|error| {
        let error_span = place(source, error.span());
        Diagnostic::error(format!("no TOML: {}", error.message().trim())).at(&error_span)
    })?;
    let mut groups = table(source, document.as_table());
    if groups.contains_key("plugin") {
        let words = "Plugin configuration TOML file, not TOML inventory";
        return Err(Diagnostic::error(words).help("write a plugin's configuration as YAML"));
    }
    groups.values_mut().for_each(children_as_keys);
    let span = Span::new(source.clone(), 0, source.text().len());
    let kind = Kind::Map(groups);
    yaml::read(&Node { span, kind }, builder)
}

/// TOML names children in a list; YAML as keys.
fn children_as_keys(group: &mut Node) {
    let Kind::Map(parts) = &mut group.kind else {
        return;
    };
    let Some(Node {
        kind: children @ Kind::Seq(_),
        ..
    }) = parts.get_mut("children")
    else {
        return;
    };
    let Kind::Seq(items) = std::mem::replace(children, Kind::Null) else {
        return;
    };
    let named = items.into_iter().map(|item| {
        let text = item.as_str().unwrap_or_default().to_owned();
        let span = item.span.clone();
        let kind = Kind::Null;
        (
            Key {
                text,
                span: item.span,
            },
            Node { span, kind },
        )
    });
    *children = Kind::Map(named.collect());
}

fn place(source: &Arc<Source>, range: Option<Range<usize>>) -> Span {
    let range = range.unwrap_or(0..0);
    Span::new(source.clone(), range.start, range.end)
}

fn table(source: &Arc<Source>, table: &dyn TableLike) -> Map {
    let pairs = table.iter().map(|(name, item)| {
        let span = table.key(name).and_then(toml_edit::Key::span);
        let span = place(source, span.or_else(|| item.span()));
        let text = name.to_owned();
        (Key { text, span }, node(source, item))
    });
    pairs.collect()
}

fn node(source: &Arc<Source>, item: &Item) -> Node {
    let kind = match item {
        Item::Value(value) => return of_value(source, value),
        Item::ArrayOfTables(tables) => {
            let items = tables.iter().map(|each| Node {
                span: place(source, each.span()),
                kind: Kind::Map(table(source, each)),
            });
            Kind::Seq(items.collect())
        }
        Item::Table(inner) => Kind::Map(table(source, inner)),
        Item::None => Kind::Null,
    };
    let span = place(source, item.span());
    Node { span, kind }
}

fn of_value(source: &Arc<Source>, value: &Value) -> Node {
    let kind = match value {
        Value::String(text) => Kind::Str(text.value().clone()),
        Value::Integer(number) => Kind::Int(*number.value()),
        Value::Float(number) => Kind::Float(*number.value()),
        Value::Boolean(truth) => Kind::Bool(*truth.value()),
        Value::Datetime(date) => Kind::Str(date.value().to_string().replace('Z', "+00:00")),
        Value::Array(items) => Kind::Seq(items.iter().map(|i| of_value(source, i)).collect()),
        Value::InlineTable(inner) => Kind::Map(table(source, inner)),
    };
    let span = place(source, value.span());
    Node { span, kind }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::builder::{Naming, Notes};
    use crate::model::Inventory;

    fn taken(text: &str) -> Result<Inventory, Diagnostic> {
        let mut inventory = Inventory::default();
        let mut notes = Notes::default();
        let mut builder = Builder {
            inventory: &mut inventory,
            path: Path::new("hosts.toml"),
            naming: Naming::Warn,
            notes: &mut notes,
        };
        read(&Source::new("hosts.toml", text), &mut builder)?;
        Ok(inventory)
    }

    #[test]
    fn groups_children_hosts_and_vars_are_read() {
        let text = "[web]\nchildren = ['apache']\nvars = { port = 8080 }\n[web.hosts]\nh1 = {}\n\
            h2 = { ansible_port = 222 }\n[apache.hosts.'t[1:2]']\nd = 1979-05-27T07:32:00Z\n";
        let inventory = taken(text).unwrap();
        assert_eq!(inventory.hosts_of("web").len(), 4);
        let port = inventory.hosts["h2"].vars[0].get("ansible_port").unwrap();
        assert_eq!(
            (port.kind.clone(), port.span.line_col().line),
            (Kind::Int(222), 6)
        );
        let date = inventory.hosts["t1"].vars[0].get("d").unwrap();
        assert_eq!(date.as_str(), Some("1979-05-27T07:32:00+00:00"));
    }

    #[test]
    fn bad_toml_is_pointed_at() {
        let error = taken("[web\n").unwrap_err().to_string();
        assert!(error.starts_with("hosts.toml:1:"), "{error}");
        let error = taken("[a]\nchildren = ['a']\n").unwrap_err().to_string();
        assert!(
            error.starts_with("hosts.toml:2:13: adding group `a`"),
            "{error}"
        );
    }
}
