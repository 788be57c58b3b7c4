//! Python's operators, of values: sums, remainders, order, keys.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use crate::date::{Date, Span as Interval};
use crate::python::{named, text, valid, wrong};
use crate::{missing, unknown};

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
pub(crate) fn key(base: &Value, key: &Value, offset: usize) -> Result<Value, Error> {
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
        missing::note_key(base, key, offset);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

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
