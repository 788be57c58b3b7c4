//! Playbooks, roles and files of tasks, opened where `ansible-vault` encrypted them.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rplay_playbook::Sources;
use rplay_template::Templar;

/// Files as they were before they were encrypted.
pub(crate) struct Opened {
    files: Arc<dyn Sources>,
    templar: Templar,
    sealed: AtomicBool,
}

impl Opened {
    /// Those of `files`, opened by the passwords of `templar`.
    pub(crate) fn new(files: Arc<dyn Sources>, templar: Templar) -> Self {
        Self {
            files,
            templar,
            sealed: AtomicBool::new(false),
        }
    }

    /// Whether one of them could not be opened: then the passwords are at fault, and no playbook.
    pub(crate) fn has_sealed(&self) -> bool {
        self.sealed.load(Ordering::Relaxed)
    }
}

impl Sources for Opened {
    fn read(&self, path: &Path) -> io::Result<String> {
        let opened = self.templar.opened(self.files.read(path)?);
        self.sealed.fetch_or(opened.is_err(), Ordering::Relaxed);
        opened
    }

    fn is_file(&self, path: &Path) -> bool {
        self.files.is_file(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.files.is_dir(path)
    }

    fn list(&self, path: &Path) -> Vec<PathBuf> {
        self.files.list(path)
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        self.files.absolute(path)
    }
}
