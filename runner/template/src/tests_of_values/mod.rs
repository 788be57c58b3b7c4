//! Jinja's `is` tests, with those that Ansible adds.

mod kinds;
mod numbers;
mod results;
mod versions;

use std::path::Path;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, State, Value};

use crate::call::{Args, Callable, Out, add_tests, items, strict};
use crate::filters::paths::expand_home;
use crate::filters::regex::pattern_of;
use crate::operate;
use crate::python::{named, text, wrong};

static TESTS: [&[Callable]; 6] = [
    OWN,
    kinds::TESTS,
    numbers::TESTS,
    results::TESTS,
    versions::TESTS,
    crate::tags::TESTS,
];

const OWN: &[Callable] = &[
    strict(
        &["match"],
        &["value", "pattern", "ignorecase", "multiline"],
        |_, a| search(a, "match", 2),
    ),
    strict(
        &["search"],
        &["value", "pattern", "ignorecase", "multiline"],
        |_, a| search(a, "search", 2),
    ),
    strict(
        &["regex"],
        &["value", "pattern", "ignorecase", "multiline", "match_type"],
        |_, a| {
            let kind = a.opt_text(4)?.unwrap_or_else(|| "search".into());
            search(a, &kind, 2)
        },
    ),
    strict(&["subset", "issubset"], &["a", "b"], |_, a| {
        all_in(a.req(0)?, a.req(1)?)
    }),
    strict(&["superset", "issuperset"], &["a", "b"], |_, a| {
        all_in(a.req(1)?, a.req(0)?)
    }),
    strict(&["contains"], &["value", "item"], contains),
    strict(&["any"], &["value"], |_, a| {
        Ok(a.list(0)?.iter().any(Value::is_true).into())
    }),
    strict(&["all"], &["value"], |_, a| {
        Ok(a.list(0)?.iter().all(Value::is_true).into())
    }),
    strict(&["exists"], &["path"], |_, a| on_disk(a, Path::exists)),
    strict(&["file", "is_file"], &["path"], |_, a| {
        on_disk(a, Path::is_file)
    }),
    strict(&["directory", "is_dir"], &["path"], |_, a| {
        on_disk(a, Path::is_dir)
    }),
    strict(&["link", "is_link"], &["path"], |_, a| {
        on_disk(a, Path::is_symlink)
    }),
    strict(&["link_exists"], &["path"], |_, a| {
        on_disk(a, |p| p.symlink_metadata().is_ok())
    }),
    strict(&["abs", "is_abs"], &["path"], |_, a| {
        on_disk(a, Path::is_absolute)
    }),
    strict(&["mount", "is_mount"], &["path"], |_, a| {
        on_disk(a, is_mount)
    }),
    strict(&["same_file", "is_same_file"], &["a", "b"], same_file),
    strict(&["uri"], &["value", "schemes"], |_, a| uri(a, |_, _| true)),
    strict(&["url"], &["value", "schemes"], |_, a| {
        uri(a, |_, host| !host.is_empty())
    }),
    strict(&["urn"], &["value"], |_, a| {
        uri(a, |scheme, _| scheme == "urn")
    }),
    strict(&["eq", "equalto", "=="], &["a", "b"], |_, a| {
        Ok((a.req(0)? == a.req(1)?).into())
    }),
    strict(&["ne", "!="], &["a", "b"], |_, a| {
        Ok((a.req(0)? != a.req(1)?).into())
    }),
    strict(&["lt", "lessthan", "<"], &["a", "b"], |_, a| {
        compared("<", a)
    }),
    strict(&["le", "<="], &["a", "b"], |_, a| compared("<=", a)),
    strict(&["gt", "greaterthan", ">"], &["a", "b"], |_, a| {
        compared(">", a)
    }),
    strict(&["ge", ">="], &["a", "b"], |_, a| compared(">=", a)),
    strict(&["in"], &["value", "seq"], contained),
];

/// Jinja's own, which the evaluator brings with it.
const BUILT_IN: &[&str] = &[
    "none", "filter", "test", "sameas", "escaped", "boolean", "safe",
];

/// Adds them all.
pub(crate) fn register(env: &mut Environment<'static>) {
    for theme in TESTS {
        add_tests(env, theme);
    }
    add_tests(env, crate::plugin::TESTS);
}

/// The names of all tests.
pub(crate) fn names() -> Vec<&'static str> {
    let own = TESTS
        .iter()
        .flat_map(|theme| theme.iter())
        .flat_map(|c| c.names);
    own.chain(BUILT_IN).copied().collect()
}

/// A URI's scheme (lowercase, where it has one) and the host's part of it, as far as they go:
/// almost any text is a URI without a scheme.
fn parts(uri: &str) -> (String, &str) {
    let letters = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match uri.split_once(':') {
        Some((scheme, rest)) if letters(scheme) => (scheme.to_lowercase(), rest),
        _ => (String::new(), uri),
    };
    let host = rest.strip_prefix("//").unwrap_or_default();
    (
        scheme,
        host.split(['/', '?', '#']).next().unwrap_or_default(),
    )
}

fn uri(args: &Args, is: fn(&str, &str) -> bool) -> Out {
    // What is no text is no address.
    let Some(value) = args.req(0)?.as_str() else {
        return Ok(false.into());
    };
    let (scheme, host) = parts(value);
    let allowed = match args.some(1) {
        Some(list) => items(list)?.iter().any(|s| s.as_str() == Some(&scheme)),
        None => true,
    };
    let brackets = host.contains('[') == host.contains(']');
    Ok((allowed && brackets && is(&scheme, host)).into())
}

/// `is eq` and its kin, of what is there.
fn compared(sign: &'static str, args: &Args) -> Out {
    operate::compare(sign, args.req(0)?, args.req(1)?)
}

/// What may be in a text: another one.
fn part(item: &Value) -> Result<&str, Error> {
    let words = || format!("only text can be in text, not {}", named(item));
    item.as_str().ok_or_else(|| wrong(words()))
}

fn contained(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (item, all) = (args.req(0)?, args.req(1)?);
    Ok(match all.as_str() {
        Some(all) => all.contains(part(item)?),
        None => items(all)?.contains(item),
    }
    .into())
}

fn search(args: &Args, kind: &str, flags: usize) -> Out {
    let value = args.req(0)?;
    // As Ansible does, what is no text is matched as it would be printed.
    let subject = match value.as_str() {
        Some(text) => text.to_owned(),
        None => text(value)?,
    };
    let pattern = args.text(1)?;
    let anchored = match kind {
        "match" => format!("^(?:{pattern})"),
        "fullmatch" => format!("^(?:{pattern})\\Z"),
        "search" => pattern,
        other => {
            return Err(wrong(format!(
                "`{other}` is no way to match: it is search, match or fullmatch"
            )));
        }
    };
    // Only the beginning of the text will do, whatever `multiline` says of lines.
    let anchored = if anchored.starts_with('^') && kind != "search" {
        anchored.replacen('^', "\\A", 1)
    } else {
        anchored
    };
    let regex = pattern_of(
        &anchored,
        args.flag(flags, false),
        args.flag(flags + 1, false),
    )?;
    let found = regex.is_match(&subject);
    found
        .map(Value::from)
        .map_err(|e| wrong(format!("the pattern could not be matched: {e}")))
}

fn all_in(a: &Value, b: &Value) -> Out {
    let b = items(b)?;
    Ok(items(a)?.iter().all(|v| b.contains(v)).into())
}

fn contains(_: &mut State<'_, '_>, args: &Args) -> Out {
    let (value, item) = (args.req(0)?, args.req(1)?);
    Ok(match value.kind() {
        ValueKind::String => args.text(0)?.contains(part(item)?).into(),
        ValueKind::Map => value.try_iter()?.any(|key| key == *item).into(),
        _ => args.list(0)?.contains(item).into(),
    })
}

fn on_disk(args: &Args, is: fn(&Path) -> bool) -> Out {
    Ok(is(Path::new(&expand_home(path(args, 0)?))).into())
}

/// A path: what is no text is a mistake, and not a file that is not there.
fn path(args: &Args, at: usize) -> Result<&str, Error> {
    let value = args.req(at)?;
    let words = || format!("`{}` takes a path, not {}", args.name(), named(value));
    value.as_str().ok_or_else(|| wrong(words()))
}

fn is_mount(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |p: &Path| p.metadata().map(|m| (m.dev(), m.ino()));
    match (device(path), device(&path.join(".."))) {
        (Ok(own), Ok(above)) => own.0 != above.0 || own.1 == above.1,
        _ => false,
    }
}

fn same_file(_: &mut State<'_, '_>, args: &Args) -> Out {
    use std::os::unix::fs::MetadataExt;
    let id = |at: usize| -> Result<(u64, u64), Error> {
        let path = path(args, at)?;
        let metadata = Path::new(path).metadata();
        metadata
            .map(|m| (m.dev(), m.ino()))
            .map_err(|e| wrong(format!("could not look at `{path}`: {e}")))
    };
    Ok((id(0)? == id(1)?).into())
}
