//! Arguments written as text: `src=a dest="b c"`.

use rplay_diag::Span;
use rplay_yaml::{Key, Kind, Map, Node};

/// Whether a text is or holds a template.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The words of a text, where quotes and templates keep their spaces; each with its place in it.
fn words(text: &str) -> Option<Vec<(usize, &str)>> {
    let mut words = vec![];
    let mut start = None;
    let mut quote: Option<char> = None;
    let mut depth = 0_usize;
    let mut escaped = false;
    let bytes = text.as_bytes();
    for (i, c) in text.char_indices() {
        let pair = bytes.get(i..i + 2);
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(q) if c == q => quote = None,
            Some(_) => {}
            None if depth == 0 && (c == '"' || c == '\'') => {
                quote = Some(c);
                start.get_or_insert(i);
            }
            None if pair == Some(b"{{") || pair == Some(b"{%") => {
                depth += 1;
                start.get_or_insert(i);
            }
            None if pair == Some(b"}}") || pair == Some(b"%}") => depth = depth.saturating_sub(1),
            None if c.is_whitespace() && depth == 0 => {
                if let Some(from) = start.take() {
                    words.push((from, &text[from..i]));
                }
            }
            None => {
                start.get_or_insert(i);
            }
        }
    }
    if quote.is_some() || depth > 0 {
        return None;
    }
    if let Some(from) = start {
        words.push((from, &text[from..]));
    }
    Some(words)
}

/// `name=value`, where `name` could be an argument's.
fn pair(word: &str) -> Option<(&str, &str)> {
    let (name, value) = word.split_once('=')?;
    let good = !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    good.then_some((name, value))
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value
            .strip_prefix(quote)
            .and_then(|v| v.strip_suffix(quote))
        {
            return inner;
        }
    }
    value
}

/// The `name=value` pairs of a text, and the words that are none.
///
/// # Errors
/// Where a quote or template is not closed.
pub fn key_values(text: &str, span: &Span) -> Result<(Map, Vec<String>), ()> {
    let mut map = Map::new();
    let mut rest = vec![];
    for (_, word) in words(text).ok_or(())? {
        match pair(word) {
            Some((name, value)) => {
                let key = Key {
                    text: name.to_owned(),
                    span: span.clone(),
                };
                let kind = Kind::Str(unquoted(value).to_owned());
                map.insert(
                    key,
                    Node {
                        span: span.clone(),
                        kind,
                    },
                );
            }
            None => rest.push(word.to_owned()),
        }
    }
    Ok((map, rest))
}

/// The text without its word `name=...`.
pub(crate) fn without(text: &str, name: &str) -> Option<String> {
    let (at, word) = words(text)?
        .into_iter()
        .find(|(_, w)| pair(w).is_some_and(|(n, _)| n == name))?;
    Some(format!(
        "{}{}",
        &text[..at],
        text[at + word.len()..].trim_start()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let (map, _) = key_values(text, &Span::synthetic("t")).unwrap();
        map.into_iter()
            .map(|(k, v)| (k.text, v.as_str().unwrap().to_owned()))
            .collect()
    }

    #[test]
    fn quotes_and_templates_keep_their_spaces() {
        let got = pairs("a=1 b=\"x y\" c={{ d | default('e f') }}");
        let want = [("a", "1"), ("b", "x y"), ("c", "{{ d | default('e f') }}")];
        assert_eq!(got, want.map(|(k, v)| (k.to_owned(), v.to_owned())));
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert!(key_values("a='x", &Span::synthetic("t")).is_err());
    }

    #[test]
    fn an_option_is_cut_out_of_a_command() {
        assert_eq!(without("ls -l chdir=/tmp x", "chdir").unwrap(), "ls -l x");
    }
}
