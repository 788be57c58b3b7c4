//! Reads every `-i`: files, folders, scripts, lists of hosts.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use indexmap::IndexSet;
use rplay_diag::{Diagnostic, Source};
use rplay_yaml::{Kind, Node};

use crate::model::Inventory;
use crate::vars_files::{Reader, VarsFiles};
use crate::{ini, yaml};

/// Files in an inventory folder that are no inventories.
const IGNORED: [&str; 12] = [
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
];

/// Reads the inventory; warnings come with it.
///
/// # Errors
/// The first mistake, at its place.
pub fn load(
    sources: &[String],
    reader: &Reader,
) -> Result<(Inventory, Vec<Diagnostic>), Diagnostic> {
    let mut inventory = Inventory::default();
    inventory.group_mut("all");
    inventory.group_mut("ungrouped");
    let mut warnings = vec![];
    let mut folders = IndexSet::new();
    for source in sources {
        if source.contains(',') && !Path::new(source).exists() {
            for host in source.split(',').map(str::trim).filter(|h| !h.is_empty()) {
                inventory.host_mut(host, "ungrouped");
            }
            continue;
        }
        let path = PathBuf::from(source);
        if !path.exists() {
            let words = format!("the inventory `{source}` is not there");
            return Err(Diagnostic::error(words).help("a list of hosts needs a comma: `-i host,`"));
        }
        read(&path, reader, &mut inventory, &mut warnings)?;
        inventory.sources.push(path.clone());
        let folder = if path.is_dir() {
            path.clone()
        } else {
            parent(&path)
        };
        folders.insert(folder);
    }
    // After all sources: a folder's files hold for every source's groups and hosts, and over them.
    for folder in folders {
        add_vars(&VarsFiles::read(&folder, reader)?, &mut inventory);
    }
    settle(&mut inventory);
    Ok((inventory, warnings))
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Puts `group_vars` and `host_vars` over what the inventory itself says.
fn add_vars(files: &VarsFiles, inventory: &mut Inventory) {
    for (name, group) in &mut inventory.groups {
        group.files.extend_from_slice(files.group(name));
    }
    for (name, host) in &mut inventory.hosts {
        host.files.extend_from_slice(files.host(name));
    }
}

fn read(
    path: &Path,
    reader: &Reader,
    inventory: &mut Inventory,
    warnings: &mut Vec<Diagnostic>,
) -> Result<(), Diagnostic> {
    if path.is_dir() {
        let entries = std::fs::read_dir(path)
            .map_err(|e| Diagnostic::error(format!("could not read `{}`: {e}", path.display())))?;
        let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
        paths.sort();
        for inner in paths {
            let name = inner
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            let skip = name.starts_with('.')
                || name == "group_vars"
                || name == "host_vars"
                || IGNORED.iter().any(|end| name.ends_with(end));
            if !skip {
                read(&inner, reader, inventory, warnings)?;
            }
        }
        return Ok(());
    }
    let executable = std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o111 != 0);
    let is_yaml = ["yml", "yaml", "json"]
        .iter()
        .any(|e| path.extension().is_some_and(|x| x == *e));
    if executable && !is_yaml {
        return script(path, inventory);
    }
    let text = reader(path)
        .map_err(|e| Diagnostic::error(format!("could not read `{}`: {e}", path.display())))?;
    let looks_yaml =
        is_yaml || text.trim_start().starts_with("---") || text.trim_start().starts_with('{');
    let source = Source::new(path.display().to_string(), text);
    if looks_yaml {
        warnings.extend(yaml::read(&source, path, inventory)?);
        return Ok(());
    }
    ini::read(&source, path, inventory)
}

/// A dynamic inventory: a program that prints JSON.
fn script(path: &Path, inventory: &mut Inventory) -> Result<(), Diagnostic> {
    let failed = |why: String| {
        Diagnostic::error(format!(
            "the inventory script `{}` failed: {why}",
            path.display()
        ))
    };
    let run = |args: &[&str]| -> Result<Arc<Source>, Diagnostic> {
        let program = path.canonicalize().map_err(|e| failed(e.to_string()))?;
        let output = Command::new(program)
            .args(args)
            .output()
            .map_err(|e| failed(e.to_string()))?;
        if !output.status.success() {
            return Err(failed(
                String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            ));
        }
        let name = format!("{} {}", path.display(), args.join(" "));
        Ok(Source::new(name, String::from_utf8_lossy(&output.stdout)))
    };
    let source = run(&["--list"])?;
    let root = rplay_yaml::load(&source)?.root(&source);
    let meta = root.get("_meta").and_then(|m| m.get("hostvars")).cloned();
    for (name, node) in root.as_map().into_iter().flatten() {
        if name.text != "_meta" {
            listed(&name.text, node, path, inventory);
        }
    }
    let names: Vec<Arc<str>> = inventory.hosts.keys().cloned().collect();
    for host in names {
        let vars = match &meta {
            Some(meta) => meta.get(&host).cloned(),
            None => {
                let source = run(&["--host", &host])?;
                Some(rplay_yaml::load(&source)?.root(&source))
            }
        };
        if let Some(Node {
            kind: Kind::Map(map),
            ..
        }) = vars
        {
            inventory.hosts[&host].vars.push(Arc::new(map));
        }
    }
    Ok(())
}

/// A group as a script prints it: a list of hosts, or hosts, vars and children.
fn listed(name: &str, node: &Node, path: &Path, inventory: &mut Inventory) {
    inventory.group_mut(name);
    let hosts = node
        .as_seq()
        .or_else(|| node.get("hosts").and_then(Node::as_seq));
    for host in hosts.into_iter().flatten().filter_map(Node::as_str) {
        let entry = inventory.host_mut(host, name);
        entry.source.get_or_insert_with(|| path.to_owned());
    }
    let children = node
        .get("children")
        .and_then(Node::as_seq)
        .into_iter()
        .flatten();
    for child in children.filter_map(Node::as_str) {
        inventory.group_mut(child);
        inventory.group_mut(name).children.insert(child.into());
    }
    if let Some(vars) = node.get("vars").and_then(Node::as_map) {
        inventory.group_mut(name).vars.push(Arc::new(vars.clone()));
    }
}

/// Hosts that a group names are not ungrouped.
fn settle(inventory: &mut Inventory) {
    let grouped: Vec<Arc<str>> = inventory
        .hosts
        .iter()
        .filter(|(_, h)| {
            h.groups
                .iter()
                .any(|g| &**g != "all" && &**g != "ungrouped")
        })
        .map(|(name, _)| name.clone())
        .collect();
    for host in grouped {
        inventory.hosts[&host].groups.shift_remove("ungrouped");
        inventory.group_mut("ungrouped").hosts.shift_remove(&host);
    }
    let loose: Vec<Arc<str>> = inventory
        .hosts
        .iter()
        .filter(|(_, h)| h.groups.iter().all(|g| &**g == "all"))
        .map(|(name, _)| name.clone())
        .collect();
    for host in loose {
        inventory.host_mut(&host, "ungrouped");
    }
}
