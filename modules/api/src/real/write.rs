//! Files, written so that an interrupted run leaves the old content or the new one.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FallocateFlags, Gid, IFlags, Mode, Uid};
use rustix::io::Errno;
use tempfile::NamedTempFile;

use super::chattr::{self, Attributes};
use super::{MAX_LINKS, attrs, clean, entries, sync_dir};
use crate::act::Act;
use crate::system::{Attrs, FileKind, Meta};
use crate::{Failure, Result};

/// Makes or replaces the file that `path` leads to.
pub(super) fn write(path: &Path, source: &mut dyn Read, wanted: &Attrs) -> Result<()> {
    let attributes = wanted.attributes.as_deref().map(Attributes::parse);
    let attributes = attributes.transpose()?;
    let failed = |e: io::Error| Act::Write.failed(path, &e);
    let target = follow(path).map_err(failed)?;
    let old = super::lstat(&target).map_err(failed)?;
    if let Some(old) = &old {
        not_a_file(path, old)?;
    }
    if old.is_some() && takes_no_new_names(entries::parent(&target)) {
        in_place(&target, source, wanted).map_err(failed)?;
    } else if wanted.unsafe_writes && old.is_some() {
        replace_or_write(&target, old.as_ref(), source, wanted).map_err(failed)?;
    } else {
        replace(&target, old.as_ref(), source, wanted).map_err(failed)?;
    }
    attributes.map_or(Ok(()), |a| attrs::set_attributes(&target, a))
}

/// Where the links at `path` lead, a missing file at the end included.
fn follow(path: &Path) -> io::Result<PathBuf> {
    let mut path = clean(path);
    for _ in 0..=MAX_LINKS {
        match fs::read_link(&path) {
            Ok(to) => path = entries::parent(&path).join(to),
            // No link, or nothing there yet.
            Err(e)
                if e.kind() == io::ErrorKind::InvalidInput
                    || e.kind() == io::ErrorKind::NotFound =>
            {
                return Ok(path);
            }
            Err(e) => return Err(e),
        }
    }
    Err(Errno::LOOP.into())
}

/// Only a regular file is replaced: a rename over a device or pipe would take it from the host.
pub(crate) fn not_a_file(path: &Path, meta: &Meta) -> Result<()> {
    let what = match meta.kind {
        FileKind::File => return Ok(()),
        FileKind::Directory => return Err(Act::Write.errno(path, Errno::ISDIR)),
        FileKind::Link => return Err(Act::Write.errno(path, Errno::LOOP)),
        FileKind::Fifo => "a named pipe",
        FileKind::Socket => "a socket",
        FileKind::BlockDevice => "a block device",
        FileKind::CharDevice => "a character device",
    };
    Err(Failure::new(format!(
        "could not write `{}`: it is {what}, not a file",
        path.display()
    )))
}

/// The mode of a file that gets a new owner and no mode of its own: it must not run as someone who
/// did not ask for it.
pub(crate) fn kept_mode(old: &Meta, uid: u32, gid: u32) -> u32 {
    if uid == old.uid && gid == old.gid {
        return old.mode;
    }
    let runs_as_group = old.mode & 0o010 != 0;
    old.mode & !0o4000 & if runs_as_group { !0o2000 } else { !0 }
}

fn replace(
    target: &Path,
    old: Option<&Meta>,
    source: &mut dyn Read,
    wanted: &Attrs,
) -> io::Result<()> {
    let dir = entries::parent(target);
    let private = old.is_some() || wanted.mode.is_some();
    let mut temp = entries::temporary(target).file_in(dir, private)?;
    if old.is_some() {
        inherit_flags(target, temp.as_file());
    }
    copy(source, temp.as_file_mut())?;
    finish(temp.as_file(), target, old, wanted)?;
    temp.as_file().sync_all()?;
    match fs::rename(temp.path(), target) {
        Ok(()) => {
            // It has its name: there is no temporary file left to take away.
            let _ = temp.keep();
            sync_dir(dir);
            Ok(())
        }
        Err(e) if is_mount(&e) => move_into(&mut temp, target, wanted),
        Err(e) => Err(e),
    }
}

/// Where no other file may take its name the content is written into the one that is there.
fn replace_or_write(
    target: &Path,
    old: Option<&Meta>,
    source: &mut dyn Read,
    wanted: &Attrs,
) -> io::Result<()> {
    // What was read of the source by a first try would be missing in a second one.
    let mut content = Vec::new();
    source.read_to_end(&mut content)?;
    match replace(target, old, &mut content.as_slice(), wanted) {
        Err(e) if refuses_names(&e) => in_place(target, &mut content.as_slice(), wanted),
        result => result,
    }
}

/// The folder takes no new file, or gives none of its own away.
fn refuses_names(error: &io::Error) -> bool {
    use io::ErrorKind as Kind;
    matches!(
        error.kind(),
        Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::ResourceBusy
            | Kind::CrossesDevices
    )
}

fn copy(source: &mut dyn Read, file: &mut File) -> io::Result<u64> {
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        let n = match source.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Err(e),
        };
        file.write_all(&buffer[..n])?;
        total += n as u64;
    }
}

/// Owner before mode, since a new owner takes setuid away; access lists before mode, since the
/// mode is part of them.
fn finish(file: &File, target: &Path, old: Option<&Meta>, wanted: &Attrs) -> io::Result<()> {
    let owned = set_owner(file, old, wanted)?;
    if old.is_some() {
        attrs::copy_xattrs(target, file);
    }
    let mode = wanted
        .mode
        .or_else(|| old.map(|old| kept_mode(old, owned.0, owned.1)));
    if let Some(mode) = mode {
        rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
    }
    if let Some(times) = attrs::times(wanted) {
        rustix::fs::futimens(file, &times)?;
    }
    Ok(())
}

/// Gives a file its owner, and says which one it has then. An owner that is merely kept may be out
/// of reach for a user other than root: the file is then that user's own.
fn set_owner(file: &File, old: Option<&Meta>, wanted: &Attrs) -> io::Result<(u32, u32)> {
    let now = file.metadata()?;
    let uid = wanted.uid.or(old.map(|o| o.uid));
    let gid = wanted.gid.or(old.map(|o| o.gid));
    if let Some(gid) = gid.filter(|gid| *gid != now.gid()) {
        let result = rustix::fs::fchown(file, None, Some(Gid::from_raw(gid)));
        kept_or(result, wanted.gid.is_some())?;
    }
    if let Some(uid) = uid.filter(|uid| *uid != now.uid()) {
        let result = rustix::fs::fchown(file, Some(Uid::from_raw(uid)), None);
        kept_or(result, wanted.uid.is_some())?;
    }
    let now = file.metadata()?;
    Ok((now.uid(), now.gid()))
}

fn kept_or(result: rustix::io::Result<()>, asked_for: bool) -> io::Result<()> {
    match result {
        Err(Errno::PERM) if !asked_for => Ok(()),
        result => Ok(result?),
    }
}

/// Attributes such as no-copy-on-write hold only where they are set before the content.
fn inherit_flags(from: &Path, to: &File) {
    let flags = File::open(from)
        .ok()
        .and_then(|f| rustix::fs::ioctl_getflags(&f).ok());
    let Some(flags) = flags.map(|f| chattr::inherited(f.bits())) else {
        return;
    };
    if let Ok(own) = rustix::fs::ioctl_getflags(to)
        && own.bits() | flags != own.bits()
    {
        // A file system that refuses one of them keeps none: the content matters more.
        let _ = rustix::fs::ioctl_setflags(to, IFlags::from_bits_retain(own.bits() | flags));
    }
}

/// The file is a mount point (as in containers), so that no other can take its name.
fn is_mount(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy | io::ErrorKind::CrossesDevices
    )
}

/// The kernel's own file systems: their files are switches that are written where they are.
pub(crate) fn takes_no_new_names(dir: &Path) -> bool {
    const PROC: u64 = 0x9fa0;
    const SYSFS: u64 = 0x6265_6572;
    const DEBUGFS: u64 = 0x6462_6720;
    const CGROUP: u64 = 0x27_e0eb;
    const CGROUP2: u64 = 0x6367_7270;
    rustix::fs::statfs(dir).is_ok_and(|fs| {
        let kind = u64::from_ne_bytes(fs.f_type.to_ne_bytes());
        [PROC, SYSFS, DEBUGFS, CGROUP, CGROUP2].contains(&kind)
    })
}

/// Puts a finished file's content into a mount point. The room is taken first, so that a full disk
/// leaves the old content.
fn move_into(temp: &mut NamedTempFile, target: &Path, wanted: &Attrs) -> io::Result<()> {
    let size = temp.as_file().metadata()?.size();
    let mut file = File::options().write(true).open(target)?;
    if size > file.metadata()?.size() {
        match rustix::fs::fallocate(&file, FallocateFlags::KEEP_SIZE, 0, size) {
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => {}
            Err(e) => return Err(e.into()),
        }
    }
    temp.seek(SeekFrom::Start(0))?;
    copy(temp.as_file_mut(), &mut file)?;
    file.set_len(size)?;
    apply_in_place(&file, wanted)?;
    file.sync_all()
}

/// Writes a file where it is, the whole content in one call, as such switches want it.
fn in_place(target: &Path, source: &mut dyn Read, wanted: &Attrs) -> io::Result<()> {
    let mut content = Vec::new();
    source.read_to_end(&mut content)?;
    let mut file = File::options().write(true).truncate(true).open(target)?;
    file.write_all(&content)?;
    apply_in_place(&file, wanted)
}

fn apply_in_place(file: &File, wanted: &Attrs) -> io::Result<()> {
    let now = file.metadata()?;
    let uid = wanted.uid.filter(|uid| *uid != now.uid());
    let gid = wanted.gid.filter(|gid| *gid != now.gid());
    if uid.is_some() || gid.is_some() {
        rustix::fs::fchown(file, uid.map(Uid::from_raw), gid.map(Gid::from_raw))?;
    }
    if let Some(mode) = wanted.mode.filter(|mode| *mode != now.mode() & 0o7777) {
        rustix::fs::fchmod(file, Mode::from_raw_mode(mode))?;
    }
    if let Some(times) = attrs::times(wanted) {
        rustix::fs::futimens(file, &times)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
