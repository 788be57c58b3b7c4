//! Folders of modules of the user's own: `library` beside the playbook and in roles, and those that
//! `ANSIBLE_LIBRARY` names.

use std::path::{Path, PathBuf};

use rplay_playbook::short;

/// Where modules are looked for, the first folder first.
#[derive(Debug, Clone, Default)]
pub struct Library(Vec<PathBuf>);

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
        Self(folders)
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
        if name.is_empty() || name.contains(['/', '.']) {
            return None;
        }
        let own = roles.map(|role| role.join("library"));
        own.chain(self.0.iter().cloned())
            .find_map(|folder| in_folder(&folder, name))
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
