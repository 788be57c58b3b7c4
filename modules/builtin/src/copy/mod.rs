//! Copies files and folders of the controller, of the target, or a text to the target.
//!
//! A `/` at the end of `src` means the folder's content and not the folder; a `/` at the end of
//! `dest` makes the folder.

mod json;
mod tree;

use std::path::{Path, PathBuf};

use rplay_api::{Args, ControllerFile, Doc, EntryKind, Failure, FileArgs, FileMode, Host, Module, Outcome, Result, Return, target_path};
use serde_json::Value;

use crate::checksum::{self, Algorithm};
use crate::content::Content;
use crate::path_info;
use crate::placement::Placement;
use crate::validation::Validation;

/// The `copy` module.
pub struct This;

/// Arguments of `copy`.
#[derive(Debug, Args)]
pub struct CopyArgs {
    /// A file or folder of the controller, looked for in the `files` folders of the role and the
    /// playbook; of the target with `remote_src`. A folder with a `/` at the end is its content.
    src: Option<ControllerFile>,
    /// The file's content in place of `src`; a mapping or list is written as JSON.
    #[arg(secret)]
    content: Option<Value>,
    /// Where it goes on the target. In a folder, or with a `/` at the end, a file keeps its name.
    dest: PathBuf,
    /// Keep a copy of each file that is replaced, with the time in its name.
    #[arg(default = false)]
    backup: bool,
    /// Replace files that differ; `false` copies only what is not there.
    #[arg(default = true, alias = "thirsty")]
    force: bool,
    /// `src` is on the target. The engine reads it: a path of the target comes here as such.
    #[arg(name = "remote_src", default = false)]
    _remote_src: bool,
    /// Write to the file that a link at `dest` names, instead of replacing the link.
    #[arg(default = false)]
    follow: bool,
    /// Copy what links in the source lead to; `false` copies the links.
    #[arg(default = true)]
    local_follow: bool,
    /// Permissions of folders that are made; folders that are there keep theirs.
    directory_mode: Option<FileMode>,
    /// A command that judges the new content before it takes its place; `%s` is its path.
    validate: Option<String>,
    /// The SHA-1 that the file must have.
    checksum: Option<String>,
    /// Decrypt a source that `ansible-vault` encrypted, on the controller.
    #[arg(name = "decrypt", default = true)]
    _decrypt: bool,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

/// The result's keys.
pub const RETURNS: &[Return] = &[
    Return {
        name: "dest",
        doc: "The file or folder that was made.",
    },
    Return {
        name: "src",
        doc: "The source, as the task names it.",
    },
    Return {
        name: "checksum",
        doc: "SHA-1 of the file.",
    },
    Return {
        name: "md5sum",
        doc: "MD5 of the file.",
    },
    Return {
        name: "backup_file",
        doc: "The copy of the file that was replaced.",
    },
    Return {
        name: "mode",
        doc: "Its permissions, as `0644`.",
    },
    Return {
        name: "owner",
        doc: "Its owner's name; `uid` is the number.",
    },
    Return {
        name: "group",
        doc: "Its group's name; `gid` is the number.",
    },
    Return {
        name: "size",
        doc: "Its size in bytes.",
    },
    Return {
        name: "state",
        doc: "`file` or `directory`.",
    },
];

impl Module for This {
    type Args = CopyArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "copy",
        aliases: &[],
        summary: "Copies files, folders or a text to the target",
        description: "A file is replaced in one step, and only where its content differs. What \
            the target has already is not sent.",
        free_form: None,
        examples: r#"
- name: A file of the role
  copy:
    src: motd
    dest: /etc/motd
    mode: "0644"

- name: A text
  copy:
    content: "listen = 127.0.0.1\n"
    dest: /etc/app/app.conf
    owner: app
    backup: true

- name: All that is in a folder
  copy:
    src: html/
    dest: /srv/www
    directory_mode: "0755"

- name: A file that is on the target already
  copy:
    src: /etc/app/app.conf
    dest: /etc/app/app.conf.old
    remote_src: true
    mode: preserve
"#,
        returns: RETURNS,
    };

    fn run(args: CopyArgs, host: &Host) -> Result<Outcome> {
        let validate = Validation::optional(args.validate.as_deref())?;
        let job = Job {
            args: &args,
            validate,
        };
        match (&args.src, &args.content) {
            (Some(_), Some(_)) => Err(Failure::new("`src` and `content`: parameters are mutually exclusive")
                .arg("content")
                .help("leave one of them out")),
            (None, None) => Err(Failure::new("src (or content) is required").arg("src")
                .help("give `src`, or the file's text as `content`")),
            (None, Some(content)) => job.text(host, content),
            (Some(src), None) => job.source(host, src),
        }
    }
}

/// One run, its arguments read.
struct Job<'a> {
    args: &'a CopyArgs,
    validate: Option<Validation>,
}

/// A single file to copy.
struct Single {
    /// As the task names it.
    src: String,
    content: Content,
    mode: u32,
}

impl Job<'_> {
    fn text(&self, host: &Host, content: &Value) -> Result<Outcome> {
        let dest = &self.args.dest;
        if path_info::ends_with_slash(dest) || host.is_dir(dest)? {
            let shown = dest.display();
            return Err(Failure::new(format!("can not use content with a dir as dest: `{shown}` is one"))
                .arg("dest")
                .help("with `content` the name of the file must be given too"));
        }
        require_parent(host, dest)?;
        let content = Content::Bytes(json::text(content).into_bytes());
        self.place(host, dest, &content, None, Outcome::new())
    }

    fn source(&self, host: &Host, src: &ControllerFile) -> Result<Outcome> {
        match src {
            ControllerFile::Sent { src, entries } => match entries.as_slice() {
                [entry]
                    if let ("", EntryKind::File(index)) = (entry.path.as_str(), &entry.kind) =>
                {
                    self.single(
                        host,
                        Single {
                            src: src.clone(),
                            content: Content::Blob(*index),
                            mode: entry.mode,
                        },
                    )
                }
                entries => self.tree(host, src, tree::sent(entries)),
            },
            ControllerFile::Remote(src) => self.remote(host, src),
        }
    }

    fn remote(&self, host: &Host, src: &str) -> Result<Outcome> {
        let path = &target_path(src);
        let meta = host.stat(path)?.ok_or_else(|| {
            Failure::new(format!("the source `{src}` is not on the target")).arg("src")
        })?;
        if meta.is_dir() {
            let items = tree::walk(host, path, self.args.local_follow)?;
            return self.tree(host, src, items);
        }
        if path_info::ends_with_slash(path) {
            return Err(Failure::new(format!("the source `{src}` is no folder")).arg("src"));
        }
        if !meta.is_file() {
            let words = format!("the source `{src}` is not a file, and neither a folder");
            return Err(Failure::new(words).arg("src"));
        }
        let single = Single {
            src: src.to_owned(),
            content: Content::File(path.to_owned()),
            mode: meta.mode,
        };
        self.single(host, single)
    }

    fn single(&self, host: &Host, single: Single) -> Result<Outcome> {
        let dest = self.file_dest(host, &single.src)?;
        let outcome = Outcome::new().with("src", single.src);
        self.place(host, &dest, &single.content, Some(single.mode), outcome)
    }

    /// The file to make: `dest`, or in that folder a file of the source's name.
    fn file_dest(&self, host: &Host, src: &str) -> Result<PathBuf> {
        let dest = &self.args.dest;
        if !path_info::ends_with_slash(dest) && !host.is_dir(dest)? {
            require_parent(host, dest)?;
            return Ok(dest.clone());
        }
        host.make_dirs(dest, &self.folder_args(None))?;
        Ok(dest.join(src.rsplit('/').next().unwrap_or(src)))
    }

    /// Owner, group and mode of a file whose source has `mode`.
    fn file_args(&self, mode: Option<u32>) -> FileArgs {
        let mut args = self.args.file.clone();
        if args.mode == Some(FileMode::Preserve) {
            args.mode = mode.map(FileMode::Octal);
        }
        args
    }

    /// Those of a folder that is made from one with `mode`.
    fn folder_args(&self, mode: Option<u32>) -> FileArgs {
        let wanted = self.args.directory_mode.as_ref();
        let preserves = wanted.or(self.args.file.mode.as_ref()) == Some(&FileMode::Preserve);
        FileArgs {
            mode: if preserves {
                mode.map(FileMode::Octal)
            } else {
                wanted.cloned()
            },
            owner: self.args.file.owner.clone(),
            group: self.args.file.group.clone(),
            ..FileArgs::default()
        }
    }

    fn place(
        &self,
        host: &Host,
        dest: &Path,
        content: &Content,
        mode: Option<u32>,
        outcome: Outcome,
    ) -> Result<Outcome> {
        if let Some(expected) = &self.args.checksum {
            check_digest(host, content, expected)?;
        }
        if !self.args.force && host.exists(dest)? {
            return Ok(outcome
                .with("dest", dest.to_string_lossy())
                .with("msg", "file already exists"));
        }
        let args = self.file_args(mode);
        let placed = self.placement(dest, &args).put(host, content)?;
        placed.describe(host, outcome)
    }

    fn placement<'a>(&'a self, dest: &'a Path, args: &'a FileArgs) -> Placement<'a> {
        Placement {
            dest,
            args,
            backup: self.args.backup,
            follow: self.args.follow,
            validate: self.validate.as_ref(),
        }
    }
}

fn check_digest(host: &Host, content: &Content, expected: &str) -> Result<()> {
    let actual = checksum::of_reader(&mut *content.open(host)?, Algorithm::Sha1)
        .map_err(|e| Failure::new(format!("could not read the source: {e}")))?;
    if actual.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Failure::new(format!(
        "the source has the SHA-1 `{actual}`, not `{expected}`"
    ))
    .arg("checksum")
    .help("nothing was copied"))
}

/// Refuses a destination whose folder is not there.
pub fn require_parent(host: &Host, dest: &Path) -> Result<()> {
    let parent = dest.parent().unwrap_or(Path::new("/"));
    if host.is_dir(parent)? {
        return Ok(());
    }
    let parent = parent.display();
    Err(
        Failure::new(format!("the destination folder `{parent}` does not exist"))
            .absent()
            .arg("dest")
            .help("make it first with the `file` module and state: directory"),
    )
}

#[cfg(test)]
mod tests;
