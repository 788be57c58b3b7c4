//! What is planned, as data that travels between agents of one host.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use rplay_wire::{State, Target};
use serde::{Deserialize, Serialize};

use crate::system::{FileKind, Meta};

/// Everything planned.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    /// By canonical path.
    pub files: BTreeMap<PathBuf, Entry>,
    /// By name; `None` where it would be gone.
    #[serde(with = "things")]
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
    pub mtime: SystemTime,
    pub atime: SystemTime,
    /// As on the host, or one of the plan's own; hard links share it.
    pub inode: u64,
    pub device: u64,
    pub nlink: u64,
    /// A file's content.
    pub content: Option<Content>,
    /// Where a link points.
    pub link: Option<PathBuf>,
    /// A folder that hides what the host has there.
    pub opaque: bool,
}

/// Where a file's bytes are.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum Content {
    /// Here.
    Bytes(Arc<[u8]>),
    /// In this file of the host.
    Base(PathBuf),
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
            inode: meta.inode,
            device: meta.device,
            nlink: meta.nlink,
            content: None,
            link: None,
            opaque: false,
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
            rdev: 0,
        }
    }
}

/// A target is no map key in every format: pairs are.
mod things {
    use std::collections::BTreeMap;

    use rplay_wire::{State, Target};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    type Things = BTreeMap<Target, Option<State>>;

    pub(super) fn serialize<S: Serializer>(things: &Things, out: S) -> Result<S::Ok, S::Error> {
        things.iter().collect::<Vec<_>>().serialize(out)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Things, D::Error> {
        Vec::<(Target, Option<State>)>::deserialize(from).map(|pairs| pairs.into_iter().collect())
    }
}
