//! Where the loader is: what a relative name means there, and what is known there before the run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rplay_yaml::Map;

/// The files that a relative name is looked for beside.
#[derive(Debug, Clone)]
pub struct Context {
    /// Folder of the playbook.
    pub playbook_dir: PathBuf,
    /// The file being read.
    pub file: PathBuf,
    /// Folder of the role being read.
    pub role: Option<PathBuf>,
    /// Files being read by static imports, outermost first.
    pub(crate) files: Vec<PathBuf>,
    /// Roles being read and where each is called, outermost first.
    pub(crate) roles: Vec<RoleLink>,
    /// Collections that short names are looked for in.
    pub(crate) collections: Vec<String>,
    /// Variables known before the run, as written: the play's, and of what is around.
    pub(crate) vars: Arc<Map>,
}

/// A role in the chain of those being read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RoleLink {
    pub name: String,
    pub path: PathBuf,
    /// Its entry point.
    pub tasks: String,
}

impl Context {
    /// At the top of a playbook.
    pub fn playbook(file: &Path) -> Self {
        Self {
            playbook_dir: file.parent().unwrap_or(Path::new("")).to_owned(),
            file: file.to_owned(),
            role: None,
            files: vec![],
            roles: vec![],
            collections: vec![],
            vars: Arc::default(),
        }
    }

    /// Where an include is: in `file`, which may belong to the role in the folder `role`.
    pub fn include(playbook_dir: &Path, file: &Path, role: Option<&Path>) -> Self {
        Self {
            playbook_dir: playbook_dir.to_owned(),
            role: role.map(Path::to_owned),
            ..Self::playbook(file)
        }
    }

    /// With collections that short names are looked for in.
    #[must_use]
    pub fn with_collections(mut self, collections: Vec<String>) -> Self {
        self.collections = collections;
        self
    }

    /// Inside of a file that is read from here.
    pub(crate) fn inside_file(&self, file: &Path) -> Self {
        let mut inside = self.clone();
        inside.file = file.to_owned();
        inside.files.push(file.to_owned());
        inside
    }

    /// With variables that count more than those known so far.
    pub(crate) fn with_vars(&self, vars: Option<&Map>) -> Self {
        let mut inside = self.clone();
        if let Some(vars) = vars.filter(|vars| !vars.is_empty()) {
            Arc::make_mut(&mut inside.vars).extend(vars.clone());
        }
        inside
    }

    /// With variables that count less than those known so far.
    pub(crate) fn with_defaults(&self, vars: &Map) -> Self {
        let mut inside = self.clone();
        let known = Arc::make_mut(&mut inside.vars);
        for (key, value) in vars {
            known.entry(key.clone()).or_insert_with(|| value.clone());
        }
        inside
    }
}
