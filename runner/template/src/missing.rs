//! What an evaluation looked for in vain, so that an error about something undefined can say what
//! it was, where it was looked for and what was meant. Also the names being rendered, to stop
//! variables that refer to themselves.

use std::cell::RefCell;

use minijinja::Value;
use minijinja::value::ValueKind;
use rplay_diag::{Diagnostic, did_you_mean};

use crate::python::{repr, type_name};

/// Something that is not there.
#[derive(Debug, Clone)]
pub(crate) enum Miss {
    /// A variable.
    Name(String),
    /// A key, written at `offset` of the template's text.
    Key {
        /// The key's text, as it is written.
        written: String,
        /// Where it is written.
        offset: usize,
        /// What is wrong, in words.
        words: String,
        /// The nearest key that is there.
        near: Option<String>,
        /// Keys that are there, where they are few.
        keys: Vec<String>,
    },
    /// A variable that rests on something undefined, and what was said about that.
    Nested {
        /// The variable's name (or key).
        name: String,
        /// About the inner text.
        diagnostic: Diagnostic,
    },
}

thread_local! {
    static MISSES: RefCell<Vec<Miss>> = const { RefCell::new(Vec::new()) };
    static RENDERING: RefCell<Vec<Rendering>> = const { RefCell::new(Vec::new()) };
}

/// A text being rendered: the context and node it belongs to, and its name.
struct Rendering {
    id: (usize, usize),
    name: String,
}

/// So many variables may stand in one another, before it is taken for a loop.
const DEEPEST: usize = 100;

/// Evaluates, and tells what was looked for in vain.
pub(crate) fn watch<T>(evaluate: impl FnOnce() -> T) -> (T, Vec<Miss>) {
    let outer = MISSES.take();
    let result = evaluate();
    (result, MISSES.replace(outer))
}

/// How much was missed so far.
pub(crate) fn count() -> usize {
    MISSES.with_borrow(Vec::len)
}

/// The variable that was looked for in vain last, where that was no key of one.
pub(crate) fn last_name() -> Option<String> {
    MISSES.with_borrow(|misses| match misses.last() {
        Some(Miss::Name(name)) => Some(name.clone()),
        _ => None,
    })
}

/// Notes a miss.
pub(crate) fn note(miss: Miss) {
    MISSES.with_borrow_mut(|misses| misses.push(miss));
}

/// Notes a key that `base` has not.
pub(crate) fn note_key(base: &Value, key: &Value, offset: usize) {
    let mut keys: Vec<String> = vec![];
    if base.kind() == ValueKind::Map {
        let all = base.try_iter().into_iter().flatten().take(200);
        keys.extend(all.filter_map(|k| k.as_str().map(str::to_owned)));
    }
    // Ansible's words: playbooks look for them in `result.msg`.
    let of_what = type_name(base);
    let words = match (base.kind(), key.as_usize()) {
        (ValueKind::Seq | ValueKind::Map, Some(place)) if of_what != "tuple" => {
            format!("{of_what} object has no element {place}")
        }
        _ => format!(
            "object of type '{of_what}' has no attribute {}",
            repr(key).unwrap_or_default()
        ),
    };
    let key = key.to_string();
    let near = did_you_mean(&key, keys.iter().map(String::as_str)).map(str::to_owned);
    if keys.len() > 8 {
        keys.clear();
    }
    note(Miss::Key {
        written: key,
        offset,
        words,
        near,
        keys,
    });
}

/// Renders a text that `id` stands for, unless it is being rendered already: then why not, with
/// the chain of names that leads back to it.
pub(crate) fn once<T>(
    id: (usize, usize),
    name: &str,
    render: impl FnOnce() -> T,
) -> Result<T, String> {
    let again = RENDERING.with_borrow(|all| {
        let names = |from: usize| {
            let names: Vec<&str> = all[from..].iter().map(|r| r.name.as_str()).collect();
            format!("`{}` -> `{name}`", names.join("` -> `"))
        };
        if let Some(at) = all.iter().position(|r| r.id == id) {
            return Some(format!(
                "the variable `{name}` refers to itself: {}",
                names(at)
            ));
        }
        (all.len() >= DEEPEST).then(|| {
            let last = names(all.len() - 4);
            format!("more than {DEEPEST} variables stand in one another: the last are {last}")
        })
    });
    if let Some(words) = again {
        return Err(words);
    }
    RENDERING.with_borrow_mut(|all| {
        all.push(Rendering {
            id,
            name: name.to_owned(),
        })
    });
    // Each variable stands on the frames of those that it stands in.
    let result = stacker::maybe_grow(256 * 1024, 2 * 1024 * 1024, render);
    RENDERING.with_borrow_mut(Vec::pop);
    Ok(result)
}
