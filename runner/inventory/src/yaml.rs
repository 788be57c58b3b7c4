//! The YAML inventory: groups with hosts, children and vars.

use std::path::Path;
use std::sync::Arc;

use rplay_diag::{Diagnostic, Source, did_you_mean};
use rplay_yaml::{Kind, Node};

use crate::model::Inventory;
use crate::range;

/// Adds what a YAML (or JSON) text says to the inventory; its warnings are given back.
pub(crate) fn read(
    source: &Arc<Source>,
    path: &Path,
    inventory: &mut Inventory,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let loaded = rplay_yaml::load(source)?;
    let warnings = loaded.warnings.clone();
    let root = loaded.root(source);
    match &root.kind {
        Kind::Null => {}
        Kind::Map(map) if map.contains_key("plugin") => {
            let words = "inventory plugins are not supported here";
            return Err(Diagnostic::error(words)
                .at(&root.span)
                .help("use a script that prints JSON"));
        }
        Kind::Map(map) => {
            for (name, node) in map {
                group(&name.text, node, path, inventory)?;
            }
        }
        _ => {
            let words = format!(
                "an inventory is a mapping of groups, not {}",
                root.describe()
            );
            return Err(Diagnostic::error(words).at(&root.span));
        }
    }
    Ok(warnings)
}

fn group(
    name: &str,
    node: &Node,
    path: &Path,
    inventory: &mut Inventory,
) -> Result<(), Diagnostic> {
    inventory.group_mut(name);
    let map = match &node.kind {
        Kind::Null => return Ok(()),
        Kind::Map(map) => map,
        _ => {
            let words = format!("the group `{name}` is a mapping, not {}", node.describe());
            return Err(Diagnostic::error(words)
                .at(&node.span)
                .help("it may hold `hosts`, `children` and `vars`"));
        }
    };
    for (key, value) in map {
        let entries = match &value.kind {
            Kind::Null => continue,
            Kind::Map(entries) => entries,
            _ => {
                let words = format!(
                    "`{}` of the group `{name}` is a mapping, not {}",
                    key.text,
                    value.describe()
                );
                return Err(Diagnostic::error(words)
                    .at(&value.span)
                    .help("write each name with a colon: `name:`"));
            }
        };
        match key.text.as_str() {
            "vars" => inventory
                .group_mut(name)
                .vars
                .push(Arc::new(entries.clone())),
            "children" => {
                for (child, node) in entries {
                    inventory
                        .group_mut(name)
                        .children
                        .insert(child.text.as_str().into());
                    group(&child.text, node, path, inventory)?;
                }
            }
            "hosts" => {
                for (host, vars) in entries {
                    let names = range::expand(&host.text)
                        .map_err(|why| Diagnostic::error(why).at(&host.span))?;
                    let layer = match &vars.kind {
                        Kind::Map(map) => Some(Arc::new(map.clone())),
                        Kind::Null => None,
                        _ => {
                            let words = format!(
                                "variables of a host are a mapping, not {}",
                                vars.describe()
                            );
                            return Err(Diagnostic::error(words).at(&vars.span));
                        }
                    };
                    for each in names {
                        let entry = inventory.host_mut(&each, name);
                        entry.source.get_or_insert_with(|| path.to_owned());
                        entry.vars.extend(layer.clone());
                    }
                }
            }
            other => {
                let words = format!("`{other}` is no part of a group");
                let error = Diagnostic::error(words).at(&key.span);
                return Err(match did_you_mean(other, ["hosts", "children", "vars"]) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help("a group holds `hosts`, `children` and `vars`"),
                });
            }
        }
    }
    Ok(())
}
