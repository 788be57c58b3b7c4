//! Files in and out: `-` is standard input and output; a file is replaced whole, or not at all.

use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::exit::Exit;
use crate::stop::Stop;

fn is_stream(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// A path as messages name it.
pub(crate) fn whole(path: &Path) -> String {
    if is_stream(path) {
        return "-".to_owned();
    }
    std::path::absolute(path)
        .unwrap_or_else(|_| path.to_owned())
        .display()
        .to_string()
}

/// The files to work on: standard input where none is named.
pub(crate) fn inputs(files: &[PathBuf], output: Option<&PathBuf>) -> Result<Vec<PathBuf>, Stop> {
    if files.len() > 1 && output.is_some() {
        let words = "At most one input file may be used with the --output option";
        return Err(Stop::because(Exit::Options, words));
    }
    Ok(if files.is_empty() {
        vec!["-".into()]
    } else {
        files.to_vec()
    })
}

/// The content of a file, or standard input.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Stop> {
    if is_stream(path) {
        let mut content = vec![];
        io::stdin().read_to_end(&mut content)?;
        return Ok(content);
    }
    std::fs::read(path)
        .map_err(|e| Stop::error(format!("Unable to read source file ({}): {e}", whole(path))))
}

/// Replaces a file (readable by its owner only), or writes to standard output.
pub(crate) fn write(path: &Path, content: &[u8]) -> Result<(), Stop> {
    let failed = |e: io::Error| Stop::error(format!("could not write `{}`: {e}", whole(path)));
    if is_stream(path) {
        let mut out = io::stdout();
        return out
            .write_all(content)
            .and_then(|()| out.flush())
            .map_err(failed);
    }
    // A link stays a link: what it leads to is replaced.
    let place = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let known = std::fs::metadata(&place).ok();
    if known.as_ref().is_some_and(|meta| !meta.is_file()) {
        return std::fs::write(&place, content).map_err(failed);
    }
    let folder = place
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    if let Some(meta) = known {
        // Only root can give a file away; for others it is theirs already.
        let _ = std::os::unix::fs::chown(file.path(), Some(meta.uid()), Some(meta.gid()));
    }
    file.persist(&place).map_err(|e| failed(e.error))?;
    Ok(())
}
