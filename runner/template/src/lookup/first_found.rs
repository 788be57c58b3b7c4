//! The first file that is there.

use std::path::{Component, Path, PathBuf};

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::{Found, spread};
use crate::call::Args;
use crate::python::{text, wrong};
use crate::vars::LookupIo;

/// What is looked for, and where.
#[derive(Default)]
struct Search {
    /// Names, each with the folders that it is looked for in.
    places: Vec<(String, Vec<String>)>,
    skip: bool,
}

fn list(value: Option<Value>) -> Result<Vec<String>, Error> {
    let Some(value) = value.filter(|v| !v.is_undefined() && !v.is_none()) else {
        return Ok(vec![]);
    };
    match value.as_str() {
        // Several may stand in one text.
        Some(text) => Ok(text
            .split([',', ':', ';'])
            .map(|s| s.trim().to_owned())
            .filter(|s| !s.is_empty())
            .collect()),
        None => spread(&[value])?.iter().map(text).collect(),
    }
}

impl Search {
    fn add(&mut self, get: &dyn Fn(&str) -> Option<Value>) -> Result<(), Error> {
        let paths = list(get("paths"))?;
        for name in list(get("files"))? {
            self.places.push((name, paths.clone()));
        }
        let skip = get("skip").filter(|v| !v.is_undefined());
        self.skip |=
            skip.is_some_and(|v| crate::filters::choose::to_bool(&v).is_ok_and(|b| b.is_true()));
        Ok(())
    }
}

/// The first one; looked for in folders of that kind (`files`), and in those that hold them. In an
/// expression there is no kind.
pub(super) fn found(io: &dyn LookupIo, args: &Args, kind: &str) -> Found {
    let mut search = Search::default();
    let terms = spread(&args.rest)?;
    for term in &terms {
        match term.kind() {
            // A name of something undefined is passed over.
            ValueKind::Undefined => {}
            ValueKind::Map => search.add(&|key| term.get_attr(key).ok())?,
            _ => {
                let paths = list(args.named("paths").cloned())?;
                search.places.push((text(term)?, paths));
            }
        }
    }
    search.add(&|key| args.named(key).cloned())?;
    let places: Vec<String> = search
        .places
        .iter()
        .flat_map(|(name, paths)| match paths.as_slice() {
            [] => vec![name.clone()],
            paths => paths
                .iter()
                .map(|path| match path.trim_end_matches('/') {
                    "" if path.is_empty() => name.clone(),
                    path => format!("{path}/{name}"),
                })
                .collect(),
        })
        .collect();
    if let Some(path) = places.into_iter().find_map(|place| io.find(kind, &place)) {
        return Ok(vec![plain(&path).display().to_string().into()]);
    }
    if search.skip {
        return Ok(vec![]);
    }
    let names: Vec<&str> = search
        .places
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    Err(wrong(format!(
        "none of these files is there: {}; give `skip: true` to go on without",
        names.join(", ")
    )))
}

/// A path without `..`.
fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}
