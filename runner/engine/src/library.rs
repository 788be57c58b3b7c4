//! Folders of modules of the user's own: `library` beside the playbook and in roles, those that
//! `ANSIBLE_LIBRARY` names, and collections.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rplay_playbook::short;
use rplay_template::Plugin;
use serde_json::Value as Json;

use crate::python::{Call, Installed, Places, Plugins};

/// Where modules are looked for, the first folder first.
#[derive(Debug, Clone, Default)]
pub struct Library {
    folders: Vec<PathBuf>,
    /// Those of roles that may yet be called: they stand in for nothing.
    roles: Vec<PathBuf>,
    /// Folders of the playbooks and roles that were read, the first one first; clones share them.
    entered: Arc<RwLock<Vec<PathBuf>>>,
    collections: Vec<PathBuf>,
    /// Folders of Python that modules share (`module_utils`).
    utils: Vec<PathBuf>,
    /// Ansible itself, where it is installed beside rplay.
    installed: Installed,
    /// Named folders of plugins that expressions call, by their kind.
    plugin_folders: BTreeMap<Plugin, Vec<PathBuf>>,
    plugins: Plugins,
}

/// A module that is not part of rplay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnModule {
    /// Its file.
    pub path: PathBuf,
    /// What Python imports it as, parts separated by dots.
    pub full_name: String,
    /// The namespace and the name of its collection, if it is of one.
    pub collection: Option<[String; 2]>,
}

impl Library {
    /// The named folders, `library` beside the playbooks, and that of each role in the folders.
    pub fn new(named: &[PathBuf], playbooks: &[PathBuf], roles: &[PathBuf]) -> Self {
        let mut folders: Vec<PathBuf> = named.to_vec();
        let mut dirs = roles.to_vec();
        for dir in playbooks {
            folders.push(dir.join("library"));
            dirs.push(dir.join("roles"));
        }
        let within = |dir: &PathBuf| {
            let below = std::fs::read_dir(dir).into_iter().flatten().flatten();
            below.map(|entry| entry.path().join("library"))
        };
        let mut roles: Vec<PathBuf> = dirs.iter().flat_map(within).collect();
        roles.sort();
        folders.retain(|folder| folder.is_dir());
        roles.retain(|folder| folder.is_dir());
        Self {
            folders,
            roles,
            ..Self::default()
        }
    }

    /// Also the modules in these folders of collections.
    #[must_use]
    pub fn with_collections(mut self, folders: Vec<PathBuf>) -> Self {
        self.collections = folders;
        self
    }

    /// Also what modules in Python share in these folders.
    #[must_use]
    pub fn with_utils(mut self, folders: Vec<PathBuf>) -> Self {
        self.utils.extend(folders);
        self
    }

    /// Also plugins of a kind in these folders.
    #[must_use]
    pub fn with_plugins(mut self, kind: Plugin, folders: Vec<PathBuf>) -> Self {
        self.plugin_folders.insert(kind, folders);
        self
    }

    /// Calls a plugin that expressions call; none where there is none of that kind and name.
    pub(crate) fn plugin(&self, call: Call) -> Option<Result<Json, String>> {
        let named = self.plugin_folders.get(&call.kind).into_iter().flatten();
        let beside = self.beside(&format!("{}_plugins", call.kind.word()));
        let folders = beside.into_iter().chain(named.cloned());
        let places = Places {
            site: self.installed.site().map(Path::to_owned),
            collections: self.collections().collect(),
            folders: folders.filter(|folder| folder.is_dir()).collect(),
        };
        self.plugins.call(&places, call)
    }

    /// A playbook or a role in that folder is read: what lies beside it counts from now on, before
    /// what lies in named folders.
    pub(crate) fn enter(&self, dir: &Path) {
        let dir = &std::path::absolute(dir).unwrap_or_else(|_| dir.to_owned());
        if !BESIDE.iter().any(|name| dir.join(name).is_dir()) {
            return;
        }
        let mut entered = self.entered.write().unwrap_or_else(PoisonError::into_inner);
        if !entered.iter().any(|known| known == dir) {
            entered.push(dir.to_owned());
        }
    }

    /// Folders of that name beside what was read.
    fn beside(&self, name: &str) -> Vec<PathBuf> {
        let entered = self.entered.read().unwrap_or_else(PoisonError::into_inner);
        entered.iter().map(|dir| dir.join(name)).collect()
    }

    /// Whether there is a module of that name.
    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Whether a folder has a module under the name that a task calls, so that it stands in for
    /// rplay's own: what is written `ansible.builtin.NAME` is always rplay's.
    pub(crate) fn stands_in(&self, written: &str) -> bool {
        let name = written.strip_prefix("ansible.legacy.").unwrap_or(written);
        !name.contains('.') && self.standing(name).is_some()
    }

    /// The file of that name beside what was read, or in a named folder.
    fn standing(&self, name: &str) -> Option<PathBuf> {
        let beside = self.beside("library").into_iter();
        let mut folders = beside.chain(self.folders.iter().cloned());
        folders.find_map(|folder| in_folder(&folder, name))
    }

    /// Folders of Python that modules share, the first one first.
    pub(crate) fn utils(&self) -> impl Iterator<Item = PathBuf> {
        let beside = self.beside("module_utils").into_iter();
        beside.chain(self.utils.iter().cloned())
    }

    /// Ansible itself, where it is installed beside rplay.
    pub(crate) fn installed(&self) -> &Installed {
        &self.installed
    }

    /// Where collections are, the first folder first.
    pub(crate) fn collections(&self) -> impl Iterator<Item = PathBuf> {
        // Looked for only where none of the others has what is asked for.
        let beside = std::iter::once_with(|| self.installed.site()).flatten();
        let beside = beside.map(|site| site.join("ansible_collections"));
        self.collections.iter().cloned().chain(beside)
    }

    /// The module of that name, with any ending.
    pub(crate) fn find(&self, name: &str) -> Option<OwnModule> {
        let name = short(name);
        if name.is_empty() || name.contains('/') {
            return None;
        }
        match name.split('.').collect::<Vec<_>>().as_slice() {
            [name] => {
                let of_role = || self.roles.iter().find_map(|dir| in_folder(dir, name));
                let path = self.standing(name).or_else(of_role)?;
                Some(OwnModule {
                    path,
                    full_name: format!("ansible.modules.{name}"),
                    collection: None,
                })
            }
            [namespace, collection, below @ .., name] => {
                let folder = below.iter().collect::<PathBuf>();
                let path = self.collections().find_map(|dir| {
                    let modules = dir.join(namespace).join(collection).join("plugins/modules");
                    in_folder(&modules.join(&folder), name)
                })?;
                let below: String = below.iter().map(|part| format!("{part}.")).collect();
                Some(OwnModule {
                    path,
                    full_name: format!(
                        "ansible_collections.{namespace}.{collection}.plugins.modules.{below}{name}"
                    ),
                    collection: Some([(*namespace).to_owned(), (*collection).to_owned()]),
                })
            }
            _ => None,
        }
    }
}

/// What may lie beside a playbook or in a role.
const BESIDE: [&str; 5] = [
    "filter_plugins",
    "library",
    "lookup_plugins",
    "module_utils",
    "test_plugins",
];

/// Endings of files that are no modules though they have a module's name.
const NO_MODULES: [&str; 11] = [
    "bak", "ini", "md", "orig", "pyc", "pyo", "rpm", "rst", "txt", "yaml", "yml",
];

fn in_folder(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.file_stem().is_some_and(|stem| stem == name))
        .filter(|path| {
            !path
                .extension()
                .is_some_and(|e| NO_MODULES.iter().any(|no| e == *no))
        })
        .collect();
    found.sort();
    found.into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(dir: &Path, path: &str) {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn a_role_s_modules_stand_in_for_ours_once_it_is_read() {
        let dir = tempfile::tempdir().unwrap();
        for path in [
            "a/library/ping.py",
            "a/library/ping.ini",
            "b/library/own",
            "lib/copy.sh",
        ] {
            put(dir.path(), path);
        }
        let named = [dir.path().join("lib")];
        let library = Library::new(&named, &[], &[dir.path().to_owned()]);
        assert!(library.has("own") && library.has("ping"));
        assert!(library.stands_in("copy") && library.stands_in("ansible.legacy.copy"));
        assert!(!library.stands_in("ansible.builtin.copy"));
        assert!(!library.stands_in("ping"));
        library.enter(&dir.path().join("a"));
        assert!(library.stands_in("ping"));
        let found = library.find("ping").unwrap();
        assert_eq!(found.path, dir.path().join("a/library/ping.py"));
    }
}
