//! A cell of a CSV file, by what another cell of its row holds.

use minijinja::Error;

use super::terms::Term;
use super::{Found, decoded, spread};
use crate::call::Args;
use crate::python::wrong;
use crate::vars::LookupIo;

const SETTINGS: &[&str] = &["col", "default", "delimiter", "file", "encoding", "keycol"];

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

pub(super) fn found(io: &dyn LookupIo, args: &Args) -> Found {
    let terms = spread(&args.rest)?;
    if terms.is_empty() {
        return Err(no_key());
    }
    let mut out = vec![];
    for term in terms {
        let term = Term::new(&term, args, "csvfile", SETTINGS)?;
        if term.key.is_empty() {
            return Err(no_key());
        }
        let (key_at, value_at) = (term.column("keycol", 0)?, term.column("col", 1)?);
        let delimiter = match term.text("delimiter", "TAB")?.as_str() {
            "TAB" | "\\t" => '\t',
            other => {
                let mut letters = other.chars();
                match (letters.next(), letters.next()) {
                    (Some(one), None) => one,
                    _ => return Err(wrong("`delimiter` is one character, or `TAB`")),
                }
            }
        };
        let file = term.text("file", "ansible.csv")?;
        let content = decoded(io, &file, &term.text("encoding", "utf-8")?)?;
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
            None => out.extend(spread(
                term.get("default")
                    .map(std::slice::from_ref)
                    .unwrap_or_default(),
            )?),
        }
    }
    Ok(out)
}

fn no_key() -> Error {
    wrong("Search key is required but was not found: write lookup('csvfile', 'key', file='x.csv')")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_in_quotes_hold_delimiters_and_quotes() {
        assert_eq!(rows("a,\"b,\"\"c\"\n", ','), [["a", "b,\"c"]]);
    }
}
