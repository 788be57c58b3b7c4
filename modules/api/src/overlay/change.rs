//! Changes of the planned tree, and whether the real run could make them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::Access;
use rustix::io::Errno;

use super::Overlay;
use super::plan::{Content, Entry, Node};
use crate::Result;
use crate::act::Act;
use crate::real::{Attributes, kept_mode};
use crate::system::{Attrs, FileKind, Meta, System};

const ROOT: &str = "/";

impl Overlay {
    /// The folder that a canonical path is in, where names may be added to it.
    pub(super) fn folder_of(&self, key: &Path, path: &Path, act: Act) -> Result<Meta> {
        let parent = key.parent().unwrap_or(Path::new(ROOT));
        let meta = match self.look(parent)? {
            None => return Err(act.errno(path, Errno::NOENT)),
            Some(meta) if !meta.is_dir() => return Err(act.errno(path, Errno::NOTDIR)),
            Some(meta) => meta,
        };
        self.may(parent, &meta, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|e| act.failed(path, &e))?;
        Ok(meta)
    }

    /// The folder of a file that would be written where it is: its folder takes no new names, and
    /// the task allows for that.
    pub(super) fn written_in_place(&self, key: &Path, attrs: &Attrs) -> Result<Option<Meta>> {
        let there = if attrs.unsafe_writes {
            self.look(key)?
        } else {
            None
        };
        let Some(meta) = there else { return Ok(None) };
        let parent = key.parent().unwrap_or(Path::new(ROOT));
        let Some(folder) = self.look(parent)? else {
            return Ok(None);
        };
        let refuses = self
            .may(parent, &folder, Access::WRITE_OK | Access::EXEC_OK)
            .is_err();
        let writable = self.may(key, &meta, Access::WRITE_OK).is_ok();
        Ok((refuses && writable).then_some(folder))
    }

    /// Whether this user may do that to what is at a canonical path.
    pub(super) fn may(&self, key: &Path, meta: &Meta, access: Access) -> std::io::Result<()> {
        if self.asks_kernel && !self.is_ours(key) {
            return self.base.access(key, access);
        }
        Ok(self.identity.may(meta, access)?)
    }

    /// Whether what is at a canonical path may be taken out of its folder or replaced.
    pub(super) fn may_unlink(
        &self,
        key: &Path,
        folder: &Meta,
        meta: &Meta,
    ) -> std::result::Result<(), Errno> {
        let devices = [folder.device, meta.device];
        if meta.is_dir() && devices[0] != devices[1] && !devices.contains(&0) {
            // Something is mounted there.
            return Err(Errno::BUSY);
        }
        self.is_frozen(key, meta)?;
        self.identity.may_unlink(folder, meta)
    }

    /// Whether the host keeps even root from changing something: immutable, or read-only.
    pub(super) fn is_frozen(&self, key: &Path, meta: &Meta) -> std::result::Result<(), Errno> {
        if self.is_ours(key) || meta.is_link() {
            return Ok(());
        }
        let refused = self.base.access(key, Access::WRITE_OK).err();
        match refused.as_ref().and_then(Errno::from_io_error) {
            Some(errno @ (Errno::ROFS | Errno::PERM)) => Err(errno),
            _ => Ok(()),
        }
    }

    /// Whether all below a folder may be removed: root always may.
    pub(super) fn may_empty(&self, key: &Path, meta: &Meta, path: &Path) -> Result<()> {
        if !meta.is_dir() || self.identity.uid == 0 {
            return Ok(());
        }
        let names = self.read_dir(key)?;
        if names.is_empty() {
            return Ok(());
        }
        self.may(key, meta, Access::WRITE_OK | Access::EXEC_OK)
            .map_err(|e| Act::Remove.failed(path, &e))?;
        for name in names {
            let child = key.join(name);
            if let Some(below) = self.look(&child)? {
                self.may_unlink(&child, meta, &below)
                    .map_err(|e| Act::Remove.errno(path, e))?;
                self.may_empty(&child, &below, path)?;
            }
        }
        Ok(())
    }

    pub(super) fn put_file(&self, key: &Path, folder: &Meta, content: Arc<[u8]>, attrs: &Attrs) {
        let old = self.look(key).ok().flatten();
        let mut node = match old {
            // A file that is replaced is a new one.
            Some(meta) => Node::of(&Meta {
                inode: new_inode(),
                device: 0,
                nlink: 1,
                ..meta
            }),
            None => self.fresh(FileKind::File, 0o666, folder),
        };
        node.size = content.len() as u64;
        node.mtime = self.now();
        node.content = Some(Content::Bytes(content));
        apply(&mut node, attrs);
        self.take_away(key);
        self.insert(key, node);
    }

    pub(super) fn put_dir(&self, key: &Path, folder: &Meta, attrs: &Attrs) {
        let mut node = self.fresh(FileKind::Directory, 0o777, folder);
        node.mode |= folder.mode & 0o2000;
        node.opaque = true;
        apply(&mut node, attrs);
        self.take_away(key);
        self.insert(key, node);
    }

    pub(super) fn put_link(&self, key: &Path, folder: &Meta, to: &Path) {
        let mut node = self.fresh(FileKind::Link, 0o777, folder);
        node.mode = 0o777;
        node.size = to.as_os_str().len() as u64;
        node.link = Some(to.to_owned());
        self.take_away(key);
        self.insert(key, node);
    }

    pub(super) fn put_attrs(&self, key: &Path, meta: &Meta, attrs: &Attrs) -> Result<()> {
        let mut node = self.node(key, meta)?;
        apply(&mut node, attrs);
        let mut plan = self.lock();
        for other in plan.names_of(&node) {
            apply(other, attrs);
        }
        plan.files.insert(key.to_owned(), Entry::Node(node));
        Ok(())
    }

    /// Gives a file one more name.
    pub(super) fn put_name(&self, from: &Path, meta: &Meta, to: &Path) -> Result<()> {
        let mut node = self.node(from, meta)?;
        self.take_away(to);
        let mut plan = self.lock();
        for other in plan.names_of(&node) {
            other.nlink += 1;
        }
        node.nlink += 1;
        for key in [from, to] {
            plan.files.insert(key.to_owned(), Entry::Node(node.clone()));
        }
        Ok(())
    }

    /// Moves what is at `from`, with all below it, to `to`.
    pub(super) fn shift(&self, from: &Path, to: &Path) -> Result<()> {
        let mut lifted = vec![];
        self.lift(from, Path::new(""), &mut lifted)?;
        self.take_away(to);
        self.lock().erase(from);
        for (below, node) in lifted {
            // Joining nothing would add a slash.
            let key = if below.as_os_str().is_empty() {
                to.to_owned()
            } else {
                to.join(below)
            };
            self.insert(&key, node);
        }
        Ok(())
    }

    fn lift(&self, key: &Path, below: &Path, into: &mut Vec<(PathBuf, Node)>) -> Result<()> {
        let Some(meta) = self.look(key)? else {
            return Ok(());
        };
        let names = if meta.is_dir() {
            self.read_dir(key)?
        } else {
            vec![]
        };
        let mut node = self.node(key, &meta)?;
        node.opaque = meta.is_dir();
        into.push((below.to_owned(), node));
        for name in names {
            self.lift(&key.join(&name), &below.join(&name), into)?;
        }
        Ok(())
    }

    /// Nothing is at a path from now on; files that have other names too have fewer.
    pub(super) fn take_away(&self, key: &Path) {
        let mut plan = self.lock();
        let gone: Vec<Node> = plan.below(key).cloned().collect();
        plan.erase(key);
        for node in gone.iter().filter(|node| !node.is_dir()) {
            for other in plan.names_of(node) {
                other.nlink = other.nlink.saturating_sub(1).max(1);
            }
        }
    }

    /// A node for what is at a path: the planned one, or one that leads to the host's.
    fn node(&self, key: &Path, meta: &Meta) -> Result<Node> {
        if let Some(Entry::Node(node)) = self.lock().files.get(key) {
            return Ok(node.clone());
        }
        let mut node = Node::of(meta);
        node.attributes = self.base.attributes(key);
        match meta.kind {
            FileKind::Directory => {}
            FileKind::Link => node.link = Some(self.base.read_link(key)?),
            _ => node.content = Some(Content::Base(key.to_owned())),
        }
        Ok(node)
    }

    fn insert(&self, key: &Path, node: Node) {
        self.lock().files.insert(key.to_owned(), Entry::Node(node));
    }

    /// Something new in a folder, which hands its group on where it is set-group-ID.
    fn fresh(&self, kind: FileKind, mode: u32, folder: &Meta) -> Node {
        let now = SystemTime::now();
        let hands_on = folder.mode & 0o2000 != 0;
        Node::of(&Meta {
            kind,
            mode: mode & !self.identity.umask,
            uid: self.identity.uid,
            gid: if hands_on {
                folder.gid
            } else {
                self.identity.gid
            },
            size: 0,
            mtime: now,
            atime: now,
            ctime: now,
            inode: new_inode(),
            device: 0,
            nlink: 1,
            blocks: 0,
            rdev: 0,
        })
    }
}

/// An inode number that no file system gives; another agent's are others.
fn new_inode() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let agent = u64::from(std::process::id()) << 32;
    (1 << 62) | agent | NEXT.fetch_add(1, Ordering::Relaxed)
}

/// As the kernel does it: a new owner takes setuid away, and a link has no mode.
fn apply(node: &mut Node, attrs: &Attrs) {
    let meta = node.meta();
    node.uid = attrs.uid.unwrap_or(node.uid);
    node.gid = attrs.gid.unwrap_or(node.gid);
    if !meta.is_link() {
        let kept = if meta.is_dir() {
            meta.mode
        } else {
            kept_mode(&meta, node.uid, node.gid)
        };
        node.mode = attrs.mode.unwrap_or(kept);
    }
    let attributes = attrs.attributes.as_deref().map(Attributes::parse);
    if let Some(Ok(attributes)) = attributes {
        node.attributes = Some(attributes.apply(node.attributes.unwrap_or(0)));
    }
    node.mtime = attrs.mtime.unwrap_or(node.mtime);
    node.atime = attrs.atime.unwrap_or(node.atime);
}
