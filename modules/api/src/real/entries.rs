//! Names in a folder: folders and links made, anything removed.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use rustix::fs::{Gid, Mode, OFlags, Uid};

use super::{attrs, clean, sync_dir};
use crate::Result;
use crate::act::Act;
use crate::system::Attrs;

/// Makes a folder; one that could not get its owner and mode is taken away again.
pub(super) fn make_dir(path: &Path, attrs: &Attrs) -> Result<()> {
    let path = &clean(path);
    let attributes = attrs.attributes.as_deref();
    let attributes = attributes.map(super::Attributes::parse).transpose()?;
    let failed = |e: io::Error| Act::MakeDir.failed(path, &e);
    // Closed to others until it has its own mode.
    let first = if attrs.mode.is_some() { 0o700 } else { 0o777 };
    fs::DirBuilder::new()
        .mode(first)
        .create(path)
        .map_err(failed)?;
    let finish = || {
        finish_dir(path, attrs).map_err(failed)?;
        attributes.map_or(Ok(()), |a| attrs::set_attributes(path, a))
    };
    finish().inspect_err(|_| {
        // The first failure is the one to tell.
        let _ = fs::remove_dir(path);
    })
}

fn finish_dir(path: &Path, attrs: &Attrs) -> io::Result<()> {
    if attrs.uid.is_some() || attrs.gid.is_some() || attrs.mode.is_some() {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty())?;
        let (uid, gid) = (attrs.uid.map(Uid::from_raw), attrs.gid.map(Gid::from_raw));
        rustix::fs::fchown(&handle, uid, gid)?;
        if let Some(mode) = attrs.mode {
            rustix::fs::fchmod(&handle, Mode::from_raw_mode(mode))?;
        }
    }
    if let Some(times) = attrs::times(attrs) {
        rustix::fs::utimensat(
            rustix::fs::CWD,
            path,
            &times,
            rustix::fs::AtFlags::SYMLINK_NOFOLLOW,
        )?;
    }
    Ok(())
}

/// Makes a name at `path` with `make`; what is there already is replaced in one step.
pub(super) fn put(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    match make(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => replace(path, make)?,
        result => result?,
    }
    sync_dir(parent(path));
    Ok(())
}

fn replace(path: &Path, make: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let made = temporary(path).make_in(parent(path), |at| make(at))?;
    // Of two names of one file the kernel keeps both: the temporary one goes when it is dropped.
    fs::rename(made.path(), path)
}

/// A hidden name beside `path`; what a killed agent leaves is known by it.
pub(super) fn temporary(path: &Path) -> TemporaryName {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    // A name has at most 255 bytes, and the suffix needs 15 of them.
    let kept = String::from_utf8_lossy(&name[..name.len().min(200)]).into_owned();
    TemporaryName {
        prefix: format!(".{kept}.rplay-"),
    }
}

/// See [`temporary`].
pub(super) struct TemporaryName {
    prefix: String,
}

impl TemporaryName {
    /// A file that is open to no one else, or else to those that the umask says.
    pub(super) fn file_in(&self, dir: &Path, private: bool) -> io::Result<tempfile::NamedTempFile> {
        use std::os::unix::fs::OpenOptionsExt;
        let mode = if private { 0o600 } else { 0o666 };
        // The crate's own way to make a file hides the error's number.
        self.make_in(dir, |at| {
            fs::OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .mode(mode)
                .open(at)
        })
    }

    /// Whatever `make` makes.
    pub(super) fn make_in<T>(
        &self,
        dir: &Path,
        make: impl FnMut(&Path) -> io::Result<T>,
    ) -> io::Result<tempfile::NamedTempFile<T>> {
        tempfile::Builder::new()
            .prefix(&self.prefix)
            .make_in(dir, make)
    }

    /// A folder that is open to no one else.
    pub(super) fn dir_in(&self, dir: &Path) -> io::Result<tempfile::TempDir> {
        tempfile::Builder::new()
            .prefix(&self.prefix)
            .tempdir_in(dir)
    }
}

/// Removes whatever is there; links are not followed, nothing there is no error.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let meta = match fs::symlink_metadata(path) {
        Ok(meta) => meta,
        Err(e) if super::is_absent(&e) => return Ok(()),
        Err(e) => return Err(e),
    };
    let result = if meta.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    match result {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
        Ok(()) => {
            sync_dir(parent(path));
            Ok(())
        }
    }
}

pub(super) fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("/"))
}
