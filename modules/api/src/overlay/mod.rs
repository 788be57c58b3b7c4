//! The host as a dry run sees it: copy-on-write over another system.
//!
//! Owns what is planned: files by their canonical path, and things by name. Nothing reaches the
//! host but reads and queries.

mod nowhere;
mod ownership;
mod plan;
mod tree;

use std::ffi::OsString;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rplay_wire::{State, Target};
use rustix::io::Errno;

use crate::act::Act;
use crate::real::find_program;
use crate::system::{Attrs, Command, Effect, Meta, Output, System};
use crate::{Control, Failure, Result};
use ownership::Process;
use plan::{Content, Entry, Plan};

/// A dry run's view of a system, kept for the whole run.
pub struct Overlay {
    base: Arc<dyn System>,
    plan: Mutex<Plan>,
}

impl Overlay {
    /// An overlay over a host that changes nothing yet.
    pub fn new(base: Arc<dyn System>) -> Self {
        Self {
            base,
            plan: Mutex::default(),
        }
    }

    /// An overlay over a host that has nothing: all in memory, for tests.
    pub fn empty() -> Self {
        Self::new(Arc::new(nowhere::Nowhere))
    }

    /// All that is planned, for a sibling agent on the same host.
    pub fn export(&self) -> Vec<u8> {
        postcard::to_stdvec(&*self.lock()).unwrap_or_default()
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
        let entry = self.lock().files.get(&key).cloned();
        match entry {
            Some(Entry::Node(node)) => match node.content {
                Some(content) => Ok(content),
                None if node.is_dir() => Err(Act::Read.errno(path, Errno::ISDIR)),
                None => Err(Act::Read.errno(path, Errno::NOENT)),
            },
            Some(Entry::Gone) => Err(Act::Read.errno(path, Errno::NOENT)),
            None if self.is_hidden(&key) => Err(Act::Read.errno(path, Errno::NOENT)),
            None => Ok(Content::Base(key)),
        }
    }

    /// What a query would have to read that is only planned.
    fn planned_in(&self, command: &Command) -> Option<PathBuf> {
        let program = find_program(
            command,
            |path| matches!(self.lstat(path), Ok(Some(meta)) if !meta.is_dir()),
        );
        let words = command.argv.iter().skip(1).map(PathBuf::from);
        let paths = program.into_iter().chain(words.filter(|w| w.is_absolute()));
        // A variable may name a file too (a certificate); a folder in one (HOME) says nothing.
        let mut variables = command.env.iter().map(|(_, value)| PathBuf::from(value));
        let plan = self.lock();
        let named = paths.into_iter().find(|path| {
            plan.files
                .keys()
                .any(|key| key == path || (path.components().count() > 2 && key.starts_with(path)))
        });
        named.or_else(|| {
            variables.find(
                |path| matches!(plan.files.get(path), Some(Entry::Node(node)) if !node.is_dir()),
            )
        })
    }
}

impl System for Overlay {
    fn lstat(&self, path: &Path) -> Result<Option<Meta>> {
        let Some(key) = self.key(path)? else {
            return Ok(None);
        };
        self.look(&key)
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
            Some(_) => {}
        }
        let base = if self.is_hidden(&key) || self.is_opaque(&key) {
            vec![]
        } else {
            self.base.read_dir(&key).unwrap_or_default()
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
        let missing = || Act::ReadLink.errno(path, Errno::NOENT);
        let key = self.key(path)?.ok_or_else(missing)?;
        let entry = self.lock().files.get(&key).cloned();
        match entry {
            Some(Entry::Node(node)) => match node.link {
                Some(to) => Ok(to),
                None => Err(Act::ReadLink.errno(path, Errno::INVAL)),
            },
            Some(Entry::Gone) => Err(missing()),
            None if self.is_hidden(&key) => Err(missing()),
            None => self.base.read_link(&key),
        }
    }

    fn write(&self, path: &Path, source: &mut dyn Read, attrs: &Attrs) -> Result<()> {
        let key = self.place(path, Act::Write)?;
        let current = self.look(&key)?;
        if current.as_ref().is_some_and(Meta::is_dir) {
            return Err(Act::Write.errno(path, Errno::ISDIR));
        }
        Process::own()
            .may_make(attrs)
            .map_err(|e| Act::Write.errno(path, e))?;
        let mut bytes = vec![];
        source
            .read_to_end(&mut bytes)
            .map_err(|e| Act::Write.failed(path, &e))?;
        self.put_file(&key, current.as_ref(), bytes.into(), attrs);
        Ok(())
    }

    fn make_dir(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        let key = self.parent_checked(path, Act::MakeDir)?;
        if self.look(&key)?.is_some() {
            return Err(Act::MakeDir.errno(path, Errno::EXIST));
        }
        Process::own()
            .may_make(attrs)
            .map_err(|e| Act::MakeDir.errno(path, e))?;
        self.put_dir(&key, attrs);
        Ok(())
    }

    fn symlink(&self, to: &Path, path: &Path) -> Result<()> {
        let key = self.parent_checked(path, Act::Symlink)?;
        if self.look(&key)?.is_some_and(|m| m.is_dir()) {
            return Err(Act::Symlink.errno(path, Errno::EXIST));
        }
        self.put_link(&key, to);
        Ok(())
    }

    fn hard_link(&self, to: &Path, path: &Path) -> Result<()> {
        let key = self.parent_checked(path, Act::HardLink)?;
        let from = self
            .key(to)?
            .ok_or_else(|| Act::HardLink.errno(to, Errno::NOENT))?;
        self.copy_entry(&from, &key, Act::HardLink)?;
        self.count_link(&from, &key);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let missing = || Act::Rename.errno(from, Errno::NOENT);
        let source = self.key(from)?.ok_or_else(missing)?;
        let key = self.parent_checked(to, Act::Rename)?;
        if self.look(&source)?.is_none() {
            return Err(missing());
        }
        self.copy_entry(&source, &key, Act::Rename)?;
        self.take_away(&source);
        Ok(())
    }

    fn remove(&self, path: &Path) -> Result<()> {
        crate::real::refuse_root(path)?;
        let Some(key) = self.key(path)? else {
            return Ok(());
        };
        if self.look(&key)?.is_some() {
            self.parent_checked(path, Act::Remove)?;
            self.take_away(&key);
        }
        Ok(())
    }

    fn set_attrs(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        let missing = || Act::SetAttrs.errno(path, Errno::NOENT);
        let key = self.key(path)?.ok_or_else(missing)?;
        let meta = self.look(&key)?.ok_or_else(missing)?;
        Process::own()
            .may_change(attrs, &meta)
            .map_err(|e| Act::SetAttrs.errno(path, e))?;
        self.put_attrs(&key, &meta, attrs)
    }

    fn run(&self, command: &Command, control: &Control) -> Result<Output> {
        let shown = command.display();
        if command.effect == Effect::Changes {
            return Err(Failure::unknown(format!("`{shown}` was not run")));
        }
        if let Some(path) = self.planned_in(command) {
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

    fn blind_spot(&self) -> Option<String> {
        let plan = self.lock();
        plan.things.iter().find_map(|(target, state)| match target {
            Target::Package(name) if state.is_some() => {
                Some(format!("the package `{name}` is only planned"))
            }
            _ => None,
        })
    }

    fn wait(&self, _: Duration, _: &Control) -> Result<()> {
        Err(Failure::unknown(
            "a dry run does not wait for what is only planned",
        ))
    }

    fn access(&self, path: &Path, access: rustix::fs::Access) -> std::io::Result<()> {
        self.base.access(path, access)
    }
}
