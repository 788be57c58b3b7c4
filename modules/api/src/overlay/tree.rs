//! Paths of the planned tree: where they lead, and what is there.

use std::path::{Component, Path, PathBuf};

use rplay_wire::Target;
use rustix::fs::Access;
use rustix::io::Errno;

use super::Overlay;
use super::plan::Entry;
use crate::act::Act;
use crate::real::MAX_LINKS;
use crate::system::{Meta, System};
use crate::{Failure, Result};

/// A canonical path, or why there is no way to it.
pub(super) type Key = std::result::Result<PathBuf, Errno>;

impl Overlay {
    /// The canonical path of `path`: links among the folders above it followed, its own name kept.
    pub(super) fn key(&self, path: &Path) -> Result<Key> {
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
                return Ok(Ok(key));
            }
            match self.look(&key)? {
                None => return Ok(Err(Errno::NOENT)),
                Some(meta) if meta.is_link() => {
                    links += 1;
                    if links > MAX_LINKS {
                        return Ok(Err(Errno::LOOP));
                    }
                    let to = self.read_link(&key)?;
                    key.pop();
                    if to.is_absolute() {
                        key = PathBuf::from("/");
                    }
                    rest.extend(parts(&to).into_iter().rev());
                }
                Some(meta) if !meta.is_dir() => return Ok(Err(Errno::NOTDIR)),
                Some(meta) if self.is_ours(&key) => {
                    if let Err(errno) = self.identity.may(&meta, Access::EXEC_OK) {
                        return Ok(Err(errno));
                    }
                }
                Some(_) => {}
            }
        }
        Ok(Ok(key))
    }

    /// As [`Overlay::key`], where an act cannot do without it.
    pub(super) fn key_for(&self, path: &Path, act: Act) -> Result<PathBuf> {
        self.key(path)?.map_err(|errno| act.errno(path, errno))
    }

    /// The canonical path of what `path` names in the end, whether or not it is there.
    pub(super) fn follow(&self, path: &Path, act: Act) -> Result<PathBuf> {
        let mut at = path.to_owned();
        for _ in 0..=MAX_LINKS {
            let key = self.key(&at)?.map_err(|errno| act.errno(path, errno))?;
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
        let there = if self.is_hidden(key) {
            None
        } else {
            self.base.lstat(key)?
        };
        match there {
            Some(meta) => Ok(Some(meta)),
            None => {
                self.not_in_planned_checkout(key)?;
                self.not_of_planned_package(key)?;
                Ok(None)
            }
        }
    }

    /// What is not there may come with a repository that is only planned.
    fn not_in_planned_checkout(&self, key: &Path) -> Result<()> {
        let plan = self.lock();
        let checkout = plan.things.iter().find_map(|(target, state)| match target {
            Target::Repository(dest) if state.is_some() && key != Path::new(dest) => {
                key.starts_with(dest).then_some(dest)
            }
            _ => None,
        });
        match checkout {
            None => Ok(()),
            Some(dest) => Err(Failure::unknown(format!(
                "`{}` may come with the checkout of `{dest}`, which is only planned",
                key.display()
            ))),
        }
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

    /// Whether the plan and not the host says what is at a canonical path.
    pub(super) fn is_ours(&self, key: &Path) -> bool {
        self.lock().files.contains_key(key) || self.is_hidden(key)
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
