//! What is planned, as data that travels between agents of one host.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rplay_wire::{State, Target};
use serde::{Deserialize, Serialize};

use super::plain;
use crate::system::{FileKind, Meta};

/// Everything planned.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    /// By canonical path.
    #[serde(with = "plain::files")]
    pub files: BTreeMap<PathBuf, Entry>,
    /// By name; `None` where it would be gone.
    #[serde(with = "plain::things")]
    pub things: BTreeMap<Target, Option<State>>,
}

/// What is planned at a path.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Entry {
    /// Nothing, and nothing below it but what is planned.
    Gone,
    /// This.
    Node(Node),
}

/// A planned inode.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Node {
    pub kind: u8,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub size: u64,
    #[serde(with = "plain::time")]
    pub mtime: SystemTime,
    #[serde(with = "plain::time")]
    pub atime: SystemTime,
    /// Device type of a device.
    pub rdev: u64,
    /// As on the host, or one of the plan's own; hard links share it.
    pub inode: u64,
    pub device: u64,
    pub nlink: u64,
    /// A file's content.
    pub content: Option<Content>,
    /// Where a link points.
    #[serde(with = "plain::path")]
    pub link: Option<PathBuf>,
    /// A folder that hides what the host has there.
    pub opaque: bool,
    /// Its attributes, where they are known.
    #[serde(default)]
    pub attributes: Option<u32>,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Content {
    /// Here.
    Bytes(Arc<[u8]>),
    /// In this file of the host.
    Base(#[serde(with = "plain::path")] PathBuf),
}

impl Plan {
    /// Everything planned at a path and below it.
    pub(super) fn below(&self, key: &Path) -> impl Iterator<Item = &Node> {
        let entries = self.files.range(key.to_owned()..);
        entries
            .take_while(move |(path, _)| path.starts_with(key))
            .filter_map(|(_, entry)| match entry {
                Entry::Node(node) => Some(node),
                Entry::Gone => None,
            })
    }

    /// Forgets what is planned below a path: nothing is there.
    pub(super) fn erase(&mut self, key: &Path) {
        self.files
            .retain(|path, _| path == key || !path.starts_with(key));
        self.files.insert(key.to_owned(), Entry::Gone);
    }

    /// Forgets contents beyond a number of bytes in all.
    pub(super) fn keep_contents(&mut self, limit: u64) {
        let mut total = 0;
        for entry in self.files.values_mut() {
            if let Entry::Node(node) = entry
                && let Some(Content::Bytes(bytes)) = &node.content
            {
                let size = bytes.len() as u64;
                if total + size > limit {
                    node.content = None;
                } else {
                    total += size;
                }
            }
        }
    }

    /// All names of one file.
    pub(super) fn names_of(&mut self, one: &Node) -> impl Iterator<Item = &mut Node> {
        let (inode, device) = (one.inode, one.device);
        self.files
            .values_mut()
            .filter_map(move |entry| match entry {
                Entry::Node(node) if (node.inode, node.device) == (inode, device) => Some(node),
                _ => None,
            })
    }
}

const KINDS: [FileKind; 7] = [
    FileKind::File,
    FileKind::Directory,
    FileKind::Link,
    FileKind::Fifo,
    FileKind::Socket,
    FileKind::BlockDevice,
    FileKind::CharDevice,
];

impl Node {
    /// A node with another one's properties.
    pub(super) fn of(meta: &Meta) -> Self {
        let kind = KINDS.iter().position(|k| *k == meta.kind).unwrap_or(0);
        Self {
            kind: u8::try_from(kind).unwrap_or(0),
            mode: meta.mode,
            uid: meta.uid,
            gid: meta.gid,
            size: meta.size,
            mtime: meta.mtime,
            atime: meta.atime,
            rdev: meta.rdev,
            inode: meta.inode,
            device: meta.device,
            nlink: meta.nlink,
            content: None,
            link: None,
            opaque: false,
            attributes: None,
        }
    }

    pub(super) fn is_dir(&self) -> bool {
        KINDS[usize::from(self.kind)] == FileKind::Directory
    }

    pub(super) fn meta(&self) -> Meta {
        Meta {
            kind: KINDS[usize::from(self.kind)],
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            size: self.size,
            mtime: self.mtime,
            atime: self.atime,
            ctime: self.mtime,
            inode: self.inode,
            device: self.device,
            nlink: self.nlink,
            blocks: self.size.div_ceil(512),
            rdev: self.rdev,
        }
    }
}
