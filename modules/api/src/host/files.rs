//! Files: what a module reads, and what it changes with a record of it.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use jiff::{Timestamp, tz::TimeZone};
use sha2::{Digest, Sha256};

use super::Host;
use crate::system::{Attrs, Meta};
use crate::{Failure, FileArgs, Result};

/// As many links as Linux follows before it says that there are too many.
const MAX_LINKS: usize = 40;

impl Host<'_> {
    /// What is at `path`, links not followed; `None` where nothing is.
    ///
    /// # Errors
    /// I/O errors other than absence.
    pub fn lstat(&self, path: &Path) -> Result<Option<Meta>> {
        self.system.lstat(path)
    }

    /// What is at `path`, links followed; `None` where nothing is or a link dangles.
    ///
    /// # Errors
    /// I/O errors other than absence.
    pub fn stat(&self, path: &Path) -> Result<Option<Meta>> {
        let mut path = path.to_owned();
        for _ in 0..MAX_LINKS {
            let Some(meta) = self.system.lstat(&path)? else {
                return Ok(None);
            };
            if !meta.is_link() {
                return Ok(Some(meta));
            }
            let to = self.system.read_link(&path)?;
            path = path.parent().unwrap_or(Path::new("/")).join(to);
        }
        Err(Failure::new(format!(
            "too many links at `{}`",
            path.display()
        )))
    }

    /// Whether anything is at `path` (a dangling link counts as nothing).
    ///
    /// # Errors
    /// I/O errors other than absence.
    pub fn exists(&self, path: &Path) -> Result<bool> {
        Ok(self.stat(path)?.is_some())
    }

    /// Whether a folder is at `path`, links followed.
    ///
    /// # Errors
    /// I/O errors other than absence.
    pub fn is_dir(&self, path: &Path) -> Result<bool> {
        Ok(self.stat(path)?.is_some_and(|m| m.is_dir()))
    }

    /// A file's content as a stream.
    ///
    /// # Errors
    /// I/O errors, absence among them.
    pub fn open(&self, path: &Path) -> Result<Box<dyn Read + Send>> {
        self.system.read(path)
    }

    /// A file's whole content.
    ///
    /// # Errors
    /// I/O errors, absence among them.
    pub fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.open(path)?
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::io("read", path, &e))?;
        Ok(bytes)
    }

    /// A file's whole content as UTF-8.
    ///
    /// # Errors
    /// I/O errors, absence among them; bytes that are not UTF-8.
    pub fn read_text(&self, path: &Path) -> Result<String> {
        String::from_utf8(self.read(path)?)
            .map_err(|_| Failure::new(format!("`{}` is not text in UTF-8", path.display())))
    }

    /// SHA-256 of a file, in hex.
    ///
    /// # Errors
    /// I/O errors, absence among them.
    pub fn sha256(&self, path: &Path) -> Result<String> {
        let mut reader = self.open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 64 << 10];
        loop {
            match reader
                .read(&mut buffer)
                .map_err(|e| Failure::io("read", path, &e))?
            {
                0 => return Ok(crate::hex(&hash.finalize())),
                n => hash.update(&buffer[..n]),
            }
        }
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// I/O errors.
    pub fn read_dir(&self, path: &Path) -> Result<Vec<OsString>> {
        self.system.read_dir(path)
    }

    /// Where a link points.
    ///
    /// # Errors
    /// I/O errors.
    pub fn read_link(&self, path: &Path) -> Result<PathBuf> {
        self.system.read_link(path)
    }

    /// Makes or replaces a file, atomically. What `attrs` leaves open an existing file keeps.
    ///
    /// # Errors
    /// I/O errors, and those of `source`; the old file is then still there.
    pub fn write(&self, path: &Path, source: &mut dyn Read, attrs: &Attrs) -> Result<()> {
        self.touch(path, attrs.mtime.is_some());
        self.system.write(path, source, attrs)
    }

    /// Makes a file's content and attributes what they should be; nothing is written where they
    /// are so already.
    ///
    /// # Errors
    /// I/O errors, an unknown user or group.
    pub fn ensure_content(&self, path: &Path, content: &[u8], args: &FileArgs) -> Result<()> {
        let current = self.stat(path)?;
        let same = match &current {
            Some(meta) if meta.is_file() && meta.size == content.len() as u64 => {
                self.read(path)? == content
            }
            _ => false,
        };
        if same {
            return self.ensure_attrs(path, args);
        }
        let attrs = self.attrs(args, current.as_ref(), false)?;
        self.write(path, &mut &content[..], &attrs)
    }

    /// Makes a folder; its parent must be there.
    ///
    /// # Errors
    /// I/O errors.
    pub fn make_dir(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        self.touch(path, false);
        self.system.make_dir(path, attrs)
    }

    /// Makes a folder and those above it that are missing, each with the task's attributes.
    ///
    /// # Errors
    /// I/O errors, something in the way that is no folder, an unknown user or group.
    pub fn make_dirs(&self, path: &Path, args: &FileArgs) -> Result<()> {
        let mut at = PathBuf::new();
        for part in path.components() {
            at.push(part);
            if !matches!(part, Component::Normal(_)) {
                continue;
            }
            match self.stat(&at)? {
                Some(meta) if meta.is_dir() => {}
                Some(_) => {
                    return Err(Failure::new(format!("`{}` is no folder", at.display())));
                }
                None => self.make_dir(&at, &self.attrs(args, None, true)?)?,
            }
        }
        Ok(())
    }

    /// Makes a symbolic link at `path`, replacing a link or file.
    ///
    /// # Errors
    /// I/O errors.
    pub fn symlink(&self, to: &Path, path: &Path) -> Result<()> {
        self.touch(path, false);
        self.system.symlink(to, path)
    }

    /// Makes a hard link at `path`, replacing a link or file.
    ///
    /// # Errors
    /// I/O errors.
    pub fn hard_link(&self, to: &Path, path: &Path) -> Result<()> {
        self.touch(path, false);
        self.system.hard_link(to, path)
    }

    /// Moves a file or folder.
    ///
    /// # Errors
    /// I/O errors.
    pub fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.touch(from, false);
        self.touch(to, false);
        self.system.rename(from, to)
    }

    /// Removes a file, link, or folder with all that is in it; absence is no error.
    ///
    /// # Errors
    /// I/O errors.
    pub fn remove(&self, path: &Path) -> Result<()> {
        let telling = self.telling();
        let mut record = self.record.borrow_mut();
        record.touch_all(self.system, path, telling);
        self.system.remove(path)
    }

    /// Sets owner, mode, times and attributes; links are not followed.
    ///
    /// # Errors
    /// I/O errors.
    pub fn set_attrs(&self, path: &Path, attrs: &Attrs) -> Result<()> {
        self.touch(path, attrs.mtime.is_some() || attrs.atime.is_some());
        if attrs.attributes.is_some() {
            let mut record = self.record.borrow_mut();
            record.watch_attributes(self.system, path);
        }
        self.system.set_attrs(path, attrs)
    }

    /// Copies a file to `PATH.PID.DATE@TIME~` beside it, and gives that path. No copy takes the place
    /// of another one.
    ///
    /// # Errors
    /// I/O errors.
    pub fn backup(&self, path: &Path) -> Result<PathBuf> {
        let time = Timestamp::try_from(self.now()).unwrap_or_default();
        let time = time.to_zoned_datetime(TimeZone::system());
        let time = time.strftime("%Y-%m-%d@%H:%M:%S").to_string();
        let named = |more: &str| {
            let mut name = path.as_os_str().to_owned();
            name.push(format!(".{}.{time}{more}~", std::process::id()));
            PathBuf::from(name)
        };
        let mut copy = named("");
        let mut more = 0;
        while self.lstat(&copy)?.is_some() {
            more += 1;
            copy = named(&format!(".{more}"));
        }
        let meta = self.stat(path)?;
        let attrs = meta.map_or_else(Attrs::default, |m| Attrs {
            mode: Some(m.mode),
            uid: Some(m.uid),
            gid: Some(m.gid),
            mtime: Some(m.mtime),
            ..Attrs::default()
        });
        self.write(&copy, &mut *self.open(path)?, &attrs)?;
        Ok(copy)
    }

    fn touch(&self, path: &Path, times: bool) {
        self.record.borrow_mut().touch(self.system, path, times);
    }
}
