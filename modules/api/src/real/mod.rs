//! The host itself: every act is done at once, files atomically.
//!
//! Owns system calls and processes. Knows nothing of dry runs, nor of what changed.

mod attrs;
mod chattr;
mod entries;
mod process;
mod program;
mod rename;
mod write;

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rplay_wire::{State, Target};
use rustix::fs::{Access, AtFlags, CWD, OFlags};
use rustix::io::Errno;

use crate::act::Act;
use crate::system::{Attrs, Command, Dialogue, FileKind, Meta, Output, System};
use crate::{Control, Failure, Result};

pub(crate) use attrs::sets_now;
pub(crate) use chattr::{Attributes, letters};
pub(crate) use program::{find_program, no_program};
pub(crate) use write::{kept_mode, not_a_file, takes_no_new_names};

/// As many links as Linux follows before it says that there are too many.
pub(crate) const MAX_LINKS: usize = 40;

/// The host this process runs on.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealSystem;

impl System for RealSystem {
    fn lstat(&self, path: &Path) -> Result<Option<Meta>> {
        lstat(path).map_err(|e| Act::Look.failed(path, &e))
    }

    fn read(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        let file = open(path).map_err(|e| Act::Read.failed(path, &e))?;
        Ok(Box::new(file))
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<OsString>> {
        let failed = |e| Act::List.failed(path, &e);
        let mut names = fs::read_dir(path)
            .map_err(failed)?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(failed)?;
        names.sort_unstable();
        Ok(names)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf> {
        fs::read_link(path).map_err(|e| Act::ReadLink.failed(path, &e))
    }

    fn write(&self, path: &Path, source: &mut dyn Read, attrs: &Attrs) -> Result<()> {
        write::write(path, source, attrs)
    }

    fn make_dir(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        entries::make_dir(path, attrs)
    }

    fn symlink(&self, to: &Path, path: &Path) -> Result<()> {
        let path = &clean(path);
        entries::put(path, |at| std::os::unix::fs::symlink(to, at))
            .map_err(|e| Act::Symlink.failed(path, &e))
    }

    fn hard_link(&self, to: &Path, path: &Path) -> Result<()> {
        let path = &clean(path);
        entries::put(path, |at| fs::hard_link(to, at)).map_err(|e| Act::HardLink.failed(path, &e))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let (from, to) = (clean(from), clean(to));
        rename::rename(&from, &to).map_err(|e| Act::Rename.failed(&from, &e))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let path = clean(path);
        refuse_root(&path)?;
        entries::remove(&path).map_err(|e| Act::Remove.failed(&path, &e))
    }

    fn attributes(&self, path: &Path) -> Option<u32> {
        attrs::attributes(path)
    }

    fn set_attrs(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        attrs::set(path, attrs)
    }

    fn run(&self, command: &Command, control: &Control) -> Result<Output> {
        process::run(command, control)
    }

    fn converse(
        &self,
        command: &Command,
        dialogue: &mut Dialogue<'_>,
        control: &Control,
    ) -> Result<Output> {
        process::converse(command, dialogue, control)
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

    fn access(&self, path: &Path, access: Access) -> io::Result<()> {
        Ok(rustix::fs::accessat(CWD, path, access, AtFlags::EACCESS)?)
    }
}

/// What is at `path`. A path below something that is no folder is absent like any other.
fn lstat(path: &Path) -> io::Result<Option<Meta>> {
    match fs::symlink_metadata(path) {
        Ok(meta) => Ok(Some(meta_of(&meta))),
        Err(e) if is_absent(&e) => Ok(None),
        Err(e) => Err(e),
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

fn meta_of(meta: &fs::Metadata) -> Meta {
    Meta {
        kind: kind_of(meta.file_type()),
        mode: meta.mode() & 0o7777,
        uid: meta.uid(),
        gid: meta.gid(),
        size: meta.size(),
        mtime: time(meta.mtime(), meta.mtime_nsec()),
        atime: time(meta.atime(), meta.atime_nsec()),
        ctime: time(meta.ctime(), meta.ctime_nsec()),
        inode: meta.ino(),
        device: meta.dev(),
        nlink: meta.nlink(),
        blocks: meta.blocks(),
        rdev: meta.rdev(),
    }
}

fn kind_of(kind: fs::FileType) -> FileKind {
    if kind.is_file() {
        FileKind::File
    } else if kind.is_dir() {
        FileKind::Directory
    } else if kind.is_symlink() {
        FileKind::Link
    } else if kind.is_fifo() {
        FileKind::Fifo
    } else if kind.is_socket() {
        FileKind::Socket
    } else if kind.is_block_device() {
        FileKind::BlockDevice
    } else {
        FileKind::CharDevice
    }
}

/// A time from seconds, which are negative before 1970, and nanoseconds, which never are.
fn time(seconds: i64, nanos: i64) -> SystemTime {
    let whole = Duration::from_secs(seconds.unsigned_abs());
    let whole = if seconds < 0 {
        UNIX_EPOCH.checked_sub(whole)
    } else {
        UNIX_EPOCH.checked_add(whole)
    };
    let nanos = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    whole
        .and_then(|t| t.checked_add(nanos))
        .unwrap_or(UNIX_EPOCH)
}

/// Opens a file to read. A pipe without a writer does not hold it up, and a folder is refused here
/// rather than at the first read.
fn open(path: &Path) -> io::Result<fs::File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if file.metadata()?.is_dir() {
        return Err(Errno::ISDIR.into());
    }
    Ok(file)
}

/// Flushes a folder's entries to the disk, where its file system can.
fn sync_dir(path: &Path) {
    // A file system that cannot has nothing to lose here, and the change itself is done.
    let _ = fs::File::open(path).and_then(|dir| dir.sync_all());
}

/// A path without trailing slashes, which would make the kernel follow a link.
pub(crate) fn clean(path: &Path) -> PathBuf {
    path.components().collect()
}

/// Removing the root is never what a task means.
pub(crate) fn refuse_root(path: &Path) -> Result<()> {
    if path.file_name().is_some() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "removing `{}` would remove the host itself",
        path.display()
    ))
    .help("check the variables that the path is made of: one may be empty"))
}
