//! A host without anything but its root folder: the ground of an overlay that is all in memory.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rplay_wire::{State, Target};
use rustix::io::Errno;

use crate::act::Act;
use crate::real::no_program;
use crate::system::{Attrs, Command, FileKind, Meta, Output, System};
use crate::{Control, Failure, Result};

/// Nothing is there, and nothing can be changed.
pub(super) struct Nowhere;

const ROOT: Meta = Meta {
    kind: FileKind::Directory,
    mode: 0o755,
    uid: 0,
    gid: 0,
    size: 0,
    mtime: SystemTime::UNIX_EPOCH,
    atime: SystemTime::UNIX_EPOCH,
    ctime: SystemTime::UNIX_EPOCH,
    inode: 1,
    device: 0,
    nlink: 1,
    blocks: 0,
    rdev: 0,
};

fn read_only(act: Act, path: &Path) -> Failure {
    act.errno(path, Errno::ROFS)
}

impl System for Nowhere {
    fn lstat(&self, path: &Path) -> Result<Option<Meta>> {
        Ok((path == Path::new("/")).then_some(ROOT))
    }

    fn read(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        Err(Act::Read.errno(path, Errno::NOENT))
    }

    fn read_dir(&self, _: &Path) -> Result<Vec<OsString>> {
        Ok(vec![])
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf> {
        Err(Act::ReadLink.errno(path, Errno::NOENT))
    }

    fn write(&self, path: &Path, _: &mut dyn Read, _: &Attrs) -> Result<()> {
        Err(read_only(Act::Write, path))
    }

    fn make_dir(&self, path: &Path, _: &Attrs) -> Result<()> {
        Err(read_only(Act::MakeDir, path))
    }

    fn symlink(&self, _: &Path, path: &Path) -> Result<()> {
        Err(read_only(Act::Symlink, path))
    }

    fn hard_link(&self, _: &Path, path: &Path) -> Result<()> {
        Err(read_only(Act::HardLink, path))
    }

    fn rename(&self, from: &Path, _: &Path) -> Result<()> {
        Err(read_only(Act::Rename, from))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        Err(read_only(Act::Remove, path))
    }

    fn set_attrs(&self, path: &Path, _: &Attrs) -> Result<()> {
        Err(read_only(Act::SetAttrs, path))
    }

    fn run(&self, command: &Command, _: &Control) -> Result<Output> {
        Err(no_program(command))
    }

    fn planned(&self, _: &Target) -> Option<Option<State>> {
        None
    }

    fn transition(
        &self,
        _: &Target,
        _: Option<State>,
        apply: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        apply()
    }
}
