//! Folders of modules of the user's own: `library` beside the playbook and in roles, those that
//! `ANSIBLE_LIBRARY` names, and collections.

use std::path::{Path, PathBuf};

use rplay_playbook::short;

/// Where modules are looked for, the first folder first.
#[derive(Debug, Clone, Default)]
pub struct Library {
    folders: Vec<PathBuf>,
    collections: Vec<PathBuf>,
}

impl Library {
    /// The named folders, `library` beside the playbooks, and that of each role in the folders.
    pub fn new(named: &[PathBuf], playbooks: &[PathBuf], roles: &[PathBuf]) -> Self {
        let mut folders: Vec<PathBuf> = named.to_vec();
        let mut roles = roles.to_vec();
        for dir in playbooks {
            folders.push(dir.join("library"));
            roles.push(dir.join("roles"));
        }
        for dir in roles {
            let below = std::fs::read_dir(&dir).into_iter().flatten().flatten();
            folders.extend(below.map(|entry| entry.path().join("library")));
        }
        folders.retain(|folder| folder.is_dir());
        Self {
            folders,
            collections: vec![],
        }
    }

    /// Also the modules in these folders of collections.
    #[must_use]
    pub fn with_collections(mut self, folders: Vec<PathBuf>) -> Self {
        self.collections = folders;
        self
    }

    /// The module's file: of its name, with any ending.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        self.find_within(name, std::iter::empty())
    }

    /// As [`Library::find`], first in the roles that a task stands in, the innermost first.
    pub(crate) fn find_within<'a>(
        &self,
        name: &str,
        roles: impl Iterator<Item = &'a Path>,
    ) -> Option<PathBuf> {
        let name = short(name);
        if name.is_empty() || name.contains('/') {
            return None;
        }
        match name.split('.').collect::<Vec<_>>().as_slice() {
            [name] => {
                let own = roles.map(|role| role.join("library"));
                own.chain(self.folders.iter().cloned())
                    .find_map(|folder| in_folder(&folder, name))
            }
            [namespace, collection, below @ .., name] => self.collections.iter().find_map(|dir| {
                let below = below.iter().collect::<PathBuf>();
                let modules = dir.join(namespace).join(collection).join("plugins/modules");
                in_folder(&modules.join(below), name)
            }),
            _ => None,
        }
    }
}

fn in_folder(folder: &Path, name: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_file() && path.file_stem().is_some_and(|stem| stem == name))
        .collect();
    found.sort();
    found.into_iter().next()
}
