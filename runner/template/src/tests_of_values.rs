//! Jinja's `is` tests that Ansible adds.

use std::cmp::Ordering;
use std::path::Path;

use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value};

use crate::filters::regex;
use crate::jinja::{string, wrong};

/// Adds them all.
pub(crate) fn register(env: &mut Environment<'static>) {
    for name in ["success", "succeeded", "successful"] {
        env.add_test(name, |v: Value| flag(&v, "failed").map(|failed| !failed));
    }
    for name in ["failed", "failure"] {
        env.add_test(name, |v: Value| flag(&v, "failed"));
    }
    for name in ["changed", "change"] {
        env.add_test(name, |v: Value| flag(&v, "changed"));
    }
    for name in ["skipped", "skip"] {
        env.add_test(name, |v: Value| flag(&v, "skipped"));
    }
    env.add_test("unreachable", |v: Value| flag(&v, "unreachable"));
    env.add_test("reachable", |v: Value| flag(&v, "unreachable").map(|u| !u));
    env.add_test("finished", |v: Value| flag(&v, "finished"));
    env.add_test("started", |v: Value| flag(&v, "started"));
    env.add_test("timedout", |v: Value| flag(&v, "timedout"));
    env.add_test("match", |v: Value, pattern: Value, kwargs: Kwargs| {
        search(&v, &format!("^(?:{})", string(&pattern)?), &kwargs)
    });
    for name in ["search", "regex"] {
        env.add_test(name, |v: Value, pattern: Value, kwargs: Kwargs| {
            search(&v, &string(&pattern)?, &kwargs)
        });
    }
    for name in ["version", "version_compare"] {
        env.add_test(name, version);
    }
    for name in ["subset", "issubset"] {
        env.add_test(name, |a: Value, b: Value| all_in(&a, &b));
    }
    for name in ["superset", "issuperset"] {
        env.add_test(name, |a: Value, b: Value| all_in(&b, &a));
    }
    env.add_test("contains", |a: Value, b: Value| {
        Ok::<_, Error>(match a.as_str() {
            Some(text) => text.contains(&string(&b)?),
            None => a.try_iter()?.any(|v| v == b),
        })
    });
    env.add_test("any", |v: Value| {
        Ok::<_, Error>(v.try_iter()?.any(|i| i.is_true()))
    });
    env.add_test("all", |v: Value| {
        Ok::<_, Error>(v.try_iter()?.all(|i| i.is_true()))
    });
    env.add_test("truthy", |v: Value| v.is_true());
    env.add_test("falsy", |v: Value| !v.is_true());
    env.add_test("exists", |v: Value| on_disk(&v, Path::exists));
    env.add_test("file", |v: Value| on_disk(&v, Path::is_file));
    env.add_test("directory", |v: Value| on_disk(&v, Path::is_dir));
    for name in ["link", "symlink"] {
        env.add_test(name, |v: Value| on_disk(&v, Path::is_symlink));
    }
    for name in ["abs", "is_abs"] {
        env.add_test(name, |v: Value| on_disk(&v, Path::is_absolute));
    }
}

/// A bool of a result; absent is false.
fn flag(value: &Value, key: &str) -> Result<bool, Error> {
    if value.is_undefined() {
        return Err(minijinja::ErrorKind::UndefinedError.into());
    }
    if value.kind() != minijinja::value::ValueKind::Map {
        return Err(wrong(format!(
            "this test takes a task's result, not `{value}`"
        )));
    }
    let mut found = value.get_attr(key)?;
    if found.is_undefined() && key == "changed" {
        found = Value::from(false);
    }
    Ok(found.is_true())
}

fn search(value: &Value, pattern: &str, kwargs: &Kwargs) -> Result<bool, Error> {
    let ignorecase: Option<bool> = kwargs.get("ignorecase")?;
    let multiline: Option<bool> = kwargs.get("multiline")?;
    let regex = regex::pattern_of(
        pattern,
        ignorecase.unwrap_or(false),
        multiline.unwrap_or(false),
    )?;
    regex
        .is_match(&string(value)?)
        .map_err(|e| wrong(e.to_string()))
}

fn all_in(a: &Value, b: &Value) -> Result<bool, Error> {
    let b: Vec<Value> = b.try_iter()?.collect();
    Ok(a.try_iter()?.all(|v| b.contains(&v)))
}

fn on_disk(value: &Value, is: fn(&Path) -> bool) -> Result<bool, Error> {
    Ok(is(&crate::jinja::home_path(&string(value)?)))
}

/// `x is version('1.2', '>=')`.
fn version(a: Value, b: Value, operator: Option<String>, kwargs: Kwargs) -> Result<bool, Error> {
    let named: Option<String> = kwargs.get("operator")?;
    let _: Option<bool> = kwargs.get("strict")?;
    let _: Option<String> = kwargs.get("version_type")?;
    let (a, b) = (string(&a)?, string(&b)?);
    if a.is_empty() || b.is_empty() {
        return Err(wrong("a version to compare is empty"));
    }
    let order = loose(&a, &b);
    let operator = operator.or(named).unwrap_or_else(|| "==".into());
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order == Ordering::Equal,
        "!=" | "<>" | "ne" => order != Ordering::Equal,
        "<" | "lt" => order == Ordering::Less,
        "<=" | "le" => order != Ordering::Greater,
        ">" | "gt" => order == Ordering::Greater,
        ">=" | "ge" => order != Ordering::Less,
        other => return Err(wrong(format!("`{other}` compares no versions"))),
    })
}

/// Numbers and words in turn, as Python's loose versions.
fn loose(a: &str, b: &str) -> Ordering {
    let (a, b) = (parts(a), parts(b));
    for (x, y) in a.iter().zip(&b) {
        let order = match (x.parse::<u64>(), y.parse::<u64>()) {
            (Ok(x), Ok(y)) => x.cmp(&y),
            _ => x.cmp(y),
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    a.len().cmp(&b.len())
}

fn parts(version: &str) -> Vec<String> {
    let mut parts: Vec<String> = vec![];
    let mut last_digit = None;
    for c in version.chars() {
        if !c.is_alphanumeric() {
            last_digit = None;
            continue;
        }
        let digit = c.is_ascii_digit();
        match parts.last_mut() {
            Some(part) if last_digit == Some(digit) => part.push(c),
            _ => parts.push(c.to_string()),
        }
        last_digit = Some(digit);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_their_numbers() {
        assert_eq!(loose("3.5.10", "3.5.9"), Ordering::Greater);
        assert_eq!(loose("3.5", "3.5.1"), Ordering::Less);
        assert_eq!(loose("1.0rc1", "1.0rc2"), Ordering::Less);
    }
}
