//! INI as Python's configparser reads it: sections, defaults, values on several lines, `%(name)s`.

use serde_json::{Map, Value};

/// The section whose options every other one has too.
const DEFAULTS: &str = "DEFAULT";

/// As deep as an option may lead to another.
const MAX_DEPTH: usize = 10;

type Section = Vec<(String, String)>;

/// What is wrong with a text.
#[derive(Debug, PartialEq)]
pub(super) enum Wrong {
    /// It is no INI.
    Layout(String),
    /// It is, but a value in it cannot be made out.
    Value(String),
}

/// The sections of a text.
///
/// # Errors
/// What cannot be read, and in which line.
pub(super) fn read(text: &str) -> Result<Map<String, Value>, Wrong> {
    let mut sections = sections(text).map_err(Wrong::Layout)?;
    let defaults = match sections.iter().position(|(name, _)| name == DEFAULTS) {
        Some(at) => sections.remove(at).1,
        None => vec![],
    };
    let mut all = Map::new();
    for (name, own) in sections {
        let look = |key: &str| {
            let found = own.iter().chain(&defaults).find(|(k, _)| k == key);
            found.map(|(_, value)| value.as_str())
        };
        let mut values = Map::new();
        for (key, value) in own.iter().chain(&defaults) {
            if !values.contains_key(key) {
                let value = interpolated(value, &look, 0);
                let value = value.map_err(|why| Wrong::Value(format!("[{name}] {key}: {why}")))?;
                values.insert(key.clone(), value.into());
            }
        }
        all.insert(name, values.into());
    }
    Ok(all)
}

fn sections(text: &str) -> Result<Vec<(String, Section)>, String> {
    let mut all: Vec<(String, Section)> = vec![];
    // Empty lines belong to a value only where more of it follows.
    let mut blank = 0;
    for (n, line) in text.lines().enumerate() {
        let wrong = |why: &str| format!("line {}: {why}", n + 1);
        let words = line.trim();
        if words.starts_with(['#', ';']) {
            continue;
        }
        if words.is_empty() {
            blank += 1;
            continue;
        }
        let blanks = std::mem::take(&mut blank);
        if line.starts_with(char::is_whitespace)
            && let Some((_, value)) = all.last_mut().and_then(|(_, section)| section.last_mut())
        {
            value.push_str(&"\n".repeat(blanks + 1));
            value.push_str(words);
            continue;
        }
        if let Some(rest) = words.strip_prefix('[') {
            let name = rest.rsplit_once(']').ok_or_else(|| wrong("the section's name is not closed"))?.0;
            if all.iter().any(|(other, _)| other == name) {
                return Err(wrong("this section is there twice"));
            }
            all.push((name.to_owned(), vec![]));
            continue;
        }
        let (_, section) = all.last_mut().ok_or_else(|| wrong("it comes before any section"))?;
        let (key, value) = words.split_once(['=', ':']).ok_or_else(|| wrong("it is no `name = value`"))?;
        let key = key.trim().to_lowercase();
        if section.iter().any(|(other, _)| *other == key) {
            return Err(wrong("this option is there twice"));
        }
        section.push((key, value.trim().to_owned()));
    }
    Ok(all)
}

/// `%(name)s` becomes that option's value, `%%` a percent sign; any other `%` is wrong.
fn interpolated<'a>(text: &str, look: &dyn Fn(&str) -> Option<&'a str>, depth: usize) -> Result<String, String> {
    if depth > MAX_DEPTH {
        return Err("its references lead in a circle".to_owned());
    }
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('%') {
            out.push('%');
            rest = after;
            continue;
        }
        let named = rest.strip_prefix('(').and_then(|inner| inner.split_once(")s"));
        let (name, after) = named.ok_or("a `%` is written `%%`")?;
        let value = look(&name.to_lowercase()).ok_or_else(|| format!("there is no option `{name}`"))?;
        out.push_str(&interpolated(value, look, depth + 1)?);
        rest = after;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_grouped_by_section() {
        let got = read("[a]\n# no\nX = 1\n[b]\ny: 2\n").unwrap();
        assert_eq!(Value::Object(got), json!({"a": {"x": "1"}, "b": {"y": "2"}}));
        assert_eq!(read("").unwrap(), Map::new());
    }

    #[test]
    fn values_go_on_and_refer_to_others() {
        let got = read("[DEFAULT]\nz=1\n[s]\na = b\n  c\n\n  d\nE=%(Z)s%%\n").unwrap();
        assert_eq!(Value::Object(got), json!({"s": {"a": "b\nc\n\nd", "e": "1%", "z": "1"}}));
    }

    #[test]
    fn what_python_refuses_is_refused() {
        for text in ["x=1\n", "[a]\nword\n", "[a\n", "[a]\n[a]\n", "[a]\nx=1\nx=2\n", "[a]\nx=5 % 3\n", "[a]\nx=%(x)s\n"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
