//! The host as modules may touch it: files, processes and named things.
//!
//! [`crate::RealSystem`] changes it, [`crate::Overlay`] only remembers what would be. Paths are
//! absolute.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use rplay_wire::{State, Target};
use rustix::fs::Access;

use crate::{Control, Failure, Result};

/// One host, real or as a dry run sees it.
pub trait System: Send + Sync {
    /// What is at `path`, links not followed; `None` where nothing is.
    ///
    /// # Errors
    /// I/O errors other than absence.
    fn lstat(&self, path: &Path) -> Result<Option<Meta>>;

    /// A file's content; links are followed.
    ///
    /// # Errors
    /// I/O errors, absence among them. [`Failure::unknown`] for a content that a dry run cannot
    /// know.
    fn read(&self, path: &Path) -> Result<Box<dyn Read + Send>>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// I/O errors.
    fn read_dir(&self, path: &Path) -> Result<Vec<OsString>>;

    /// Where a link points.
    ///
    /// # Errors
    /// I/O errors.
    fn read_link(&self, path: &Path) -> Result<PathBuf>;

    /// Makes or replaces a file, atomically: a temporary file beside it, fsync, owner and mode,
    /// rename. What `attrs` leaves open an existing file keeps, and a new one takes from the umask.
    /// A link is followed to the file it names.
    ///
    /// # Errors
    /// I/O errors, and those of `source`; the old file is then still there.
    fn write(&self, path: &Path, source: &mut dyn Read, attrs: &Attrs) -> Result<()>;

    /// Makes a folder (its parent must be there).
    ///
    /// # Errors
    /// I/O errors.
    fn make_dir(&self, path: &Path, attrs: &Attrs) -> Result<()>;

    /// Makes a symbolic link at `path`, replacing a link or file atomically.
    ///
    /// # Errors
    /// I/O errors.
    fn symlink(&self, to: &Path, path: &Path) -> Result<()>;

    /// Makes a hard link at `path`, replacing a link or file atomically.
    ///
    /// # Errors
    /// I/O errors.
    fn hard_link(&self, to: &Path, path: &Path) -> Result<()>;

    /// Moves a file or folder, across file systems too.
    ///
    /// # Errors
    /// I/O errors.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Removes a file, link, or folder with all that is in it.
    ///
    /// # Errors
    /// I/O errors; absence is none.
    fn remove(&self, path: &Path) -> Result<()>;

    /// A file's attributes as the kernel keeps them; none where its file system has no such, or it
    /// cannot be opened.
    fn attributes(&self, _path: &Path) -> Option<u32> {
        None
    }

    /// Sets owner, mode, times and attributes; links are not followed.
    ///
    /// # Errors
    /// I/O errors.
    fn set_attrs(&self, path: &Path, attrs: &Attrs) -> Result<()>;

    /// Runs a process to its end. In a dry run one that [`Effect::Changes`] anything is not run and
    /// is unknown, as is one whose program or files are only in the overlay.
    ///
    /// # Errors
    /// Where it could not be started, was cancelled, timed out, or is unknown. An exit code other
    /// than zero is no error here.
    fn run(&self, command: &Command, control: &Control) -> Result<Output>;

    /// Runs a process at a terminal of its own to its end, and answers what it asks. A dry run does
    /// not know what it would do.
    ///
    /// # Errors
    /// As [`System::run`], those of the answers, and where it asks nothing that has one for too
    /// long.
    fn converse(
        &self,
        command: &Command,
        _dialogue: &mut Dialogue<'_>,
        _control: &Control,
    ) -> Result<Output> {
        Err(Failure::unknown(format!(
            "`{}` was not run",
            command.display()
        )))
    }

    /// What a dry run has decided of a thing: `None` means that the host itself is to be asked,
    /// `Some(None)` that the thing would be gone.
    fn planned(&self, target: &Target) -> Option<Option<State>>;

    /// Brings a thing to a state: really, by calling `apply`; in a dry run by remembering `after`.
    ///
    /// # Errors
    /// Those of `apply`.
    fn transition(
        &self,
        target: &Target,
        after: Option<State>,
        apply: &mut dyn FnMut() -> Result<()>,
    ) -> Result<()>;

    /// The name of a planned user (or else group) with that number.
    fn planned_name(&self, _user: bool, _id: &str) -> Option<String> {
        None
    }

    /// Whether this process may read, write or search what is at `path` (links followed); a file
    /// system that is read-only counts.
    ///
    /// # Errors
    /// Where it may not, as the kernel says it.
    fn access(&self, _path: &Path, _access: Access) -> io::Result<()> {
        Ok(())
    }

    /// Whether a dry run has planned anything.
    fn has_plans(&self) -> bool {
        false
    }

    /// Whether it only plans what is done to it: a dry run.
    fn is_planning(&self) -> bool {
        false
    }

    /// Why what is not there may yet come to be, unseen by a dry run: a package that is only
    /// planned brings users, programs and units.
    fn blind_spot(&self) -> Option<String> {
        None
    }

    /// The packages that a dry run has planned: their state, or `None` where they would be gone.
    fn planned_packages(&self) -> Vec<(String, Option<State>)> {
        vec![]
    }

    /// Lets a dry run know what goes with a thing that it takes away, such as a package's files; it
    /// alone asks which paths those are.
    fn foresee_gone(&self, _paths: &mut dyn FnMut() -> Vec<PathBuf>) {}

    /// The time of day.
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Lets time pass, so that something may happen on the host. In a dry run nothing would: it is
    /// unknown then what one waits for.
    ///
    /// # Errors
    /// Where the request is cancelled, or the wait is unknown.
    fn wait(&self, time: Duration, control: &Control) -> Result<()> {
        let end = Instant::now() + time;
        while !control.is_cancelled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        Err(Failure::new("the wait was cancelled"))
    }
}

/// What an inode is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
    Link,
    /// A named pipe.
    Fifo,
    /// A socket.
    Socket,
    /// A block device.
    BlockDevice,
    /// A character device.
    CharDevice,
}

/// What `lstat` says.
#[derive(Debug, Clone, PartialEq)]
pub struct Meta {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, 0 to 0o7777.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Last change of the content.
    pub mtime: SystemTime,
    /// Last access.
    pub atime: SystemTime,
    /// Last change of the inode.
    pub ctime: SystemTime,
    /// Inode number; one of the overlay's own where it is only planned.
    pub inode: u64,
    /// Device number; 0 where it is only planned.
    pub device: u64,
    /// Hard links.
    pub nlink: u64,
    /// Size on disk in 512-byte blocks.
    pub blocks: u64,
    /// Device type of a device.
    pub rdev: u64,
}

impl Meta {
    /// A regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// A folder.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// A symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == FileKind::Link
    }

    /// Whether both are one inode, under whatever names.
    pub fn is_same(&self, other: &Self) -> bool {
        (self.inode, self.device) == (other.inode, other.device)
    }
}

/// Properties to set; `None` leaves one as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attrs {
    /// Permission bits, 0 to 0o7777.
    pub mode: Option<u32>,
    /// Owner.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// Last change of the content.
    pub mtime: Option<SystemTime>,
    /// Last access.
    pub atime: Option<SystemTime>,
    /// As chattr takes them, such as `+i`.
    pub attributes: Option<String>,
    /// Write the file where it is, if it cannot be replaced: no longer atomic.
    pub unsafe_writes: bool,
}

/// What a process does to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: a query, which a dry run runs too.
    Reads,
    /// It may change anything.
    Changes,
}

/// A process to run.
#[derive(Debug, Clone, PartialEq)]
pub struct Command {
    /// Program and arguments; a program without `/` is looked up in PATH.
    pub argv: Vec<OsString>,
    /// What it does.
    pub effect: Effect,
    /// Working folder.
    pub cwd: Option<PathBuf>,
    /// Variables added to the task's environment.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub stdin: Stdin,
    /// Killed after that.
    pub timeout: Option<Duration>,
    /// Umask of the process.
    pub umask: Option<u32>,
}

/// Is given what was written since the last answer; takes the question out of it and gives what is
/// typed. `None` where nothing in it is a question.
pub type Answer<'a> = dyn FnMut(&mut Vec<u8>) -> Result<Option<Vec<u8>>> + 'a;

/// Whoever answers a process that asks at its terminal.
pub struct Dialogue<'a> {
    /// What it types.
    pub answer: &'a mut Answer<'a>,
    /// The longest wait for a question.
    pub patience: Option<Duration>,
    /// Whether the terminal shows what is typed.
    pub echo: bool,
}

/// A process's standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stdin {
    /// /dev/null.
    Empty,
    /// These bytes.
    Bytes(Vec<u8>),
}

impl Command {
    /// A query.
    pub fn reads<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::new(Effect::Reads, argv)
    }

    /// A process that may change the host.
    pub fn changes<S: Into<OsString>>(argv: impl IntoIterator<Item = S>) -> Self {
        Self::new(Effect::Changes, argv)
    }

    fn new<S: Into<OsString>>(effect: Effect, argv: impl IntoIterator<Item = S>) -> Self {
        Self {
            argv: argv.into_iter().map(Into::into).collect(),
            effect,
            cwd: None,
            env: vec![],
            stdin: Stdin::Empty,
            timeout: None,
            umask: None,
        }
    }

    /// Adds a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The command as a person would type it (quoted where needed).
    pub fn display(&self) -> String {
        let words = self.argv.iter().map(|word| {
            let word = word.to_string_lossy();
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@%+".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                word.into_owned()
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// Exit code; minus the signal's number where one ended it.
    pub rc: i32,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

impl Output {
    /// Standard output as text, invalid bytes replaced.
    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text, invalid bytes replaced.
    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// The failure of a process that was expected to succeed: its last words and its code.
    ///
    /// # Errors
    /// Where the exit code is not zero.
    pub fn success(self, command: &Command) -> Result<Self> {
        if self.rc == 0 {
            return Ok(self);
        }
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let words = if stderr.trim().is_empty() {
            stdout.trim()
        } else {
            stderr.trim()
        };
        let words = words.lines().last().unwrap_or("it said nothing");
        let msg = format!(
            "`{}` failed with exit code {}: {words}",
            command.display(),
            self.rc
        );
        Err(Failure::new(msg)
            .with("rc", self.rc)
            .with("stdout", stdout)
            .with("stderr", stderr))
    }
}
