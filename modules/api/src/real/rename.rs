//! Moves, across file systems too: there a whole copy is made beside the new name first, so that
//! nothing half-copied ever has it.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, Timespec, Timestamps};
use rustix::io::Errno;

use super::{attrs, entries, sync_dir};

/// Moves what is at `from` to `to`, in place of a file or empty folder there.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    match fs::rename(from, to) {
        Err(e) if e.kind() == io::ErrorKind::CrossesDevices => {
            copy_across(from, to)?;
            entries::remove(from)?;
        }
        result => result?,
    }
    sync_dir(entries::parent(to));
    sync_dir(entries::parent(from));
    Ok(())
}

fn copy_across(from: &Path, to: &Path) -> io::Result<()> {
    may_replace(from, to)?;
    let dir = entries::parent(to);
    let stage = entries::temporary(to).dir_in(dir)?;
    let copy = stage.path().join("copy");
    copy_tree(from, &copy)?;
    fs::rename(&copy, to)
}

/// The kernel's own rules for a rename, told before a long copy rather than after it.
fn may_replace(from: &Path, to: &Path) -> io::Result<()> {
    let Some(old) = super::lstat(to)? else {
        return Ok(());
    };
    let from_dir = fs::symlink_metadata(from)?.is_dir();
    match (from_dir, old.is_dir()) {
        (true, false) => Err(Errno::NOTDIR.into()),
        (false, true) => Err(Errno::ISDIR.into()),
        (true, true) if fs::read_dir(to)?.next().is_some() => Err(Errno::NOTEMPTY.into()),
        _ => Ok(()),
    }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    let meta = fs::symlink_metadata(from)?;
    if meta.is_symlink() {
        std::os::unix::fs::symlink(fs::read_link(from)?, to)?;
    } else if meta.is_file() {
        copy_file(from, to)?;
    } else if meta.is_dir() {
        fs::create_dir(to)?;
        for entry in fs::read_dir(from)? {
            let name = entry?.file_name();
            copy_tree(&from.join(&name), &to.join(&name))?;
        }
        attrs::copy_xattrs(from, &File::open(to)?);
    } else {
        let kind = FileType::from_raw_mode(meta.mode());
        rustix::fs::mknodat(CWD, to, kind, Mode::from_raw_mode(0o600), meta.rdev())?;
    }
    finish(to, &meta)
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut copy = File::options().write(true).create_new(true).open(to)?;
    io::copy(&mut source, &mut copy)?;
    attrs::copy_xattrs(from, &copy);
    copy.sync_all()
}

/// Owner, mode and times; the owner as far as this user may give a file away, and without it no
/// setuid.
fn finish(to: &Path, meta: &Metadata) -> io::Result<()> {
    let bits = match std::os::unix::fs::lchown(to, Some(meta.uid()), Some(meta.gid())) {
        Err(e) if e.kind() == io::ErrorKind::PermissionDenied => 0o1777,
        result => result.map(|()| 0o7777)?,
    };
    if !meta.is_symlink() {
        fs::set_permissions(to, fs::Permissions::from_mode(meta.mode() & bits))?;
    }
    let times = Timestamps {
        last_access: timespec(meta.atime(), meta.atime_nsec()),
        last_modification: timespec(meta.mtime(), meta.mtime_nsec()),
    };
    Ok(rustix::fs::utimensat(
        CWD,
        to,
        &times,
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

fn timespec(seconds: i64, nanos: i64) -> Timespec {
    Timespec {
        tv_sec: seconds,
        tv_nsec: nanos,
    }
}
