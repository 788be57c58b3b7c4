//! Regular expressions with Python's syntax.

use fancy_regex::Regex;
use minijinja::value::{Kwargs, Rest};
use minijinja::{Environment, Error, Value};

use crate::jinja::{string, wrong};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("regex_replace", regex_replace);
    env.add_filter("regex_search", regex_search);
    env.add_filter(
        "regex_findall",
        |v: Value, pattern: Value, kwargs: Kwargs| {
            let regex = compile(&string(&pattern)?, &kwargs)?;
            let text = string(&v)?;
            let mut out = vec![];
            for found in regex.captures_iter(&text) {
                let found = found.map_err(|e| wrong(e.to_string()))?;
                let groups: Vec<String> = (1..found.len())
                    .map(|i| {
                        found
                            .get(i)
                            .map_or_else(String::new, |m| m.as_str().to_owned())
                    })
                    .collect();
                out.push(match groups.as_slice() {
                    [] => Value::from(found.get(0).map_or("", |m| m.as_str())),
                    [one] => Value::from(one.as_str()),
                    _ => Value::from(groups),
                });
            }
            Ok::<_, Error>(out)
        },
    );
    env.add_filter("regex_escape", |v: Value| {
        Ok::<_, Error>(fancy_regex::escape(&string(&v)?).into_owned())
    });
}

/// Compiles with the keyword arguments `ignorecase` and `multiline`.
fn compile(pattern: &str, kwargs: &Kwargs) -> Result<Regex, Error> {
    let ignorecase: Option<bool> = kwargs.get("ignorecase")?;
    let multiline: Option<bool> = kwargs.get("multiline")?;
    pattern_of(
        pattern,
        ignorecase.unwrap_or(false),
        multiline.unwrap_or(false),
    )
}

/// Compiles a pattern of Python's.
pub(crate) fn pattern_of(pattern: &str, ignorecase: bool, multiline: bool) -> Result<Regex, Error> {
    let mut flags = String::new();
    if ignorecase {
        flags.push('i');
    }
    if multiline {
        flags.push('m');
    }
    // Python writes the end of the text `\Z`.
    let pattern = pattern.replace("\\Z", "\\z");
    let pattern = if flags.is_empty() {
        pattern
    } else {
        format!("(?{flags}){pattern}")
    };
    Regex::new(&pattern).map_err(|e| wrong(format!("the pattern `{pattern}` is not good: {e}")))
}

fn regex_replace(
    v: Value,
    pattern: Value,
    with: Option<Value>,
    kwargs: Kwargs,
) -> Result<String, Error> {
    let regex = compile(&string(&pattern)?, &kwargs)?;
    let with = with.map(|w| string(&w)).transpose()?.unwrap_or_default();
    let with = replacement(&with);
    Ok(regex.replace_all(&string(&v)?, with.as_str()).into_owned())
}

/// `\1` and `\g<name>` as the crate writes them.
fn replacement(python: &str) -> String {
    let mut out = String::new();
    let mut chars = python.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '$' => out.push_str("$$"),
            '\\' => match chars.next() {
                Some(d) if d.is_ascii_digit() => {
                    let mut number = d.to_string();
                    while let Some(more) = chars.next_if(char::is_ascii_digit) {
                        number.push(more);
                    }
                    out.push_str(&format!("${{{number}}}"));
                }
                Some('g') if chars.peek() == Some(&'<') => {
                    chars.next();
                    let name: String = chars.by_ref().take_while(|c| *c != '>').collect();
                    out.push_str(&format!("${{{name}}}"));
                }
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            other => out.push(other),
        }
    }
    out
}

fn regex_search(
    v: Value,
    pattern: Value,
    groups: Rest<Value>,
    kwargs: Kwargs,
) -> Result<Value, Error> {
    let regex = compile(&string(&pattern)?, &kwargs)?;
    let text = string(&v)?;
    let Some(found) = regex.captures(&text).map_err(|e| wrong(e.to_string()))? else {
        return Ok(Value::from(()));
    };
    if groups.0.is_empty() {
        return Ok(Value::from(found.get(0).map_or("", |m| m.as_str())));
    }
    let mut out = vec![];
    for group in groups.0.iter() {
        let name = string(group)?;
        let inner = name
            .trim_start_matches("\\g<")
            .trim_end_matches('>')
            .trim_start_matches('\\');
        let matched = match inner.parse::<usize>() {
            Ok(number) => found.get(number),
            Err(_) => found.name(inner),
        };
        out.push(matched.map_or(Value::from(()), |m| Value::from(m.as_str())));
    }
    Ok(Value::from(out))
}

#[cfg(test)]
mod tests {
    use super::replacement;

    #[test]
    fn groups_are_written_as_python_does() {
        assert_eq!(replacement(r"a\1-\g<x>$"), "a${1}-${x}$$");
    }
}
