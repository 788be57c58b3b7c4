//! Owner, mode, times and attributes of what is there.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::fs::{
    AtFlags, CWD, Gid, IFlags, Mode, OFlags, Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, Uid,
};
use rustix::io::Errno;

use super::chattr::Attributes;
use crate::act::Act;
use crate::system::Attrs;
use crate::{Failure, Result};

/// Sets what `attrs` has on what is at `path` itself. A link has no mode: it is left out there.
pub(super) fn set(path: &Path, attrs: &Attrs) -> Result<()> {
    let attributes = attrs.attributes.as_deref().map(Attributes::parse);
    let attributes = attributes.transpose()?;
    let failed = |e: io::Error| Act::SetAttrs.failed(path, &e);
    let meta = std::fs::symlink_metadata(path).map_err(failed)?;
    let thawed = attributes.filter(|a| a.thaws());
    // An immutable file takes nothing else: that goes first where it is taken away, else last.
    if let Some(thawed) = thawed {
        set_attributes(path, thawed)?;
    }
    set_owner(path, attrs, &meta).map_err(failed)?;
    if let Some(mode) = attrs.mode.filter(|_| !meta.is_symlink()) {
        set_mode(path, mode).map_err(failed)?;
    }
    set_times(path, attrs).map_err(failed)?;
    match attributes {
        Some(attributes) if thawed.is_none() => set_attributes(path, attributes),
        _ => Ok(()),
    }
}

/// Only where it differs: the kernel takes setuid away even where the owner stays.
fn set_owner(path: &Path, attrs: &Attrs, meta: &std::fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let uid = attrs.uid.filter(|uid| *uid != meta.uid());
    let gid = attrs.gid.filter(|gid| *gid != meta.gid());
    if uid.is_none() && gid.is_none() {
        return Ok(());
    }
    let (uid, gid) = (uid.map(Uid::from_raw), gid.map(Gid::from_raw));
    Ok(rustix::fs::chownat(
        CWD,
        path,
        uid,
        gid,
        AtFlags::SYMLINK_NOFOLLOW,
    )?)
}

/// Changes a mode without following a link that someone may put there meanwhile: chmod itself
/// always follows, so it goes by a handle's name in /proc.
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let handle = rustix::fs::open(
        path,
        OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
        Mode::empty(),
    )?;
    if rustix::fs::fstat(&handle)?.st_mode & 0o170_000 == 0o120_000 {
        return Err(Errno::LOOP.into());
    }
    let name = format!("/proc/self/fd/{}", handle.as_raw_fd());
    match rustix::fs::chmod(&name, Mode::from_raw_mode(mode)) {
        // No /proc is mounted.
        Err(Errno::NOENT) => Ok(rustix::fs::chmod(path, Mode::from_raw_mode(mode))?),
        result => Ok(result?),
    }
}

fn set_times(path: &Path, attrs: &Attrs) -> io::Result<()> {
    let Some(times) = times(attrs) else {
        return Ok(());
    };
    let set = |times| rustix::fs::utimensat(CWD, path, times, AtFlags::SYMLINK_NOFOLLOW);
    match set(&times) {
        // Who may write a file may say that it was used now, whoever owns it.
        Err(Errno::PERM) if sets_now(attrs) => Ok(set(&NOW)?),
        result => Ok(result?),
    }
}

/// Both times, as the kernel's clock has it.
const NOW: Timestamps = Timestamps {
    last_access: CLOCK,
    last_modification: CLOCK,
};

const CLOCK: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: UTIME_NOW,
};

/// Whether both times are to be now.
pub(crate) fn sets_now(attrs: &Attrs) -> bool {
    is_now(attrs.mtime) && is_now(attrs.atime)
}

/// Whether a time was now when it was asked for, a moment ago.
fn is_now(time: Option<SystemTime>) -> bool {
    let ago = time.and_then(|time| SystemTime::now().duration_since(time).ok());
    ago.is_some_and(|ago| ago < MOMENT)
}

const MOMENT: Duration = Duration::from_secs(2);

/// The times to set, the other one left as it is.
pub(super) fn times(attrs: &Attrs) -> Option<Timestamps> {
    if attrs.mtime.is_none() && attrs.atime.is_none() {
        return None;
    }
    Some(Timestamps {
        last_access: timespec(attrs.atime),
        last_modification: timespec(attrs.mtime),
    })
}

fn timespec(time: Option<SystemTime>) -> Timespec {
    let Some(time) = time else {
        return Timespec {
            tv_sec: 0,
            tv_nsec: UTIME_OMIT,
        };
    };
    let (seconds, nanos) = seconds(time);
    Timespec {
        tv_sec: seconds,
        tv_nsec: nanos.into(),
    }
}

/// Seconds since 1970, rounded down, and the nanoseconds above them.
fn seconds(time: SystemTime) -> (i64, u32) {
    let whole = |d: std::time::Duration| i64::try_from(d.as_secs()).unwrap_or(i64::MAX);
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => (whole(since), since.subsec_nanos()),
        Err(e) if e.duration().subsec_nanos() == 0 => (-whole(e.duration()), 0),
        Err(e) => (
            -whole(e.duration()) - 1,
            1_000_000_000 - e.duration().subsec_nanos(),
        ),
    }
}

/// The attributes of a file or folder, where they can be told.
pub(super) fn attributes(path: &Path) -> Option<u32> {
    let handle = rustix::fs::open(path, ASIDE, Mode::empty()).ok()?;
    Some(rustix::fs::ioctl_getflags(&handle).ok()?.bits())
}

/// How a file is opened to look at its attributes: nothing happens to it, and no link is followed.
const ASIDE: OFlags = OFlags::RDONLY
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);

/// Sets attributes through a handle on the file or folder.
pub(super) fn set_attributes(path: &Path, attributes: Attributes) -> Result<()> {
    let handle = rustix::fs::open(path, ASIDE, Mode::empty());
    let change = |handle: OwnedFd| {
        let current = rustix::fs::ioctl_getflags(&handle)?.bits();
        let wanted = attributes.apply(current);
        if wanted == current {
            return Ok(());
        }
        rustix::fs::ioctl_setflags(&handle, IFlags::from_bits_retain(wanted))
    };
    match handle.and_then(change) {
        Ok(()) => Ok(()),
        Err(Errno::NOTTY | Errno::OPNOTSUPP | Errno::INVAL) => Err(no_attributes(path)),
        Err(errno) => Err(Act::SetAttrs.errno(path, errno)),
    }
}

fn no_attributes(path: &Path) -> Failure {
    Failure::new(format!(
        "the file system of `{}` does not keep these attributes",
        path.display()
    ))
    .arg("attributes")
}

/// Gives a new file the extended attributes of the one it replaces: access lists, labels and
/// capabilities. What this user or file system may not set is left out, and so are signatures,
/// which hold for the old content only.
pub(super) fn copy_xattrs(from: &Path, to: &File) {
    let Ok(names) = xattr_names(from) else {
        return;
    };
    for name in names
        .split(|b| *b == 0)
        .filter(|n| !n.is_empty() && !SIGNATURES.contains(n))
    {
        let Ok(value) = xattr_value(from, name) else {
            continue;
        };
        // Left out where it is refused, as said above.
        let _ = rustix::fs::fsetxattr(to, name, &value, rustix::fs::XattrFlags::empty());
    }
}

const SIGNATURES: [&[u8]; 2] = [b"security.ima", b"security.evm"];

fn xattr_names(path: &Path) -> rustix::io::Result<Vec<u8>> {
    let mut names = vec![0; rustix::fs::llistxattr_query(path)?];
    let len = rustix::fs::llistxattr(path, names.as_mut_slice())?;
    names.truncate(len);
    Ok(names)
}

fn xattr_value(path: &Path, name: &[u8]) -> rustix::io::Result<Vec<u8>> {
    let mut value = vec![0; rustix::fs::lgetxattr_query(path, name)?];
    let len = rustix::fs::lgetxattr(path, name, value.as_mut_slice())?;
    value.truncate(len);
    Ok(value)
}
