//! Paths as texts, of Linux and of Windows.

use std::path::{Path, PathBuf};

use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, items, strict};
use crate::context::context_of;
use crate::python::{text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["basename"], &["value"], |_, a| {
        Ok(tail(&a.text(0)?).into())
    }),
    strict(
        &["dirname"],
        &["value"],
        |_, a| Ok(head(&a.text(0)?).into()),
    ),
    strict(&["commonpath"], &["value"], commonpath),
    strict(&["expanduser"], &["value"], |_, a| {
        Ok(expand_home(&a.text(0)?).into())
    }),
    strict(&["expandvars"], &["value"], expandvars),
    strict(&["normpath"], &["value"], |_, a| {
        Ok(normal(&a.text(0)?).into())
    }),
    strict(&["path_join"], &["value"], path_join),
    strict(&["realpath"], &["value"], |_, a| {
        let path = a.text(0)?;
        let real = Path::new(&path).canonicalize();
        Ok(real
            .map_or_else(|_| absolute(&path), |p| p.display().to_string())
            .into())
    }),
    strict(&["relpath"], &["value", "start"], relpath),
    strict(&["splitext"], &["value"], splitext),
    strict(&["fileglob"], &["value"], fileglob),
    strict(&["win_basename"], &["value"], |_, a| {
        Ok(win_tail(&a.text(0)?).into())
    }),
    strict(&["win_dirname"], &["value"], |_, a| {
        Ok(win_head(&a.text(0)?).into())
    }),
    strict(&["win_splitdrive"], &["value"], win_splitdrive),
];

fn tail(path: &str) -> String {
    path.rsplit('/').next().unwrap_or_default().to_owned()
}

fn head(path: &str) -> String {
    let Some((dir, _)) = path.rsplit_once('/') else {
        return String::new();
    };
    let trimmed = dir.trim_end_matches('/');
    if trimmed.is_empty() {
        format!("{dir}/")
    } else {
        trimmed.to_owned()
    }
}

fn commonpath(_: &mut State<'_, '_>, args: &Args) -> Out {
    let paths = args
        .list(0)?
        .iter()
        .map(text)
        .collect::<Result<Vec<_>, _>>()?;
    let Some((first, rest)) = paths.split_first() else {
        return Err(wrong("`commonpath` of an empty list"));
    };
    let absolute = first.starts_with('/');
    if rest.iter().any(|p| p.starts_with('/') != absolute) {
        return Err(wrong(
            "`commonpath` takes absolute or relative paths, and not both",
        ));
    }
    let parts = |path: &'_ str| -> Vec<String> {
        path.split('/')
            .filter(|p| !p.is_empty() && *p != ".")
            .map(str::to_owned)
            .collect()
    };
    let mut common = parts(first);
    for path in rest {
        let other = parts(path);
        let same = common
            .iter()
            .zip(&other)
            .take_while(|(a, b)| a == b)
            .count();
        common.truncate(same);
    }
    Ok(format!("{}{}", if absolute { "/" } else { "" }, common.join("/")).into())
}

/// `~` and `~/x` with the home of whoever runs this.
pub(crate) fn expand_home(path: &str) -> String {
    let home = std::env::var("HOME").unwrap_or_default();
    match path.strip_prefix('~') {
        Some("") => home,
        Some(rest) if rest.starts_with('/') => home + rest,
        _ => path.to_owned(),
    }
}

fn expandvars(_: &mut State<'_, '_>, args: &Args) -> Out {
    let path = args.text(0)?;
    let regex = super::regex::pattern_of(r"\$(\w+|\{[^}]*\})", false, false)?;
    let value = |found: &fancy_regex::Captures<'_, str>| {
        let name = found[1].trim_matches(['{', '}']).to_owned();
        std::env::var(name).unwrap_or_else(|_| found[0].to_owned())
    };
    Ok(regex.replace_all(&path, value).into_owned().into())
}

/// `.` and `..` taken out without looking at the disk.
fn normal(path: &str) -> String {
    let root = if path.starts_with("//") && !path.starts_with("///") {
        "//"
    } else if path.starts_with('/') {
        "/"
    } else {
        ""
    };
    let mut out: Vec<&str> = vec![];
    for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
        match (part, out.last()) {
            ("..", Some(last)) if *last != ".." => drop(out.pop()),
            ("..", None) if !root.is_empty() => {}
            _ => out.push(part),
        }
    }
    match format!("{root}{}", out.join("/")) {
        empty if empty.is_empty() => ".".to_owned(),
        path => path,
    }
}

fn absolute(path: &str) -> String {
    if path.starts_with('/') {
        return normal(path);
    }
    let here = std::env::current_dir().unwrap_or_default();
    normal(&format!("{}/{path}", here.display()))
}

fn path_join(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let parts = if value.as_str().is_some() {
        vec![value.clone()]
    } else {
        items(value).map_err(|_| {
            let got = crate::python::named(value);
            wrong(format!(
                "|path_join expects string or sequence, got {got} instead"
            ))
        })?
    };
    let mut path = PathBuf::new();
    for part in parts {
        path.push(text(&part)?);
    }
    Ok(path.display().to_string().into())
}

fn relpath(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (path, start) = (
        absolute(&args.text(0)?),
        absolute(&args.opt_text(1)?.unwrap_or_else(|| ".".into())),
    );
    let parts = |path: &'_ str| {
        path.split('/')
            .filter(|p| !p.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (path, start) = (parts(&path), parts(&start));
    let same = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), start.len() - same);
    let all: Vec<String> = up.chain(path[same..].iter().cloned()).collect();
    Ok(if all.is_empty() {
        ".".to_owned()
    } else {
        all.join("/")
    }
    .into())
}

fn splitext(_: &mut State<'_, '_>, args: &Args) -> Out {
    let path = args.text(0)?;
    let name_at = path.rfind('/').map_or(0, |i| i + 1);
    let dots = path[name_at..].chars().take_while(|c| *c == '.').count();
    let dot = path[name_at..]
        .rfind('.')
        .filter(|i| *i >= dots.max(1))
        .map(|i| name_at + i);
    let (root, ext) = dot.map_or((path.as_str(), ""), |i| path.split_at(i));
    Ok(vec![root.to_owned(), ext.to_owned()].into())
}

fn fileglob(state: &mut State<'_, '_>, args: &Args) -> Out {
    let io = context_of(state)?
        .vars
        .io()
        .ok_or_else(|| wrong("`fileglob` works in a playbook only"))?;
    let found = io.glob(&args.text(0)?);
    Ok(found
        .iter()
        .map(|p| Value::from(p.display().to_string()))
        .collect::<Vec<_>>()
        .into())
}

fn win_tail(path: &str) -> String {
    path.rsplit(['\\', '/'])
        .next()
        .unwrap_or_default()
        .to_owned()
}

fn drive(path: &str) -> (&str, &str) {
    match path.as_bytes() {
        [letter, b':', ..] if letter.is_ascii_alphabetic() => path.split_at(2),
        _ => ("", path),
    }
}

fn win_head(path: &str) -> String {
    let (drive, rest) = drive(path);
    let Some(at) = rest.rfind(['\\', '/']) else {
        return drive.to_owned();
    };
    let trimmed = rest[..at].trim_end_matches(['\\', '/']);
    let dir = if trimmed.is_empty() {
        &rest[..=at]
    } else {
        trimmed
    };
    format!("{drive}{dir}")
}

fn win_splitdrive(_: &mut State<'_, '_>, args: &Args) -> Out {
    let path = args.text(0)?;
    let (drive, rest) = drive(&path);
    Ok::<_, Error>(vec![drive.to_owned(), rest.to_owned()].into())
}
