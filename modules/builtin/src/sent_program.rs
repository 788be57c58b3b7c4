//! A program of the controller, where it can be run on the target: in a folder where no other user can
//! replace it and programs may be run, beside the agent where that is one. It goes when its path is
//! dropped.

use std::fs::{self, DirBuilder, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

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
    let dir = own_folder()?;
    tempfile::Builder::new()
        .prefix("program-")
        .suffix(&format!("-{name}"))
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(&dir)
        .map_err(|e| Failure::io("write a program in", &dir, &e))
}

/// A folder of this user's alone, where programs may be run: the agent's own, or where another user
/// put the agent, one that root made beside it for this user, or one like it.
pub fn own_folder() -> Result<PathBuf> {
    let agent = rplay_api::own_program_path();
    let uid = rustix::process::geteuid().as_raw();
    let places = [
        agent.parent().map(Path::to_owned),
        agent.parent().and_then(made_by_root),
        Some(format!("/dev/shm/rplay-{uid}").into()),
        Some(format!("/tmp/rplay-{uid}").into()),
    ];
    let usable = |dir: &PathBuf| is_own(dir, uid) && runs_programs(dir);
    let found = places.into_iter().flatten().find(|dir| {
        // One that is there already is looked at, never repaired.
        let _ = DirBuilder::new().mode(0o711).create(dir);
        usable(dir)
    });
    found.ok_or_else(|| {
        Failure::new("the user has no folder of their own where a program can be run")
            .help(format!("`/dev/shm/rplay-{uid}` or `/tmp/rplay-{uid}` should be theirs alone, and not `noexec`"))
    })
}

/// The folder for another user in that of an agent, which goes when the agent does.
fn made_by_root(beside: &Path) -> Option<PathBuf> {
    let own = beside.join("own");
    (is_own(beside, 0) && own.exists()).then_some(own)
}

/// Whether a folder is no link, belongs to the user, and nobody else can write to it.
fn is_own(dir: &Path, uid: u32) -> bool {
    fs::symlink_metadata(dir).is_ok_and(|m| m.is_dir() && m.uid() == uid && m.mode() & 0o022 == 0)
}

fn runs_programs(dir: &Path) -> bool {
    rustix::fs::statvfs(dir)
        .is_ok_and(|found| !found.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC))
}

fn copy(host: &Host, blob: u32, file: &mut File) -> io::Result<()> {
    let mut content = host
        .blobs()
        .open(blob)
        .map_err(|e| io::Error::other(e.msg))?;
    io::copy(&mut content, file)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_that_others_can_write_to_is_not_ones_own() {
        let dir = tempfile::tempdir().unwrap();
        let uid = fs::metadata(dir.path()).unwrap().uid();
        assert!(is_own(dir.path(), uid));
        assert!(!is_own(dir.path(), uid + 1));
        fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
        assert!(!is_own(dir.path(), uid));
        let link = tempfile::tempdir().unwrap();
        let link = link.path().join("link");
        std::os::unix::fs::symlink("/", &link).unwrap();
        assert!(!is_own(&link, 0));
    }

    #[test]
    fn only_root_makes_folders_for_others() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(made_by_root(dir.path()), None);
        fs::create_dir(dir.path().join("own")).unwrap();
        let by_root = fs::metadata(dir.path()).unwrap().uid() == 0;
        assert_eq!(made_by_root(dir.path()).is_some(), by_root);
        fs::set_permissions(dir.path(), Permissions::from_mode(0o777)).unwrap();
        assert_eq!(made_by_root(dir.path()), None);
    }
}
