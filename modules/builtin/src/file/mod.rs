//! Files, folders and links: that they are there, or not, and whose they are.
//!
//! Without `state` a path stays what it is and only gets its owner, mode and times.

mod link;
mod times;

use std::io::Read;
use std::path::{Path, PathBuf};

use rplay_api::{Args, Attrs, Choice, Doc, Failure, FileArgs, FileMode, Host, Meta, Module, Outcome, Result, Return, WrittenPath};

use crate::path_info;
use times::{Times, When};

/// The `file` module.
pub struct This;

/// Arguments of `file`.
#[derive(Debug, Args)]
pub struct FileModuleArgs {
    /// The path.
    #[arg(alias = "dest", alias = "name")]
    path: PathBuf,
    /// What should be there: `file` only changes the properties of one that is there, `touch`
    /// makes an empty one, `directory` makes the folders above too, `absent` removes all that is
    /// in a folder. Absent: what is there stays.
    state: Option<State>,
    /// Where a link leads; for `hard` the file that gets another name.
    src: Option<WrittenPath>,
    /// Give owner, group and mode to all that is in the folder too.
    #[arg(default = false)]
    recurse: bool,
    /// Make a link though its `src` is not there, and in place of a file or an empty folder.
    #[arg(default = false)]
    force: bool,
    /// Where the path is a link, work on what it leads to.
    #[arg(default = true)]
    follow: bool,
    /// The time of the last change: `preserve`, `now`, or a time. `touch` sets now.
    modification_time: Option<String>,
    /// How `modification_time` is written, as for strptime.
    #[arg(default = "%Y%m%d%H%M.%S")]
    modification_time_format: String,
    /// The time of the last access: `preserve`, `now`, or a time. `touch` sets now.
    access_time: Option<String>,
    /// How `access_time` is written, as for strptime.
    #[arg(default = "%Y%m%d%H%M.%S")]
    access_time_format: String,
    /// Only look: say what is there and whether it looks binary, and change nothing.
    #[arg(default = false)]
    _diff_peek: bool,
    /// Owner, group and mode.
    #[arg(flatten)]
    file: FileArgs,
}

/// What should be at the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum State {
    /// Nothing.
    Absent,
    /// A folder.
    Directory,
    /// A file that is there already.
    File,
    /// A hard link.
    Hard,
    /// A symbolic link.
    Link,
    /// A file, empty where it is new, with a new time where it is not.
    Touch,
}

impl Module for This {
    type Args = FileModuleArgs;

    const CONFINED: bool = true;

    const DOC: Doc = Doc {
        name: "file",
        aliases: &[],
        summary: "Makes folders, links and empty files, removes them, sets owner, mode and times",
        description: "",
        free_form: None,
        examples: r#"
- name: A folder, with those above it
  file:
    path: /srv/app/releases
    state: directory
    owner: app
    mode: "0750"

- name: A link
  file:
    src: /srv/app/releases/42
    dest: /srv/app/current
    state: link

- name: Gone, with all that is in it
  file:
    path: /srv/old
    state: absent

- name: Only the mode
  file:
    path: /etc/app/key.pem
    mode: u=rw,go=
"#,
        returns: &[
            Return {
                name: "path",
                doc: "The path; of a link or touched file it is `dest`.",
            },
            Return {
                name: "state",
                doc: "What is there now.",
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
                name: "appears_binary",
                doc: "With `_diff_peek`: whether a file begins as no text does.",
            },
        ],
    };

    fn run(args: FileModuleArgs, host: &Host) -> Result<Outcome> {
        if args.file.mode == Some(FileMode::Preserve) {
            return Err(
                Failure::new("`preserve` means nothing here: there is no source").arg("mode"),
            );
        }
        host.warn_of_missing_owners(&args.file);
        let there = host.lstat(&args.path)?;
        if args._diff_peek {
            return peek(&args.path, there.as_ref(), host);
        }
        let state = args
            .state
            .unwrap_or_else(|| default_state(&args, there.as_ref()));
        if args.src.is_some() && !matches!(state, State::Link | State::Hard) {
            return Err(
                Failure::new("src option requires state to be 'link' or 'hard'").arg("src"),
            );
        }
        if args.recurse && state != State::Directory {
            return Err(Failure::new("`recurse` needs a folder")
                .arg("recurse")
                .help("add state: directory"));
        }
        match state {
            State::Absent => absent(&args, host),
            State::Directory => directory(&args, host),
            State::File => file(&args, host),
            State::Touch => touch(&args, host),
            State::Link => link::symbolic(&args, host),
            State::Hard => link::hard(&args, host),
        }
    }
}

/// How much of a file is looked at, in bytes.
const BEGINNING: u64 = 8192;

fn peek(path: &Path, there: Option<&Meta>, host: &Host) -> Result<Outcome> {
    let outcome = Outcome::new().with("path", path.to_string_lossy());
    let Some(meta) = there else {
        return Ok(outcome.with("appears_binary", false));
    };
    let mut beginning = vec![];
    if meta.is_file() {
        let mut file = host.open(path)?.take(BEGINNING);
        let read = file.read_to_end(&mut beginning);
        read.map_err(|e| Failure::new(format!("could not read `{}`: {e}", path.display())))?;
    }
    path_info::describe(
        host,
        path,
        outcome.with("appears_binary", beginning.contains(&0)),
    )
}

fn default_state(args: &FileModuleArgs, there: Option<&Meta>) -> State {
    match there {
        Some(meta) if meta.is_dir() => State::Directory,
        Some(meta) if meta.is_link() && args.src.is_some() => State::Link,
        None if args.recurse => State::Directory,
        _ => State::File,
    }
}

fn absent(args: &FileModuleArgs, host: &Host) -> Result<Outcome> {
    host.remove(&args.path)?;
    Ok(Outcome::new()
        .with("path", args.path.to_string_lossy())
        .with("state", "absent"))
}

/// Where the path leads, where links are to be followed.
fn target(args: &FileModuleArgs, host: &Host) -> Result<PathBuf> {
    if args.follow {
        path_info::follow(host, &args.path)
    } else {
        Ok(args.path.clone())
    }
}

fn file(args: &FileModuleArgs, host: &Host) -> Result<Outcome> {
    let path = target(args, host)?;
    let shown = path.display();
    let meta = host.lstat(&path)?.ok_or_else(|| {
        Failure::new(format!("file ({shown}) is absent, cannot continue"))
            .absent()
            .arg("path")
            .with("path", shown.to_string())
            .with("state", "absent")
            .help(
                "state: touch makes an empty file, state: directory a folder; \
                   the `copy` module makes a file with content",
            )
    })?;
    if args.state == Some(State::File) && (meta.is_dir() || meta.is_link()) {
        let is = path_info::state_word(&meta);
        return Err(
            Failure::new(format!("the file `{shown}` is a {is}, cannot continue")).arg("state"),
        );
    }
    finish(args, host, &path, When::Preserve)?;
    path_info::describe(
        host,
        &path,
        Outcome::new().with("path", path.to_string_lossy()),
    )
}

fn directory(args: &FileModuleArgs, host: &Host) -> Result<Outcome> {
    let path = target(args, host)?;
    match host.lstat(&path)? {
        None => host.make_dirs(&path, &args.file)?,
        Some(meta) if meta.is_dir() => {}
        Some(meta) => {
            let is = path_info::state_word(&meta);
            let shown = path.display();
            return Err(Failure::new(format!("`{shown}` already exists as a {is}"))
                .arg("path")
                .help("remove it first with state: absent"));
        }
    }
    finish(args, host, &path, When::Preserve)?;
    if args.recurse {
        recurse(args, host, &path)?;
    }
    path_info::describe(
        host,
        &path,
        Outcome::new().with("path", path.to_string_lossy()),
    )
}

fn touch(args: &FileModuleArgs, host: &Host) -> Result<Outcome> {
    let path = target(args, host)?;
    match host.lstat(&path)? {
        None => {
            crate::copy::require_parent(host, &path)?;
            let attrs = host.attrs(&args.file, None, false)?;
            host.write(&path, &mut std::io::empty(), &attrs)?;
            // A new file has the time of now already.
            finish(args, host, &path, When::Preserve)?;
        }
        Some(_) => finish(args, host, &path, When::Now)?,
    }
    path_info::describe(
        host,
        &path,
        Outcome::new().with("dest", path.to_string_lossy()),
    )
}

/// Owner, mode and times; the times are those of the task, or else `default`.
fn finish(args: &FileModuleArgs, host: &Host, path: &Path, default: When) -> Result<()> {
    host.ensure_attrs(path, &args.file)?;
    let times = Times::parse(args, default)?;
    if let Some(meta) = host.lstat(path)?
        && let Some(attrs) = times.attrs(host, &meta)
    {
        host.set_attrs(path, &attrs)?;
    }
    Ok(())
}

/// Gives all that is in a folder the task's owner and mode. A link itself has no mode.
fn recurse(args: &FileModuleArgs, host: &Host, folder: &Path) -> Result<()> {
    for name in host.read_dir(folder)? {
        let path = folder.join(name);
        let Some(meta) = host.lstat(&path)? else {
            continue;
        };
        finish(args, host, &path, When::Preserve)?;
        if meta.is_dir() {
            recurse(args, host, &path)?;
        } else if meta.is_link() && args.follow {
            recurse_through(args, host, &path)?;
        }
    }
    Ok(())
}

/// What a link in the folder leads to, where it is not in a folder that is being walked anyway.
fn recurse_through(args: &FileModuleArgs, host: &Host, link: &Path) -> Result<()> {
    let to = path_info::real_path(host, link)?;
    let Some(meta) = host.lstat(&to)? else {
        return Ok(());
    };
    let around = path_info::real_path(host, link.parent().unwrap_or(link))?;
    // The folder of the link itself, or one above it: it would never end.
    if meta.is_dir() && around.starts_with(&to) {
        return Ok(());
    }
    finish(args, host, &to, When::Preserve)?;
    if !meta.is_dir() || to.starts_with(path_info::real_path(host, &args.path)?) {
        return Ok(());
    }
    recurse(args, host, &to)
}

/// Only what differs from what is there.
fn no_change(attrs: &Attrs) -> bool {
    *attrs == Attrs::default()
}

#[cfg(test)]
mod tests;
