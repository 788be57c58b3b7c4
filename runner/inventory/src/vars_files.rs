//! `group_vars` and `host_vars`, beside the inventory and beside the playbook.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;
use rplay_diag::{Diagnostic, Source};
use rplay_yaml::{Kind, Map};

use crate::model::Layer;

/// Reads a file's text, opening a vault.
pub type Reader = dyn Fn(&Path) -> io::Result<String> + Send + Sync;

/// The variables of groups and hosts below one folder.
#[derive(Debug, Clone, Default)]
pub struct VarsFiles {
    groups: IndexMap<String, Vec<Layer>>,
    hosts: IndexMap<String, Vec<Layer>>,
    /// What could not be read.
    pub faults: Vec<Fault>,
}

impl VarsFiles {
    /// Reads `group_vars` and `host_vars` of a folder.
    ///
    /// # Errors
    /// A file that cannot be read or is no mapping.
    pub fn read(folder: &Path, reader: &Reader) -> Result<Self, Diagnostic> {
        let files = Self::found(folder, reader);
        match files.faults.first() {
            Some(fault) => Err(fault.what.clone()),
            None => Ok(files),
        }
    }

    /// As [`Self::read`]; what cannot be read is a fault of its group or host, which may have no
    /// part in a play: the vault of another stage, say.
    pub fn found(folder: &Path, reader: &Reader) -> Self {
        let mut faults = vec![];
        let mut of = |part: &str, owner: fn(String) -> Owner| {
            let (found, wrong) = names(&folder.join(part), reader);
            let wrong = wrong.into_iter();
            faults.extend(wrong.map(|(name, what)| Fault {
                of: owner(name),
                what,
            }));
            found
        };
        let (groups, hosts) = (of("group_vars", Owner::Group), of("host_vars", Owner::Host));
        Self {
            groups,
            hosts,
            faults,
        }
    }

    /// A group's layers, later ones over earlier ones.
    pub fn group(&self, name: &str) -> &[Layer] {
        self.groups.get(name).map_or(&[], Vec::as_slice)
    }

    /// A host's layers, later ones over earlier ones.
    pub fn host(&self, name: &str) -> &[Layer] {
        self.hosts.get(name).map_or(&[], Vec::as_slice)
    }
}

/// What a file of variables is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// The group of that name.
    Group(String),
    /// The host of that name.
    Host(String),
}

/// A file of variables that could not be read.
#[derive(Debug, Clone)]
pub struct Fault {
    /// Whose it is.
    pub of: Owner,
    /// What is wrong with it.
    pub what: Diagnostic,
}

impl Fault {
    /// Whether a host that is in these groups needs the file.
    pub fn concerns(&self, host: &str, groups: &[Arc<str>]) -> bool {
        match &self.of {
            Owner::Group(name) => groups.iter().any(|group| **group == **name),
            Owner::Host(name) => name == host,
        }
    }
}

const ENDINGS: [&str; 3] = ["yml", "yaml", "json"];

/// The endings of a name's file, in the order that they are looked for: the first is all that counts.
fn rank(path: &Path) -> usize {
    let ending = path.extension().and_then(|e| e.to_str());
    let known = ENDINGS
        .iter()
        .position(|e| path.is_file() && ending == Some(e));
    known.map_or(0, |at| at + 1)
}

type Found = IndexMap<String, Vec<Layer>>;

fn names(folder: &Path, reader: &Reader) -> (Found, Vec<(String, Diagnostic)>) {
    let mut chosen: IndexMap<String, PathBuf> = IndexMap::new();
    for path in sorted(folder) {
        let Some(stem) = name_of(&path) else { continue };
        let known = chosen.entry(stem).or_insert_with(|| path.clone());
        if rank(&path) < rank(known) {
            *known = path;
        }
    }
    let (mut found, mut wrong) = (Found::new(), vec![]);
    for (stem, path) in chosen {
        let layers = found.entry(stem.clone()).or_default();
        if let Err(what) = read_into(&path, reader, layers) {
            wrong.push((stem, what));
        }
    }
    (found, wrong)
}

/// The group or host that a file or folder is for; `None` for what is neither.
fn name_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    if name.starts_with('.') || name.ends_with('~') {
        return None;
    }
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .filter(|e| ENDINGS.contains(e));
    match ending {
        Some(ending) if path.is_file() => {
            name.strip_suffix(&format!(".{ending}")).map(str::to_owned)
        }
        _ => Some(name.to_owned()),
    }
}

fn read_into(path: &Path, reader: &Reader, layers: &mut Vec<Layer>) -> Result<(), Diagnostic> {
    if path.is_dir() {
        for inner in sorted(path) {
            let ending = inner.extension().and_then(|e| e.to_str());
            let good = inner.is_dir() || ending.is_none_or(|e| ENDINGS.contains(&e));
            if good && name_of(&inner).is_some() {
                read_into(&inner, reader, layers)?;
            }
        }
        return Ok(());
    }
    layers.push(Arc::new(file(path, reader)?));
    Ok(())
}

/// A file of variables.
pub(crate) fn file(path: &Path, reader: &Reader) -> Result<Map, Diagnostic> {
    let text = reader(path)
        .map_err(|e| Diagnostic::error(format!("could not read `{}`: {e}", path.display())))?;
    let source = Source::of_file(path, text);
    let root = rplay_yaml::load(&source)?.root(&source);
    match root.kind {
        Kind::Map(map) => Ok(map),
        Kind::Null => Ok(Map::new()),
        _ => {
            let words = format!("a file of variables is a mapping, not {}", root.describe());
            Err(Diagnostic::error(words).at(&root.span))
        }
    }
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|e| e.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_variables_hides_the_file_of_its_name() {
        let dir = std::env::temp_dir().join(format!("rplay-vars-files-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("host_vars/a")).unwrap();
        std::fs::write(dir.join("host_vars/a.yml"), "v: file\n").unwrap();
        std::fs::write(dir.join("host_vars/a/m.yml"), "v: folder\n").unwrap();
        let files = VarsFiles::read(&dir, &|path: &Path| std::fs::read_to_string(path));
        std::fs::remove_dir_all(&dir).unwrap();
        let files = files.unwrap();
        let found: Vec<_> = files.host("a").iter().map(|l| l.get("v")).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].unwrap().as_str(), Some("folder"));
    }

    #[test]
    fn of_several_files_for_one_name_yml_goes_before_yaml_and_json() {
        let dir = std::env::temp_dir().join(format!("rplay-vars-endings-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("group_vars")).unwrap();
        for name in [
            "a.json", "a.yaml", "a.yml", "b.yaml", "b.json", "c", "c.yml",
        ] {
            let text = format!("{{\"v\": \"{name}\"}}\n");
            std::fs::write(dir.join("group_vars").join(name), text).unwrap();
        }
        let files = VarsFiles::read(&dir, &|path: &Path| std::fs::read_to_string(path));
        std::fs::remove_dir_all(&dir).unwrap();
        let files = files.unwrap();
        let read = |name: &str| {
            let layers = files.group(name).iter();
            let texts = layers.filter_map(|l| l.get("v")?.as_str().map(str::to_owned));
            texts.collect::<Vec<_>>()
        };
        assert_eq!(read("a"), ["a.yml"]);
        assert_eq!(read("b"), ["b.yaml"]);
        assert_eq!(read("c"), ["c"]);
    }

    #[test]
    fn what_cannot_be_read_is_a_fault_of_its_group_alone() {
        let dir = std::env::temp_dir().join(format!("rplay-vars-faults-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("group_vars")).unwrap();
        std::fs::write(dir.join("group_vars/good.yml"), "v: 1\n").unwrap();
        std::fs::write(dir.join("group_vars/bad.yml"), "- v\n").unwrap();
        let reader = |path: &Path| std::fs::read_to_string(path);
        let files = VarsFiles::found(&dir, &reader);
        let all = VarsFiles::read(&dir, &reader);
        std::fs::remove_dir_all(&dir).unwrap();
        assert!(all.is_err());
        assert_eq!((files.group("good").len(), files.faults.len()), (1, 1));
        let concerns = |group: &str| files.faults[0].concerns("h", &[group.into()]);
        assert!(concerns("bad") && !concerns("good"));
    }
}
