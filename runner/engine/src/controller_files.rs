//! Files of the controller that a task sends along: found, listed, digested; those that are vaults
//! opened.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use rplay_api::{ControllerEntry, ControllerFile, EntryKind};
use rplay_wire::Blob;
use sha2::{Digest, Sha256};

/// So much of its files goes with a request itself, in bytes. The rest is pulled, where the host has
/// not got it.
const INLINE: u64 = 64 << 10;

/// The blobs of one request, and where each is.
#[derive(Debug, Default)]
pub(crate) struct Sending {
    /// What the request says of them.
    pub blobs: Vec<Blob>,
    /// The files behind those that are not inline.
    pub paths: Vec<Option<PathBuf>>,
}

impl Sending {
    /// How many bytes may still go with the request.
    fn room(&self) -> u64 {
        let inline = self.blobs.iter().filter(|blob| blob.inline.is_some());
        INLINE.saturating_sub(inline.map(|blob| blob.size).sum())
    }

    fn push(&mut self, blob: Blob, path: Option<PathBuf>) -> u32 {
        self.blobs.push(blob);
        self.paths.push(path);
        u32::try_from(self.blobs.len() - 1).unwrap_or(u32::MAX)
    }

    /// A file whose content is made by the controller: a rendered template.
    pub(crate) fn content(&mut self, src: &str, mode: u32, content: Vec<u8>) -> ControllerFile {
        let sha256 = rplay_api::hex(&Sha256::digest(&content));
        let blob = Blob {
            sha256,
            size: content.len() as u64,
            inline: Some(content),
        };
        let kind = EntryKind::File(self.push(blob, None));
        let entry = ControllerEntry {
            path: String::new(),
            mode,
            kind,
        };
        ControllerFile::Sent {
            src: src.to_owned(),
            entries: vec![entry],
        }
    }
}

/// What a file that begins so is.
const VAULT: &[u8] = b"$ANSIBLE_VAULT;";

/// Opens what is a vault; none for what is not.
pub(crate) type Opener<'a> = &'a (dyn Fn(&[u8], &Path) -> Result<Option<Vec<u8>>, String> + Sync);

/// Reads and digests files; remembers digests, so that a file sent to many hosts is read once.
#[derive(Debug, Default)]
pub(crate) struct ControllerFiles {
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// What is known of a file that was read.
#[derive(Debug, Clone)]
struct Known {
    modified: SystemTime,
    size: u64,
    sha256: String,
    is_vault: bool,
}

impl ControllerFiles {
    /// A file or folder as a task's argument, its content added to `sending`.
    ///
    /// # Errors
    /// What could not be read, in words.
    pub(crate) fn send(
        &self,
        written: &str,
        path: &Path,
        links: Links,
        opener: Opener<'_>,
        sending: &mut Sending,
    ) -> Result<ControllerFile, String> {
        let meta = fs::metadata(path).map_err(|e| could_not("read", path, &e))?;
        let entries = if meta.is_dir() {
            let mut walk = Walk {
                files: self,
                root: path,
                links,
                opener,
                above: vec![],
                entries: vec![],
            };
            walk.folder(path, sending)?;
            walk.entries
        } else {
            vec![self.file(path, String::new(), &meta, opener, sending)?]
        };
        Ok(ControllerFile::Sent {
            src: written.to_owned(),
            entries,
        })
    }

    fn file(
        &self,
        path: &Path,
        below: String,
        meta: &Metadata,
        opener: Opener<'_>,
        sending: &mut Sending,
    ) -> Result<ControllerEntry, String> {
        let mode = meta.permissions().mode() & 0o7777;
        let index = match meta.len() <= sending.room() {
            true => inline(path, opener, sending)?,
            false => match self.known(path, meta)? {
                known if known.is_vault => inline(path, opener, sending)?,
                known => sending.push(
                    Blob {
                        sha256: known.sha256,
                        size: known.size,
                        inline: None,
                    },
                    Some(path.to_owned()),
                ),
            },
        };
        Ok(ControllerEntry {
            path: below,
            mode,
            kind: EntryKind::File(index),
        })
    }

    fn known(&self, path: &Path, meta: &Metadata) -> Result<Known, String> {
        let modified = meta.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get(path)
            && known.modified == modified
            && known.size == meta.len()
        {
            return Ok(known.clone());
        }
        let known = read(path, modified).map_err(|e| could_not("read", path, &e))?;
        all.insert(path.to_owned(), known.clone());
        Ok(known)
    }
}

/// Reads a file to its end.
fn read(path: &Path, modified: SystemTime) -> std::io::Result<Known> {
    let mut file = fs::File::open(path)?;
    let mut head = vec![];
    (&mut file)
        .take(VAULT.len() as u64)
        .read_to_end(&mut head)?;
    let mut hash = Sha256::new_with_prefix(&head);
    let rest = std::io::copy(&mut file, &mut hash)?;
    Ok(Known {
        modified,
        size: head.len() as u64 + rest,
        sha256: rplay_api::hex(&hash.finalize()),
        is_vault: head == VAULT,
    })
}

/// Puts a file's content, opened where it is a vault, into the request itself.
fn inline(path: &Path, opener: Opener<'_>, sending: &mut Sending) -> Result<u32, String> {
    let content = fs::read(path).map_err(|e| could_not("read", path, &e))?;
    let content = opener(&content, path)?.unwrap_or(content);
    let blob = Blob {
        sha256: rplay_api::hex(&Sha256::digest(&content)),
        size: content.len() as u64,
        inline: Some(content),
    };
    Ok(sending.push(blob, None))
}

/// What becomes of the symbolic links in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Links {
    /// What they lead to is sent; one that leads nowhere, or to a folder above it, as itself.
    Followed,
    /// They are sent as links.
    Kept,
}

/// A folder being listed.
struct Walk<'a> {
    files: &'a ControllerFiles,
    root: &'a Path,
    links: Links,
    opener: Opener<'a>,
    /// Device and inode of the folders that it is in.
    above: Vec<(u64, u64)>,
    entries: Vec<ControllerEntry>,
}

impl Walk<'_> {
    fn folder(&mut self, dir: &Path, sending: &mut Sending) -> Result<(), String> {
        let meta = fs::metadata(dir).map_err(|e| could_not("read", dir, &e))?;
        let own = (meta.dev(), meta.ino());
        if self.above.contains(&own) {
            return Err(format!(
                "the links that lead to `{}` go around in a circle",
                dir.display()
            ));
        }
        self.above.push(own);
        let listed = fs::read_dir(dir).map_err(|e| could_not("list", dir, &e))?;
        let mut paths: Vec<PathBuf> = listed.flatten().map(|entry| entry.path()).collect();
        // A folder's own files come before its folders.
        paths.sort_by_cached_key(|path| (path.is_dir(), path.clone()));
        for path in paths {
            self.item(&path, sending)?;
        }
        self.above.pop();
        Ok(())
    }

    fn item(&mut self, path: &Path, sending: &mut Sending) -> Result<(), String> {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        let below = below.to_string_lossy().into_owned();
        let own = fs::symlink_metadata(path).map_err(|e| could_not("read", path, &e))?;
        let target = fs::metadata(path).ok();
        let ends = |meta: &Metadata| !self.above.contains(&(meta.dev(), meta.ino()));
        let meta = match target {
            Some(target) if self.links == Links::Followed && ends(&target) => target,
            _ => own,
        };
        let mode = meta.permissions().mode() & 0o7777;
        let kind = if meta.is_symlink() {
            let to = fs::read_link(path).map_err(|e| could_not("read", path, &e))?;
            EntryKind::Link(to.to_string_lossy().into_owned())
        } else if meta.is_dir() {
            EntryKind::Directory
        } else if meta.is_file() {
            let entry = self.files.file(path, below, &meta, self.opener, sending)?;
            self.entries.push(entry);
            return Ok(());
        } else {
            let shown = path.display();
            return Err(format!("`{shown}` is neither a file, a folder nor a link"));
        };
        let is_folder = kind == EntryKind::Directory;
        self.entries.push(ControllerEntry {
            path: below,
            mode,
            kind,
        });
        match is_folder {
            true => self.folder(path, sending),
            false => Ok(()),
        }
    }
}

fn could_not(act: &str, path: &Path, error: &std::io::Error) -> String {
    format!(
        "could not {act} `{}` on the controller: {error}",
        path.display()
    )
}
