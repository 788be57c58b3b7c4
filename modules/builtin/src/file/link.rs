//! Links, symbolic and hard.

use std::path::{Path, PathBuf};

use rplay_api::{Failure, FileArgs, Host, Meta, Outcome, Result, target_path};

use super::{FileModuleArgs, When, finish};
use crate::path_info;

pub(super) fn symbolic(args: &FileModuleArgs, host: &Host) -> Result<Outcome> {
    let path = &args.path;
    let there = host.lstat(path)?;
    let to = match (&args.src, &there) {
        (Some(src), _) => src.0.clone(),
        (None, Some(meta)) if meta.is_link() => host.read_link(path)?,
        (None, _) => return Err(no_src("src is required for a link: where it leads")),
    };
    let leads_to = path.parent().unwrap_or(Path::new("/")).join(&to);
    if !args.force && !host.exists(&leads_to)? {
        let shown = leads_to.display();
        return Err(
            Failure::new(format!("the link's `src` `{shown}` does not exist"))
                .absent()
                .arg("src")
                .with("path", path.to_string_lossy())
                .with("src", to.to_string_lossy())
                .help("make it first, or use force: true for a link that leads nowhere yet"),
        );
    }
    match &there {
        Some(meta) if meta.is_link() => {
            if host.read_link(path)? != to {
                host.symlink(&to, path)?;
            }
        }
        Some(meta) => {
            may_become_link(args, host, meta)?;
            if meta.is_dir() {
                host.remove(path)?;
            }
            host.symlink(&to, path)?;
        }
        None => host.symlink(&to, path)?,
    }
    properties(args, host)?;
    let outcome = Outcome::new()
        .with("dest", path.to_string_lossy())
        .with("src", to.to_string_lossy());
    path_info::describe(host, path, outcome)
}

/// A file or empty folder gives way to a link only by force; a folder with content never does.
fn may_become_link(args: &FileModuleArgs, host: &Host, meta: &Meta) -> Result<()> {
    let shown = args.path.display();
    let is = path_info::state_word(meta);
    if !args.force {
        return Err(Failure::new(format!(
            "refusing to convert `{shown}` from a {is} to a link"
        ))
        .arg("path")
        .help("use force: true, or remove it first with state: absent"));
    }
    if meta.is_dir() && !host.read_dir(&args.path)?.is_empty() {
        return Err(Failure::new(format!(
            "the folder `{shown}` is not empty: refusing to convert it to a link"
        ))
        .arg("path")
        .help("remove it first with state: absent"));
    }
    Ok(())
}

/// Owner and mode go to what the link leads to, or with `follow: false` to the link itself.
fn properties(args: &FileModuleArgs, host: &Host) -> Result<()> {
    let path = if args.follow {
        path_info::follow(host, &args.path)?
    } else {
        args.path.clone()
    };
    if host.lstat(&path)?.is_some() {
        return finish(args, host, &path, When::Preserve);
    }
    if !wants_nothing(&args.file) {
        host.warn(format!(
            "the link `{}` leads nowhere: owner, group and mode were not set; follow: false sets \
             those of the link itself",
            args.path.display()
        ));
    }
    Ok(())
}

fn wants_nothing(args: &FileArgs) -> bool {
    args.mode.is_none() && args.owner.is_none() && args.group.is_none()
}

pub(super) fn hard(args: &FileModuleArgs, host: &Host) -> Result<Outcome> {
    let src = args
        .src
        .as_ref()
        .ok_or_else(|| {
            no_src("src is required for creating new hardlinks")
                .help("it is the file that gets another name")
        })?;
    let written = src.0.to_string_lossy();
    let src = &target_path(&written);
    let path = inside_folder(args, host, src)?;
    let shown = path.display();
    let source = host.lstat(src)?.ok_or_else(|| {
        Failure::new("src does not exist")
            .absent()
            .arg("src")
            .with("src", &*written)
            .with("dest", path.to_string_lossy())
            .help(format!("there is no `{}`", src.display()))
    })?;
    match host.lstat(&path)? {
        None => host.hard_link(src, &path)?,
        Some(meta) if same_file(&meta, &source) => {}
        Some(meta) if meta.is_dir() => {
            return Err(Failure::new(format!("`{shown}` is a folder")).arg("path"));
        }
        Some(meta) if args.force || meta.is_link() => host.hard_link(src, &path)?,
        Some(_) => {
            return Err(
                Failure::new(format!("cannot link: another file exists at `{shown}`"))
                    .arg("path")
                    .help("use force: true to replace it"),
            );
        }
    }
    finish(args, host, &path, When::Preserve)?;
    let outcome = Outcome::new()
        .with("dest", path.to_string_lossy())
        .with("src", src.to_string_lossy());
    path_info::describe(host, &path, outcome)
}

/// In a folder the hard link gets the name of its source.
fn inside_folder(args: &FileModuleArgs, host: &Host, src: &Path) -> Result<PathBuf> {
    let name = src.file_name().filter(|_| args.follow);
    match (host.is_dir(&args.path)?, name) {
        (true, Some(name)) => Ok(args.path.join(name)),
        _ => Ok(args.path.clone()),
    }
}

fn same_file(a: &Meta, b: &Meta) -> bool {
    a.inode == b.inode && a.device == b.device
}

fn no_src(why: &str) -> Failure {
    Failure::new(why).arg("src")
}
