//! What lookups may touch: the controller's files, environment and processes.

use std::path::{Path, PathBuf};
use std::process::Command;

use rplay_template::LookupIo;

use crate::frame::Frame;

/// Lookups of one task.
#[derive(Debug)]
pub(crate) struct TaskIo {
    pub frame: Frame,
    pub file: PathBuf,
}

/// The first of the places where a name is, `~` and absolute paths as they are.
pub(crate) fn find(frame: &Frame, file: &Path, kind: &str, name: &str) -> Option<PathBuf> {
    places(frame, file, kind, name)
        .into_iter()
        .find(|path| path.exists())
}

/// Where a name is looked for.
pub(crate) fn places(frame: &Frame, file: &Path, kind: &str, name: &str) -> Vec<PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let path = match name.strip_prefix("~/") {
        Some(rest) => PathBuf::from(home).join(rest),
        None => PathBuf::from(name),
    };
    if path.is_absolute() {
        return vec![path];
    }
    let mut places: Vec<PathBuf> = vec![];
    for dir in frame.search(kind, file) {
        let place = dir.join(&path);
        if !places.contains(&place) {
            places.push(place);
        }
    }
    places
}

impl LookupIo for TaskIo {
    fn read(&self, kind: &str, name: &str) -> Result<String, String> {
        let path = self
            .find(kind, name)
            .ok_or_else(|| format!("the file `{name}` is not there"))?;
        std::fs::read_to_string(&path)
            .map_err(|e| format!("could not read `{}`: {e}", path.display()))
    }

    fn find(&self, kind: &str, name: &str) -> Option<PathBuf> {
        find(&self.frame, &self.file, kind, name)
    }

    fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let mut found: Vec<PathBuf> = places(&self.frame, &self.file, "files", pattern)
            .iter()
            .filter_map(|place| glob::glob(&place.to_string_lossy()).ok())
            .find_map(|paths| {
                let files: Vec<_> = paths.flatten().filter(|p| p.is_file()).collect();
                (!files.is_empty()).then_some(files)
            })
            .unwrap_or_default();
        found.sort();
        found
    }

    fn env(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn pipe(&self, command: &str) -> Result<String, String> {
        let output = Command::new("/bin/sh")
            .arg("-c")
            .arg(command)
            .current_dir(&self.frame.context.play.dir)
            .output()
            .map_err(|e| format!("could not run `{command}`: {e}"))?;
        if !output.status.success() {
            let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(format!("`{command}` failed: {words}"));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
