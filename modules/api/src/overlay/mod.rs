//! The host as a dry run sees it: copy-on-write over another system.
//!
//! Owns what is planned: files by their canonical path, and things by name. Nothing reaches the
//! host but reads and queries.

mod change;
mod identity;
mod nowhere;
mod package;
mod plain;
mod plan;
mod query;
#[cfg(test)]
mod tests;
mod tree;

use std::ffi::OsString;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rplay_wire::{State, Target};
use rustix::fs::Access;
use rustix::io::Errno;

use crate::act::Act;
use crate::real::{Attributes, no_program, not_a_file, takes_no_new_names};
use crate::system::{Attrs, Command, Effect, Meta, Output, System};
use crate::{Control, Failure, Result};
use identity::Identity;
use plan::{Content, Entry, Plan};

/// As many bytes of contents are sent to a sibling: a message holds 64 MiB.
const MAX_EXPORT: u64 = 32 << 20;

/// A dry run's view of a system, kept for the whole run.
pub struct Overlay {
    base: Arc<dyn System>,
    plan: Mutex<Plan>,
    identity: Identity,
    /// Whether the kernel's answers on what may be done are about that identity.
    asks_kernel: bool,
}

impl Overlay {
    /// An overlay over a host that changes nothing yet.
    pub fn new(base: Arc<dyn System>) -> Self {
        Self {
            base,
            plan: Mutex::default(),
            identity: Identity::own(),
            asks_kernel: true,
        }
    }

    /// An overlay as another user sees it, for tests.
    #[cfg(test)]
    fn seen_by(base: Arc<dyn System>, identity: Identity) -> Self {
        Self {
            identity,
            asks_kernel: false,
            ..Self::new(base)
        }
    }

    /// An overlay over a host that has nothing: all in memory, for tests.
    pub fn empty() -> Self {
        Self::new(Arc::new(nowhere::Nowhere))
    }

    /// All that is planned, for a sibling agent on the same host: of contents as much as a message
    /// holds, the others unknown to it.
    pub fn export(&self) -> Vec<u8> {
        let mut plan = self.lock().clone();
        plan.keep_contents(MAX_EXPORT);
        postcard::to_stdvec(&plan).expect("bug: a plan is plain data")
    }

    /// Takes over what a sibling has planned.
    ///
    /// # Errors
    /// Where the data is not an export of the same version.
    pub fn import(&self, data: &[u8]) -> Result<()> {
        *self.lock() = postcard::from_bytes(data)
            .map_err(|e| Failure::new(format!("an overlay could not be read: {e}")))?;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A file whose content is `path`'s, links followed.
    fn content(&self, path: &Path) -> Result<Content> {
        let key = self.follow(path, Act::Read)?;
        let Some(meta) = self.look(&key)? else {
            return Err(Act::Read.errno(path, Errno::NOENT));
        };
        if meta.is_dir() {
            return Err(Act::Read.errno(path, Errno::ISDIR));
        }
        self.may(&key, &meta, Access::READ_OK)
            .map_err(|e| Act::Read.failed(path, &e))?;
        match self.lock().files.get(&key) {
            Some(Entry::Node(node)) => node.content.clone().ok_or_else(|| {
                Failure::unknown(format!(
                    "another user's task would write `{}`, too large to be known here",
                    path.display()
                ))
            }),
            _ => Ok(Content::Base(key)),
        }
    }

    /// A folder that holds a new name, where what has it already may be replaced.
    fn folder_for(&self, key: &Path, path: &Path, act: Act) -> Result<(Meta, Option<Meta>)> {
        let folder = self.folder_of(key, path, act)?;
        let old = self.look(key)?;
        if let Some(old) = &old {
            self.may_unlink(key, &folder, old)
                .map_err(|e| act.errno(path, e))?;
        }
        Ok((folder, old))
    }
}

impl System for Overlay {
    fn lstat(&self, path: &Path) -> Result<Option<Meta>> {
        match self.key(path)? {
            Ok(key) => self.look(&key),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(Act::Look.errno(path, errno)),
        }
    }

    fn read(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        match self.content(path)? {
            Content::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes))),
            Content::Base(from) => self.base.read(&from),
        }
    }

    fn read_dir(&self, path: &Path) -> Result<Vec<OsString>> {
        let key = self.follow(path, Act::List)?;
        match self.look(&key)? {
            None => return Err(Act::List.errno(path, Errno::NOENT)),
            Some(meta) if !meta.is_dir() => return Err(Act::List.errno(path, Errno::NOTDIR)),
            Some(meta) => self
                .may(&key, &meta, Access::READ_OK)
                .map_err(|e| Act::List.failed(path, &e))?,
        }
        let base = if self.is_hidden(&key) || self.is_opaque(&key) {
            vec![]
        } else {
            self.base.read_dir(&key)?
        };
        let plan = self.lock();
        let mut names: Vec<OsString> = base
            .into_iter()
            .filter(|name| !matches!(plan.files.get(&key.join(name)), Some(Entry::Gone)))
            .collect();
        let planned = plan.files.iter().filter(|(path, entry)| {
            path.parent() == Some(key.as_path()) && matches!(entry, Entry::Node(_))
        });
        names.extend(planned.filter_map(|(path, _)| path.file_name().map(OsString::from)));
        names.sort_unstable();
        names.dedup();
        Ok(names)
    }

    fn read_link(&self, path: &Path) -> Result<PathBuf> {
        let refused = |errno| Act::ReadLink.errno(path, errno);
        let key = self.key_for(path, Act::ReadLink)?;
        let meta = self.look(&key)?.ok_or_else(|| refused(Errno::NOENT))?;
        if !meta.is_link() {
            return Err(refused(Errno::INVAL));
        }
        match self.lock().files.get(&key) {
            Some(Entry::Node(node)) => node.link.clone().ok_or_else(|| refused(Errno::INVAL)),
            _ => self.base.read_link(&key),
        }
    }

    fn write(&self, path: &Path, source: &mut dyn Read, attrs: &Attrs) -> Result<()> {
        check_attributes(attrs)?;
        let key = self.follow(path, Act::Write)?;
        if let Some(old) = self.look(&key)? {
            not_a_file(path, &old)?;
        }
        let parent = key.parent().unwrap_or(Path::new("/"));
        let folder = if !self.is_ours(&key) && takes_no_new_names(parent) {
            self.look(parent)?
                .ok_or_else(|| Act::Write.errno(path, Errno::NOENT))?
        } else if let Some(folder) = self.written_in_place(&key, attrs)? {
            folder
        } else {
            self.folder_for(&key, path, Act::Write)?.0
        };
        self.identity
            .may_make(attrs)
            .map_err(|e| Act::Write.errno(path, e))?;
        let mut bytes = vec![];
        source
            .read_to_end(&mut bytes)
            .map_err(|e| Act::Write.failed(path, &e))?;
        self.put_file(&key, &folder, bytes.into(), attrs);
        Ok(())
    }

    fn make_dir(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        check_attributes(attrs)?;
        let key = self.key_for(path, Act::MakeDir)?;
        if self.look(&key)?.is_some() {
            return Err(Act::MakeDir.errno(path, Errno::EXIST));
        }
        let folder = self.folder_of(&key, path, Act::MakeDir)?;
        self.identity
            .may_make(attrs)
            .map_err(|e| Act::MakeDir.errno(path, e))?;
        self.put_dir(&key, &folder, attrs);
        Ok(())
    }

    fn symlink(&self, to: &Path, path: &Path) -> Result<()> {
        let key = self.key_for(path, Act::Symlink)?;
        let (folder, old) = self.folder_for(&key, path, Act::Symlink)?;
        if old.is_some_and(|m| m.is_dir()) {
            return Err(Act::Symlink.errno(path, Errno::ISDIR));
        }
        self.put_link(&key, &folder, to);
        Ok(())
    }

    fn hard_link(&self, to: &Path, path: &Path) -> Result<()> {
        let refused = |errno| Act::HardLink.errno(path, errno);
        let from = self.key(to)?.map_err(refused)?;
        let meta = self.look(&from)?.ok_or_else(|| refused(Errno::NOENT))?;
        let key = self.key_for(path, Act::HardLink)?;
        let (_, old) = self.folder_for(&key, path, Act::HardLink)?;
        if meta.is_dir() {
            return Err(refused(Errno::PERM));
        }
        match old {
            Some(old) if old.is_dir() => Err(refused(Errno::ISDIR)),
            Some(old) if old.is_same(&meta) => Ok(()),
            _ => self.put_name(&from, &meta, &key),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let refused = |errno| Act::Rename.errno(from, errno);
        let source = self.key_for(from, Act::Rename)?;
        let key = self.key(to)?.map_err(refused)?;
        let folder = self.folder_of(&source, from, Act::Rename)?;
        let meta = self.look(&source)?.ok_or_else(|| refused(Errno::NOENT))?;
        if key != source && key.starts_with(&source) {
            return Err(refused(Errno::INVAL));
        }
        if key != source && source.starts_with(&key) {
            return Err(refused(Errno::NOTEMPTY));
        }
        self.may_unlink(&source, &folder, &meta).map_err(refused)?;
        let (_, old) = self.folder_for(&key, from, Act::Rename)?;
        match old {
            Some(old) if old.is_same(&meta) => return Ok(()),
            Some(old) if meta.is_dir() && !old.is_dir() => return Err(refused(Errno::NOTDIR)),
            Some(old) if !meta.is_dir() && old.is_dir() => return Err(refused(Errno::ISDIR)),
            Some(old) if old.is_dir() && !self.read_dir(&key)?.is_empty() => {
                return Err(refused(Errno::NOTEMPTY));
            }
            _ => {}
        }
        self.shift(&source, &key)
    }

    fn remove(&self, path: &Path) -> Result<()> {
        crate::real::refuse_root(path)?;
        let key = match self.key(path)? {
            Ok(key) => key,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(()),
            Err(errno) => return Err(Act::Remove.errno(path, errno)),
        };
        if let Some(meta) = self.look(&key)? {
            self.folder_for(&key, path, Act::Remove)?;
            self.may_empty(&key, &meta, path)?;
            self.take_away(&key);
        }
        Ok(())
    }

    fn attributes(&self, path: &Path) -> Option<u32> {
        let key = self.key(path).ok()?.ok()?;
        let planned = match self.lock().files.get(&key) {
            Some(Entry::Node(node)) => Some(node.attributes),
            _ => None,
        };
        planned.unwrap_or_else(|| self.base.attributes(&key))
    }

    fn set_attrs(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        check_attributes(attrs)?;
        let refused = |errno| Act::SetAttrs.errno(path, errno);
        let key = self.key_for(path, Act::SetAttrs)?;
        let meta = self.look(&key)?.ok_or_else(|| refused(Errno::NOENT))?;
        if attrs.attributes.is_none() {
            self.is_frozen(&key, &meta).map_err(refused)?;
        }
        self.identity.may_set(&meta, attrs).map_err(refused)?;
        self.put_attrs(&key, &meta, attrs)
    }

    fn run(&self, command: &Command, control: &Control) -> Result<Output> {
        let shown = command.display();
        if command.effect == Effect::Changes {
            return Err(Failure::unknown(format!("`{shown}` was not run")));
        }
        let program = self
            .program_of(command)
            .ok_or_else(|| no_program(command))?;
        if let Some(path) = self.planned_in(command, &program) {
            let path = path.display();
            return Err(Failure::unknown(format!(
                "`{shown}` would read `{path}`, which is only planned"
            )));
        }
        self.base.run(command, control)
    }

    fn planned(&self, target: &Target) -> Option<Option<State>> {
        self.lock().things.get(target).cloned()
    }

    fn transition(
        &self,
        target: &Target,
        after: Option<State>,
        _: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()> {
        self.lock().things.insert(target.clone(), after);
        Ok(())
    }

    fn planned_name(&self, user: bool, id: &str) -> Option<String> {
        let key = if user { "uid" } else { "gid" };
        let plan = self.lock();
        plan.things.iter().find_map(|(target, state)| {
            let name = match target {
                Target::User(name) if user => name,
                Target::Group(name) if !user => name,
                _ => return None,
            };
            (state.as_ref()?.get(key)? == id).then(|| name.clone())
        })
    }

    fn is_planning(&self) -> bool {
        true
    }

    fn has_plans(&self) -> bool {
        let plan = self.lock();
        !plan.files.is_empty() || !plan.things.is_empty()
    }

    fn blind_spot(&self) -> Option<String> {
        let planned = self.planned_packages();
        let (name, _) = planned.iter().find(|(_, state)| state.is_some())?;
        Some(format!("the package `{name}` is only planned"))
    }

    fn planned_packages(&self) -> Vec<(String, Option<State>)> {
        let plan = self.lock();
        let packages = plan
            .things
            .iter()
            .filter_map(|(target, state)| match target {
                Target::Package(name) => Some((name.clone(), state.clone())),
                _ => None,
            });
        packages.collect()
    }

    fn foresee_gone(&self, paths: &mut dyn FnMut() -> Vec<PathBuf>) {
        for path in paths() {
            let Ok(Ok(key)) = self.key(&path) else {
                continue;
            };
            match self.look(&key) {
                // Of a folder only what the thing brought goes.
                Ok(Some(meta)) if !meta.is_dir() => self.take_away(&key),
                Ok(Some(_)) if self.read_dir(&key).is_ok_and(|left| left.is_empty()) => {
                    self.take_away(&key);
                }
                _ => {}
            }
        }
    }

    fn wait(&self, _: Duration, _: &Control) -> Result<()> {
        Err(Failure::unknown(
            "a dry run does not wait for what is only planned",
        ))
    }

    fn access(&self, path: &Path, access: Access) -> std::io::Result<()> {
        let failed = |failure: Failure| std::io::Error::other(failure.msg);
        let key = self.follow(path, Act::Look).map_err(failed)?;
        let meta = self.look(&key).map_err(failed)?.ok_or(Errno::NOENT)?;
        self.may(&key, &meta, access)
    }
}

/// Which attributes there are.
fn check_attributes(attrs: &Attrs) -> Result<()> {
    let attributes = attrs.attributes.as_deref();
    attributes.map_or(Ok(()), |text| Attributes::parse(text).map(|_| ()))
}
