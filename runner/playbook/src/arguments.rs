//! Arguments written as text: `src=a dest="b c"`.

use rplay_diag::Span;
use rplay_yaml::{Key, Kind, Map, Node};

/// Whether a text is or holds a template.
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// A `name=value` of a text, with the bytes it takes up there.
pub(crate) struct Pair {
    pub key: Key,
    pub value: Node,
    pub from: usize,
    pub to: usize,
}

/// What a text of arguments holds.
pub(crate) struct Words {
    pub pairs: Vec<Pair>,
    /// The words that are no pair, each with its place in the text.
    pub rest: Vec<(usize, String)>,
}

/// A quote, or a `{{`, `{%` or `{#`, that is never closed.
pub(crate) struct Open {
    /// Its byte in the text.
    pub at: usize,
    /// What it is.
    pub sign: &'static str,
}

/// The `name=value` pairs of a text, and the words that are none.
///
/// # Errors
/// Where a quote or template is not closed.
#[allow(clippy::result_unit_err)]
pub fn key_values(text: &str, span: &Span) -> Result<(Map, Vec<String>), ()> {
    let written = span.source().text().get(span.start()..span.end());
    let words = split(text, &|from, to| {
        if written == Some(text) {
            span.slice(from, to)
        } else {
            span.clone()
        }
    });
    let words = words.map_err(|_| ())?;
    let map = words
        .pairs
        .into_iter()
        .map(|pair| (pair.key, pair.value))
        .collect();
    Ok((map, words.rest.into_iter().map(|(_, word)| word).collect()))
}

/// Splits the text of a node.
pub(crate) fn split_node(node: &Node) -> Result<Words, Open> {
    split(node.as_str().unwrap_or_default(), &|from, to| {
        node.locate_range(from, to)
    })
}

/// A text whose lines that end in ` \\` go on in the next, outside of quotes; `None` where none do.
pub(crate) fn continued(text: &str) -> Option<String> {
    let ends: Vec<usize> = words(text)
        .ok()?
        .into_iter()
        .filter(|(from, _)| text[*from..].starts_with("\\\n"))
        .map(|(from, _)| from)
        .collect();
    let mut joined = String::new();
    let mut at = 0;
    for end in &ends {
        joined.push_str(&text[at..*end]);
        at = end + 2;
    }
    joined.push_str(&text[at..]);
    (!ends.is_empty()).then_some(joined)
}

fn split(text: &str, locate: &dyn Fn(usize, usize) -> Span) -> Result<Words, Open> {
    let mut split = Words {
        pairs: vec![],
        rest: vec![],
    };
    for (from, word) in words(text)? {
        let Some((name, value)) = pair(word) else {
            split.rest.push((from, word.to_owned()));
            continue;
        };
        let (to, begin) = (from + word.len(), from + name.len() + 1);
        let key = Key {
            text: name.to_owned(),
            span: locate(from, from + name.len()),
        };
        let kind = Kind::Str(unescaped(unquoted(value)));
        // The place keeps its quotes: they are how the text is written there.
        let value = Node {
            span: locate(begin.min(to.saturating_sub(1)), to),
            kind,
        };
        split.pairs.push(Pair {
            key,
            value,
            from,
            to,
        });
    }
    Ok(split)
}

/// The words of a text, where quotes and templates keep their spaces; each with its place in it.
fn words(text: &str) -> Result<Vec<(usize, &str)>, Open> {
    let mut words = vec![];
    let mut start = None;
    let mut quote: Option<(usize, char)> = None;
    let mut templates: Vec<Open> = vec![];
    let mut escaped = false;
    for (i, c) in text.char_indices() {
        let (opens, closes) = braces(&text[i..]);
        match quote {
            _ if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            // A template's own quotes close none around it.
            Some(_) if closes && !templates.is_empty() => drop(templates.pop()),
            Some(_) if opens.is_some() => {
                templates.extend(opens.map(|sign| Open { at: i, sign }));
            }
            Some((_, q)) if c == q && templates.is_empty() => quote = None,
            Some(_) => {}
            None if c == '\\' && templates.is_empty() => {
                escaped = true;
                start.get_or_insert(i);
            }
            None if templates.is_empty() && (c == '"' || c == '\'') => {
                quote = Some((i, c));
                start.get_or_insert(i);
            }
            None if opens.is_some() => {
                templates.extend(opens.map(|sign| Open { at: i, sign }));
                start.get_or_insert(i);
            }
            None if closes && !templates.is_empty() => drop(templates.pop()),
            None if c.is_whitespace() && templates.is_empty() => {
                if let Some(from) = start.take() {
                    words.push((from, &text[from..i]));
                }
            }
            None => {
                start.get_or_insert(i);
            }
        }
    }
    if let Some((at, quote)) = quote {
        return Err(Open {
            at,
            sign: if quote == '"' { "\"" } else { "'" },
        });
    }
    if let Some(open) = templates.into_iter().next() {
        return Err(open);
    }
    words.extend(start.map(|from| (from, &text[from..])));
    Ok(words)
}

/// Whether a text begins with what opens a template, or with what closes one.
fn braces(text: &str) -> (Option<&'static str>, bool) {
    let opens = ["{{", "{%", "{#"]
        .into_iter()
        .find(|sign| text.starts_with(sign));
    (
        opens,
        ["}}", "%}", "#}"].iter().any(|sign| text.starts_with(sign)),
    )
}

/// `name=value`, where `name` could be an argument's.
fn pair(word: &str) -> Option<(&str, &str)> {
    let at = equals_sign(word)?;
    let (name, value) = (&word[..at], &word[at + 1..]);
    // `a==b` is a comparison, `-x=1` an option.
    let good = !name.is_empty() && !name.starts_with('-') && !value.starts_with('=');
    good.then_some((name, value))
}

/// The sign after a name, in which templates may stand: `user_{{ item }}=1`.
fn equals_sign(word: &str) -> Option<usize> {
    let mut rest = 0;
    loop {
        let tail = &word[rest..];
        if tail.starts_with("{{") {
            rest += tail.find("}}")? + 2;
            continue;
        }
        match tail.chars().next()? {
            '=' => return Some(rest),
            c if c.is_alphanumeric() || c == '_' || c == '-' => rest += c.len_utf8(),
            _ => return None,
        }
    }
}

fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        let inner = value
            .strip_prefix(quote)
            .and_then(|v| v.strip_suffix(quote));
        if let Some(inner) = inner.filter(|inner| !inner.ends_with('\\')) {
            return inner;
        }
    }
    value
}

/// Python's escapes become what they stand for (`\n`, `\b`, `\x41`, `\u00e9`); other backslashes
/// stay.
fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match escape(rest) {
            Some((meant, length)) => {
                text.push(meant);
                rest = &rest[length..];
            }
            None => text.push('\\'),
        }
    }
    text + rest
}

/// What the letters behind a backslash stand for, and how many bytes they take.
fn escape(letters: &str) -> Option<(char, usize)> {
    let coded = |digits: usize| {
        let code = u32::from_str_radix(letters.get(1..=digits)?, 16).ok()?;
        Some((char::from_u32(code)?, digits + 1))
    };
    let meant = match letters.chars().next()? {
        'x' => return coded(2),
        'u' => return coded(4),
        'U' => return coded(8),
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        same @ ('"' | '\'' | '\\') => same,
        _ => return None,
    };
    Some((meant, 1))
}

#[cfg(test)]
mod tests {
    use rplay_diag::Source;

    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let (map, _) = key_values(text, &Span::synthetic("t")).unwrap();
        map.into_iter()
            .map(|(k, v)| (k.text, v.as_str().unwrap().to_owned()))
            .collect()
    }

    #[track_caller]
    fn expect(text: &str, want: &[(&str, &str)]) {
        let want: Vec<_> = want
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        assert_eq!(pairs(text), want);
    }

    #[test]
    fn quotes_of_a_template_close_none_around_it() {
        expect(
            r#"msg="{{ x | select("search", "a b") }}" b=1"#,
            &[("msg", r#"{{ x | select("search", "a b") }}"#), ("b", "1")],
        );
    }

    #[test]
    fn a_name_may_have_templates_in_it() {
        expect(
            "{{ 'a=' + b }}=1 user_{{ item.name }}={{ item.1 }}",
            &[
                ("{{ 'a=' + b }}", "1"),
                ("user_{{ item.name }}", "{{ item.1 }}"),
            ],
        );
        expect("{{ a }}/b=c x=1", &[("x", "1")]);
    }

    #[test]
    fn quotes_and_templates_keep_their_spaces() {
        expect(
            "a=1 b=\"x y\" c={{ d | default('e f') }}/g  h='it\\'s'",
            &[
                ("a", "1"),
                ("b", "x y"),
                ("c", "{{ d | default('e f') }}/g"),
                ("h", "it's"),
            ],
        );
    }

    #[test]
    fn a_value_may_hold_an_equals_sign() {
        expect(
            "line=\"a=b c=d\" x=y=z",
            &[("line", "a=b c=d"), ("x", "y=z")],
        );
    }

    #[test]
    fn escapes_are_read() {
        expect(
            r#"msg="a\nb \"c\"" re=\d+"#,
            &[("msg", "a\nb \"c\""), ("re", r"\d+")],
        );
        expect(
            r"a='\b(.+)\\b' b=\x41\u00e9\U0001F600 c=\x4\u12\xzz\0\e",
            &[
                ("a", "\u{8}(.+)\\b"),
                ("b", "Aé😀"),
                ("c", r"\x4\u12\xzz\0\e"),
            ],
        );
    }

    #[test]
    fn an_open_quote_is_an_error() {
        assert!(key_values("a='x", &Span::synthetic("t")).is_err());
        assert!(key_values("a={{ x", &Span::synthetic("t")).is_err());
    }

    #[test]
    fn each_word_has_its_place() {
        let source = Source::new("t", "a=1 bee=\"x y\"");
        let span = Span::new(source.clone(), 0, source.text().len());
        let (map, _) = key_values(source.text(), &span).unwrap();
        let (key, value) = map.get_key_value("bee").unwrap();
        assert_eq!(
            (key.span.to_string(), value.span.to_string()),
            ("t:1:5".into(), "t:1:9".into())
        );
    }
}
