//! A working copy on the target, and how it comes to the revision that is wanted.

use std::path::Path;

use rplay_api::{Failure, Host, Outcome, Result, State};

use super::program::{Info, Svn};
use super::{SubversionArgs, state, target};

/// A working copy that is there, or would be by now.
pub(super) struct WorkingCopy<'a> {
    dest: &'a Path,
    info: Info,
    is_modified: bool,
}

/// The key of a state that says that something was changed by hand.
const MODIFIED: &str = "modified";
/// The key of a state that says in which revision something changed last.
const LAST_CHANGED: &str = "last_changed";

impl<'a> WorkingCopy<'a> {
    /// The one at `dest`.
    pub(super) fn find(svn: &Svn, host: &Host, dest: &'a Path) -> Result<Option<Self>> {
        let probe = || {
            if !host.is_dir(dest)? {
                return Ok(None);
            }
            let Some(info) = svn.knows(dest)? else {
                return Ok(None);
            };
            let mut state = state(&info);
            state.insert(LAST_CHANGED.to_owned(), info.last_changed.to_string());
            if svn.is_modified(dest)? {
                state.insert(MODIFIED.to_owned(), "by hand".to_owned());
            }
            Ok(Some(state))
        };
        let known = host.state(&target(dest), probe)?;
        Ok(known.and_then(|state| Self::of(dest, &state)))
    }

    fn of(dest: &'a Path, state: &State) -> Option<Self> {
        let number = |key: &str| state.get(key)?.parse().ok();
        let revision = number("revision")?;
        Some(Self {
            dest,
            info: Info {
                revision,
                last_changed: number(LAST_CHANGED).unwrap_or(revision),
                url: state.get("url")?.clone(),
            },
            is_modified: state.contains_key(MODIFIED),
        })
    }

    /// Brings it to what is wanted.
    pub(super) fn update(&self, args: &SubversionArgs, svn: &Svn, host: &Host) -> Result<Outcome> {
        if self.is_modified && !args.force && !args.in_place {
            return Err(self.modified());
        }
        let repo = match args.switch {
            true => &args.repo,
            false => &self.info.url,
        };
        let there = svn.info_of(repo, &args.revision)?;
        let mut before = state(&self.info);
        if self.is_modified {
            before.insert(MODIFIED.to_owned(), "by hand".to_owned());
        }
        let mut after = None;
        let mut apply = || {
            if self.is_modified && args.force {
                svn.does(&["revert", "-R"], None, self.dest)?;
            }
            match self.is_at(&there.url) {
                true => svn.does(&["update", "-r", &args.revision], None, self.dest)?,
                false => svn.does(&["switch", "-r", &args.revision], Some(repo), self.dest)?,
            }
            after = Some(svn.info(self.dest)?);
            Ok(())
        };
        let target = target(self.dest);
        if !self.is_modified && self.has_the_files_of(&there) {
            // The number alone is another: no file changes.
            host.refresh(&target, &mut apply)?;
            host.remember(&target, Some(state(&there)))?;
        } else {
            host.ensure(target, Some(before), Some(state(&there)), apply)?;
        }
        Ok(Outcome::new()
            .with("before", self.info.lines())
            .with("after", after.unwrap_or(there).lines()))
    }

    fn modified(&self) -> Failure {
        let dest = self.dest.display();
        Failure::new("ERROR: modified files exist in the repository.").help(format!(
            "`svn status {dest}` shows them; force: true throws them away"
        ))
    }

    fn is_at(&self, url: &str) -> bool {
        self.info.url.trim_end_matches('/') == url.trim_end_matches('/')
    }

    /// Whether nothing changed in the repository between the two.
    fn has_the_files_of(&self, there: &Info) -> bool {
        let last_changed = match there.revision >= self.info.revision {
            true => there.last_changed,
            false => self.info.last_changed,
        };
        self.is_at(&there.url) && last_changed <= there.revision.min(self.info.revision)
    }
}
