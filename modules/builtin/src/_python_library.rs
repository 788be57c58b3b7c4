//! Ansible's Python library on a host: an archive that the engine makes of what is installed on the
//! controller, unpacked once in a folder of the user's own, for modules that are written in Python.
//!
//! It is kept under the name of its digest, so that later runs find it there; one that no run has
//! used for a day is removed.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rplay_api::{Args, Doc, Failure, Host, Module, Outcome, Result};

use crate::sent_program;

/// The `_python_library` module.
pub struct This;

/// Arguments of `_python_library`.
#[derive(Debug, Args)]
pub struct LibraryArgs {
    /// The digest of the archive, which is the request's one blob.
    sha256: String,
}

/// What the folder's name begins with.
const PREFIX: &str = "python-";

/// So long after its last use a library is removed, where another one is unpacked.
const KEPT: Duration = Duration::from_secs(24 * 3600);

impl Module for This {
    type Args = LibraryArgs;

    const DOC: Doc = Doc {
        name: "_python_library",
        aliases: &[],
        summary: "Puts Ansible's Python library on a host",
        description: "What the engine calls before a module that is written in Python.",
        free_form: None,
        examples: "",
        returns: &[],
    };

    fn run(args: LibraryArgs, host: &Host) -> Result<Outcome> {
        let own = sent_program::own_folder()?;
        let dir = own.join(format!("{PREFIX}{}", args.sha256));
        if dir.is_dir() {
            // It is in use: the time of its last use is what its age is told by.
            let _ = fs::File::open(&dir).and_then(|dir| dir.set_modified(SystemTime::now()));
        } else {
            remove_old(&own);
            unpack(host, &own, &dir)?;
        }
        Ok(Outcome::new().changed(false).with("path", dir.to_string_lossy()))
    }
}

fn remove_old(own: &Path) {
    let is_old = |path: &PathBuf| {
        let modified = fs::metadata(path).and_then(|m| m.modified());
        modified.is_ok_and(|at| at.elapsed().is_ok_and(|age| age > KEPT))
    };
    let entries = fs::read_dir(own).into_iter().flatten().flatten();
    let libraries = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
    for dir in libraries.map(|entry| entry.path()).filter(is_old) {
        // What cannot be removed is no reason not to go on.
        let _ = fs::remove_dir_all(dir);
    }
}

/// Unpacks the archive beside its place, and puts it there whole.
fn unpack(host: &Host, own: &Path, dir: &Path) -> Result<()> {
    let failed = |e: &io::Error| Failure::io("unpack Ansible's library in", own, e);
    let part = tempfile::Builder::new().prefix(PREFIX).tempdir_in(own).map_err(|e| failed(&e))?;
    tar::Archive::new(host.blobs().open(0)?).unpack(part.path()).map_err(|e| failed(&e))?;
    let part = part.keep();
    match fs::rename(&part, dir) {
        // Another task was faster.
        Err(_) if dir.is_dir() => fs::remove_dir_all(&part).map_err(|e| failed(&e)),
        moved => moved.map_err(|e| failed(&e)),
    }
}
