//! What a result says of the path that a module made: Ansible's `mode`, `owner`, `state`, ...

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use rplay_api::{Failure, FileKind, Host, Meta, Outcome, Result};

/// As many links as Linux follows before it says that there are too many.
const MAX_LINKS: usize = 40;

/// Adds the keys of what is at `path` (links not followed): `uid`, `gid`, `owner`, `group`,
/// `mode`, `size` and `state`.
pub fn describe(host: &Host, path: &Path, outcome: Outcome) -> Result<Outcome> {
    let Some(meta) = host.lstat(path)? else {
        return Ok(outcome.with("state", "absent"));
    };
    Ok(outcome
        .with("uid", meta.uid)
        .with("gid", meta.gid)
        .with("owner", host.user_name(meta.uid))
        .with("group", host.group_name(meta.gid))
        .with("mode", format!("0{:03o}", shown_mode(&meta)))
        .with("size", meta.size)
        .with("state", state_word(&meta)))
}

/// A link's own permissions are always all of them.
fn shown_mode(meta: &Meta) -> u32 {
    if meta.is_link() { 0o777 } else { meta.mode }
}

/// The word of the `file` module for what is there.
pub fn state_word(meta: &Meta) -> &'static str {
    match meta.kind {
        FileKind::Directory => "directory",
        FileKind::Link => "link",
        FileKind::File if meta.nlink > 1 => "hard",
        _ => "file",
    }
}

/// Where the links at `path` lead to in the end, whether or not anything is there. Links among
/// the folders above are left as they are.
pub fn follow(host: &Host, path: &Path) -> Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..MAX_LINKS {
        match host.lstat(&path)? {
            Some(meta) if meta.is_link() => {
                let to = host.read_link(&path)?;
                path = path.parent().unwrap_or(Path::new("/")).join(to);
            }
            _ => return Ok(path),
        }
    }
    Err(Failure::new(format!(
        "the links at `{}` lead in a circle",
        path.display()
    )))
}

/// The path with every link in it resolved, as the kernel would go; what is not there stays as it
/// is written.
pub fn real_path(host: &Host, path: &Path) -> Result<PathBuf> {
    let mut left: Vec<OsString> = parts_backwards(path);
    let mut at = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = left.pop() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        if !host.lstat(&next)?.is_some_and(|meta| meta.is_link()) {
            at = next;
            continue;
        }
        links += 1;
        if links > MAX_LINKS {
            let shown = path.display();
            return Err(Failure::new(format!(
                "the links in `{shown}` lead in a circle"
            )));
        }
        let to = host.read_link(&next)?;
        if to.is_absolute() {
            at = PathBuf::from("/");
        }
        left.extend(parts_backwards(&to));
    }
    Ok(at)
}

/// The names in a path, the last one first.
fn parts_backwards(path: &Path) -> Vec<OsString> {
    let parts = path.components().rev();
    parts
        .filter_map(|part| match part {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

/// Whether a path is written with a `/` at its end.
pub fn ends_with_slash(path: &Path) -> bool {
    path.as_os_str().as_encoded_bytes().ends_with(b"/")
}
