//! Paths and URLs as text.

use std::path::{Component, Path, PathBuf};

use minijinja::{Environment, Error, Value};

use super::items;
use crate::jinja::{home_path, string};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("basename", |v: Value| {
        let text = string(&v)?;
        Ok::<_, Error>(text.rsplit('/').next().unwrap_or_default().to_owned())
    });
    env.add_filter("dirname", |v: Value| {
        let text = string(&v)?;
        Ok::<_, Error>(match text.rsplit_once('/') {
            Some(("", _)) => "/".to_owned(),
            Some((dir, _)) => dir.to_owned(),
            None => String::new(),
        })
    });
    env.add_filter("expanduser", |v: Value| {
        Ok::<_, Error>(home_path(&string(&v)?).display().to_string())
    });
    env.add_filter("realpath", |v: Value| {
        let path = PathBuf::from(string(&v)?);
        Ok::<_, Error>(
            path.canonicalize()
                .unwrap_or_else(|_| normal(&path))
                .display()
                .to_string(),
        )
    });
    env.add_filter("normpath", |v: Value| {
        Ok::<_, Error>(normal(Path::new(&string(&v)?)).display().to_string())
    });
    env.add_filter("splitext", |v: Value| {
        let text = string(&v)?;
        let name_at = text.rfind('/').map_or(0, |i| i + 1);
        let dot = text[name_at..]
            .rfind('.')
            .filter(|i| *i > 0)
            .map(|i| name_at + i);
        let (root, ext) = dot.map_or((text.as_str(), ""), |i| text.split_at(i));
        Ok::<_, Error>(vec![root.to_owned(), ext.to_owned()])
    });
    env.add_filter("path_join", |v: Value| {
        let mut path = PathBuf::new();
        for part in if v.as_str().is_some() {
            vec![v]
        } else {
            items(&v)?
        } {
            path.push(string(&part)?);
        }
        Ok::<_, Error>(path.display().to_string())
    });
    env.add_filter("urldecode", |v: Value| {
        let text = string(&v)?.replace('+', " ");
        let mut out = vec![];
        let bytes = text.as_bytes();
        let mut i = 0;
        while i < bytes.len() {
            let code = text
                .get(i + 1..i + 3)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match code {
                Some(byte) if bytes[i] == b'%' => {
                    out.push(byte);
                    i += 3;
                }
                _ => {
                    out.push(bytes[i]);
                    i += 1;
                }
            }
        }
        Ok::<_, Error>(String::from_utf8_lossy(&out).into_owned())
    });
}

/// `.` and `..` taken out without looking at the disk.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if out.file_name().is_some() => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    if out.as_os_str().is_empty() {
        ".".into()
    } else {
        out
    }
}
