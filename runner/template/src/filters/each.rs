//! What is done to each item of a list: `map`, `select` and its kin, `sort`.
//!
//! An item that has not the attribute that is asked for is an error, as in Ansible, unless a
//! default is given or the test asks just that.

use std::cmp::Ordering;

use minijinja::value::Kwargs;
use minijinja::{Error, State, Value};

use super::items::by_path;
use crate::call::{Args, Callable, Out, items, strict};
use crate::operate;
use crate::plugin;
use crate::python::{text, valid, wrong};
use crate::vars::Plugin;

pub(super) const FILTERS: &[Callable] = &[
    strict(&["map"], &["value", "*", "**"], map),
    strict(&["select"], &["value", "*", "**"], |state, a| {
        chosen(state, a, true)
    }),
    strict(&["reject"], &["value", "*", "**"], |state, a| {
        chosen(state, a, false)
    }),
    strict(
        &["selectattr"],
        &["value", "attribute", "*", "**"],
        |state, a| chosen(state, a, true),
    ),
    strict(
        &["rejectattr"],
        &["value", "attribute", "*", "**"],
        |state, a| chosen(state, a, false),
    ),
    strict(
        &["sort"],
        &["value", "reverse", "case_sensitive", "attribute"],
        sort,
    ),
];

/// Tests that take what is undefined for an answer.
const OF_UNDEFINED: [&str; 2] = ["defined", "undefined"];

/// The items as they are; of an unknown part of them it is noted that it was looked at.
fn all(args: &Args) -> Result<Vec<Value>, Error> {
    let value = args.req(0)?;
    match value.as_str() {
        Some(_) => items(value),
        None => Ok(crate::call::iterated(value)?.collect()),
    }
}

/// As [`all`]; of what is empty or nothing there are none, also where it is no list: as Jinja has it for
/// `map`, `select` and their like.
fn some(args: &Args) -> Result<Vec<Value>, Error> {
    if args.req(0)?.is_true() {
        all(args)
    } else {
        Ok(vec![])
    }
}

/// The arguments of a filter or test that is named in a call.
fn call_args(item: Value, args: &Args) -> Vec<Value> {
    let mut given = vec![item];
    given.extend(args.rest.iter().skip(1).cloned());
    if !args.more.is_empty() {
        let named = args.more.iter().map(|(k, v)| (k.as_str(), v.clone()));
        given.push(Kwargs::from_iter(named).into());
    }
    given
}

fn bare(name: &str) -> &str {
    let own = name.strip_prefix("ansible.builtin.");
    own.or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}

fn map(state: &mut State<'_, '_>, args: &Args) -> Out {
    let mut out = vec![];
    if let (Some(path), []) = (args.named("attribute"), args.rest.as_slice()) {
        let path = text(path)?;
        for item in some(args)? {
            let found = by_path(&item, &path)?;
            out.push(match args.named("default") {
                Some(default) if found.is_undefined() => default.clone(),
                _ => valid(found)?,
            });
        }
        return Ok(out.into());
    }
    let Some(filter) = args.rest.first() else {
        return Err(wrong("`map` takes the name of a filter, or `attribute`"));
    };
    let filter = text(filter)?;
    for item in some(args)? {
        let given = call_args(item, args);
        out.push(plugin::by_name(state, Plugin::Filter, &filter, &given)?);
    }
    Ok(out.into())
}

fn chosen(state: &mut State<'_, '_>, args: &Args, keep: bool) -> Out {
    let path = args.opt(1).map(text).transpose()?;
    let test = args.rest.first().map(text).transpose()?;
    let mut out = vec![];
    for item in some(args)? {
        let value = match &path {
            Some(path) => by_path(&item, path)?,
            None => item.clone(),
        };
        let asks = test
            .as_deref()
            .is_some_and(|t| OF_UNDEFINED.contains(&bare(t)));
        let value = if asks { value } else { valid(value)? };
        let holds = match &test {
            Some(test) => {
                plugin::by_name(state, Plugin::Test, test, &call_args(value, args))?.is_true()
            }
            None => value.is_true(),
        };
        if holds == keep {
            out.push(item);
        }
    }
    Ok(out.into())
}

fn sort(_: &mut State<'_, '_>, args: &Args) -> Out {
    let sensitive = args.flag(2, false);
    let paths = args.opt_text(3)?;
    let paths: Vec<&str> = paths.iter().flat_map(|p| p.split(',')).collect();
    let folded = |value: Value| match value.as_str() {
        Some(text) if !sensitive => Value::from(text.to_lowercase()),
        _ => value,
    };
    let mut keyed = vec![];
    for item in items(args.req(0)?)? {
        let keys: Result<Vec<Value>, Error> = match paths.as_slice() {
            [] => Ok(vec![folded(item.clone())]),
            paths => paths
                .iter()
                .map(|path| Ok(folded(valid(by_path(&item, path)?)?)))
                .collect(),
        };
        keyed.push((keys?, item));
    }
    let mut refused = None;
    keyed.sort_by(|(a, _), (b, _)| {
        let order = in_order(a, b).unwrap_or_else(|error| {
            refused.get_or_insert(error);
            Ordering::Equal
        });
        if args.flag(1, false) {
            order.reverse()
        } else {
            order
        }
    });
    match refused {
        Some(error) => Err(error),
        None => Ok(keyed
            .into_iter()
            .map(|(_, item)| item)
            .collect::<Vec<_>>()
            .into()),
    }
}

/// The order of two lists of keys; an error where Python has none.
pub(super) fn in_order(a: &[Value], b: &[Value]) -> Result<Ordering, Error> {
    for (a, b) in a.iter().zip(b) {
        if a == b {
            continue;
        }
        return Ok(if operate::compare("<", a, b)?.is_true() {
            Ordering::Less
        } else {
            Ordering::Greater
        });
    }
    Ok(Ordering::Equal)
}
