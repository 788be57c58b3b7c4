//! What a value is.

use minijinja::value::ValueKind;
use minijinja::{State, Value};

use crate::call::{Args, Callable, Out, lenient, strict};
use crate::context::context_of;
use crate::filters::choose::{is_bool_word, to_bool};
use crate::python::{text, type_name, valid};
use crate::{unknown, vault};

/// Whether all letters of a value as text that have a case have this one, and some have.
fn cased(args: &Args, is: fn(char) -> bool) -> Out {
    let text = text(args.req(0)?)?;
    let mut cases = text
        .chars()
        .filter(|c| c.is_lowercase() || c.is_uppercase());
    Ok((cases.clone().next().is_some() && cases.all(is)).into())
}

/// Whether a value is this very boolean, and no number that equals it.
fn is_bool(args: &Args, wanted: bool) -> Out {
    let value = args.req(0)?;
    Ok((value.kind() == ValueKind::Bool && value.is_true() == wanted).into())
}

pub(super) const TESTS: &[Callable] = &[
    lenient(&["defined"], &["value"], |_, a| {
        Ok(defined(a.req(0)?).into())
    }),
    lenient(&["undefined"], &["value"], |_, a| {
        Ok((!defined(a.req(0)?)).into())
    }),
    strict(&["string"], &["value"], |_, a| {
        kind(a.req(0)?, &[ValueKind::String])
    }),
    strict(&["mapping"], &["value"], |_, a| {
        kind(a.req(0)?, &[ValueKind::Map])
    }),
    strict(&["sequence"], &["value"], |_, a| {
        kind(
            a.req(0)?,
            &[
                ValueKind::Seq,
                ValueKind::Iterable,
                ValueKind::Map,
                ValueKind::String,
            ],
        )
    }),
    strict(&["iterable"], &["value"], |_, a| {
        kind(
            a.req(0)?,
            &[
                ValueKind::Seq,
                ValueKind::Iterable,
                ValueKind::Map,
                ValueKind::String,
            ],
        )
    }),
    strict(&["number"], &["value"], |_, a| {
        kind(a.req(0)?, &[ValueKind::Number, ValueKind::Bool])
    }),
    strict(&["boolean"], &["value"], |_, a| {
        kind(a.req(0)?, &[ValueKind::Bool])
    }),
    strict(&["true"], &["value"], |_, a| is_bool(a, true)),
    strict(&["false"], &["value"], |_, a| is_bool(a, false)),
    strict(&["lower"], &["value"], |_, a| cased(a, char::is_lowercase)),
    strict(&["upper"], &["value"], |_, a| cased(a, char::is_uppercase)),
    strict(&["none"], &["value"], |_, a| {
        kind(a.req(0)?, &[ValueKind::None])
    }),
    strict(&["integer"], &["value"], |_, a| {
        Ok((type_name(a.req(0)?) == "int").into())
    }),
    strict(&["float"], &["value"], |_, a| {
        Ok((type_name(a.req(0)?) == "float").into())
    }),
    lenient(&["callable"], &["value"], |_, a| {
        Ok(is_callable(a.req(0)?).into())
    }),
    strict(&["truthy"], &["value", "convert_bool"], |_, a| {
        truth(a.req(0)?, a.flag(1, false))
    }),
    strict(&["falsy"], &["value", "convert_bool"], |_, a| {
        truth(a.req(0)?, a.flag(1, false)).map(|v| (!v.is_true()).into())
    }),
    strict(&["nan", "isnan"], &["value"], |_, a| {
        Ok(f64::try_from(a.req(0)?.clone())
            .is_ok_and(f64::is_nan)
            .into())
    }),
    strict(&["vault_encrypted"], &["value"], vault_encrypted),
    strict(&["vaulted_file"], &["path"], |_, a| {
        let path = a.text(0)?;
        let read = std::fs::read(&path)
            .map_err(|e| crate::python::wrong(format!("could not read `{path}`: {e}")))?;
        Ok(read.starts_with(b"$ANSIBLE_VAULT;").into())
    }),
];

/// A value that is there, though it may be unknown, is defined.
fn defined(value: &Value) -> bool {
    unknown::is_there(value) || valid(value.clone()).is_ok()
}

fn kind(value: &Value, kinds: &[ValueKind]) -> Out {
    Ok(kinds.contains(&value.kind()).into())
}

/// A vault as it is written, or what one was opened to: a value that came of one is known by what
/// it says.
fn vault_encrypted(state: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let Some(text) = value.as_str() else {
        return Ok(false.into());
    };
    let opened = context_of(state)?.templar.vault_keys().has_opened(text);
    Ok((opened || vault::is_vault(text)).into())
}

fn is_callable(value: &Value) -> bool {
    value
        .as_object()
        .is_some_and(|o| matches!(o.repr(), minijinja::value::ObjectRepr::Plain))
}

fn truth(value: &Value, convert: bool) -> Out {
    // Of text that is no word for true or false it counts whether there is any.
    let word = || text(value).map(|w| w.to_lowercase());
    if convert && is_bool_word(&word()?) {
        return to_bool(value).map(|v| v.is_true().into());
    }
    Ok(value.is_true().into())
}
