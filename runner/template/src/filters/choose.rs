//! What to take when a value is missing, true or false; what a value is.

use minijinja::value::ValueKind;
use minijinja::{ErrorKind, State, Value};

use crate::call::{Args, Callable, Out, lenient, strict};
use crate::python::{text, type_name, wrong};
use crate::unknown;

pub(super) const FILTERS: &[Callable] = &[
    lenient(
        &["default", "d"],
        &["value", "default_value", "boolean"],
        default,
    ),
    lenient(&["mandatory"], &["value", "msg"], mandatory),
    strict(
        &["ternary"],
        &["value", "true_val", "false_val", "none_val"],
        ternary,
    ),
    strict(&["bool"], &["value"], |_, a| to_bool(a.req(0)?)),
    lenient(&["type_debug"], &["value"], |_, a| {
        Ok(type_name(a.req(0)?).into())
    }),
    strict(&["int"], &["value", "default", "base"], int),
    strict(&["float"], &["value", "default"], float),
];

fn default(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let instead = || args.opt(1).cloned().unwrap_or_else(|| Value::from(""));
    if value.is_undefined() {
        return Ok(instead());
    }
    if args.flag(2, false) && unknown::origins(value).is_none() && !value.is_true() {
        return Ok(instead());
    }
    Ok(value.clone())
}

fn mandatory(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if !value.is_undefined() {
        return Ok(value.clone());
    }
    match args.opt_text(1)? {
        Some(words) => Err(wrong(words)),
        None => Err(match crate::missing::last_name() {
            Some(name) => wrong(format!("Mandatory variable '{name}' not defined.")),
            None => ErrorKind::UndefinedError.into(),
        }),
    }
}

fn ternary(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let chosen = match args.opt(3) {
        Some(other) if value.is_none() && !other.is_none() => other,
        _ if value.is_true() => args.req(1)?,
        _ => args.req(2)?,
    };
    Ok(chosen.clone())
}

/// Ansible's truth of words.
pub(crate) fn to_bool(value: &Value) -> Out {
    if value.kind() == ValueKind::Bool {
        return Ok(value.clone());
    }
    let word = text(value)?.to_lowercase();
    Ok(matches!(
        word.as_str(),
        "yes" | "on" | "1" | "true" | "y" | "t" | "1.0"
    )
    .into())
}

/// Whether a word (in lowercase) is one for true or false.
pub(crate) fn is_bool_word(word: &str) -> bool {
    matches!(
        word,
        "yes"
            | "on"
            | "1"
            | "true"
            | "y"
            | "t"
            | "1.0"
            | "no"
            | "off"
            | "0"
            | "false"
            | "n"
            | "f"
            | "0.0"
    )
}

fn int(_: &mut State<'_, '_>, args: &Args) -> Out {
    let default = || args.opt(1).cloned().unwrap_or_else(|| Value::from(0));
    let value = args.req(0)?;
    let base = u32::try_from(args.int(2)?.unwrap_or(10)).ok();
    let Some(base) = base.filter(|b| (2..=36).contains(b)) else {
        return Ok(default());
    };
    Ok(match value.kind() {
        ValueKind::Bool => i64::from(value.is_true()).into(),
        ValueKind::Number if value.is_integer() => value.clone(),
        ValueKind::Number => match f64::try_from(value.clone())? {
            // Python drops the fraction too.
            #[allow(clippy::cast_possible_truncation)]
            number if number.is_finite() => (number as i128).into(),
            _ => default(),
        },
        ValueKind::String => number_of(&text(value)?, base).map_or_else(default, Value::from),
        _ => default(),
    })
}

/// An integer as Python's `int` reads it, or the whole part of a float.
fn number_of(written: &str, base: u32) -> Option<i128> {
    let plain = written.trim().replace('_', "");
    let (sign, digits) = match plain.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, plain.strip_prefix('+').unwrap_or(&plain)),
    };
    let prefix = match base {
        16 => ["0x", "0X"],
        8 => ["0o", "0O"],
        2 => ["0b", "0B"],
        _ => ["", ""],
    };
    let bare = prefix
        .iter()
        .find_map(|p| digits.strip_prefix(p))
        .unwrap_or(digits);
    if let Ok(number) = i128::from_str_radix(bare, base) {
        return Some(sign * number);
    }
    let float: f64 = plain
        .parse()
        .ok()
        .filter(|f: &f64| f.is_finite() && base == 10)?;
    #[allow(clippy::cast_possible_truncation)] // Python drops the fraction too.
    Some(float as i128)
}

fn float(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    let parsed = match value.kind() {
        ValueKind::Bool => Some(f64::from(u8::from(value.is_true()))),
        ValueKind::Number => f64::try_from(value.clone()).ok(),
        ValueKind::String => text(value)?.trim().parse().ok(),
        _ => None,
    };
    Ok(match parsed {
        Some(number) => Value::from(number),
        None => args.opt(1).cloned().unwrap_or_else(|| Value::from(0.0)),
    })
}
