//! Queries: which of them would have to read what is only planned.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Overlay;
use super::plan::Entry;
use crate::real::find_program;
use crate::system::{Command, Meta, System};

impl Overlay {
    /// Where a query's program is, as the dry run sees the host.
    pub(super) fn program_of(&self, command: &Command) -> Option<PathBuf> {
        let is_there = |path: &Path| {
            let at = self.follow(path, crate::act::Act::Look);
            at.and_then(|key| self.look(&key))
                .is_ok_and(|meta| meta.is_some_and(|m| !m.is_dir()))
        };
        find_program(command, is_there)
    }

    /// What a query would have to read that is only planned.
    pub(super) fn planned_in(&self, command: &Command, program: &Path) -> Option<PathBuf> {
        let words = command.argv.iter().skip(1).filter_map(|word| {
            let word = word.as_bytes();
            // `--config=/etc/x` names a file as `/etc/x` does.
            let value = word
                .iter()
                .position(|b| *b == b'=')
                .map_or(word, |i| &word[i + 1..]);
            let named = if word.starts_with(b"/") { word } else { value };
            named
                .starts_with(b"/")
                .then(|| PathBuf::from(std::ffi::OsStr::from_bytes(named)))
        });
        let mut named = std::iter::once(program.to_owned())
            .chain(command.cwd.clone())
            .chain(words);
        if let Some(path) = named.find(|path| self.is_touched(path)) {
            return Some(path);
        }
        // A variable may name a file too (a certificate); a folder in one (HOME) says nothing.
        let mut variables = command.env.iter().map(|(_, value)| PathBuf::from(value));
        variables.find(|path| {
            path.is_absolute()
                && self.is_touched(path)
                && !matches!(self.lstat(path), Ok(Some(meta)) if meta.is_dir())
        })
    }

    /// Whether a path, the links on the way included, leads to something planned, or to a folder
    /// with something planned in it.
    fn is_touched(&self, path: &Path) -> bool {
        let mut at = path.to_owned();
        for _ in 0..crate::real::MAX_LINKS {
            let key = match self.key(&at) {
                Ok(Ok(key)) => key,
                // What is not there now may have been taken away.
                _ => return self.lies_in_planned(&at),
            };
            if self.is_planned(&key) {
                return true;
            }
            let is_link = matches!(self.look(&key), Ok(Some(meta)) if Meta::is_link(&meta));
            match self.read_link(&key) {
                Ok(to) if is_link => at = key.parent().unwrap_or(Path::new("/")).join(to),
                _ => return false,
            }
        }
        false
    }

    fn is_planned(&self, key: &Path) -> bool {
        let below = key.components().count() > 2
            && self
                .lock()
                .files
                .keys()
                .any(|planned| planned.starts_with(key));
        below || self.lies_in_planned(key)
    }

    /// Whether a path is planned itself or was so with a folder above it.
    fn lies_in_planned(&self, key: &Path) -> bool {
        let itself = self.lock().files.get(key).is_some_and(|entry| match entry {
            Entry::Gone => true,
            Entry::Node(node) => !node.is_dir() || node.opaque || key.components().count() > 2,
        });
        itself || self.is_hidden(key)
    }
}
