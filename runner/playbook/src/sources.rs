//! Where texts come from: the disk, or a map in tests.

use std::io;
use std::path::{Path, PathBuf};

/// The only I/O of this crate.
pub trait Sources: Send + Sync {
    /// A file's text (decrypted, where it is a vault).
    ///
    /// # Errors
    /// I/O errors; text that is not UTF-8.
    fn read(&self, path: &Path) -> io::Result<String>;

    /// Whether a file is there.
    fn is_file(&self, path: &Path) -> bool;

    /// Whether a folder is there.
    fn is_dir(&self, path: &Path) -> bool;

    /// The paths in a folder, sorted; none where it cannot be read.
    fn list(&self, path: &Path) -> Vec<PathBuf>;

    /// The whole path, where there is a folder that it is relative to.
    fn absolute(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }
}

/// The disk.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Sources for Disk {
    fn read(&self, path: &Path) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }

    fn is_dir(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
        let mut paths: Vec<_> = entries.map(|e| e.path()).collect();
        paths.sort();
        paths
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
    }
}

/// What the playbook needs to know of modules.
pub trait KnownModules: Send + Sync {
    /// A playbook or a role in that folder is read: what lies in its `library` may be called from now
    /// on.
    fn enter(&self, _dir: &Path) {}

    /// Whether a task may call it.
    fn known(&self, name: &str) -> bool;

    /// The name it goes by here, where another (`ansible.posix.mount`) means the same.
    fn resolve(&self, name: &str) -> Option<String> {
        self.known(name).then(|| name.to_owned())
    }

    /// Whether `with_NAME` may be written; `None` where that is not known.
    fn lookup(&self, _name: &str) -> Option<bool> {
        None
    }

    /// Whether wrong arguments fail their task when it runs, as in Ansible, and are no error of the
    /// playbook: a task that is skipped or ignored may then be wrong.
    fn faults_wait(&self) -> bool {
        false
    }

    /// Whether it is not one of rplay's own, so that only it knows what it takes.
    fn is_foreign(&self, _name: &str) -> bool {
        false
    }

    /// The name that Ansible knows it by, with its collection.
    fn full_name(&self, name: &str) -> String {
        name.to_owned()
    }

    /// Every name, for suggestions.
    fn names(&self) -> Vec<String>;

    /// Whether it takes plain text.
    fn free_form(&self, name: &str) -> bool;

    /// Whether it has that argument.
    ///
    /// # Errors
    /// The argument most likely meant, where it has not.
    fn check_arg(&self, module: &str, arg: &str) -> Result<(), Option<String>>;
}
