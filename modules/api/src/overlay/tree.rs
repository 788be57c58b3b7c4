//! Paths and entries of the planned tree.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use rustix::fs::Access;
use rustix::io::Errno;

use super::Overlay;
use super::plan::{Content, Entry, Node};
use crate::Result;
use crate::act::Act;
use crate::real::MAX_LINKS;
use crate::system::{Attrs, FileKind, Meta, System};

impl Overlay {
    /// The canonical path of `path`: links among the folders above it followed, its own name kept.
    /// `None` where a folder above is missing or is none.
    pub(super) fn key(&self, path: &Path) -> Result<Option<PathBuf>> {
        let mut links = 0;
        let mut key = PathBuf::from("/");
        let mut rest: Vec<PathBuf> = parts(path);
        rest.reverse();
        while let Some(part) = rest.pop() {
            if part.as_os_str() == ".." {
                key.pop();
                continue;
            }
            key.push(&part);
            if rest.is_empty() {
                return Ok(Some(key));
            }
            match self.look(&key)? {
                None => return Ok(None),
                Some(meta) if meta.is_link() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Act::Look.errno(path, Errno::LOOP));
                    }
                    let to = self.read_link(&key)?;
                    key.pop();
                    if to.is_absolute() {
                        key = PathBuf::from("/");
                    }
                    rest.extend(parts(&to).into_iter().rev());
                }
                Some(meta) if !meta.is_dir() => return Ok(None),
                Some(_) => {}
            }
        }
        Ok(Some(key))
    }

    /// The canonical path of what `path` names in the end.
    pub(super) fn follow(&self, path: &Path, act: Act) -> Result<PathBuf> {
        let mut at = path.to_owned();
        for _ in 0..MAX_LINKS {
            let missing = || act.errno(path, Errno::NOENT);
            let key = self.key(&at)?.ok_or_else(missing)?;
            match self.look(&key)? {
                Some(meta) if meta.is_link() => {
                    let to = self.read_link(&key)?;
                    at = key.parent().unwrap_or(Path::new("/")).join(to);
                }
                _ => return Ok(key),
            }
        }
        Err(act.errno(path, Errno::LOOP))
    }

    /// What is at a canonical path.
    pub(super) fn look(&self, key: &Path) -> Result<Option<Meta>> {
        match self.lock().files.get(key) {
            Some(Entry::Gone) => return Ok(None),
            Some(Entry::Node(node)) => return Ok(Some(node.meta())),
            None => {}
        }
        if self.is_hidden(key) {
            return Ok(None);
        }
        self.base.lstat(key)
    }

    /// Whether a folder above hides what the host has at a path.
    pub(super) fn is_hidden(&self, key: &Path) -> bool {
        let plan = self.lock();
        key.ancestors()
            .skip(1)
            .any(|above| match plan.files.get(above) {
                Some(Entry::Gone) => true,
                Some(Entry::Node(node)) => node.opaque || !node.is_dir(),
                None => false,
            })
    }

    /// Whether a planned folder hides what the host has in it.
    pub(super) fn is_opaque(&self, key: &Path) -> bool {
        matches!(self.lock().files.get(key), Some(Entry::Node(node)) if node.opaque)
    }

    /// The canonical path for something new at `path`, where its folder is there and may be
    /// written to.
    pub(super) fn parent_checked(&self, path: &Path, act: Act) -> Result<PathBuf> {
        let missing = || act.errno(path, Errno::NOENT);
        let key = self.key(path)?.ok_or_else(missing)?;
        let parent = key.parent().unwrap_or(Path::new("/"));
        match self.look(parent)? {
            None => return Err(missing()),
            Some(meta) if !meta.is_dir() => return Err(act.errno(path, Errno::NOTDIR)),
            Some(_) => {}
        }
        if !self.lock().files.contains_key(parent) && !self.is_hidden(parent) {
            self.base
                .access(parent, Access::WRITE_OK | Access::EXEC_OK)
                .map_err(|e| act.failed(path, &e))?;
        }
        Ok(key)
    }

    /// The canonical path of the file that writing to `path` would make or replace.
    pub(super) fn place(&self, path: &Path, act: Act) -> Result<PathBuf> {
        let target = match self.follow(path, act) {
            Ok(key) => key,
            Err(_) => path.to_owned(),
        };
        self.parent_checked(&target, act)
    }

    pub(super) fn put_file(&self, key: &Path, old: Option<&Meta>, bytes: Arc<[u8]>, attrs: &Attrs) {
        let mut node = match old {
            // A file that is replaced is a new one.
            Some(meta) if meta.is_file() => Node::of(&Meta {
                inode: new_inode(),
                nlink: 1,
                ..meta.clone()
            }),
            _ => fresh(FileKind::File, 0o666),
        };
        node.size = bytes.len() as u64;
        node.mtime = self.now();
        node.content = Some(Content::Bytes(bytes));
        apply(&mut node, attrs);
        self.insert(key, Entry::Node(node));
    }

    pub(super) fn put_dir(&self, key: &Path, attrs: &Attrs) {
        let mut node = fresh(FileKind::Directory, 0o777);
        node.opaque = true;
        apply(&mut node, attrs);
        self.insert(key, Entry::Node(node));
    }

    pub(super) fn put_link(&self, key: &Path, to: &Path) {
        let mut node = fresh(FileKind::Link, 0o777);
        node.mode = 0o777;
        node.size = to.as_os_str().len() as u64;
        node.link = Some(to.to_owned());
        self.insert(key, Entry::Node(node));
    }

    pub(super) fn put_attrs(&self, key: &Path, meta: &Meta, attrs: &Attrs) -> Result<()> {
        let mut node = self.planned_node(key, meta)?;
        apply(&mut node, attrs);
        self.insert(key, Entry::Node(node));
        Ok(())
    }

    /// A node for what is at a path: the planned one, or one that leads to the host's.
    fn planned_node(&self, key: &Path, meta: &Meta) -> Result<Node> {
        if let Some(Entry::Node(node)) = self.lock().files.get(key) {
            return Ok(node.clone());
        }
        let mut node = Node::of(meta);
        if meta.is_file() {
            node.content = Some(Content::Base(key.to_owned()));
        }
        if meta.is_link() {
            node.link = Some(self.base.read_link(key)?);
        }
        Ok(node)
    }

    /// Puts what is at `from`, with all below it, at `to`.
    pub(super) fn copy_entry(&self, from: &Path, to: &Path, act: Act) -> Result<()> {
        let meta = self
            .look(from)?
            .ok_or_else(|| act.errno(from, Errno::NOENT))?;
        let mut node = self.planned_node(from, &meta)?;
        let below = if meta.is_dir() {
            self.read_dir(from)?
        } else {
            vec![]
        };
        node.opaque = meta.is_dir();
        self.take_away(to);
        self.insert(to, Entry::Node(node));
        for name in below {
            self.copy_entry(&from.join(&name), &to.join(&name), act)?;
        }
        Ok(())
    }

    /// Nothing is at a path from now on.
    pub(super) fn take_away(&self, key: &Path) {
        let mut plan = self.lock();
        plan.files
            .retain(|path, _| path == key || !path.starts_with(key));
        plan.files.insert(key.to_owned(), Entry::Gone);
    }

    /// The file at `from` has got another name, `to`.
    pub(super) fn count_link(&self, from: &Path, to: &Path) {
        let mut plan = self.lock();
        for key in [from, to] {
            if let Some(Entry::Node(node)) = plan.files.get_mut(key) {
                node.nlink += 1;
            }
        }
    }

    fn insert(&self, key: &Path, entry: Entry) {
        self.lock().files.insert(key.to_owned(), entry);
    }
}

/// The names of a path, without `/` and `.`.
fn parts(path: &Path) -> Vec<PathBuf> {
    let parts = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(PathBuf::from(name)),
        Component::ParentDir => Some(PathBuf::from("..")),
        _ => None,
    });
    parts.collect()
}

fn fresh(kind: FileKind, mode: u32) -> Node {
    let now = SystemTime::now();
    Node::of(&Meta {
        kind,
        mode: mode & !umask(),
        uid: rustix::process::geteuid().as_raw(),
        gid: rustix::process::getegid().as_raw(),
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

/// An inode number that no file system gives; another agent's are others.
fn new_inode() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let agent = u64::from(std::process::id()) << 32;
    (1 << 62) | agent | NEXT.fetch_add(1, Ordering::Relaxed)
}

/// This process's umask, which only /proc tells without changing it.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("Umask:"));
    line.and_then(|l| u32::from_str_radix(l.trim(), 8).ok())
        .unwrap_or(0o022)
}

fn apply(node: &mut Node, attrs: &Attrs) {
    node.mode = attrs.mode.unwrap_or(node.mode);
    node.uid = attrs.uid.unwrap_or(node.uid);
    node.gid = attrs.gid.unwrap_or(node.gid);
    node.mtime = attrs.mtime.unwrap_or(node.mtime);
    node.atime = attrs.atime.unwrap_or(node.atime);
}
