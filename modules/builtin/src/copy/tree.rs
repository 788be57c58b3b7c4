//! Whole folders: what is in the source, and how it comes to the destination.

use std::path::{Path, PathBuf};

use rplay_api::{ControllerEntry, EntryKind, Failure, FileArgs, Host, Meta, Outcome, Result};

use super::Job;
use crate::content::Content;
use crate::path_info;

/// Something in the source folder.
pub(super) struct Item {
    /// Below the source folder; empty for the folder itself.
    path: PathBuf,
    mode: u32,
    kind: ItemKind,
}

enum ItemKind {
    /// A file, and whether the destination has it already, once that was looked at.
    File(Content, Option<bool>),
    Directory,
    Link(PathBuf),
}

/// What the controller sent.
pub(super) fn sent(entries: &[ControllerEntry]) -> Vec<Item> {
    let item = |entry: &ControllerEntry| Item {
        path: entry.path.clone().into(),
        mode: entry.mode,
        kind: match &entry.kind {
            EntryKind::File(index) => ItemKind::File(Content::Blob(*index), None),
            EntryKind::Directory => ItemKind::Directory,
            EntryKind::Link(to) => ItemKind::Link(to.into()),
        },
    };
    entries.iter().map(item).collect()
}

/// What is in a folder of the target, parents first.
pub(super) fn walk(host: &Host, root: &Path, follow: bool) -> Result<Vec<Item>> {
    let mut walk = Walk {
        host,
        root,
        follow,
        above: vec![],
        items: vec![],
    };
    walk.folder(root)?;
    Ok(walk.items)
}

struct Walk<'a> {
    host: &'a Host<'a>,
    root: &'a Path,
    follow: bool,
    /// Device and inode of the folders that it is in.
    above: Vec<(u64, u64)>,
    items: Vec<Item>,
}

impl Walk<'_> {
    fn folder(&mut self, path: &Path) -> Result<()> {
        let meta = self.host.stat(path)?;
        let Some(meta) = meta else { return Ok(()) };
        let own = (meta.device, meta.inode);
        if self.above.contains(&own) {
            return Err(Failure::new(format!(
                "the links that lead to `{}` go around in a circle",
                path.display()
            ))
            .arg("src")
            .help("copy links as links with local_follow: false"));
        }
        self.push(path, &meta, ItemKind::Directory);
        self.above.push(own);
        for name in self.host.read_dir(path)? {
            self.item(&path.join(name))?;
        }
        self.above.pop();
        Ok(())
    }

    fn item(&mut self, path: &Path) -> Result<()> {
        let Some(own) = self.host.lstat(path)? else {
            return Ok(());
        };
        // A link that leads nowhere, or back to a folder above it, is copied as it is.
        let ends = |meta: &Meta| !self.above.contains(&(meta.device, meta.inode));
        let meta = match self.follow {
            true => self.host.stat(path).ok().flatten().filter(ends).unwrap_or(own),
            false => own,
        };
        if meta.is_dir() {
            return self.folder(path);
        }
        let kind = if meta.is_link() {
            ItemKind::Link(self.host.read_link(path)?)
        } else if meta.is_file() {
            ItemKind::File(Content::File(path.to_owned()), None)
        } else {
            self.host.warn(format!(
                "`{}` is neither file, folder nor link: it was not copied",
                path.display()
            ));
            return Ok(());
        };
        self.push(path, &meta, kind);
        Ok(())
    }

    fn push(&mut self, path: &Path, meta: &Meta, kind: ItemKind) {
        let below = path.strip_prefix(self.root).unwrap_or(path);
        self.items.push(Item {
            path: below.to_owned(),
            mode: meta.mode,
            kind,
        });
    }
}

impl Job<'_> {
    /// Copies a folder, or what is in it where `src` ends with a `/`.
    pub(super) fn tree(&self, host: &Host, src: &str, mut items: Vec<Item>) -> Result<Outcome> {
        if self.args.checksum.is_some() {
            return Err(
                Failure::new(format!("`{src}` is a folder: it has no checksum")).arg("checksum"),
            );
        }
        let root = match src.rsplit('/').next() {
            None | Some("" | ".") => self.args.dest.clone(),
            Some(name) => self.args.dest.join(name),
        };
        let own = items.iter().find(|i| i.path.as_os_str().is_empty());
        host.make_dirs(&root, &self.folder_args(own.map(|i| i.mode)))?;
        self.compare(host, &root, &mut items);
        for item in items.iter().filter(|i| !i.path.as_os_str().is_empty()) {
            if host.is_cancelled() {
                break;
            }
            self.item(host, &root.join(&item.path), item)?;
        }
        let outcome = Outcome::new()
            .with("src", src)
            .with("dest", self.args.dest.to_string_lossy());
        path_info::describe(host, &root, outcome)
    }

    /// Looks at which files the destination has already, so that the others can be fetched together
    /// while they are written one by one.
    fn compare(&self, host: &Host, root: &Path, items: &mut [Item]) {
        let mut missing = vec![];
        for item in items {
            let ItemKind::File(content, is_there) = &mut item.kind else {
                continue;
            };
            if host.is_cancelled() {
                break;
            }
            let path = root.join(&item.path);
            let args = self.file_args(Some(item.mode));
            // What cannot be looked at now is told of in its turn.
            let placement = self.placement(&path, &args);
            *is_there = placement.is_there(host, content).ok();
            let stays = || !self.args.force && host.exists(&path).unwrap_or(false);
            let kept = *is_there == Some(true) || stays();
            if let Content::Blob(index) = content
                && !kept
            {
                missing.push(*index);
            }
        }
        host.blobs().expect(&missing);
    }

    fn item(&self, host: &Host, path: &Path, item: &Item) -> Result<()> {
        match &item.kind {
            ItemKind::Directory => self.folder(host, path, item.mode),
            ItemKind::Link(to) => self.link(host, path, to),
            ItemKind::File(..) if !self.args.force && host.exists(path)? => Ok(()),
            ItemKind::File(content, is_there) => {
                let args = self.file_args(Some(item.mode));
                let placement = self.placement(path, &args);
                placement.put_compared(host, content, *is_there).map(drop)
            }
        }
    }

    fn folder(&self, host: &Host, path: &Path, mode: u32) -> Result<()> {
        let args = self.folder_args(Some(mode));
        match host.stat(path)? {
            None => host.make_dirs(path, &args),
            Some(meta) if meta.is_dir() => {
                let owner = FileArgs { mode: None, ..args };
                host.ensure_attrs(&path_info::follow(host, path)?, &owner)
            }
            Some(_) => Err(Failure::new(format!(
                "`{}` is in the way: the source has a folder there",
                path.display()
            ))
            .arg("dest")),
        }
    }

    fn link(&self, host: &Host, path: &Path, to: &Path) -> Result<()> {
        match host.lstat(path)? {
            Some(meta) if meta.is_link() && host.read_link(path)? == to => return Ok(()),
            Some(_) if !self.args.force => return Ok(()),
            Some(meta) if meta.is_dir() => {
                return Err(Failure::new(format!(
                    "the folder `{}` is in the way: the source has a link there",
                    path.display()
                ))
                .arg("dest"));
            }
            _ => host.symlink(to, path)?,
        }
        Ok(())
    }
}
