//! Whether the kernel would let this process give a file its owner, group and mode.
//!
//! A real run learns it from the kernel; a dry run asks here, to fail where that would.

use rustix::io::Errno;
use rustix::process::{getegid, geteuid, getgroups};

use crate::system::{Attrs, Meta};

/// Who a process is to the kernel.
pub(super) struct Process {
    uid: u32,
    groups: Vec<u32>,
}

impl Process {
    /// This one.
    pub(super) fn own() -> Self {
        let mut groups = vec![getegid().as_raw()];
        groups.extend(getgroups().unwrap_or_default().iter().map(|g| g.as_raw()));
        Self {
            uid: geteuid().as_raw(),
            groups,
        }
    }

    /// Whether it may make a file with these properties: at first the file is its own.
    pub(super) fn may_make(&self, attrs: &Attrs) -> Result<(), Errno> {
        self.may(attrs, self.uid, self.groups.first().copied())
    }

    /// Whether it may give them to what is there.
    pub(super) fn may_change(&self, attrs: &Attrs, meta: &Meta) -> Result<(), Errno> {
        let sets_own = attrs.mode.is_some() || attrs.mtime.is_some() || attrs.atime.is_some();
        if self.uid != 0 && sets_own && meta.uid != self.uid {
            return Err(Errno::PERM);
        }
        self.may(attrs, meta.uid, Some(meta.gid))
    }

    fn may(&self, attrs: &Attrs, uid: u32, gid: Option<u32>) -> Result<(), Errno> {
        let new_owner = attrs.uid.is_some_and(|wanted| wanted != uid);
        let new_group = attrs.gid.filter(|wanted| Some(*wanted) != gid);
        let may_group = new_group.is_none_or(|g| uid == self.uid && self.groups.contains(&g));
        if self.uid == 0 || (!new_owner && may_group) {
            return Ok(());
        }
        Err(Errno::PERM)
    }
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

    fn user() -> Process {
        Process {
            uid: 1000,
            groups: vec![1000, 27],
        }
    }

    #[test]
    fn only_root_gives_files_away() {
        assert_eq!(user().may_make(&attrs(Some(0), None)), Err(Errno::PERM));
        assert_eq!(user().may_make(&attrs(Some(1000), None)), Ok(()));
        let root = Process {
            uid: 0,
            groups: vec![0],
        };
        assert_eq!(root.may_make(&attrs(Some(1000), Some(5))), Ok(()));
    }

    #[test]
    fn a_user_gives_its_files_to_its_own_groups_only() {
        assert_eq!(user().may_make(&attrs(None, Some(27))), Ok(()));
        assert_eq!(user().may_make(&attrs(None, Some(4))), Err(Errno::PERM));
    }
}
