//! Methods of texts, lists and mappings, as Python has them.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat;

use crate::python::{named, text, type_name, valid, wrong};
use crate::unknown;

/// Calls a method that the value does not have by itself.
pub(crate) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if value.is_undefined() {
        return valid(value.clone());
    }
    for arg in args {
        if let Some(origins) = unknown::origins(arg) {
            unknown::touch(&origins);
            return Ok(unknown::value(&origins));
        }
    }
    let own = match value.as_str() {
        Some(text) => of_text(text, method, args)?,
        None => of_container(value, method, args)?,
    };
    if let Some(found) = own {
        return Ok(found);
    }
    pycompat::unknown_method_callback(state, value, method, args).map_err(|error| {
        if error.kind() != ErrorKind::UnknownMethod {
            return error;
        }
        if value.kind() == ValueKind::Map && value.get_attr(method).is_ok_and(|v| !v.is_undefined())
        {
            return error;
        }
        wrong(format!("{} has no method `{method}`", named(value)))
    })
}

fn number(args: &[Value], at: usize, default: i64) -> Result<i64, Error> {
    match args.get(at) {
        None => Ok(default),
        Some(value) => value
            .as_i64()
            .ok_or_else(|| wrong(format!("an integer is wanted, not {}", named(value)))),
    }
}

fn word(args: &[Value], at: usize) -> Result<String, Error> {
    match args.get(at) {
        Some(value) => text(value),
        None => Err(wrong("an argument is missing")),
    }
}

fn of_text(s: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    let fill = |at: usize| -> Result<char, Error> {
        match args.get(at) {
            None => Ok(' '),
            Some(v) => text(v)?
                .chars()
                .next()
                .ok_or_else(|| wrong("the fill is one character")),
        }
    };
    let width =
        || -> Result<usize, Error> { Ok(usize::try_from(number(args, 0, 0)?).unwrap_or(0)) };
    let missing = |width: usize| width.saturating_sub(s.chars().count());
    let pad = |n: usize, c: char| c.to_string().repeat(n.min(1_000_000));
    let parts =
        |a: &str, b: &str, c: &str| Value::from(vec![a.to_owned(), b.to_owned(), c.to_owned()]);
    Ok(Some(match method {
        "zfill" => {
            let (sign, digits) = match s.strip_prefix(['-', '+']) {
                Some(rest) => s.split_at(s.len() - rest.len()),
                None => ("", s),
            };
            Value::from(format!("{sign}{}{digits}", pad(missing(width()?), '0')))
        }
        "ljust" => Value::from(format!("{s}{}", pad(missing(width()?), fill(1)?))),
        "rjust" => Value::from(format!("{}{s}", pad(missing(width()?), fill(1)?))),
        "center" => {
            let all = missing(width()?);
            // Python puts the odd one left of texts of odd width.
            let left = all / 2 + (all & width()? & 1);
            Value::from(format!(
                "{}{s}{}",
                pad(left, fill(1)?),
                pad(all - left, fill(1)?)
            ))
        }
        "partition" => {
            let by = word(args, 0)?;
            match s.split_once(by.as_str()) {
                Some((a, b)) => parts(a, &by, b),
                None => parts(s, "", ""),
            }
        }
        "rpartition" => {
            let by = word(args, 0)?;
            match s.rsplit_once(by.as_str()) {
                Some((a, b)) => parts(a, &by, b),
                None => parts("", "", s),
            }
        }
        "removeprefix" => Value::from(s.strip_prefix(&*word(args, 0)?).unwrap_or(s)),
        "removesuffix" => Value::from(s.strip_suffix(&*word(args, 0)?).unwrap_or(s)),
        "swapcase" => Value::from(s.chars().map(swapped).collect::<String>()),
        "casefold" => Value::from(s.to_lowercase()),
        "expandtabs" => Value::from(s.replace('\t', "        ")),
        "encode" | "decode" => Value::from(s),
        "isdecimal" => Value::from(!s.is_empty() && s.chars().all(|c| c.is_ascii_digit())),
        "isidentifier" => Value::from(is_identifier(s)),
        "index" | "rindex" => {
            let part = word(args, 0)?;
            let at = if method == "index" {
                s.find(&part)
            } else {
                s.rfind(&part)
            };
            let at = at.ok_or_else(|| wrong(format!("`{part}` is not in the text")))?;
            Value::from(s[..at].chars().count())
        }
        "rsplit" => {
            let most = number(args, 1, -1)?;
            rsplit(
                s,
                args.first().filter(|v| !v.is_none()),
                usize::try_from(most).ok(),
            )?
        }
        "format" => Value::from(format(s, args)?),
        _ => return Ok(None),
    }))
}

fn swapped(c: char) -> char {
    let other = if c.is_lowercase() {
        c.to_uppercase().next()
    } else {
        c.to_lowercase().next()
    };
    other.unwrap_or(c)
}

fn is_identifier(s: &str) -> bool {
    let mut chars = s.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}

fn rsplit(s: &str, by: Option<&Value>, most: Option<usize>) -> Result<Value, Error> {
    let limit = most.map_or(usize::MAX, |n| n.saturating_add(1));
    let mut parts: Vec<String> = match by {
        Some(by) => s.rsplitn(limit, &*text(by)?).map(str::to_owned).collect(),
        None => s
            .trim()
            .rsplitn(limit, char::is_whitespace)
            .map(str::to_owned)
            .collect(),
    };
    parts.reverse();
    Ok(Value::from(parts))
}

/// `'{} {0} {name}'.format(...)`, with what may stand behind a colon.
fn format(s: &str, args: &[Value]) -> Result<String, Error> {
    let (args, named) = match args.split_last() {
        Some((last, rest)) if last.is_kwargs() => (rest, Some(Kwargs::try_from(last.clone())?)),
        _ => (args, None),
    };
    let mut out = String::new();
    let mut next = 0;
    let mut rest = s;
    while let Some(at) = rest.find(['{', '}']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            out.push_str(&rest[..1]);
            rest = &rest[2..];
            continue;
        }
        let (field, after) = rest
            .strip_prefix('{')
            .and_then(|inner| inner.split_once('}'))
            .ok_or_else(|| wrong("a brace of the format is not closed"))?;
        rest = after;
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let value = if name.is_empty() {
            next += 1;
            args.get(next - 1).cloned()
        } else if let Ok(at) = name.parse::<usize>() {
            args.get(at).cloned()
        } else {
            field_of(name, named.as_ref())?
        };
        let value = value.ok_or_else(|| wrong(format!("`{{{field}}}` has no value to take")))?;
        out.push_str(&padded(&value, spec)?);
    }
    out.push_str(rest);
    Ok(out)
}

fn field_of(name: &str, named: Option<&Kwargs>) -> Result<Option<Value>, Error> {
    let mut path = name.split('.');
    let first = path.next().unwrap_or_default();
    let Some(mut value) = named
        .filter(|n| n.has(first))
        .map(|n| n.get::<Value>(first))
        .transpose()?
    else {
        return Ok(None);
    };
    for key in path {
        value = valid(value.get_attr(key)?)?;
    }
    Ok(Some(value))
}

/// A value by a format such as `>8`, `03d`, `.2f`.
fn padded(value: &Value, spec: &str) -> Result<String, Error> {
    if spec.is_empty() {
        return text(value);
    }
    let mut chars: Vec<char> = spec.chars().collect();
    let (mut fill, mut side) = (' ', None);
    if chars.len() > 1 && "<>^=".contains(chars[1]) {
        (fill, side) = (chars[0], Some(chars[1]));
        chars.drain(..2);
    } else if chars.first().is_some_and(|c| "<>^=".contains(*c)) {
        side = Some(chars.remove(0));
    }
    let letter = chars.last().copied().filter(|c| c.is_ascii_alphabetic());
    let middle: String = chars
        .iter()
        .take(chars.len() - usize::from(letter.is_some()))
        .collect();
    let numeric = value.kind() == ValueKind::Number;
    let (flags, precision) = middle
        .split_once('.')
        .map_or((middle.as_str(), None), |(a, b)| (a, Some(b)));
    let width: usize = flags
        .trim_start_matches(['+', ' ', '-', '#', ','])
        .parse()
        .unwrap_or(0);
    if flags.starts_with('0') && side.is_none() {
        (fill, side) = ('0', Some('='));
    }
    let letter = letter.unwrap_or(if !numeric {
        's'
    } else if precision.is_some() {
        'g'
    } else if type_name(value) == "int" {
        'd'
    } else {
        's'
    });
    let precision = precision.map_or(String::new(), |p| format!(".{p}"));
    let sign = if flags.starts_with('+') { "+" } else { "" };
    let body = crate::percent::format(&format!("%{sign}{precision}{letter}"), value)?;
    let gap = width.min(10_000).saturating_sub(body.chars().count());
    let pad = |n: usize| fill.to_string().repeat(n);
    Ok(match side {
        Some('^') => format!("{}{body}{}", pad(gap / 2), pad(gap - gap / 2)),
        Some('>') => format!("{}{body}", pad(gap)),
        Some('=') => {
            let digits = body.trim_start_matches(['-', '+']);
            format!("{}{}{digits}", &body[..body.len() - digits.len()], pad(gap))
        }
        None if numeric => format!("{}{body}", pad(gap)),
        _ => format!("{body}{}", pad(gap)),
    })
}

fn of_container(value: &Value, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    match (value.kind(), method) {
        (ValueKind::Seq | ValueKind::Iterable, "index") => {
            let wanted = args.first().ok_or_else(|| wrong("`index` takes an item"))?;
            match value.try_iter()?.position(|item| item == *wanted) {
                Some(at) => Ok(Some(Value::from(at))),
                None => Err(wrong(format!("{} is not in the list", text(wanted)?))),
            }
        }
        (ValueKind::Seq | ValueKind::Iterable, "copy") | (ValueKind::Map, "copy") => {
            Ok(Some(value.clone()))
        }
        (
            ValueKind::Seq | ValueKind::Iterable,
            "append" | "extend" | "insert" | "pop" | "remove" | "sort" | "reverse" | "clear",
        )
        | (ValueKind::Map, "update" | "pop" | "setdefault" | "clear" | "popitem") => {
            Err(wrong(format!(
                "`{method}` changes a value that this template did not make; add with `+` or `combine`"
            )))
        }
        _ => Ok(None),
    }
}
