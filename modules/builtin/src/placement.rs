//! One file put at its destination: what `copy` and `template` and the editors of lines share.
//!
//! Owns the comparison, the backup, the check by `validate` and what becomes of a link at the
//! destination. Knows nothing of where the content comes from.

use std::path::{Path, PathBuf};

use rplay_api::{Attrs, Failure, FileArgs, Host, Meta, Outcome, Result};

use crate::checksum::Digesting;
use crate::content::Content;
use crate::path_info;
use crate::validation::Validation;

/// A file to be.
pub struct Placement<'a> {
    /// Where.
    pub dest: &'a Path,
    /// Owner, group and mode.
    pub args: &'a FileArgs,
    /// Keep a copy of the file that is replaced.
    pub backup: bool,
    /// Write to the file that a link at the destination names, instead of replacing the link.
    pub follow: bool,
    /// A command that says whether the content is good.
    pub validate: Option<&'a Validation>,
}

/// A file put in its place.
pub struct Placed {
    /// Where it is: the destination, or where a link there leads.
    pub path: PathBuf,
    /// The copy of the file that was replaced.
    pub backup: Option<PathBuf>,
    /// SHA-1 and MD5 of what was written, taken while it came.
    digests: Option<[String; 2]>,
}

impl Placement<'_> {
    /// Puts it there; nothing is written where it has that content already.
    pub fn put(&self, host: &Host, content: &Content) -> Result<Placed> {
        self.put_compared(host, content, None)
    }

    /// Whether the file has that content already.
    pub fn is_there(&self, host: &Host, content: &Content) -> Result<bool> {
        let path = self.path(host)?;
        match host.lstat(&path)? {
            Some(meta) => content.is_at(host, &path, &meta),
            None => Ok(false),
        }
    }

    /// The file itself: the destination, or where a link there leads.
    fn path(&self, host: &Host) -> Result<PathBuf> {
        match self.follow {
            true => path_info::follow(host, self.dest),
            false => Ok(self.dest.to_owned()),
        }
    }

    /// As [`Self::put`], where it may be known whether the file has that content already.
    pub fn put_compared(
        &self,
        host: &Host,
        content: &Content,
        is_there: Option<bool>,
    ) -> Result<Placed> {
        let path = self.path(host)?;
        let there = host.lstat(&path)?;
        if let Some(meta) = &there {
            self.refuse_folder(meta)?;
            let is_there = match is_there {
                Some(known) => known,
                None => content.is_at(host, &path, meta)?,
            };
            if is_there {
                host.ensure_attrs(&path, self.args)?;
                return Ok(Placed {
                    path,
                    backup: None,
                    digests: None,
                });
            }
        }
        let (backup, digests) = self.write(host, &path, there.as_ref(), content)?;
        Ok(Placed {
            path,
            backup,
            digests,
        })
    }

    fn refuse_folder(&self, meta: &Meta) -> Result<()> {
        if !meta.is_dir() {
            return Ok(());
        }
        let dest = self.dest.display();
        Err(Failure::new(format!("`{dest}` is a folder")).arg("dest"))
    }

    /// The new content is checked before anything that is there is touched.
    fn write(
        &self,
        host: &Host,
        path: &Path,
        there: Option<&Meta>,
        content: &Content,
    ) -> Result<(Option<PathBuf>, Option<[String; 2]>)> {
        let is_link = there.is_some_and(Meta::is_link);
        let mut attrs = host.attrs(self.args, there.filter(|m| !m.is_link()), false)?;
        if let Content::File(source) = content {
            // A copy of a file of the host's own is as old as that.
            attrs.mtime = host.stat(source)?.map(|meta| meta.mtime);
        }
        if let Some(validate) = self.validate {
            validate.check(host, path, content)?;
        }
        let backup = match host.stat(path)? {
            Some(meta) if self.backup && meta.is_file() => Some(host.backup(path)?),
            _ => None,
        };
        let mut source = content.open(host)?;
        let place = |source: &mut dyn std::io::Read| match is_link {
            true => replace_link(host, path, source, &attrs),
            false => host.write(path, source, &attrs),
        };
        if host.is_brief() {
            place(&mut *source)?;
            return Ok((backup, None));
        }
        let mut source = Digesting::new(source);
        place(&mut source)?;
        Ok((backup, source.finish()))
    }
}

/// A write follows a link; so the file is made beside it and takes its name in one step.
fn replace_link(
    host: &Host,
    path: &Path,
    source: &mut dyn std::io::Read,
    attrs: &Attrs,
) -> Result<()> {
    let stage = stage_beside(host, path);
    host.write(&stage, source, attrs)?;
    host.rename(&stage, path).inspect_err(|_| {
        // The first failure is the one to tell.
        let _ = host.remove(&stage);
    })
}

/// A hidden name beside `path` that nothing has.
pub fn stage_beside(host: &Host, path: &Path) -> PathBuf {
    let nanos = host
        .now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |d| d.as_nanos());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    // A name has at most 255 bytes.
    let name: String = name.chars().take(40).collect();
    path.with_file_name(format!(".{name}.rplay-{}-{nanos}", std::process::id()))
}

impl Placed {
    /// The result's keys of the file: its digests, owner, mode, ...
    pub fn describe(&self, host: &Host, outcome: Outcome) -> Result<Outcome> {
        let mut outcome = outcome.with("dest", self.path.to_string_lossy());
        if !host.is_brief() {
            let [sha1, md5] = match &self.digests {
                Some(known) => known.clone(),
                None => crate::checksum::sha1_and_md5(host, &self.path)?,
            };
            outcome = outcome.with("checksum", sha1).with("md5sum", md5);
        }
        if let Some(backup) = &self.backup {
            outcome = outcome.with("backup_file", backup.to_string_lossy());
        }
        path_info::describe(host, &self.path, outcome)
    }
}
