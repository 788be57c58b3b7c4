//! A lookup's term with settings in it: `key file=x.csv delimiter=,`, keyword arguments over it.

use minijinja::{Error, Value};

use crate::call::Args;
use crate::filters::choose::to_bool;
use crate::python::{text, wrong};

/// What a term asks for, and how.
pub(super) struct Term {
    /// All that is no setting.
    pub key: String,
    lookup: &'static str,
    settings: Vec<(String, Value)>,
}

impl Term {
    /// Reads a term; `known` are the settings that the lookup has.
    pub(super) fn new(
        term: &Value,
        args: &Args,
        lookup: &'static str,
        known: &[&str],
    ) -> Result<Self, Error> {
        let written = text(term)?;
        let mut key = vec![];
        let mut settings = vec![];
        for word in words(&written) {
            match word.split_once('=') {
                Some((name, _)) if !known.contains(&name) => {
                    return Err(wrong(format!(
                        "{name} is not a valid option: they are {}",
                        known.join(", ")
                    )));
                }
                Some((name, value)) => {
                    settings.push((name.to_owned(), Value::from(unquoted(value))));
                }
                None => key.push(word),
            }
        }
        settings.extend(args.more.iter().cloned());
        Ok(Self {
            key: key.join(" "),
            lookup,
            settings,
        })
    }

    /// A setting as it was given.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        let mut all = self.settings.iter().rev();
        all.find(|(n, _)| n == name).map(|(_, v)| v)
    }

    /// A setting as text.
    pub(super) fn text(&self, name: &str, default: &str) -> Result<String, Error> {
        self.get(name).map_or_else(|| Ok(default.to_owned()), text)
    }

    /// A setting that is true or false.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name)
            .map_or(default, |v| to_bool(v).is_ok_and(|b| b.is_true()))
    }

    /// The number of a column.
    pub(super) fn column(&self, name: &str, default: usize) -> Result<usize, Error> {
        let written = self.text(name, &default.to_string())?;
        written.trim().parse().map_err(|_| {
            wrong(format!(
                "`{name}` of `{}` has an invalid value: `{written}` is no number of a column",
                self.lookup
            ))
        })
    }
}

/// Words between blanks; a value in quotes is one word.
fn words(written: &str) -> Vec<&str> {
    let mut words = vec![];
    let mut start = 0;
    let mut quote = None;
    let mut last = '\0';
    for (at, c) in written.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') if last == '=' => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, ' ' | '\n') => {
                words.push(&written[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        last = c;
    }
    words.push(&written[start..]);
    words.retain(|word| !word.is_empty());
    words
}

fn unquoted(value: &str) -> &str {
    let within = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    within('"').or_else(|| within('\'')).unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_keep_a_value_together_and_stay_in_a_key() {
        assert_eq!(
            words(r#""The Rock" Johnson file="a b.csv" col=1"#),
            [
                r#""The"#,
                r#"Rock""#,
                "Johnson",
                r#"file="a b.csv""#,
                "col=1"
            ]
        );
        assert_eq!(unquoted("\"a b\""), "a b");
        assert_eq!(unquoted("'"), "'");
    }
}
