//! Where roles are looked for.

use std::path::{Component, Path, PathBuf};

use crate::context::Context;
use crate::loader::Loader;

/// A role that was found.
pub(crate) struct Found {
    pub path: PathBuf,
    /// `namespace.collection`, where it belongs to one.
    pub collection: Option<String>,
}

/// The folders of roles beside a playbook's own: `configured` (ANSIBLE_ROLES_PATH), else the usual.
pub fn roles_path(configured: Option<&str>, home: Option<&Path>) -> Vec<PathBuf> {
    let usual = "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles";
    folders(configured.unwrap_or(usual), home)
}

/// The folders of collections: `configured` (ANSIBLE_COLLECTIONS_PATH), else the usual.
pub fn collections_path(configured: Option<&str>, home: Option<&Path>) -> Vec<PathBuf> {
    folders(
        configured.unwrap_or("~/.ansible/collections:/usr/share/ansible/collections"),
        home,
    )
}

fn folders(list: &str, home: Option<&Path>) -> Vec<PathBuf> {
    let words = list
        .split(':')
        .map(str::trim)
        .filter(|word| !word.is_empty());
    words
        .filter_map(|word| match word.strip_prefix("~/") {
            Some(rest) => home.map(|home| home.join(rest)),
            None => Some(PathBuf::from(word)),
        })
        .collect()
}

impl Loader {
    pub(crate) fn find_role(&self, name: &str, context: &Context) -> Option<Found> {
        let own = context.role.as_deref().and_then(collection_of);
        let collections = own.iter().chain(&context.collections);
        // A short name may be of the collection that the caller belongs to or lists.
        let full =
            collections.map(|collection| (collection.clone(), format!("{collection}.{name}")));
        for (collection, full) in full.filter(|_| !name.contains(['.', '/'])) {
            let places = self.collection_places(&full, "roles", context);
            if let Some(path) = places.into_iter().find(|path| self.sources.is_dir(path)) {
                return Some(Found {
                    path,
                    collection: Some(collection),
                });
            }
        }
        let path = self
            .role_places(name, context)
            .into_iter()
            .find(|p| self.sources.is_dir(p))?;
        Some(Found {
            collection: collection_of(&path),
            path,
        })
    }

    /// The folders that a role is looked for in, in words.
    pub(crate) fn searched(&self, name: &str, context: &Context) -> String {
        // Who has no such role does not have the layout either that Ansible knows nothing of.
        let beside = clean(&context.playbook_dir.join("..").join("roles"));
        let places = self.role_places(name, context).into_iter();
        let folders = places.filter_map(|place| {
            let folder = match place.parent() {
                // The folder that the playbook is called from is written as nothing.
                Some(folder) if place.ends_with(name) && folder.as_os_str().is_empty() => {
                    ".".into()
                }
                Some(folder) if place.ends_with(name) => folder.to_owned(),
                _ => place,
            };
            (folder != beside).then(|| self.sources.absolute(&folder).display().to_string())
        });
        folders.collect::<Vec<_>>().join(":")
    }

    /// Every place that a role is looked for, in order.
    pub(crate) fn role_places(&self, name: &str, context: &Context) -> Vec<PathBuf> {
        let mut places = self.collection_places(name, "roles", context);
        places.push(context.playbook_dir.join("roles").join(name));
        places.extend(self.roles_path.iter().map(|dir| dir.join(name)));
        places.extend(
            context
                .role
                .as_ref()
                .and_then(|role| role.parent())
                .map(|dir| dir.join(name)),
        );
        places.push(context.playbook_dir.join(name));
        // `playbooks/site.yml` beside `roles/`, the layout of many a project.
        places.push(context.playbook_dir.join("..").join("roles").join(name));
        if name.contains('/') {
            places.push(PathBuf::from(name));
        }
        let mut unique: Vec<PathBuf> = vec![];
        for place in places.iter().map(|place| clean(place)) {
            if !unique.contains(&place) {
                unique.push(place);
            }
        }
        unique
    }

    /// Where `namespace.collection.name` is looked for; nowhere, if it is no such name.
    pub(crate) fn collection_places(
        &self,
        name: &str,
        part: &str,
        context: &Context,
    ) -> Vec<PathBuf> {
        let mut words = name.splitn(3, '.');
        let (Some(namespace), Some(collection), Some(rest)) =
            (words.next(), words.next(), words.next())
        else {
            return vec![];
        };
        let word = |w: &str| !w.is_empty() && w.chars().all(|c| c.is_alphanumeric() || c == '_');
        if ![namespace, collection]
            .into_iter()
            .chain(rest.split('.'))
            .all(word)
        {
            return vec![];
        }
        let beside = context.playbook_dir.join("collections");
        let dirs = [beside]
            .into_iter()
            .chain(self.collections_path.iter().cloned());
        dirs.map(|dir| {
            let root = if dir.ends_with("ansible_collections") {
                dir
            } else {
                dir.join("ansible_collections")
            };
            root.join(namespace)
                .join(collection)
                .join(part)
                .join(rest.replace('.', "/"))
        })
        .collect()
    }
}

/// `namespace.collection` of a role in `.../ansible_collections/namespace/collection/roles/name`.
pub(crate) fn collection_of(role: &Path) -> Option<String> {
    let words: Vec<_> = role
        .components()
        .map(|c| c.as_os_str().to_string_lossy())
        .collect();
    let at = words
        .iter()
        .rposition(|word| word == "ansible_collections")?;
    (words.get(at + 3)? == "roles").then(|| format!("{}.{}", words[at + 1], words[at + 2]))
}

/// The path without its `.` and `..`, as far as that goes by its text.
pub(crate) fn clean(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(clean.components().next_back(), Some(Component::Normal(_))) =>
            {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_folders_are_searched_where_nothing_is_configured() {
        let found = roles_path(None, Some(Path::new("/home/me")));
        assert_eq!(found[0], Path::new("/home/me/.ansible/roles"));
        assert_eq!(found.len(), 3);
        assert_eq!(
            roles_path(Some("a:~/b:"), Some(Path::new("/h"))),
            ["a", "/h/b"].map(PathBuf::from)
        );
    }

    #[test]
    fn paths_are_cleaned_by_their_text() {
        assert_eq!(clean(Path::new("./a/../b/./c")), Path::new("b/c"));
        assert_eq!(clean(Path::new("../../x")), Path::new("../../x"));
    }
}
