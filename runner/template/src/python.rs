//! Values as Python prints, names and orders them.

use std::fmt::Write;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use crate::date::{Date, Span as Interval};
use crate::missing;
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

/// A value inside a text: nothing for none and `omit`, as Ansible has it; otherwise as [`text`].
pub(crate) fn printed(value: &Value) -> Result<String, Error> {
    if value.is_none() || crate::context::is_omit(value) {
        Ok(String::new())
    } else {
        text(value)
    }
}

/// A value as Python's `str`.
pub(crate) fn text(value: &Value) -> Result<String, Error> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None => repr(value),
    }
}

/// A value as Python's `repr`.
pub(crate) fn repr(value: &Value) -> Result<String, Error> {
    let mut out = String::new();
    write_repr(value, &mut out)?;
    Ok(out)
}

fn write_repr(value: &Value, out: &mut String) -> Result<(), Error> {
    if let Some(unknown) = value.downcast_object_ref::<Unknown>() {
        unknown::touch(unknown.origins());
        out.push_str(unknown::PLACEHOLDER);
        return Ok(());
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
            out.push('[');
            for (i, item) in value.try_iter()?.enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(&item, out)?;
            }
            out.push(']');
        }
        ValueKind::Map => {
            out.push('{');
            for (i, key) in value.try_iter()?.enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                write_repr(&key, out)?;
                out.push_str(": ");
                write_repr(&value.get_item(&key)?, out)?;
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

/// Notes that an operand is unknown; `true` where one is, and the rest is moot.
fn any_unknown(values: &[&Value]) -> Option<Value> {
    let origins: Vec<_> = values
        .iter()
        .filter_map(|v| unknown::origins(v))
        .flatten()
        .collect();
    if origins.is_empty() {
        return None;
    }
    unknown::touch(&origins);
    Some(unknown::value(&origins))
}

fn operands(a: &Value, b: &Value) -> Result<Option<Value>, Error> {
    for value in [a, b] {
        if matches!(value.kind(), ValueKind::Undefined | ValueKind::Invalid) {
            valid(value.clone())?;
        }
    }
    Ok(any_unknown(&[a, b]))
}

fn refused(sign: &str, a: &Value, b: &Value) -> Error {
    wrong(format!(
        "`{sign}` does not work between {} and {}",
        named(a),
        named(b)
    ))
}

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

/// Integers, booleans among them.
fn whole(value: &Value) -> Option<i128> {
    match value.kind() {
        ValueKind::Bool => Some(value.is_true().into()),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone()).ok(),
        _ => None,
    }
}

fn number(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool | ValueKind::Number => f64::try_from(value.clone())
            .ok()
            .or_else(|| whole(value).map(|n| n as f64)),
        _ => None,
    }
}

fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}

/// `a + b`.
pub(crate) fn add(a: &Value, b: &Value) -> Result<Value, Error> {
    if let Some(unknown) = operands(a, b)? {
        return Ok(unknown);
    }
    if let (Some(x), Some(y)) = (whole(a), whole(b)) {
        return x
            .checked_add(y)
            .map(Value::from)
            .ok_or_else(|| wrong("the sum is too large"));
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(Value::from(x + y));
    }
    if let (Some(x), Some(y)) = (a.as_str(), b.as_str()) {
        return Ok(Value::from([x, y].concat()));
    }
    if is_list(a) && is_list(b) {
        return Ok(a
            .try_iter()?
            .chain(b.try_iter()?)
            .collect::<Vec<_>>()
            .into());
    }
    crate::date::add(a, b).unwrap_or_else(|| Err(refused("+", a, b)))
}

/// `a - b`.
pub(crate) fn sub(a: &Value, b: &Value) -> Result<Value, Error> {
    if let Some(unknown) = operands(a, b)? {
        return Ok(unknown);
    }
    if let (Some(x), Some(y)) = (whole(a), whole(b)) {
        return x
            .checked_sub(y)
            .map(Value::from)
            .ok_or_else(|| wrong("the difference is too large"));
    }
    if let (Some(x), Some(y)) = (number(a), number(b)) {
        return Ok(Value::from(x - y));
    }
    crate::date::sub(a, b).unwrap_or_else(|| Err(refused("-", a, b)))
}

/// `a % b`: a remainder, or a text formatted.
pub(crate) fn rem(a: &Value, b: &Value) -> Result<Value, Error> {
    if let Some(unknown) = operands(a, b)? {
        return Ok(unknown);
    }
    if let Some(format) = a.as_str() {
        return crate::percent::format(format, b).map(Value::from);
    }
    let zero = || wrong("`%` by zero");
    if let (Some(x), Some(y)) = (whole(a), whole(b)) {
        let rest = x.checked_rem(y).ok_or_else(zero)?;
        return Ok(Value::from(if rest != 0 && (rest < 0) != (y < 0) {
            rest + y
        } else {
            rest
        }));
    }
    match (number(a), number(b)) {
        (Some(_), Some(0.0)) => Err(zero()),
        (Some(x), Some(y)) => {
            let rest = x % y;
            Ok(Value::from(if rest != 0.0 && (rest < 0.0) != (y < 0.0) {
                rest + y
            } else {
                rest
            }))
        }
        _ => Err(refused("%", a, b)),
    }
}

/// `a ~ b`.
pub(crate) fn concat(a: &Value, b: &Value) -> Result<Value, Error> {
    if let Some(unknown) = operands(a, b)? {
        return Ok(unknown);
    }
    Ok(Value::from(text(a)? + &text(b)?))
}

/// `a < b` and its like, of what has an order.
pub(crate) fn compare(sign: &str, a: &Value, b: &Value) -> Result<Value, Error> {
    if let Some(unknown) = operands(a, b)? {
        return Ok(unknown);
    }
    let ordered = (number(a).is_some() && number(b).is_some())
        || (a.as_str().is_some() && b.as_str().is_some())
        || (is_list(a) && is_list(b))
        || (a.downcast_object_ref::<Date>().is_some() && b.downcast_object_ref::<Date>().is_some())
        || (a.downcast_object_ref::<Interval>().is_some()
            && b.downcast_object_ref::<Interval>().is_some());
    if !ordered {
        let hint = if a.as_str().is_some() || b.as_str().is_some() {
            "; turn the text into a number with `| int`"
        } else {
            ""
        };
        return Err(wrong(format!(
            "{}{hint}",
            refused(sign, a, b).detail().unwrap_or_default()
        )));
    }
    if a.kind() == ValueKind::Number && [a, b].iter().any(|v| number(v).is_some_and(f64::is_nan)) {
        return Ok(Value::from(false));
    }
    Ok(Value::from(match sign {
        "<" => a < b,
        "<=" => a <= b,
        ">" => a > b,
        _ => a >= b,
    }))
}

/// `a.b` (and `a['b']`): a key of what is undefined is undefined.
pub(crate) fn key(
    base: &Value,
    key: &Value,
    offset: usize,
    attribute: bool,
) -> Result<Value, Error> {
    match base.kind() {
        ValueKind::Undefined => return Ok(base.clone()),
        ValueKind::Invalid => return valid(base.clone()),
        _ => {}
    }
    if key.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    if let Some(unknown) = any_unknown(&[key]) {
        return Ok(unknown);
    }
    let misses = missing::count();
    let mut found = base.get_item(key).unwrap_or_default();
    if found.is_undefined() && base.kind() == ValueKind::Map {
        // Keys of YAML are kept as text: `m[1]` means the key `1`.
        if let Some(number) = key.as_i64() {
            found = base
                .get_item(&Value::from(number.to_string()))
                .unwrap_or_default();
        }
    }
    if found.kind() == ValueKind::Invalid {
        return valid(found);
    }
    if found.is_undefined() && missing::count() == misses {
        missing::note_key(base, key, offset, attribute);
    }
    Ok(found)
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

    #[test]
    fn what_has_no_order_is_refused() {
        let error = compare(">", &Value::from("3"), &Value::from(2)).unwrap_err();
        assert_eq!(
            error.detail(),
            Some(
                "`>` does not work between a string and an integer; turn the text into a number with `| int`"
            )
        );
    }
}
