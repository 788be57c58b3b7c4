//! Filters and tests that are neither Jinja's nor ours: plugins of the user's own.
//!
//! An expression that calls one is rewritten to a call of `__filter` or `__test` with its name
//! (`rewrite`), since the evaluator must know all names before it runs. Who runs a plugin is the
//! variables' [`LookupIo`](crate::LookupIo).

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, State, Value};
use serde_json::{Map, Value as Json};

use crate::call::{Args, Callable, Out, strict};
use crate::context::context_of;
use crate::json::{Trouble, from_json, to_json};
use crate::python::wrong;
use crate::unknown;
use crate::vars::{Plugin, Vars};

pub(crate) const FILTERS: &[Callable] = &[strict(
    &["__filter"],
    &["value", "name", "*", "**"],
    |s, a| {
        let name = a.text(1)?;
        let given = std::iter::once(a.req(0)?).chain(&a.rest);
        called(s, Plugin::Filter, &name, given, &a.more)
    },
)];

pub(crate) const TESTS: &[Callable] = &[strict(
    &["__test"],
    &["value", "name", "*", "**"],
    |s, a| {
        let name = a.text(1)?;
        let given = std::iter::once(a.req(0)?).chain(&a.rest);
        called(s, Plugin::Test, &name, given, &a.more)
    },
)];

/// Whether a filter is one of Jinja's or ours.
pub(crate) fn is_filter(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> =
        LazyLock::new(|| crate::filters::names().into_iter().collect());
    name.starts_with("__") || NAMES.contains(bare(name))
}

/// Whether a test is one of Jinja's or ours.
pub(crate) fn is_test(name: &str) -> bool {
    static NAMES: LazyLock<HashSet<&str>> =
        LazyLock::new(|| crate::tests_of_values::names().into_iter().collect());
    name.starts_with("__") || NAMES.contains(bare(name))
}

/// A name without the collections that are ours.
fn bare(name: &str) -> &str {
    let ours = ["ansible.builtin.", "ansible.legacy."];
    ours.iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .unwrap_or(name)
}

/// What a filter or test of any kind makes of values, where only its name is known.
pub(crate) fn by_name(state: &mut State<'_, '_>, kind: Plugin, name: &str, given: &[Value]) -> Out {
    let known = match kind {
        Plugin::Test => is_test(name),
        Plugin::Filter | Plugin::Lookup => is_filter(name),
    };
    match (known, kind) {
        (true, Plugin::Test) => state.perform_test(name, given).map(Value::from),
        (true, _) => state.apply_filter(name, given),
        (false, _) => {
            let origins: Vec<_> = given
                .iter()
                .filter_map(unknown::origins)
                .flatten()
                .collect();
            if !origins.is_empty() {
                unknown::touch(&origins);
                return Ok(unknown::value(&origins));
            }
            let (named, given) = match given.split_last() {
                Some((last, rest)) if last.is_kwargs() => (Kwargs::try_from(last.clone())?, rest),
                _ => (
                    Kwargs::from_iter(std::iter::empty::<(String, Value)>()),
                    given,
                ),
            };
            let more = named
                .args()
                .map(|key| Ok((key.to_owned(), named.get(key)?)));
            let more = more.collect::<Result<Vec<(String, Value)>, Error>>()?;
            called(state, kind, name, given.iter(), &more)
        }
    }
}

fn called<'a>(
    state: &mut State<'_, '_>,
    kind: Plugin,
    name: &str,
    given: impl Iterator<Item = &'a Value>,
    more: &[(String, Value)],
) -> Out {
    let made = match context_of(state) {
        Ok(context) => asked(&context.vars, kind, name, given, more)?,
        Err(_) => None,
    };
    made.ok_or_else(|| match kind {
        Plugin::Test => Error::new(ErrorKind::UnknownTest, format!("test {name} is unknown")),
        Plugin::Filter | Plugin::Lookup => Error::new(
            ErrorKind::UnknownFilter,
            format!("filter {name} is unknown"),
        ),
    })
}

/// What a lookup of the user's own finds; none where there is none of that name.
pub(crate) fn lookup(
    vars: &Arc<dyn Vars>,
    name: &str,
    args: &Args,
) -> Result<Option<Vec<Value>>, Error> {
    let found = asked(vars, Plugin::Lookup, name, args.rest.iter(), &args.more)?;
    found
        .map(|found| found.try_iter().map(Iterator::collect))
        .transpose()
}

/// The key of what is undefined, with why, on its way to a lookup and back.
const UNDEFINED: &str = "__rplay_undefined__";

/// An item that a lookup found.
fn given_back(item: &Json) -> Value {
    match item.get(UNDEFINED) {
        Some(_) => Value::UNDEFINED,
        None => from_json(item),
    }
}

/// What a plugin makes of values; none where there is none of that name.
fn asked<'a>(
    vars: &Arc<dyn Vars>,
    kind: Plugin,
    name: &str,
    given: impl Iterator<Item = &'a Value>,
    more: &[(String, Value)],
) -> Result<Option<Value>, Error> {
    let Some(io) = vars.io() else {
        return Ok(None);
    };
    let given = given.map(|value| match to_json(value) {
        // Whether a lookup takes what is undefined, only it knows.
        Err(Trouble::Error(words)) if kind == Plugin::Lookup && value.is_undefined() => {
            Ok(serde_json::json!({ UNDEFINED: words }))
        }
        told => told,
    });
    let given = given.collect::<Result<Vec<Json>, Trouble>>();
    let more = more
        .iter()
        .map(|(key, value)| Ok((key.clone(), to_json(value)?)));
    let more = more.collect::<Result<Map<String, Json>, Trouble>>();
    let (given, more) = match (given, more) {
        (Ok(given), Ok(more)) => (given, more),
        (Err(Trouble::Unknown(origins)), _) | (_, Err(Trouble::Unknown(origins))) => {
            unknown::touch(&origins);
            return Ok(Some(unknown::value(&origins)));
        }
        (Err(Trouble::Error(words)), _) | (_, Err(Trouble::Error(words))) => {
            return Err(wrong(words));
        }
    };
    match io.plugin(kind, name, (given, more), vars) {
        None => Ok(None),
        Some(Ok(made)) => Ok(Some(match (&made, kind) {
            (Json::Array(items), Plugin::Lookup) => items.iter().map(given_back).collect(),
            _ => from_json(&made),
        })),
        Some(Err(words)) => Err(wrong(format!(
            "the {} plugin '{name}' {words}",
            kind.word()
        ))),
    }
}
