//! The YAML inventory: groups with hosts, children and vars.

use rplay_diag::{Diagnostic, did_you_mean};
use rplay_yaml::{Key, Kind, Map, Node};

use crate::builder::Builder;

/// Adds what a YAML (or JSON) text says to the inventory.
pub(crate) fn read(root: &Node, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    let groups = match &root.kind {
        Kind::Null => return Ok(()),
        Kind::Map(groups) => groups,
        _ => {
            let words = format!(
                "an inventory is a mapping of groups, not {}",
                root.describe()
            );
            return Err(Diagnostic::error(words).at(&root.span));
        }
    };
    for (key, node) in groups {
        group(key, node, builder)?;
    }
    Ok(())
}

/// Reads a group; gives the name that it has.
fn group(key: &Key, node: &Node, builder: &mut Builder<'_>) -> Result<String, Diagnostic> {
    let name = builder.group(&key.text);
    let map = match &node.kind {
        Kind::Null => return Ok(name),
        Kind::Map(map) => map,
        _ => {
            let words = format!("the group `{name}` is a mapping, not {}", node.describe());
            return Err(Diagnostic::error(words)
                .at(&node.span)
                .help("it may hold `hosts`, `children` and `vars`"));
        }
    };
    for (part, value) in map {
        let known = matches!(part.text.as_str(), "vars" | "children" | "hosts");
        if !known {
            builder.notes.warnings.push(unexpected(part, &name));
            continue;
        }
        let entries = match &value.kind {
            Kind::Null => continue,
            Kind::Map(entries) => entries.clone(),
            // One name needs no colon.
            Kind::Str(text) if part.text != "vars" => {
                let (text, span) = (text.clone(), value.span.clone());
                let kind = Kind::Null;
                Map::from_iter([(
                    Key {
                        text,
                        span: span.clone(),
                    },
                    Node { span, kind },
                )])
            }
            _ => {
                let words = format!(
                    "`{}` of the group `{name}` is a mapping, not {}",
                    part.text,
                    value.describe()
                );
                return Err(Diagnostic::error(words)
                    .at(&value.span)
                    .help("write each name with a colon: `name:`"));
            }
        };
        match part.text.as_str() {
            "vars" => builder.group_vars(&name, entries),
            "children" => {
                for (child, node) in &entries {
                    let named = builder.group(&child.text);
                    builder.child(&name, &named, &child.span)?;
                    group(child, node, builder)?;
                }
            }
            _ => {
                for (host, vars) in entries {
                    hosts(&host, vars, &name, builder)?;
                }
            }
        }
    }
    Ok(name)
}

fn unexpected(part: &Key, group: &str) -> Diagnostic {
    let words = format!("skipping unexpected key `{}` in group `{group}`", part.text);
    let warning = Diagnostic::warning(words).at(&part.span);
    match did_you_mean(&part.text, ["hosts", "children", "vars"]) {
        Some(near) => warning.help(format!("did you mean `{near}`?")),
        None => warning.help("a group holds `hosts`, `children` and `vars`"),
    }
}

fn hosts(key: &Key, vars: Node, group: &str, builder: &mut Builder<'_>) -> Result<(), Diagnostic> {
    if is_number(key) {
        let words = format!("Host pattern {} must be a string", key.text);
        return Err(Diagnostic::error(words)
            .at(&key.span)
            .help("write the number in quotes"));
    }
    let vars = match vars.kind {
        Kind::Map(map) => map,
        Kind::Null => Map::new(),
        _ => {
            let words = format!("variables of a host are a mapping, not {}", vars.describe());
            return Err(Diagnostic::error(words).at(&vars.span));
        }
    };
    builder.hosts(&key.text, group, vars, &key.span)
}

/// Whether a key is a number and not text that looks like one.
fn is_number(key: &Key) -> bool {
    let written = &key.span.source().text()[key.span.start()..key.span.end()];
    key.text.parse::<f64>().is_ok() && !written.starts_with(['\'', '"'])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rplay_diag::Source;

    use super::*;
    use crate::builder::{Naming, Notes};
    use crate::model::Inventory;

    fn taken(text: &str) -> Result<(Inventory, Notes), Diagnostic> {
        let mut inventory = Inventory::default();
        let mut notes = Notes::default();
        let source = Source::new("hosts.yml", text);
        let root = rplay_yaml::load(&source).unwrap().root(&source);
        let mut builder = Builder {
            inventory: &mut inventory,
            path: Path::new("hosts.yml"),
            naming: Naming::Warn,
            notes: &mut notes,
        };
        read(&root, &mut builder)?;
        Ok((inventory, notes))
    }

    #[test]
    fn a_circle_of_groups_is_pointed_at() {
        let error = taken("a:\n  children:\n    b:\n      children:\n        a:\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "hosts.yml:5:9: adding group `a` as child to `b` creates a recursive dependency loop: b > a > b"
        );
    }

    #[test]
    fn a_host_whose_name_is_a_number_is_an_error() {
        let error = taken("all:\n  hosts:\n    1234: {}\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "hosts.yml:3:5: Host pattern 1234 must be a string"
        );
        assert!(taken("all:\n  hosts:\n    '1234': {}\n").is_ok());
    }

    #[test]
    fn what_is_no_part_of_a_group_is_skipped_with_a_warning() {
        let (inventory, notes) = taken("g:\n  hsts: {a: }\n  hosts: b\n").unwrap();
        assert_eq!(
            notes.warnings[0].to_string(),
            "hosts.yml:2:3: skipping unexpected key `hsts` in group `g`"
        );
        assert_eq!(inventory.hosts_of("g").len(), 1);
    }
}
