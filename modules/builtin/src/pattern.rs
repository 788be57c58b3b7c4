//! File patterns (`/opt/app-*/bin`), matched against the host as a dry run sees it.
//!
//! As Python's glob: `*` and `?` do not match a leading dot nor a slash.

use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern};
use rplay_api::{Failure, Host, Result};

const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The first path that `pattern` matches. A relative one starts at `from`, or else at the agent's
/// own folder.
pub fn first_match(host: &Host, from: Option<&Path>, pattern: &str) -> Result<Option<PathBuf>> {
    Ok(matches(host, from, pattern)?.into_iter().next())
}

/// All paths that `pattern` matches, sorted.
pub fn matches(host: &Host, from: Option<&Path>, pattern: &str) -> Result<Vec<PathBuf>> {
    let start = match from {
        Some(dir) => dir.to_owned(),
        None => std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/")),
    };
    let mut found = vec![start];
    for part in Path::new(pattern).components() {
        found = step(host, found, part, pattern)?;
    }
    Ok(found)
}

fn step(
    host: &Host,
    found: Vec<PathBuf>,
    part: Component<'_>,
    whole: &str,
) -> Result<Vec<PathBuf>> {
    let name = match part {
        Component::Normal(name) => name.to_string_lossy(),
        other => return Ok(found.iter().map(|dir| dir.join(other)).collect()),
    };
    let mut next = vec![];
    if !name.contains(['*', '?', '[']) {
        for dir in found {
            let path = dir.join(part);
            if host.lstat(&path)?.is_some() {
                next.push(path);
            }
        }
        return Ok(next);
    }
    let pattern = Pattern::new(&name).map_err(|e| {
        Failure::new(format!("`{whole}` is no pattern: {e}"))
            .help("put a literal `[` in brackets: `[[]`")
    })?;
    for dir in found {
        if !host.is_dir(&dir)? {
            continue;
        }
        let names = host.read_dir(&dir)?;
        let names = names
            .iter()
            .filter(|n| pattern.matches_with(&n.to_string_lossy(), OPTIONS));
        next.extend(names.map(|n| dir.join(n)));
    }
    Ok(next)
}
