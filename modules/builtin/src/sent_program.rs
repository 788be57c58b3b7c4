//! A program of the controller, where it can be run on the target: beside the agent, where no other
//! user can replace it and programs may be run. It goes when its path is dropped.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rplay_api::{ControllerFile, EntryKind, Failure, Host, Result};
use tempfile::{NamedTempFile, TempPath};

/// Puts the program there.
pub fn placed(host: &Host, program: &ControllerFile) -> Result<TempPath> {
    let mut file = beside(program_name(program), 0o700)?;
    let copied = copy(host, blob(program)?, file.as_file_mut());
    copied.map_err(|e| Failure::io("write the program", file.path(), &e))?;
    Ok(file.into_temp_path())
}

/// Puts content there, for the program to read or in its place.
pub fn written(name: &str, mode: u32, content: &[u8]) -> Result<TempPath> {
    let mut file = beside(name, mode)?;
    let wrote = file.write_all(content).and_then(|()| file.flush());
    wrote.map_err(|e| Failure::io("write", file.path(), &e))?;
    Ok(file.into_temp_path())
}

/// The program's content.
pub fn content(host: &Host, program: &ControllerFile) -> Result<Vec<u8>> {
    let mut content = vec![];
    let mut reader = host.blobs().open(blob(program)?)?;
    io::Read::read_to_end(&mut reader, &mut content)
        .map_err(|e| Failure::new(format!("could not read the program: {e}")))?;
    Ok(content)
}

/// The last part of its path.
pub fn program_name(program: &ControllerFile) -> &str {
    let path = match program {
        ControllerFile::Sent { src, .. } => src,
        ControllerFile::Remote(path) => path,
    };
    path.rsplit('/').next().unwrap_or(path)
}

fn blob(program: &ControllerFile) -> Result<u32> {
    if let ControllerFile::Sent { entries, .. } = program
        && let [entry] = entries.as_slice()
        && let EntryKind::File(blob) = entry.kind
    {
        return Ok(blob);
    }
    Err(Failure::new("a program is one file of the controller"))
}

fn beside(name: &str, mode: u32) -> Result<NamedTempFile> {
    let agent = std::env::current_exe().unwrap_or_default();
    let dir = agent.parent().unwrap_or(Path::new("/tmp"));
    tempfile::Builder::new()
        .prefix("program-")
        .suffix(&format!("-{name}"))
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(dir)
        .map_err(|e| Failure::io("write a program in", dir, &e))
}

fn copy(host: &Host, blob: u32, file: &mut File) -> io::Result<()> {
    let mut content = host
        .blobs()
        .open(blob)
        .map_err(|e| io::Error::other(e.msg))?;
    io::copy(&mut content, file)?;
    file.flush()
}
