//! Ansible's library as it goes to a host: one archive of all that a module may import, the same bytes
//! for the same files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use regex::bytes::Regex;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

/// What an archive is made of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Parts {
    /// The folder that holds the package `ansible`.
    pub site: PathBuf,
    /// Folders whose files are added to `ansible.module_utils`; the first one that has a file wins.
    pub utils: Vec<PathBuf>,
    /// The folders that collections are looked for in.
    pub collections: Vec<PathBuf>,
    /// The collections that the module itself speaks of.
    pub wanted: BTreeSet<[String; 2]>,
}

/// An archive on the controller; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct Archive {
    pub file: NamedTempFile,
    pub sha256: String,
    pub size: u64,
}

/// Files by their path in the archive.
type Files = BTreeMap<String, Vec<u8>>;

/// What runs a module in the library.
const RUNNER: &str = include_str!("rplay_module.py");

/// What modules ask of the package itself.
const VERSION: &str = "from ansible.release import __version__\n";

impl Archive {
    /// Makes an archive.
    ///
    /// # Errors
    /// Those of reading its parts.
    pub(super) fn of(parts: &Parts) -> io::Result<Self> {
        let mut files = Files::new();
        files.insert("rplay_module.py".to_owned(), RUNNER.into());
        // The package's own `__init__` asks for what only the controller has.
        let release = parts.site.join("ansible/release.py");
        if release.is_file() {
            files.insert("ansible/release.py".to_owned(), fs::read(release)?);
            files.insert("ansible/__init__.py".to_owned(), VERSION.into());
        }
        let shared = parts.site.join("ansible/module_utils");
        for folder in std::iter::once(&shared).chain(parts.utils.iter().rev()) {
            add(&mut files, folder, "ansible/module_utils")?;
        }
        add_collections(&mut files, parts)?;
        files.insert("ansible/modules/__init__.py".to_owned(), vec![]);
        mark_packages(&mut files);
        Self::written(&files)
    }

    fn written(files: &Files) -> io::Result<Self> {
        let mut bytes = tar::Builder::new(vec![]);
        for (path, content) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(content.len() as u64);
            bytes.append_data(&mut header, path, content.as_slice())?;
        }
        let bytes = bytes.into_inner()?;
        let mut file = NamedTempFile::new()?;
        file.write_all(&bytes)?;
        Ok(Self {
            file,
            sha256: rplay_api::hex(&Sha256::digest(&bytes)),
            size: bytes.len() as u64,
        })
    }
}

/// Adds the Python files of a folder, and of those in it.
fn add(files: &mut Files, folder: &Path, under: &str) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        let below = format!("{under}/{name}");
        if path.is_dir() {
            add(files, &path, &below)?;
        } else if name.ends_with(".py") {
            files.insert(below, fs::read(&path)?);
        }
    }
    Ok(())
}

/// Adds what the wanted collections share, and those that they speak of in turn.
fn add_collections(files: &mut Files, parts: &Parts) -> io::Result<()> {
    let mut open: Vec<[String; 2]> = parts.wanted.iter().cloned().collect();
    let mut done = BTreeSet::new();
    while let Some(collection) = open.pop() {
        if !done.insert(collection.clone()) {
            continue;
        }
        let [namespace, name] = &collection;
        let mut places = parts
            .collections
            .iter()
            .map(|dir| dir.join(namespace).join(name));
        let Some(dir) = places.find(|dir| dir.is_dir()) else {
            continue;
        };
        let under = format!("ansible_collections/{namespace}/{name}/plugins");
        let mut own = Files::new();
        add(
            &mut own,
            &dir.join("plugins/module_utils"),
            &format!("{under}/module_utils"),
        )?;
        own.insert(format!("{under}/modules/__init__.py"), vec![]);
        open.extend(own.values().flat_map(|content| named_in(content)));
        files.append(&mut own);
    }
    Ok(())
}

/// The collections that a Python file speaks of.
pub(super) fn named_in(content: &[u8]) -> BTreeSet<[String; 2]> {
    let names = Regex::new(r"ansible_collections\.([a-z0-9_]+)\.([a-z0-9_]+)")
        .expect("bug: a constant pattern");
    let text = |found: &[u8]| String::from_utf8_lossy(found).into_owned();
    let found = names.captures_iter(content);
    found
        .map(|found| [text(&found[1]), text(&found[2])])
        .collect()
}

/// Makes a package of every folder, so that none of the host's own is taken for a part of it.
fn mark_packages(files: &mut Files) {
    let folders: BTreeSet<PathBuf> = files
        .keys()
        .flat_map(|path| {
            Path::new(path)
                .ancestors()
                .skip(1)
                .map(Path::to_owned)
                .collect::<Vec<_>>()
        })
        .filter(|folder| !folder.as_os_str().is_empty())
        .collect();
    for folder in folders {
        let mark = folder.join("__init__.py").to_string_lossy().into_owned();
        files.entry(mark).or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(dir: &Path, path: &str, content: &str) {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn names(archive: &Archive) -> Vec<String> {
        let file = fs::File::open(archive.file.path()).unwrap();
        let mut tar = tar::Archive::new(file);
        let entries = tar.entries().unwrap();
        entries
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }

    #[test]
    fn what_a_module_may_import_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let (site, collections) = (dir.path().join("site"), dir.path().join("coll"));
        put(&site, "ansible/__init__.py", "import nothing_of_the_sort");
        put(&site, "ansible/release.py", "");
        put(&site, "ansible/module_utils/basic.py", "");
        put(&site, "ansible/module_utils/x.ps1", "");
        put(&dir.path().join("own"), "mine.py", "");
        put(
            &collections,
            "a/b/plugins/module_utils/one.py",
            "from ansible_collections.c.d.plugins import x",
        );
        put(&collections, "c/d/plugins/module_utils/deep/two.py", "");
        put(&collections, "e/f/plugins/module_utils/three.py", "");
        let parts = Parts {
            site,
            utils: vec![dir.path().join("own")],
            collections: vec![collections],
            wanted: BTreeSet::from([["a".to_owned(), "b".to_owned()]]),
        };
        let archive = Archive::of(&parts).unwrap();
        let names = names(&archive);
        for wanted in [
            "rplay_module.py",
            "ansible/__init__.py",
            "ansible/modules/__init__.py",
            "ansible/module_utils/basic.py",
            "ansible/module_utils/mine.py",
            "ansible_collections/a/__init__.py",
            "ansible_collections/a/b/plugins/module_utils/one.py",
            "ansible_collections/a/b/plugins/modules/__init__.py",
            "ansible_collections/c/d/plugins/module_utils/deep/two.py",
        ] {
            assert!(
                names.iter().any(|name| name == wanted),
                "{wanted} of {names:?}"
            );
        }
        assert!(
            !names
                .iter()
                .any(|name| name.contains("three") || name.ends_with(".ps1")),
            "{names:?}"
        );
        assert_eq!(Archive::of(&parts).unwrap().sha256, archive.sha256);
    }
}
