//! Values as Python prints, names and orders them.

use std::fmt::Write;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use crate::context::Context;
use crate::date::{Date, Span as Interval};
use crate::filters::items::Group;
use crate::unknown::{self, Unknown};

/// A failure in words.
pub(crate) fn wrong(words: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, words.into())
}

/// A value that is no hidden error and is defined.
pub(crate) fn valid(value: Value) -> Result<Value, Error> {
    match value.kind() {
        ValueKind::Undefined => Err(ErrorKind::UndefinedError.into()),
        ValueKind::Invalid => {
            // Iteration is the one public way to the error inside.
            for item in Value::from(vec![value.clone()]).try_iter()?.checked() {
                item?;
            }
            Ok(value)
        }
        _ => Ok(value),
    }
}

/// What a value is called in Python.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Seq if value.is_tuple() => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        _ if value.downcast_object_ref::<Date>().is_some() => "datetime",
        _ if value.downcast_object_ref::<Interval>().is_some() => "timedelta",
        _ => "dict",
    }
}

/// A value inside a text: nothing for none and `omit`, as Ansible has it; what else it holds is a
/// variable's first, so that tuples are lists.
pub(crate) fn printed(value: &Value) -> Result<String, Error> {
    if value.is_none() || crate::context::is_omit(value) {
        return Ok(String::new());
    }
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => written(value, Tuples::AsLists),
    }
}

/// A value as Python's `str`.
pub(crate) fn text(value: &Value) -> Result<String, Error> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => repr(value),
    }
}

/// A value as it is shown to people; what has no words (something undefined) as it is.
pub fn in_words(value: &Value) -> String {
    let words = match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => written(value, Tuples::AsLists),
    };
    words.unwrap_or_else(|_| value.to_string())
}

/// How a tuple is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tuples {
    AsLists,
    AsThemselves,
}

fn is_tuple(value: &Value) -> bool {
    value.is_tuple() || value.downcast_object_ref::<Group>().is_some()
}

fn written(value: &Value, tuples: Tuples) -> Result<String, Error> {
    let mut out = String::new();
    write_repr(value, tuples, &mut out)?;
    Ok(out)
}

/// A value as Python's `repr`.
pub(crate) fn repr(value: &Value) -> Result<String, Error> {
    written(value, Tuples::AsThemselves)
}

fn write_repr(value: &Value, tuples: Tuples, out: &mut String) -> Result<(), Error> {
    if let Some(unknown) = value.downcast_object_ref::<Unknown>() {
        unknown::touch(unknown.origins());
        out.push_str(unknown::PLACEHOLDER);
        return Ok(());
    }
    if value.downcast_object_ref::<Context>().is_some() {
        return write_repr(&crate::templar::whole(value.clone())?, tuples, out);
    }
    match value.kind() {
        ValueKind::Undefined | ValueKind::Invalid => {
            valid(value.clone())?;
        }
        ValueKind::None => out.push_str("None"),
        ValueKind::Bool => out.push_str(if value.is_true() { "True" } else { "False" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => out.push_str(&float(f64::try_from(value.clone())?)),
        ValueKind::String => quote(value.as_str().unwrap_or_default(), out),
        ValueKind::Seq | ValueKind::Iterable => {
            let (open, end) = match tuples == Tuples::AsThemselves && is_tuple(value) {
                true if value.len() == Some(1) => ("(", ",)"),
                true => ("(", ")"),
                false => ("[", "]"),
            };
            out.push_str(open);
            for (i, item) in value.try_iter()?.enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(&item, tuples, out)?;
            }
            out.push_str(end);
        }
        ValueKind::Map => {
            out.push('{');
            for (i, key) in value.try_iter()?.enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(&key, tuples, out)?;
                out.push_str(": ");
                write_repr(&value.get_item(&key)?, tuples, out)?;
            }
            out.push('}');
        }
        // Writing to a string cannot fail.
        _ => drop(write!(out, "{value}")),
    }
    Ok(())
}

/// A float as Python prints it: `1.0`, `1e+20`, `1e-07`.
pub(crate) fn float(number: f64) -> String {
    if number.is_nan() {
        return "nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number != 0.0 && !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let plain = format!("{number}");
    if plain.contains('.') {
        plain
    } else {
        format!("{plain}.0")
    }
}

fn quote(text: &str, out: &mut String) {
    let mark = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    out.push(mark);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c == mark => out.extend(['\\', c]),
            c if c.is_ascii_control() => drop(write!(out, "\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push(mark);
}

/// What a value is called in errors.
pub(crate) fn named(value: &Value) -> &'static str {
    match type_name(value) {
        "str" => "a string",
        "int" => "an integer",
        "float" => "a float",
        "bool" => "a boolean",
        "list" | "tuple" => "a list",
        "dict" => "a mapping",
        "NoneType" => "none",
        "datetime" => "a date",
        "timedelta" => "a span of time",
        _ => "this value",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_in_python() {
        for (number, want) in [
            (1.0, "1.0"),
            (1e20, "1e+20"),
            (1e-7, "1e-07"),
            (0.1 + 0.2, "0.30000000000000004"),
            (1e15, "1000000000000000.0"),
            (1.5e16, "1.5e+16"),
            (0.0001, "0.0001"),
        ] {
            assert_eq!(float(number), want);
        }
    }
}
