//! What is done to a path, and what is said where it fails.
//!
//! Owns the words, so that a dry run fails exactly as the real run would. Knows nothing of how
//! either does it.

use std::io;
use std::path::Path;

use rustix::io::Errno;

use crate::Failure;

/// One act of [`crate::System`] on a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Look,
    Read,
    List,
    ReadLink,
    Write,
    MakeDir,
    Symlink,
    HardLink,
    Rename,
    Remove,
    SetAttrs,
}

impl Act {
    fn words(self) -> &'static str {
        match self {
            Self::Look => "look at",
            Self::Read => "read",
            Self::List => "list",
            Self::ReadLink => "read the link",
            Self::Write => "write",
            Self::MakeDir => "make the folder",
            Self::Symlink => "make the link",
            Self::HardLink => "make the hard link",
            Self::Rename => "move",
            Self::Remove => "remove",
            Self::SetAttrs => "set the owner, mode, times or attributes of",
        }
    }

    /// Whether something new may come to be at the path.
    fn makes(self) -> bool {
        matches!(
            self,
            Self::Write | Self::MakeDir | Self::Symlink | Self::HardLink
        )
    }

    /// The failure of this act on `path`, with what to do about it where that is certain.
    pub(crate) fn failed(self, path: &Path, error: &io::Error) -> Failure {
        let failure = Failure::io(self.words(), path, error);
        match Errno::from_io_error(error).and_then(|errno| self.help(path, errno)) {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    /// As [`Act::failed`], of an error number.
    pub(crate) fn errno(self, path: &Path, errno: Errno) -> Failure {
        self.failed(path, &errno.into())
    }

    fn help(self, path: &Path, errno: Errno) -> Option<String> {
        let parent = path.parent().unwrap_or(path).display();
        Some(match errno {
            Errno::NOENT if self.makes() => {
                format!(
                    "make the folder `{parent}` first, with the `file` module and state: directory"
                )
            }
            Errno::ROFS => "its file system is mounted read-only".to_owned(),
            Errno::NOSPC => format!("free some space on the file system of `{parent}`"),
            Errno::DQUOT => "the disk quota is used up".to_owned(),
            Errno::LOOP => "its symbolic links lead in a circle".to_owned(),
            Errno::ACCESS | Errno::PERM if !rustix::process::geteuid().is_root() => {
                "run the task with become: true, as a user who may".to_owned()
            }
            Errno::NOTEMPTY => "there is a folder with content in its place".to_owned(),
            _ => return None,
        })
    }
}
