//! File systems: where they are mounted, now and at the next start.
//!
//! A line of /etc/fstab is known by its mount point, one of swap space by its source as well. Lines
//! that are not meant stay as they are written.

mod fstab;

use std::path::{Path, PathBuf};

use rplay_api::{
    Args, Choice, Command, Doc, Failure, FileArgs, Host, Module, Outcome, Result, Return, State as Known,
    Target,
};

use crate::mount_table::Mount;
use fstab::{Entry, Fstab};

/// The `mount` module.
pub struct This;

/// Arguments of `mount`.
#[derive(Debug, Args)]
pub struct MountArgs {
    /// The mount point; `none` for swap space.
    #[arg(alias = "name")]
    path: String,
    /// What is mounted: a device, `LABEL=...`, `UUID=...`, a share.
    src: Option<String>,
    /// The type of the file system.
    fstype: Option<String>,
    /// Options, as in fstab. Absent: `defaults`.
    opts: Option<String>,
    /// The fifth word of the line.
    #[arg(default = "0".to_owned())]
    dump: String,
    /// The sixth word of the line.
    #[arg(default = "0".to_owned())]
    passno: String,
    /// What is wanted.
    state: State,
    /// The file, in place of /etc/fstab.
    fstab: Option<PathBuf>,
    /// Whether it is mounted when the host starts; `false` adds `noauto` to the options.
    #[arg(default = true)]
    boot: bool,
    /// Keep a copy of the old file, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// Does nothing: options are not logged.
    #[arg(default = false)]
    #[expect(dead_code, reason = "taken for compatibility")]
    opts_no_log: bool,
}

/// What is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
enum State {
    /// A line in fstab, and mounted; the folder is made.
    Mounted,
    /// A line in fstab.
    Present,
    /// Not mounted; fstab stays as it is.
    Unmounted,
    /// Mounted anew.
    Remounted,
    /// No line in fstab, not mounted, and no folder.
    Absent,
    /// No line in fstab.
    AbsentFromFstab,
    /// Mounted, whatever fstab says.
    Ephemeral,
}

const FSTAB: &str = "/etc/fstab";

impl Module for This {
    type Args = MountArgs;

    const DOC: Doc = Doc {
        name: "mount",
        aliases: &["ansible.posix.mount"],
        summary: "Where file systems are mounted",
        description: "",
        free_form: None,
        examples: r#"
- name: The data disk, now and at every start
  mount:
    path: /srv/data
    src: LABEL=data
    fstype: ext4
    opts: noatime
    state: mounted

- name: Temporary files are in memory after the next start
  mount:
    path: /tmp
    src: tmpfs
    fstype: tmpfs
    opts: size=1g,nosuid,nodev
    state: present
"#,
        returns: &[
            Return { name: "name", doc: "The mount point; `src`, `fstype`, `opts`, ... are the others of its line." },
            Return { name: "backup_file", doc: "The copy of the old file, or empty." },
        ],
    };

    fn run(args: MountArgs, host: &Host) -> Result<Outcome> {
        args.check()?;
        let mut backup = None;
        match args.state {
            State::Present => drop(args.write(host, &mut backup)?),
            State::Mounted => args.mounted(host, &mut backup)?,
            State::AbsentFromFstab => drop(args.unwrite(host, &mut backup)?),
            State::Absent => {
                args.unwrite(host, &mut backup)?;
                args.gone(host)?;
            }
            State::Unmounted => args.unmount(host)?,
            State::Remounted => args.remount(host)?,
            State::Ephemeral => args.ephemeral(host)?,
        }
        let mut outcome = Outcome::new()
            .with("name", args.path.as_str())
            .with("opts", args.options())
            .with("dump", args.dump.as_str())
            .with("passno", args.passno.as_str())
            .with("boot", if args.boot { "yes" } else { "no" })
            .with("fstab", args.fstab().to_string_lossy())
            .with("backup_file", backup.map_or(String::new(), |copy| copy.to_string_lossy().into_owned()));
        for (key, value) in [("src", &args.src), ("fstype", &args.fstype)] {
            if let Some(value) = value {
                outcome = outcome.with(key, value.as_str());
            }
        }
        Ok(outcome)
    }
}

impl MountArgs {
    fn check(&self) -> Result<()> {
        let word = match self.state {
            State::Mounted => "mounted",
            State::Present => "present",
            State::Ephemeral => "ephemeral",
            _ => return Ok(()),
        };
        let needed = [("src", self.src.is_none()), ("fstype", self.fstype.is_none())];
        let missing: Vec<&str> = needed.iter().filter(|(_, missing)| *missing).map(|(name, _)| *name).collect();
        match missing.first() {
            None => Ok(()),
            Some(first) => {
                let words = format!("state is {word} but all of the following are missing: {}", missing.join(", "));
                Err(Failure::new(words).arg(*first))
            }
        }
    }

    fn fstab(&self) -> &Path {
        self.fstab.as_deref().unwrap_or(Path::new(FSTAB))
    }

    fn point(&self) -> PathBuf {
        PathBuf::from(&self.path)
    }

    fn options(&self) -> String {
        let options = self.opts.as_deref().unwrap_or("defaults");
        match self.boot || self.state == State::Ephemeral || options.split(',').any(|o| o == "noauto") {
            true => options.to_owned(),
            false => format!("{options},noauto"),
        }
    }

    fn entry(&self) -> Entry {
        Entry {
            device: self.src.clone().unwrap_or_default(),
            point: self.path.clone(),
            kind: self.fstype.clone().unwrap_or_default(),
            options: self.options(),
            dump: self.dump.clone(),
            pass: self.passno.clone(),
        }
    }

    fn read(&self, host: &Host) -> Result<Fstab> {
        let file = self.fstab();
        let text = if host.exists(file)? { host.read_text(file)? } else { String::new() };
        Ok(Fstab::read(&text))
    }

    /// Puts the line in; whether that changed anything.
    fn write(&self, host: &Host, backup: &mut Option<PathBuf>) -> Result<bool> {
        let mut fstab = self.read(host)?;
        let changes = fstab.put(&self.entry());
        if changes {
            self.replace(host, &fstab, backup)?;
        }
        Ok(changes)
    }

    /// Takes the line out.
    fn unwrite(&self, host: &Host, backup: &mut Option<PathBuf>) -> Result<()> {
        let mut fstab = self.read(host)?;
        match fstab.take(&self.path, self.src.as_deref()) {
            true => self.replace(host, &fstab, backup),
            false => Ok(()),
        }
    }

    fn replace(&self, host: &Host, fstab: &Fstab, backup: &mut Option<PathBuf>) -> Result<()> {
        let file = self.fstab();
        if self.backup && host.exists(file)? {
            *backup = Some(host.backup(file)?);
        }
        host.ensure_content(file, fstab.text().as_bytes(), &FileArgs::default())
    }

    /// What is mounted there.
    fn there(&self, host: &Host) -> Result<Option<Known>> {
        host.state(&self.target(), || Ok(mounted(host, &self.path)?.map(|source| known(&source))))
    }

    fn target(&self) -> Target {
        Target::Mount(self.path.clone())
    }

    fn mounted(&self, host: &Host, backup: &mut Option<PathBuf>) -> Result<()> {
        let point = self.point();
        let is_new = !host.exists(&point)?;
        if is_new {
            host.make_dirs(&point, &FileArgs::default())?;
        }
        let file = self.fstab();
        let old = if host.exists(file)? { Some(host.read(file)?) } else { None };
        let changed = self.write(host, backup)?;
        let before = self.there(host)?;
        if before.is_some() {
            return match changed {
                true => self.refresh(host),
                false => Ok(()),
            };
        }
        let mut words = vec!["mount".to_owned()];
        if self.fstab.is_some() {
            words.extend(["-T".to_owned(), file.to_string_lossy().into_owned()]);
        }
        words.push(self.path.clone());
        let after = Some(known(self.src.as_deref().unwrap_or_default()));
        let done = host.ensure(self.target(), before, after, || run(host, words.clone(), "mounting", &self.path));
        let Err(failure) = done else { return Ok(()) };
        // What could not be mounted is not left for the next start to fail of.
        match old {
            Some(old) => host.ensure_content(file, &old, &FileArgs::default())?,
            None => host.remove(file)?,
        }
        if is_new && host.read_dir(&point)?.is_empty() {
            host.remove(&point)?;
        }
        Err(failure)
    }

    fn unmount(&self, host: &Host) -> Result<()> {
        let before = self.there(host)?;
        host.ensure(self.target(), before, None, || {
            run(host, ["umount".to_owned(), self.path.clone()], "unmounting", &self.path)
        })
    }

    fn gone(&self, host: &Host) -> Result<()> {
        self.unmount(host)?;
        let point = self.point();
        if !point.is_absolute() || !host.is_dir(&point)? {
            return Ok(());
        }
        // What is below a file system that is still there cannot be seen.
        let is_hidden = mounted(host, &self.path)?.is_some();
        if !is_hidden && !host.read_dir(&point)?.is_empty() {
            let words = format!("Error rmdir {}: Directory not empty", self.path);
            return Err(Failure::new(words).arg("path").help("its content has to be moved away first"));
        }
        host.remove(&point)
    }

    fn remount(&self, host: &Host) -> Result<()> {
        let there = self.there(host)?.ok_or_else(|| {
            let words = format!("Error remounting {}: nothing is mounted there", self.path);
            host.missing(Failure::new(words).arg("path").absent())
        })?;
        host.act(self.target(), there, "remounted", || self.again(host))
    }

    /// Has the options of the line come to be.
    fn refresh(&self, host: &Host) -> Result<()> {
        host.refresh(&self.target(), || self.again(host))
    }

    fn again(&self, host: &Host) -> Result<()> {
        let mut words = vec!["mount".to_owned()];
        if self.fstab.is_some() {
            words.extend(["-T".to_owned(), self.fstab().to_string_lossy().into_owned()]);
        }
        let options = match self.opts.is_some() || !self.boot {
            true => format!("remount,{}", self.options()),
            false => "remount".to_owned(),
        };
        words.extend(["-o".to_owned(), options, self.path.clone()]);
        let tried = run(host, words, "remounting", &self.path);
        if tried.is_ok() {
            return tried;
        }
        // Not every file system takes new options where it is.
        run(host, ["umount".to_owned(), self.path.clone()], "remounting", &self.path)?;
        run(host, ["mount".to_owned(), self.path.clone()], "remounting", &self.path)
    }

    fn ephemeral(&self, host: &Host) -> Result<()> {
        let source = self.src.as_deref().unwrap_or_default();
        if let Some(there) = self.there(host)? {
            if there.get("source").is_some_and(|there| there != source) {
                let words = format!("Ephemeral mount point is already mounted with a different source: {}", self.path);
                return Err(Failure::new(words).arg("src"));
            }
            return host.act(self.target(), there, "remounted", || self.again(host));
        }
        if !host.exists(&self.point())? {
            host.make_dirs(&self.point(), &FileArgs::default())?;
        }
        host.ensure(self.target(), None, Some(known(source)), || {
            let kind = self.fstype.clone().unwrap_or_default();
            let words = ["mount", "-t", &kind, "-o", &self.options(), source, &self.path].map(str::to_owned);
            run(host, words, "mounting", &self.path)
        })
    }
}

fn known(source: &str) -> Known {
    Known::from([("source".to_owned(), source.to_owned())])
}

/// What the kernel has mounted there, last of all.
fn mounted(host: &Host, point: &str) -> Result<Option<String>> {
    let text = String::from_utf8_lossy(&host.read(Path::new("/proc/self/mounts"))?).into_owned();
    let point = if point.len() > 1 { point.trim_end_matches('/') } else { point };
    let mounts = text.lines().filter_map(Mount::parse);
    let mut last_first = mounts.rev();
    Ok(last_first.find(|mount| mount.point == point).map(|mount| mount.device))
}

/// In Ansible's words, which playbooks look for.
fn run(host: &Host, words: impl IntoIterator<Item = String>, act: &str, path: &str) -> Result<()> {
    let output = host.run(&Command::changes(words))?;
    if output.rc == 0 {
        return Ok(());
    }
    let words = output.stdout() + &output.stderr();
    Err(Failure::new(format!("Error {act} {path}: {}", words.trim())).with("rc", output.rc))
}

#[cfg(test)]
mod tests;
