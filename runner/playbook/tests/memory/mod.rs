//! Playbooks in memory, for tests.
#![allow(dead_code, clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_diag::{Diagnostic, Style, render};
use rplay_playbook::{KnownModules, Loader, Play, Sources};
use rplay_yaml::{Map, Node};

/// Files by path.
pub struct Memory(BTreeMap<PathBuf, String>);

impl Sources for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.0
            .get(&clean(path))
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn is_file(&self, path: &Path) -> bool {
        self.0.contains_key(&clean(path))
    }

    fn is_dir(&self, path: &Path) -> bool {
        let path = clean(path);
        self.0.keys().any(|p| p.starts_with(&path) && *p != path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        let path = clean(path);
        let inside = self
            .0
            .keys()
            .filter_map(|p| p.strip_prefix(&path).ok()?.iter().next());
        let mut names: Vec<_> = inside.map(|name| path.join(name)).collect();
        names.dedup();
        names
    }
}

fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.iter().filter(|part| *part != ".") {
        if part == ".." && clean.file_name().is_some() {
            clean.pop();
        } else {
            clean.push(part);
        }
    }
    clean
}

/// A few modules.
pub struct Few;

const MODULES: [(&str, &[&str]); 16] = [
    ("command", &["chdir", "creates", "cmd", "argv"]),
    ("shell", &["chdir", "creates", "cmd"]),
    ("copy", &["src", "dest", "mode", "content", "owner"]),
    ("template", &["src", "dest", "mode"]),
    ("file", &["path", "dest", "state", "mode", "recurse"]),
    ("service", &["name", "state", "enabled"]),
    ("systemd", &["name", "state", "enabled", "daemon_reload"]),
    ("apt", &["name", "state", "update_cache"]),
    ("debug", &["msg", "var"]),
    ("set_fact", &[]),
    ("include_vars", &["file", "dir", "name"]),
    ("meta", &[]),
    ("assert", &["that", "fail_msg", "success_msg"]),
    ("uri", &["url", "status_code"]),
    ("lineinfile", &["path", "line", "regexp"]),
    ("user", &["name", "shell", "groups"]),
];

impl KnownModules for Few {
    fn known(&self, name: &str) -> bool {
        MODULES.iter().any(|(module, _)| *module == name)
    }

    fn resolve(&self, name: &str) -> Option<String> {
        let name = if name == "systemd_service" {
            "systemd"
        } else {
            name
        };
        self.known(name).then(|| name.to_owned())
    }

    fn lookup(&self, name: &str) -> Option<bool> {
        let known = ["items", "dict", "fileglob", "sequence"];
        Some(known.contains(&name) || name.contains('.'))
    }

    fn names(&self) -> Vec<String> {
        MODULES
            .iter()
            .map(|(module, _)| (*module).to_owned())
            .collect()
    }

    fn free_form(&self, name: &str) -> bool {
        matches!(name, "command" | "shell" | "include_vars" | "meta")
    }

    fn check_arg(&self, module: &str, arg: &str) -> Result<(), Option<String>> {
        let known = MODULES
            .iter()
            .find(|(name, _)| *name == module)
            .map(|(_, args)| *args);
        match known {
            None | Some([]) => Ok(()),
            Some(known) if known.contains(&arg) => Ok(()),
            Some(known) => {
                Err(rplay_diag::did_you_mean(arg, known.iter().copied()).map(str::to_owned))
            }
        }
    }
}

/// Replaces `{{ name }}` by the variable's text.
fn early(node: &Node, vars: &Map) -> Result<String, Diagnostic> {
    let mut text = node.as_str().unwrap_or_default().to_owned();
    while let Some((before, rest)) = text.split_once("{{") {
        let (name, after) = rest.split_once("}}").unwrap_or((rest, ""));
        let name = name.trim();
        let value = vars
            .get(name)
            .and_then(Node::as_str)
            .ok_or_else(|| Diagnostic::error(format!("`{name}` is undefined")).at(&node.span))?;
        text = format!("{before}{value}{after}");
    }
    Ok(text)
}

/// A loader over files in memory.
pub fn loader(files: &[(&str, &str)]) -> Loader {
    let files = files
        .iter()
        .map(|(p, t)| (PathBuf::from(p), (*t).to_owned()))
        .collect();
    let roles = vec![PathBuf::from("/etc/roles")];
    Loader::new(
        Arc::new(Memory(files)),
        Arc::new(Few),
        roles,
        Box::new(early),
    )
    .with_collections(vec![PathBuf::from("/usr/share/collections")])
}

/// The plays of `site.yml`, which has no mistakes.
#[track_caller]
pub fn plays(files: &[(&str, &str)]) -> Vec<Play> {
    match loader(files).playbook(Path::new("site.yml")) {
        Ok((plays, warnings)) if warnings.is_empty() => plays,
        Ok((_, found)) | Err(found) => panic!("{}", drawn(&found)),
    }
}

/// All errors of `site.yml` as they are shown.
#[track_caller]
pub fn errors(files: &[(&str, &str)]) -> String {
    drawn(
        &loader(files)
            .playbook(Path::new("site.yml"))
            .map(|_| ())
            .unwrap_err(),
    )
}

/// All warnings of `site.yml` as they are shown.
#[track_caller]
pub fn warnings(files: &[(&str, &str)]) -> String {
    match loader(files).playbook(Path::new("site.yml")) {
        Ok((_, warnings)) => drawn(&warnings),
        Err(errors) => panic!("{}", drawn(&errors)),
    }
}

fn drawn(found: &[Diagnostic]) -> String {
    found
        .iter()
        .map(|d| render(d, Style::Plain))
        .collect::<Vec<_>>()
        .join("\n")
}
