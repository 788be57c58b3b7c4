//! Who a dry run acts as, and what that one may do by the mode bits of what is planned. What is
//! not planned the kernel is asked about.

use rustix::fs::Access;
use rustix::io::Errno;

use crate::real::sets_now;
use crate::system::{Attrs, Meta};

/// The user of this agent.
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub uid: u32,
    pub gid: u32,
    pub groups: Vec<u32>,
    pub umask: u32,
}

impl Identity {
    /// This process's.
    pub(super) fn own() -> Self {
        let groups = rustix::process::getgroups().unwrap_or_default();
        Self {
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            groups: groups
                .into_iter()
                .map(rustix::process::Gid::as_raw)
                .collect(),
            umask: umask(),
        }
    }

    fn is_root(&self) -> bool {
        self.uid == 0
    }

    fn is_in(&self, gid: u32) -> bool {
        self.gid == gid || self.groups.contains(&gid)
    }

    /// Whether the mode bits let it do that.
    pub(super) fn may(&self, meta: &Meta, access: Access) -> Result<(), Errno> {
        let runs = access.contains(Access::EXEC_OK) && !meta.is_dir();
        if self.is_root() && (!runs || meta.mode & 0o111 != 0) {
            return Ok(());
        }
        let shift = if meta.uid == self.uid {
            6
        } else if self.is_in(meta.gid) {
            3
        } else {
            0
        };
        let wanted = access.bits() & 0o7;
        if meta.mode >> shift & wanted == wanted {
            Ok(())
        } else {
            Err(Errno::ACCESS)
        }
    }

    /// Whether a name may be taken out of a folder that it may write to: others' names stay where
    /// the folder is sticky.
    pub(super) fn may_unlink(&self, folder: &Meta, meta: &Meta) -> Result<(), Errno> {
        let sticky = folder.mode & 0o1000 != 0;
        if !sticky || self.is_root() || [folder.uid, meta.uid].contains(&self.uid) {
            Ok(())
        } else {
            Err(Errno::PERM)
        }
    }

    /// Whether it may make a file with these properties: at first the file is its own.
    pub(super) fn may_make(&self, attrs: &Attrs) -> Result<(), Errno> {
        self.may_give(attrs, self.uid, self.gid)
    }

    /// Whether it may give them to what is there.
    pub(super) fn may_set(&self, meta: &Meta, attrs: &Attrs) -> Result<(), Errno> {
        let times = attrs.mtime.is_some() || attrs.atime.is_some();
        // Who may write a file may say that it was used now.
        let used = sets_now(attrs) && self.may(meta, Access::WRITE_OK).is_ok();
        let sets = attrs.mode.is_some() || times && !used;
        if !self.is_root() && sets && meta.uid != self.uid {
            return Err(Errno::PERM);
        }
        self.may_give(attrs, meta.uid, meta.gid)
    }

    fn may_give(&self, attrs: &Attrs, uid: u32, gid: u32) -> Result<(), Errno> {
        let gives = attrs.uid.is_some_and(|wanted| wanted != uid);
        let group = attrs.gid.filter(|wanted| *wanted != gid);
        let regroups = group.is_none_or(|gid| uid == self.uid && self.is_in(gid));
        if self.is_root() || (!gives && regroups) {
            Ok(())
        } else {
            Err(Errno::PERM)
        }
    }
}

/// This process's umask, which only /proc tells without changing it.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("Umask:"));
    line.and_then(|l| u32::from_str_radix(l.trim(), 8).ok())
        .unwrap_or(0o022)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attrs(uid: Option<u32>, gid: Option<u32>) -> Attrs {
        Attrs {
            uid,
            gid,
            ..Attrs::default()
        }
    }

    fn user() -> Identity {
        Identity {
            uid: 1000,
            gid: 1000,
            groups: vec![27],
            umask: 0o022,
        }
    }

    #[test]
    fn only_root_gives_files_away() {
        assert_eq!(user().may_make(&attrs(Some(0), None)), Err(Errno::PERM));
        assert_eq!(user().may_make(&attrs(Some(1000), None)), Ok(()));
        let root = Identity { uid: 0, ..user() };
        assert_eq!(root.may_make(&attrs(Some(1000), Some(5))), Ok(()));
    }

    #[test]
    fn a_user_gives_its_files_to_its_own_groups_only() {
        assert_eq!(user().may_make(&attrs(None, Some(27))), Ok(()));
        assert_eq!(user().may_make(&attrs(None, Some(4))), Err(Errno::PERM));
    }
}
