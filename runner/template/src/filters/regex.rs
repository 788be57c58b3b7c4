//! Regular expressions with Python's syntax.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use fancy_regex::{Captures, Regex};
use minijinja::{Error, State, Value};

use crate::call::{Args, Callable, Out, strict};
use crate::python::wrong;

pub(super) const FILTERS: &[Callable] = &[
    strict(
        &["regex_replace"],
        &[
            "value",
            "pattern",
            "replacement",
            "ignorecase",
            "multiline",
            "count",
            "mandatory_count",
        ],
        regex_replace,
    ),
    strict(
        &["regex_search"],
        &["value", "regex", "*", "ignorecase", "multiline"],
        regex_search,
    ),
    strict(
        &["regex_findall"],
        &["value", "regex", "multiline", "ignorecase"],
        regex_findall,
    ),
    strict(&["regex_escape"], &["value", "re_type"], regex_escape),
];

/// Compiles a pattern of Python's, once.
pub(crate) fn pattern_of(
    pattern: &str,
    ignorecase: bool,
    multiline: bool,
) -> Result<Arc<Regex>, Error> {
    type Known = RwLock<HashMap<(String, bool, bool), Arc<Regex>>>;
    static KNOWN: OnceLock<Known> = OnceLock::new();
    let known = KNOWN.get_or_init(Known::default);
    let key = (pattern.to_owned(), ignorecase, multiline);
    if let Some(regex) = known
        .read()
        .unwrap_or_else(PoisonError::into_inner)
        .get(&key)
    {
        return Ok(regex.clone());
    }
    let flags = match (ignorecase, multiline) {
        (true, true) => "(?im)",
        (true, false) => "(?i)",
        (false, true) => "(?m)",
        (false, false) => "",
    };
    let regex = Regex::new(&format!("{flags}{}", translated(pattern, multiline))).map_err(|e| {
        // Python's word for what stands after nothing.
        let why = e
            .to_string()
            .replace("Target of repeat operator is invalid", "nothing to repeat");
        wrong(format!("the pattern `{pattern}` is not good: {why}"))
    })?;
    let regex = Arc::new(regex);
    let mut known = known.write().unwrap_or_else(PoisonError::into_inner);
    if known.len() > 1000 {
        known.clear();
    }
    known.insert(key, regex.clone());
    Ok(regex)
}

/// What Python writes otherwise: `\Z` for the end, and `$` for the end or the newline before it.
fn translated(pattern: &str, multiline: bool) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('Z') => out.push_str("\\z"),
                Some(other) => out.extend(['\\', other]),
                None => out.push('\\'),
            },
            '[' if in_class => out.push_str("\\["),
            '[' => {
                in_class = true;
                out.push('[');
                // A bracket that comes first is a letter of the class.
                if chars.as_str().starts_with('^') {
                    chars.next();
                    out.push('^');
                }
                if chars.as_str().starts_with(']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
            }
            '&' | '~' if in_class => out.extend(['\\', c]),
            '$' if !in_class && !multiline => out.push_str("(?=\\n?\\z)"),
            c => out.push(c),
        }
    }
    out
}

fn failed(error: &fancy_regex::Error) -> Error {
    wrong(format!("the pattern could not be matched: {error}"))
}

/// A replacement, read once: texts and groups in turn.
enum Piece {
    Text(String),
    Number(usize),
    Name(String),
}

fn pieces(python: &str) -> Result<Vec<Piece>, Error> {
    let mut out = vec![];
    let mut text = String::new();
    let mut chars = python.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        let group = match chars.next() {
            Some(d) if d.is_ascii_digit() => {
                let mut number = d.to_string();
                // Two digits at most name a group.
                if let Some(more) = chars.next_if(char::is_ascii_digit) {
                    number.push(more);
                }
                Piece::Number(number.parse().unwrap_or(0))
            }
            Some('g') => {
                let name = match chars.next() {
                    Some('<') => chars.by_ref().take_while(|c| *c != '>').collect::<String>(),
                    _ => return Err(wrong("`\\g` of a replacement takes a group: `\\g<1>`")),
                };
                name.parse().map_or(Piece::Name(name), Piece::Number)
            }
            Some('n') => Piece::Text("\n".into()),
            Some('t') => Piece::Text("\t".into()),
            Some('r') => Piece::Text("\r".into()),
            Some('\\') => Piece::Text("\\".into()),
            Some(other) if other.is_ascii_alphabetic() => {
                return Err(wrong(format!("`\\{other}` means nothing in a replacement")));
            }
            Some(other) => Piece::Text(format!("\\{other}")),
            None => return Err(wrong("a replacement ends in a lone `\\`")),
        };
        out.push(Piece::Text(std::mem::take(&mut text)));
        out.push(group);
    }
    out.push(Piece::Text(text));
    Ok(out)
}

fn expand(pieces: &[Piece], found: &Captures<'_, str>, out: &mut String) -> Result<(), Error> {
    for piece in pieces {
        let missing = |group: &str| wrong(format!("the pattern has no group `{group}`"));
        let group = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                continue;
            }
            Piece::Number(number) if *number >= found.len() => {
                return Err(missing(&number.to_string()));
            }
            Piece::Number(number) => found.get(*number),
            Piece::Name(name) => found.name(name),
        };
        out.push_str(group.map_or("", |m| m.as_str()));
    }
    Ok(())
}

fn regex_replace(_: &mut State<'_, '_>, args: &Args) -> Out {
    let text = args.text(0)?;
    let pattern = args.opt_text(1)?.unwrap_or_default();
    let regex = pattern_of(&pattern, args.flag(3, false), args.flag(4, false))?;
    let pieces = pieces(&args.opt_text(2)?.unwrap_or_default())?;
    let most = args
        .int(5)?
        .filter(|n| *n > 0)
        .and_then(|n| usize::try_from(n).ok());
    let mut out = String::new();
    let (mut at, mut count) = (0, 0_i64);
    for found in regex
        .captures_iter(text.as_str())
        .take(most.unwrap_or(usize::MAX))
    {
        let found = found.map_err(|e| failed(&e))?;
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[at..whole.start()]);
        expand(&pieces, &found, &mut out)?;
        at = whole.end();
        count += 1;
    }
    if let Some(wanted) = args.int(6)?.filter(|n| *n > 0 && *n != count) {
        return Err(wrong(format!(
            "'{pattern}' should match {wanted} times, but matches {count} times in '{text}'"
        )));
    }
    out.push_str(&text[at..]);
    Ok(out.into())
}

fn regex_search(_: &mut State<'_, '_>, args: &Args) -> Out {
    let regex = pattern_of(&args.text(1)?, args.flag(3, false), args.flag(4, false))?;
    let text = args.text(0)?;
    let Some(found) = regex.captures(text.as_str()).map_err(|e| failed(&e))? else {
        return Ok(Value::from(()));
    };
    if args.rest.is_empty() {
        return Ok(Value::from(found.get(0).map_or("", |m| m.as_str())));
    }
    let mut out = vec![];
    for group in &args.rest {
        let written = crate::python::text(group)?;
        let name = written
            .strip_prefix("\\g<")
            .and_then(|n| n.strip_suffix('>'))
            .or_else(|| written.strip_prefix('\\'))
            .ok_or_else(|| {
                wrong(format!(
                    "Unknown argument: `{written}` names no group: write `\\\\1` or `\\\\g<name>`"
                ))
            })?;
        let missing = || wrong(format!("the pattern has no group `{name}`"));
        let matched = match name.parse::<usize>() {
            Ok(number) if number < found.len() => found.get(number),
            Ok(_) => return Err(missing()),
            Err(_) if regex.capture_names().flatten().any(|n| n == name) => found.name(name),
            Err(_) => return Err(missing()),
        };
        out.push(matched.map_or(Value::from(()), |m| Value::from(m.as_str())));
    }
    Ok(Value::from(out))
}

fn regex_findall(_: &mut State<'_, '_>, args: &Args) -> Out {
    let regex = pattern_of(&args.text(1)?, args.flag(3, false), args.flag(2, false))?;
    let text = args.text(0)?;
    let mut out = vec![];
    for found in regex.captures_iter(text.as_str()) {
        let found = found.map_err(|e| failed(&e))?;
        let group = |i: usize| Value::from(found.get(i).map_or("", |m| m.as_str()));
        let value = match found.len() {
            1 => group(0),
            2 => group(1),
            len => (1..len).map(group).collect::<Vec<_>>().into(),
        };
        out.push(value);
    }
    Ok(out.into())
}

fn regex_escape(_: &mut State<'_, '_>, args: &Args) -> Out {
    let special = match args.opt_text(1)?.as_deref().unwrap_or("python") {
        "python" => "\\.^$*+?()[]{}|-#&~ \t\n\r",
        "posix_basic" => "].[^$*\\",
        "posix_extended" => {
            return Err(wrong("Regex type (posix_extended) not yet implemented"));
        }
        other => {
            return Err(wrong(format!(
                "Invalid regex type ({other}): it is python or posix_basic"
            )));
        }
    };
    let mut out = String::new();
    for c in args.text(0)?.chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_python_are_understood() {
        let matches = |pattern: &str, text: &str| {
            pattern_of(pattern, false, false)
                .unwrap()
                .is_match(text)
                .unwrap()
        };
        assert!(matches(r"^a$", "a\n"));
        assert!(matches(r"a\Z", "a"));
        assert!(matches(r"[]a]+$", "]a]"));
        assert!(matches(r"(?P<n>\d+)-(?P=n)", "12-12"));
        assert!(matches(r"[a&&b]", "&"));
        assert!(matches(r"(?<=x)y", "xy"));
    }
}
