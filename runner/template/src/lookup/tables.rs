//! Files of settings: CSV and INI.

use minijinja::{Error, Value};

use super::{Found, spread};
use crate::call::Args;
use crate::python::{text, wrong};
use crate::vars::LookupIo;

/// A term such as `key file=x.csv delimiter=,`, with keyword arguments over it.
struct Term {
    key: String,
    settings: Vec<(String, String)>,
}

impl Term {
    fn new(term: &Value, args: &Args) -> Result<Self, Error> {
        let written = text(term)?;
        let mut key = vec![];
        let mut settings = vec![];
        for word in written.split(' ').filter(|w| !w.is_empty()) {
            match word.split_once('=') {
                Some((name, value)) => settings.push((name.to_owned(), value.to_owned())),
                None => key.push(word),
            }
        }
        for (name, value) in &args.more {
            settings.push((name.clone(), text(value)?));
        }
        Ok(Self {
            key: key.join(" "),
            settings,
        })
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.settings
            .iter()
            .rev()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    fn flag(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|v| ["true", "yes", "1", "on"].contains(&v.to_lowercase().as_str()))
    }
}

/// The rows of a CSV text.
fn rows(content: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = vec![];
    let (mut row, mut cell) = (vec![], String::new());
    let mut quoted = false;
    let mut chars = content.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            '\r' if !quoted => {}
            '\n' if !quoted => {
                row.push(std::mem::take(&mut cell));
                rows.push(std::mem::take(&mut row));
            }
            c if c == delimiter && !quoted => row.push(std::mem::take(&mut cell)),
            c => cell.push(c),
        }
    }
    if !cell.is_empty() || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    rows
}

pub(super) fn csv(io: &dyn LookupIo, args: &Args) -> Found {
    let mut out = vec![];
    for term in spread(&args.rest)? {
        let term = Term::new(&term, args)?;
        let number = |name: &str, default: usize| -> Result<usize, Error> {
            match term.get(name) {
                None => Ok(default),
                Some(text) => text
                    .parse()
                    .map_err(|_| wrong(format!("`{name}` is the number of a column"))),
            }
        };
        let (key_at, value_at) = (number("keycol", 0)?, number("col", 1)?);
        let delimiter = match term.get("delimiter").unwrap_or("TAB") {
            "TAB" | "\\t" => '\t',
            other => other.chars().next().unwrap_or('\t'),
        };
        let content = io
            .read("files", term.get("file").unwrap_or("ansible.csv"))
            .map_err(wrong)?;
        let found = rows(&content, delimiter)
            .into_iter()
            .find(|row| row.get(key_at) == Some(&term.key));
        match found {
            Some(row) => match row.get(value_at) {
                Some(cell) => out.push(cell.as_str().into()),
                None => {
                    return Err(wrong(format!(
                        "the row `{}` has no column {value_at}",
                        term.key
                    )));
                }
            },
            None => out.extend(term.get("default").map(Value::from)),
        }
    }
    Ok(out)
}

/// The value of a key in a section of an INI text; all sections where `all`.
fn settings(content: &str, properties: bool, section: &str) -> Vec<(String, String)> {
    let mut inside = properties;
    let mut out: Vec<(String, String)> = vec![];
    for line in content.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|t| t.strip_suffix(']')) {
            inside = !properties && name == section;
            continue;
        }
        if !inside {
            continue;
        }
        // A line that is set in goes on with the value before it.
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = out.last_mut()
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        let (key, value) = trimmed.split_once(['=', ':']).unwrap_or((trimmed, ""));
        out.push((key.trim().to_owned(), value.trim().to_owned()));
    }
    out
}

pub(super) fn ini(io: &dyn LookupIo, args: &Args) -> Found {
    let mut out = vec![];
    for term in spread(&args.rest)? {
        let term = Term::new(&term, args)?;
        let file = term.get("file").unwrap_or("ansible.ini");
        let content = io.read("files", file).map_err(wrong)?;
        let section = term.get("section").unwrap_or("global");
        let all = settings(&content, term.get("type") == Some("properties"), section);
        let same = |a: &str| {
            if term.flag("case_sensitive") {
                a == term.key
            } else {
                a.eq_ignore_ascii_case(&term.key)
            }
        };
        if term.flag("re") {
            let regex =
                crate::filters::regex::pattern_of(&format!("^(?:{})", term.key), false, false)?;
            let values = all
                .iter()
                .filter(|(k, _)| regex.is_match(k).unwrap_or(false));
            out.extend(values.map(|(_, v)| Value::from(v.as_str())));
            continue;
        }
        match all.iter().find(|(k, _)| same(k)) {
            Some((_, value)) => out.push(value.as_str().into()),
            None if term.flag("allow_none") => {}
            None => match term.get("default") {
                Some(default) => out.push(default.into()),
                None if args.more.iter().any(|(n, _)| n == "default") => out.push("".into()),
                None => out.push("".into()),
            },
        }
    }
    Ok(out)
}
