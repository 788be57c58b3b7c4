//! Numbers.

use minijinja::value::ValueKind;
use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, strict};
use crate::python::{named, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["abs"], &["value"], abs),
    strict(&["round"], &["value", "precision", "method"], round),
    strict(&["log"], &["value", "base"], log),
    strict(&["pow", "power"], &["value", "exponent"], |_, a| {
        Ok(number(a, 0)?.powf(number(a, 1)?).into())
    }),
    strict(&["root"], &["value", "base"], root),
];

fn abs(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    match value.kind() {
        ValueKind::Number if value.is_integer() => Ok(i128::try_from(value.clone())?.abs().into()),
        ValueKind::Number | ValueKind::Bool => Ok(args.number(0)?.abs().into()),
        _ => Err(wrong(format!("`abs` takes a number, not {}", named(value)))),
    }
}

/// An integer to tens, hundreds, ...: a half goes to the even neighbour.
fn rounded_integer(number: i128, precision: i32) -> i128 {
    let Some(scale) = 10_i128.checked_pow(precision.unsigned_abs()) else {
        return 0;
    };
    let (floor, rest) = (number.div_euclid(scale), number.rem_euclid(scale));
    let up = match (rest * 2).cmp(&scale) {
        std::cmp::Ordering::Less => false,
        std::cmp::Ordering::Equal => floor % 2 != 0,
        std::cmp::Ordering::Greater => true,
    };
    (floor + i128::from(up)) * scale
}

fn round(_: &mut State<'_, '_>, args: &Args) -> Out {
    let number = args.number(0)?;
    let method = args.opt_text(2)?.unwrap_or_else(|| "common".into());
    if args.req(0)?.is_integer() && method == "common" && args.int(1)?.unwrap_or(0) >= 0 {
        return Ok(args.req(0)?.clone());
    }
    let precision = i32::try_from(args.int(1)?.unwrap_or(0)).unwrap_or(0);
    if args.req(0)?.is_integer() && method == "common" {
        return Ok(rounded_integer(i128::try_from(args.req(0)?.clone())?, precision).into());
    }
    let scale = 10_f64.powi(precision);
    let rounded = match method.as_str() {
        // Halves go to the even neighbour, as in Python; of the decimal number as it is stored.
        "common" if precision >= 0 => {
            let places = usize::try_from(precision).unwrap_or(0);
            format!("{number:.places$}").parse().unwrap_or(number)
        }
        "common" => (number * scale).round_ties_even() / scale,
        "ceil" => (number * scale).ceil() / scale,
        "floor" => (number * scale).floor() / scale,
        other => {
            return Err(wrong(format!(
                "`round` knows no method `{other}`: it is common, ceil or floor"
            )));
        }
    };
    Ok(rounded.into())
}

/// A number of a sum, in Ansible's words where it is none.
fn number(args: &Args, at: usize) -> Result<f64, Error> {
    let value = args.req(at)?;
    f64::try_from(value.clone()).map_err(|_| {
        wrong(format!(
            "{}() can only be used on numbers: this is {}",
            args.name(),
            named(value)
        ))
    })
}

fn log(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = number(args, 0)?;
    if value <= 0.0 {
        return Err(wrong("`log` takes a number above 0"));
    }
    let result = match args.some(1) {
        None => value.ln(),
        Some(_) => match number(args, 1)? {
            base if (base - 10.0).abs() < f64::EPSILON => value.log10(),
            base if (base - 2.0).abs() < f64::EPSILON => value.log2(),
            base => value.ln() / base.ln(),
        },
    };
    Ok(Value::from(result))
}

fn root(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = number(args, 0)?;
    let base = if args.some(1).is_some() {
        number(args, 1)?
    } else {
        2.0
    };
    if (base - 2.0).abs() < f64::EPSILON {
        if value < 0.0 {
            return Err(wrong("a negative number has no square root"));
        }
        return Ok(value.sqrt().into());
    }
    if base == 0.0 {
        return Err(wrong("`root`: division by zero"));
    }
    Ok(value.powf(1.0 / base).into())
}
