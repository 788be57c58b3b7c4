//! Folders of modules of the user's own: `library` beside the playbook and in roles, those that
//! `ANSIBLE_LIBRARY` names, and collections; and those of plugins in Python.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use rplay_inventory::Inventory;
use rplay_playbook::short;
use rplay_template::{Plugin, Templar};
use serde_json::{Value as Json, json};

use crate::catalog::Catalog;
use crate::lookup_io::whole;
use crate::python::{Call, Installed, Places, Plugins, told_inventory};
use crate::routing::{Routing, Routings};

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
    /// Named folders of plugins, by their kind.
    plugin_folders: BTreeMap<PluginKind, Vec<PathBuf>>,
    plugins: Plugins,
    routings: Arc<Routings>,
}

/// Plugins in Python that rplay calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PluginKind {
    /// What a task does on the controller.
    Action,
    /// How to become another user, for connections in Python.
    Become,
    /// How a host is reached.
    Connection,
    /// `value | name`.
    Filter,
    /// Where hosts come from.
    Inventory,
    /// `lookup('name')`.
    Lookup,
    /// `value is name`.
    Test,
}

impl PluginKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Action,
        Self::Become,
        Self::Connection,
        Self::Filter,
        Self::Inventory,
        Self::Lookup,
        Self::Test,
    ];

    /// Its word, as in the names of folders (`filter_plugins`).
    pub fn word(self) -> &'static str {
        match self {
            Self::Action => "action",
            Self::Become => "become",
            Self::Connection => "connection",
            Self::Filter => "filter",
            Self::Inventory => "inventory",
            Self::Lookup => "lookup",
            Self::Test => "test",
        }
    }
}

impl From<Plugin> for PluginKind {
    fn from(kind: Plugin) -> Self {
        match kind {
            Plugin::Filter => Self::Filter,
            Plugin::Test => Self::Test,
            Plugin::Lookup => Self::Lookup,
        }
    }
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
    pub fn with_plugins(mut self, kind: PluginKind, folders: Vec<PathBuf>) -> Self {
        self.plugin_folders.insert(kind, folders);
        self
    }

    /// Calls a plugin that expressions call; none where there is none of that kind and name.
    pub(crate) fn plugin(&self, call: Call<'_>) -> Option<Result<Json, String>> {
        self.plugins.call(&self.places(call.kind.into()), call)
    }

    /// Whether a plugin in Python of that name reads sources of hosts.
    pub fn has_inventory(&self, name: &str) -> bool {
        self.python_plugin(PluginKind::Inventory, name).is_some() && self.installed.site().is_some()
    }

    /// Reads a source of hosts with the plugin of that name, which may add to what is known so far: what
    /// there is then, as a program would print it. None where there is no such plugin, or the source is
    /// none of its. A `fresh` reading uses nothing that was kept of earlier ones.
    pub fn inventory(
        &self,
        templar: &Templar,
        name: &str,
        path: &Path,
        known: &Inventory,
        fresh: bool,
    ) -> Option<Result<String, String>> {
        if !self.has_inventory(name) {
            return None;
        }
        let places = self.places(PluginKind::Inventory);
        let question = json!({
            "kind": "inventory",
            "name": name,
            "path": whole(path.to_owned()),
            "known": told_inventory(templar, known),
            "cache": !fresh,
            "folders": places.folders,
        });
        let found = self.plugins.answer(&places, question)?;
        Some(found.map(|json| json.to_string()))
    }

    /// Starts a process that runs an action, and listens to that socket.
    ///
    /// # Errors
    /// Why not, in words.
    pub(crate) fn fork(&self, socket: &Path) -> Result<(), String> {
        let folders = PluginKind::ALL.map(|kind| (kind.word(), self.folders_of(kind)));
        let modules = self.beside("library").into_iter();
        let modules = modules.chain(self.folders.iter().cloned());
        let more = [
            ("module", there(modules)),
            ("module_utils", there(self.utils())),
        ];
        let folders = folders.into_iter().chain(more).collect();
        let places = self.places(PluginKind::Action);
        self.plugins.fork(&places, &folders, socket)
    }

    fn places(&self, kind: PluginKind) -> Places {
        Places {
            site: self.installed.site().map(Path::to_owned),
            // Python keeps to the folder that it was started in, and asks for whole paths.
            collections: self.collections().map(whole).collect(),
            folders: self.folders_of(kind),
            beside: self.entered(),
        }
    }

    /// Folders of plugins of a kind, the first one first.
    fn folders_of(&self, kind: PluginKind) -> Vec<PathBuf> {
        let named = self.plugin_folders.get(&kind).into_iter().flatten();
        let beside = self.beside(&format!("{}_plugins", kind.word()));
        there(beside.into_iter().chain(named.cloned()))
    }

    /// The file of the plugin in Python that a name means, of a folder or of a collection.
    pub(crate) fn python_plugin(&self, kind: PluginKind, name: &str) -> Option<PathBuf> {
        let name = name.strip_prefix("ansible.legacy.").unwrap_or(name);
        let full = name;
        let file = |folder: &Path, name: &str| {
            let path = folder.join(format!("{name}.py"));
            path.is_file().then_some(path)
        };
        match name.split('.').collect::<Vec<_>>().as_slice() {
            [name] => {
                let folders = self.folders_of(kind);
                folders.iter().find_map(|folder| file(folder, name))
            }
            ["ansible", "builtin", _] => None,
            [namespace, collection, below @ .., name] => {
                let below: PathBuf = below.iter().collect();
                let within = PathBuf::from(namespace).join(collection).join("plugins");
                let folder = within.join(kind.word()).join(below);
                let mut collections = self.collections();
                let found = collections.find_map(|dir| file(&dir.join(&folder), name));
                found.or_else(|| {
                    let moved = self.moved(kind.word(), full);
                    (moved != full).then(|| self.python_plugin(kind, &moved))?
                })
            }
            _ => None,
        }
    }

    /// What a collection says of its plugins, in that file.
    pub(crate) fn routing(&self, file: &Path) -> Option<Arc<Routing>> {
        self.routings.of(file)
    }

    /// A playbook or a role in that folder is read: what lies beside it counts from now on, before
    /// what lies in named folders.
    pub fn enter(&self, dir: &Path) {
        let dir = &whole(Path::new(".").join(dir));
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
        let entered = self.entered();
        entered.iter().map(|dir| dir.join(name)).collect()
    }

    /// The folders of what was read.
    fn entered(&self) -> Vec<PathBuf> {
        let entered = self.entered.read();
        entered.unwrap_or_else(PoisonError::into_inner).clone()
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

    /// Whether what a task calls under that name is not rplay's own, though rplay has one.
    pub(crate) fn replaces(&self, written: &str) -> bool {
        !Catalog::has_of_collection(written)
            && (self.stands_in(written) || self.has_action(written))
    }

    /// Whether an action in Python runs what a task calls so.
    pub(crate) fn has_action(&self, name: &str) -> bool {
        self.action_of(name).is_some()
    }

    /// Whether the action in Python of that name takes text in place of arguments, as it says itself.
    pub(crate) fn takes_text(&self, name: &str) -> bool {
        let path = self.python_plugin(PluginKind::Action, name);
        let content = path.and_then(|path| std::fs::read_to_string(path).ok());
        let says_so = |line: &str| {
            let said = line.trim().strip_prefix("supports_raw_params");
            said.is_some_and(|rest| {
                rest.trim_start()
                    .trim_start_matches('=')
                    .trim_start()
                    .starts_with("True")
            })
        };
        content.is_some_and(|content| content.lines().any(says_so))
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
        let name = &self.moved("modules", short(name));
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
const BESIDE: [&str; 9] = [
    "action_plugins",
    "become_plugins",
    "connection_plugins",
    "filter_plugins",
    "inventory_plugins",
    "library",
    "lookup_plugins",
    "module_utils",
    "test_plugins",
];

/// Endings of files that are no modules though they have a module's name.
const NO_MODULES: [&str; 11] = [
    "bak", "ini", "md", "orig", "pyc", "pyo", "rpm", "rst", "txt", "yaml", "yml",
];

/// The folders that are there.
fn there(folders: impl Iterator<Item = PathBuf>) -> Vec<PathBuf> {
    folders
        .filter(|folder| folder.is_dir())
        .map(whole)
        .collect()
}

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
