//! Members put below the destination, and never beside it.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rplay_api::{Attrs, Failure, FileArgs, Host, Meta, Result};

use super::choice::Choice;
use super::format::{Kind, Member, Owner};
use crate::content::write_differing;
use crate::path_info;
use crate::placement::stage_beside;

/// One archive on its way to its destination.
pub(super) struct Unpack<'a> {
    host: &'a Host<'a>,
    dest: &'a Path,
    /// The destination with its links resolved: what no member may leave.
    real_dest: PathBuf,
    args: &'a FileArgs,
    choice: &'a Choice,
    keep_newer: bool,
    same_owner: bool,
    /// Bits that a member's mode loses.
    umask: u32,
    /// Folders that were seen to be within the destination.
    safe: HashSet<PathBuf>,
    ids: HashMap<(bool, String), Option<u32>>,
    /// Folders get their properties last: one that is read-only could not be filled.
    folders: Vec<(PathBuf, Attrs)>,
    /// The members' names, as the archive has them.
    pub names: Vec<String>,
}

impl<'a> Unpack<'a> {
    pub(super) fn new(
        host: &'a Host<'a>,
        dest: &'a Path,
        args: &'a FileArgs,
        choice: &'a Choice,
        keep_newer: bool,
    ) -> Result<Self> {
        let root = rustix::process::geteuid().is_root();
        let same_mode = choice.same_mode.unwrap_or(root);
        Ok(Self {
            host,
            dest,
            real_dest: path_info::real_path(host, dest)?,
            args,
            choice,
            keep_newer: keep_newer || choice.keep_newer,
            same_owner: choice.same_owner.unwrap_or(root),
            umask: if same_mode { 0 } else { 0o7000 | umask() },
            safe: HashSet::new(),
            ids: HashMap::new(),
            folders: vec![],
            names: vec![],
        })
    }

    /// Puts a member in its place, where it differs from what is there.
    pub(super) fn member(&mut self, member: Member, content: &mut dyn Read) -> Result<()> {
        if self.host.is_cancelled() {
            return Err(Failure::new("the task was cancelled"));
        }
        if !self.choice.takes(&member.path) {
            return Ok(());
        }
        let Some(name) = self.choice.rename(&member.path)? else {
            return Ok(());
        };
        let path = self.inside(&member.path, &name)?;
        self.names.push(member.path.clone());
        if path == self.dest {
            // The destination's own owner and mode are not the archive's to say.
            return Ok(());
        }
        self.parent(&member.path, &path)?;
        match &member.kind {
            Kind::Directory => self.folder(&path, &member),
            Kind::File => self.file(&path, &member, content),
            Kind::Symlink(to) => self.symlink(&path, to, &member),
            Kind::HardLink(to) => self.hard_link(&path, to, &member),
            Kind::Special => {
                let shown = &member.path;
                self.host.warn(format!(
                    "`{shown}` is a device or pipe: it was not unpacked"
                ));
                Ok(())
            }
        }
    }

    /// Where a member goes: below the destination, or it is refused.
    fn inside(&self, member: &str, name: &str) -> Result<PathBuf> {
        if name.starts_with('/') {
            return Err(outside(member, "has an absolute path"));
        }
        let mut path = self.dest.to_owned();
        for part in name.split('/').filter(|p| !matches!(*p, "" | ".")) {
            if part == ".." {
                return Err(outside(member, "leaves the destination with `..`"));
            }
            path.push(part);
        }
        Ok(path)
    }

    /// The folder of a member: there, and really below the destination.
    fn parent(&mut self, member: &str, path: &Path) -> Result<()> {
        let parent = path.parent().unwrap_or(self.dest);
        if self.safe.contains(parent) {
            return Ok(());
        }
        if !self.is_inside(parent)? {
            return Err(outside(
                member,
                "would go through a link out of the destination",
            ));
        }
        let args = FileArgs {
            owner: self.args.owner.clone(),
            group: self.args.group.clone(),
            ..FileArgs::default()
        };
        self.host.make_dirs(parent, &args)?;
        self.safe.insert(parent.to_owned());
        Ok(())
    }

    fn is_inside(&self, path: &Path) -> Result<bool> {
        Ok(path_info::real_path(self.host, path)?.starts_with(&self.real_dest))
    }

    fn folder(&mut self, path: &Path, member: &Member) -> Result<()> {
        let there = self.host.lstat(path)?;
        if there.as_ref().is_some_and(Meta::is_link) && self.host.is_dir(path)? {
            // A link to a folder stands for it, where it stays below the destination.
            return self.parent(&member.path, &path.join("x"));
        }
        let mut attrs = self.attrs(member, there.as_ref(), true)?;
        match &there {
            None => {
                let first = Attrs {
                    mode: attrs.mode.map(|m| m | 0o700),
                    uid: attrs.uid,
                    gid: attrs.gid,
                    ..Attrs::default()
                };
                self.host.make_dir(path, &first)?;
            }
            // Its time changes with what is put into it.
            Some(meta) if meta.is_dir() => attrs.mtime = None,
            Some(_) => return Err(in_the_way(path, "the archive has a folder there")),
        }
        self.folders.push((path.to_owned(), attrs));
        Ok(())
    }

    fn file(&mut self, path: &Path, member: &Member, content: &mut dyn Read) -> Result<()> {
        let there = self.host.lstat(path)?;
        if let Some(meta) = &there
            && self.stays(meta, member)
        {
            return Ok(());
        }
        let attrs = self.attrs(member, there.as_ref().filter(|m| m.is_file()), false)?;
        match &there {
            Some(meta) if meta.is_dir() => Err(in_the_way(path, "the archive has a file there")),
            Some(meta) if !meta.is_file() => {
                let stage = stage_beside(self.host, path);
                self.host.write(&stage, content, &attrs)?;
                self.host.rename(&stage, path)
            }
            _ => {
                let written = write_differing(self.host, path, content, &attrs, &mut || Ok(()))?;
                match &there {
                    Some(meta) if !written => self.adjust(path, meta, attrs),
                    _ => Ok(()),
                }
            }
        }
    }

    fn stays(&self, there: &Meta, member: &Member) -> bool {
        let newer = member.mtime.is_some_and(|time| there.mtime > time);
        self.choice.keep_old || (self.keep_newer && newer)
    }

    fn symlink(&mut self, path: &Path, to: &str, member: &Member) -> Result<()> {
        let target = path.parent().unwrap_or(self.dest).join(to);
        if !self.is_inside(&target)? {
            let why = format!("is a link to `{to}`, out of the destination");
            return Err(outside(&member.path, &why));
        }
        let there = self.host.lstat(path)?;
        match &there {
            Some(meta) if meta.is_link() && self.host.read_link(path)? == Path::new(to) => {}
            Some(meta) if meta.is_dir() => {
                return Err(in_the_way(path, "the archive has a link there"));
            }
            Some(meta) if self.stays(meta, member) => return Ok(()),
            _ => {
                self.host.symlink(Path::new(to), path)?;
                self.safe.clear();
            }
        }
        let mut attrs = self.attrs(member, None, false)?;
        (attrs.mode, attrs.mtime) = (None, None);
        match self.host.lstat(path)? {
            Some(meta) => self.adjust(path, &meta, attrs),
            None => Ok(()),
        }
    }

    fn hard_link(&mut self, path: &Path, to: &str, member: &Member) -> Result<()> {
        let Some(name) = self.choice.rename(to)? else {
            return Err(outside(
                &member.path,
                "is another name of a file that is left out",
            ));
        };
        let target = self.inside(&member.path, &name)?;
        if !self.is_inside(&target)? {
            return Err(outside(
                &member.path,
                "is another name of a file out of the destination",
            ));
        }
        let source = self.host.lstat(&target)?.ok_or_else(|| {
            Failure::new(format!(
                "`{}` in the archive is another name of `{to}`, which is not there",
                member.path
            ))
            .arg("src")
        })?;
        match self.host.lstat(path)? {
            Some(meta) if meta.inode == source.inode && meta.device == source.device => Ok(()),
            Some(meta) if meta.is_dir() => Err(in_the_way(path, "the archive has a file there")),
            _ => self.host.hard_link(&target, path),
        }
    }

    /// The properties of a member: those of the task before those of the archive.
    fn attrs(&mut self, member: &Member, there: Option<&Meta>, is_dir: bool) -> Result<Attrs> {
        let mut attrs = self.host.attrs(self.args, there, is_dir)?;
        if self.args.mode.is_none() {
            attrs.mode = member.mode.map(|mode| mode & !self.umask);
        } else if let (Some(wanted), Some(mode)) = (&self.args.mode, member.mode) {
            attrs.mode = Some(wanted.resolve(mode, is_dir));
        }
        attrs.mtime = member.mtime;
        attrs.attributes = None;
        if let Some(owner) = member.owner.as_ref().filter(|_| self.same_owner) {
            attrs.uid = attrs.uid.or(self.id(true, &owner.user, owner)?);
            attrs.gid = attrs.gid.or(self.id(false, &owner.group, owner)?);
        }
        Ok(attrs)
    }

    /// A user or group by name, or else by the number in the archive.
    fn id(&mut self, user: bool, name: &str, owner: &Owner) -> Result<Option<u32>> {
        let key = (user, name.to_owned());
        if !self.ids.contains_key(&key) {
            let (state, id) = match (name, user) {
                ("", _) => (None, "uid"),
                (name, true) => (self.host.user(name)?, "uid"),
                (name, false) => (self.host.group(name)?, "gid"),
            };
            let known = state.and_then(|s| s.get(id)?.parse().ok());
            self.ids.insert(key.clone(), known);
        }
        let number = if user { owner.uid } else { owner.gid };
        Ok(self.ids[&key].or_else(|| u32::try_from(number).ok()))
    }

    /// Sets what differs.
    fn adjust(&self, path: &Path, meta: &Meta, mut attrs: Attrs) -> Result<()> {
        attrs.mode = attrs.mode.filter(|m| *m != meta.mode);
        attrs.uid = attrs.uid.filter(|u| *u != meta.uid);
        attrs.gid = attrs.gid.filter(|g| *g != meta.gid);
        attrs.mtime = attrs.mtime.filter(|t| seconds(*t) != seconds(meta.mtime));
        if attrs == Attrs::default() {
            return Ok(());
        }
        self.host.set_attrs(path, &attrs)
    }

    /// Gives the folders their properties, the deepest first.
    pub(super) fn finish(&mut self) -> Result<()> {
        for (path, attrs) in std::mem::take(&mut self.folders).into_iter().rev() {
            if let Some(meta) = self.host.lstat(&path)? {
                self.adjust(&path, &meta, attrs)?;
            }
        }
        Ok(())
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

fn outside(member: &str, why: &str) -> Failure {
    Failure::new(format!("refusing to unpack `{member}`: it {why}"))
        .arg("src")
        .help("an archive from a trusted place has no such member; `exclude` leaves one out")
}

fn in_the_way(path: &Path, why: &str) -> Failure {
    Failure::new(format!("`{}` is in the way: {why}", path.display()))
        .arg("dest")
        .help("remove it first with the `file` module and state: absent")
}

/// The umask of this process, which can only be read here without changing it.
fn umask() -> u32 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("Umask:"));
    line.and_then(|text| u32::from_str_radix(text.trim(), 8).ok())
        .unwrap_or(0o022)
}
