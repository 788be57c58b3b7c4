//! Lists files by name, age, size, mode and content.

mod decode;
mod filter;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use rplay_api::{Args, Choice, Doc, FileKind, Host, Meta, Module, Outcome, Result, Return, target_path};
use serde_json::{Map, Value, json};

use crate::checksum::{self, Algorithm};
use filter::Filter;

/// The `find` module.
pub struct This;

/// Arguments of `find`.
#[derive(Debug, Args)]
pub struct FindArgs {
    /// The folders to search.
    #[arg(alias = "name", alias = "path")]
    paths: Vec<String>,
    /// Names to list, as shell patterns, or with `use_regex` as regular expressions. Absent: all.
    #[arg(default = Vec::new(), alias = "pattern")]
    patterns: Vec<String>,
    /// Names to leave out, in the same form.
    #[arg(default = Vec::new(), alias = "exclude")]
    excludes: Vec<String>,
    /// `patterns` and `excludes` are regular expressions (Python's), for the whole name.
    #[arg(default = false)]
    use_regex: bool,
    /// A regular expression that a line of the file must match from its beginning.
    contains: Option<String>,
    /// The encoding of the files that `contains` looks into, as Python calls it; without it their
    /// bytes are looked at as they are.
    encoding: Option<String>,
    /// Match `contains` against the file as a whole.
    #[arg(default = false)]
    read_whole_file: bool,
    /// What to list.
    #[arg(default = FileType::File)]
    file_type: FileType,
    /// Search the folders in the folders too.
    #[arg(default = false)]
    recurse: bool,
    /// How many folders deep; 1 is the searched folder itself.
    depth: Option<u32>,
    /// At least that old: `30s`, `5m`, `2h`, `7d`, `1w`; with a minus, at most.
    age: Option<String>,
    /// The time that counts for `age`.
    #[arg(default = Stamp::Mtime)]
    age_stamp: Stamp,
    /// At least that large: `10`, `5k`, `2m`, `1g`; with a minus, at most.
    size: Option<String>,
    /// The permissions that it must have.
    mode: Option<rplay_api::FileMode>,
    /// Exactly those of `mode`, or at least those.
    #[arg(default = true)]
    exact_mode: bool,
    /// List names that begin with a dot too.
    #[arg(default = false)]
    hidden: bool,
    /// Go through links to folders.
    #[arg(default = false)]
    follow: bool,
    /// Give each file's checksum.
    #[arg(default = false)]
    get_checksum: bool,
    /// Its algorithm.
    #[arg(default = Algorithm::Sha1, alias = "checksum", alias = "checksum_algo")]
    checksum_algorithm: Algorithm,
    /// Stop after that many.
    limit: Option<usize>,
}

/// What to list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum FileType {
    /// Whatever there is.
    Any,
    /// Folders.
    Directory,
    /// Regular files.
    File,
    /// Symbolic links.
    Link,
}

/// A time of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Stamp {
    /// Last access.
    Atime,
    /// Last change of the inode.
    Ctime,
    /// Last change of the content.
    Mtime,
}

impl Module for This {
    type Args = FindArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "find",
        aliases: &[],
        summary: "Lists files by name, age, size, mode and content",
        description: "It changes nothing; what an earlier task of a dry run would make is found \
            too.",
        free_form: None,
        examples: r#"
- name: Old backups
  find:
    paths: /var/backups
    patterns: "*.tar.gz"
    age: 4w
  register: old

- name: They go
  file:
    path: "{{ item.path }}"
    state: absent
  loop: "{{ old.files }}"
"#,
        returns: &[
            Return {
                name: "files",
                doc: "A list with `path`, `mode`, `size`, `uid`, `gid`, `mtime`, `isdir`, ... of each.",
            },
            Return {
                name: "matched",
                doc: "How many were found.",
            },
            Return {
                name: "examined",
                doc: "How many were looked at.",
            },
            Return {
                name: "skipped_paths",
                doc: "Folders that could not be searched, and why.",
            },
        ],
    };

    fn run(args: FindArgs, host: &Host) -> Result<Outcome> {
        let mut search = Search {
            filter: Filter::new(&args, host.now())?,
            args: &args,
            host,
            files: vec![],
            examined: 0,
            skipped: Map::new(),
            above: vec![],
            root: String::new(),
        };
        for path in &args.paths {
            let path = &target_path(path);
            search.root = path.to_string_lossy().into_owned();
            if host.is_dir(path)? {
                search.folder(path, 1)?;
            } else {
                let why = format!("'{}' is not a directory", search.root);
                search.skip(search.root.clone(), why);
            }
        }
        let msg = if search.skipped.is_empty() {
            "All paths examined"
        } else {
            "Not all paths examined, check warnings for details"
        };
        Ok(Outcome::new()
            .changed(false)
            .with("matched", search.files.len())
            .with("files", search.files)
            .with("examined", search.examined)
            .with("skipped_paths", search.skipped)
            .with("msg", msg))
    }
}

/// A search under way.
struct Search<'a> {
    filter: Filter,
    args: &'a FindArgs,
    host: &'a Host<'a>,
    files: Vec<Value>,
    examined: usize,
    skipped: Map<String, Value>,
    /// Device and inode of the folders that it is in: a link back to one of them has no end.
    above: Vec<(u64, u64)>,
    /// The path of the task that it goes through.
    root: String,
}

impl Search<'_> {
    fn is_done(&self) -> bool {
        let full = self
            .args
            .limit
            .is_some_and(|limit| self.files.len() >= limit);
        full || self.host.is_cancelled()
    }

    /// Something is left out, and why; of one path the first reason is told.
    fn skip(&mut self, path: String, why: String) {
        self.host.warn(format!(
            "Skipped '{path}' path due to this access issue: {why}"
        ));
        self.skipped.entry(path).or_insert_with(|| why.into());
    }

    fn folder(&mut self, dir: &Path, depth: u32) -> Result<()> {
        let names = match self.host.read_dir(dir) {
            Ok(names) => names,
            Err(failure) if failure.unknown => return Err(failure),
            Err(failure) => {
                self.skip(dir.to_string_lossy().into_owned(), failure.msg);
                return Ok(());
            }
        };
        let mut deeper: Vec<PathBuf> = vec![];
        for name in names {
            if self.is_done() {
                return Ok(());
            }
            let path = dir.join(&name);
            let Some(meta) = self.meta(&path)? else {
                continue;
            };
            self.examined += 1;
            self.consider(&path, &meta)?;
            if meta.is_dir() {
                deeper.push(path);
            }
        }
        if !self.args.recurse {
            return Ok(());
        }
        if self.args.depth.is_some_and(|most| depth >= most) {
            // What is in the folders below is counted as Ansible counts it, and not looked at.
            let names = |path: &PathBuf| self.host.read_dir(path).map_or(0, |names| names.len());
            self.examined += deeper.iter().map(names).sum::<usize>();
            return Ok(());
        }
        for path in deeper {
            self.enter(&path, depth + 1)?;
        }
        Ok(())
    }

    fn enter(&mut self, dir: &Path, depth: u32) -> Result<()> {
        let hidden = dir
            .file_name()
            .is_some_and(|n| n.as_encoded_bytes().starts_with(b"."));
        let Some(meta) = self.host.stat(dir)? else {
            return Ok(());
        };
        let own = (meta.device, meta.inode);
        if (hidden && !self.args.hidden) || self.above.contains(&own) {
            return Ok(());
        }
        self.above.push(own);
        let result = self.folder(dir, depth);
        self.above.pop();
        result
    }

    fn meta(&self, path: &Path) -> Result<Option<Meta>> {
        let own = self.host.lstat(path)?;
        match own {
            // A link that leads nowhere is itself.
            Some(meta) if meta.is_link() && self.args.follow => {
                Ok(self.host.stat(path)?.or(Some(meta)))
            }
            other => Ok(other),
        }
    }

    fn consider(&mut self, path: &Path, meta: &Meta) -> Result<()> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') && !self.args.hidden {
            return Ok(());
        }
        let of_type = match self.args.file_type {
            FileType::Any => true,
            FileType::Directory => meta.is_dir(),
            FileType::File => meta.is_file(),
            FileType::Link => meta.is_link(),
        };
        if !of_type || !self.filter.takes(&name, meta)? {
            return Ok(());
        }
        if meta.is_file() {
            match self.filter.takes_content(self.host, path)? {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(why) => {
                    self.skip(self.root.clone(), why);
                    return Ok(());
                }
            }
        }
        let mut file = described(self.host, path, meta);
        if meta.is_file() && self.args.get_checksum {
            let digest = checksum::of_file(self.host, path, self.args.checksum_algorithm)?;
            file["checksum"] = digest.into();
        }
        self.files.push(file);
        Ok(())
    }
}

fn described(host: &Host, path: &Path, meta: &Meta) -> Value {
    let bit = |bits: u32| meta.mode & bits != 0;
    let seconds = |time: SystemTime| {
        time.duration_since(UNIX_EPOCH)
            .map_or(0.0, |d| d.as_secs_f64())
    };
    let is = |kind: FileKind| meta.kind == kind;
    json!({
        "path": path.to_string_lossy(),
        "mode": format!("{:04o}", meta.mode),
        "isdir": is(FileKind::Directory), "isreg": is(FileKind::File),
        "islnk": is(FileKind::Link), "isfifo": is(FileKind::Fifo),
        "issock": is(FileKind::Socket), "isblk": is(FileKind::BlockDevice),
        "ischr": is(FileKind::CharDevice),
        "uid": meta.uid, "gid": meta.gid,
        "pw_name": host.user_name(meta.uid), "gr_name": host.group_name(meta.gid),
        "size": meta.size, "inode": meta.inode, "dev": meta.device, "nlink": meta.nlink,
        "atime": seconds(meta.atime), "mtime": seconds(meta.mtime), "ctime": seconds(meta.ctime),
        "rusr": bit(0o400), "wusr": bit(0o200), "xusr": bit(0o100),
        "rgrp": bit(0o040), "wgrp": bit(0o020), "xgrp": bit(0o010),
        "roth": bit(0o004), "woth": bit(0o002), "xoth": bit(0o001),
        "isuid": bit(0o4000), "isgid": bit(0o2000),
    })
}

#[cfg(test)]
mod tests;
