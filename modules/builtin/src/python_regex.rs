//! Regular expressions as Ansible's tasks write them: Python's, on the bytes of a file.
//!
//! Owns the differences between Python's syntax and the engine's, and the replacement texts.

use std::ops::Range;

use fancy_regex::{BytesMode, Captures, Regex, RegexBuilder};
use rplay_api::{Failure, Result};

/// A compiled expression.
pub struct Expression {
    regex: Regex,
    arg: &'static str,
}

/// How an expression reads its text.
#[derive(Debug, Clone, Copy, Default)]
pub struct Flags {
    /// `^` and `$` match at each line.
    pub multi_line: bool,
    /// `.` matches a newline too.
    pub dot_all: bool,
}

impl Expression {
    /// Compiles the expression that the argument `arg` holds.
    pub fn new(arg: &'static str, text: &str, flags: Flags) -> Result<Self> {
        let regex = RegexBuilder::new(&translate(text, flags.multi_line))
            .multi_line(flags.multi_line)
            .dot_matches_new_line(flags.dot_all)
            .bytes_mode(BytesMode::Ascii)
            .build()
            .map_err(|e| {
                Failure::new(format!("`{text}` is no regular expression: {e}"))
                    .arg(arg)
                    .help(
                        "a backslash must be doubled in a YAML text in double quotes; single \
                           quotes leave it alone",
                    )
            })?;
        Ok(Self { regex, arg })
    }

    /// Whether the expression itself says that `^` and `$` match at each line.
    pub fn is_multi_line(&self) -> bool {
        let flags = self.regex.as_str().strip_prefix("(?");
        let flags = flags.and_then(|rest| rest.split_once([')', ':']));
        flags
            .is_some_and(|(flags, _)| flags.contains('m') && flags.chars().all(char::is_alphabetic))
    }

    /// Whether it matches anywhere in `text`.
    pub fn is_match(&self, text: &[u8]) -> Result<bool> {
        self.regex.is_match(text).map_err(|e| self.gave_up(&e))
    }

    /// The first match in `text`.
    pub fn find<'t>(&self, text: &'t [u8]) -> Result<Option<Found<'t>>> {
        let found = self.regex.captures(text).map_err(|e| self.gave_up(&e))?;
        Ok(found.map(|captures| Found { text, captures }))
    }

    /// Every match in `text`.
    pub fn find_all<'t>(&self, text: &'t [u8]) -> Result<Vec<Found<'t>>> {
        self.regex
            .captures_iter(text)
            .map(|found| {
                let captures = found.map_err(|e| self.gave_up(&e))?;
                Ok(Found { text, captures })
            })
            .collect()
    }

    /// The names of its groups.
    pub fn names(&self) -> Vec<&str> {
        self.regex.capture_names().flatten().collect()
    }

    fn gave_up(&self, error: &fancy_regex::Error) -> Failure {
        let text = self.regex.as_str();
        Failure::new(format!("the search for `{text}` was given up: {error}"))
            .arg(self.arg)
            .help("an expression with fewer repetitions inside repetitions needs less time")
    }
}

/// A match with its groups.
pub struct Found<'t> {
    text: &'t [u8],
    captures: Captures<'t, [u8]>,
}

impl Found<'_> {
    /// Where it is.
    pub fn range(&self) -> Range<usize> {
        self.captures
            .get(0)
            .map_or(0..0, |whole| whole.start()..whole.end())
    }

    /// Where a named group is, if it took part.
    pub fn group(&self, name: &str) -> Option<Range<usize>> {
        let group = self.captures.name(name)?;
        Some(group.start()..group.end())
    }

    /// The text of each group, the first one first; `None` for one that took no part.
    pub fn groups(&self) -> Vec<Option<&[u8]>> {
        let text = |n: usize| self.captures.get(n).map(|g| &self.text[g.start()..g.end()]);
        (1..self.captures.len()).map(text).collect()
    }

    /// A replacement text with its groups filled in.
    pub fn expand(&self, template: &Template) -> Result<Vec<u8>> {
        let mut out = vec![];
        for part in &template.parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Number(n) if *n >= self.captures.len() => {
                    return Err(template.wrong(&format!("there is no group {n}")));
                }
                Part::Number(n) => {
                    let group = self.captures.get(*n);
                    out.extend_from_slice(group.map_or(&[], |g| &self.text[g.start()..g.end()]));
                }
                Part::Name(name) => {
                    let group = self.group(name);
                    out.extend_from_slice(group.map_or(&[], |g| &self.text[g]));
                }
            }
        }
        Ok(out)
    }
}

/// A replacement text: `\1`, `\g<1>`, `\g<name>` are groups, `\n` and `\t` what they are in Python.
#[derive(Debug)]
pub struct Template {
    text: String,
    arg: &'static str,
    parts: Vec<Part>,
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Number(usize),
    Name(String),
}

impl Template {
    /// Reads the text that the argument `arg` holds.
    pub fn new(arg: &'static str, text: &str) -> Result<Self> {
        let mut template = Self {
            text: text.to_owned(),
            arg,
            parts: vec![],
        };
        let mut plain = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('\\') {
            plain.push_str(&rest[..at]);
            let (part, left) = template.escape(&rest[at + 1..])?;
            rest = left;
            match part {
                Part::Text(text) => plain.push_str(&text),
                group => {
                    template.parts.push(Part::Text(std::mem::take(&mut plain)));
                    template.parts.push(group);
                }
            }
        }
        plain.push_str(rest);
        template.parts.push(Part::Text(plain));
        Ok(template)
    }

    /// What follows a backslash, and the rest.
    fn escape<'t>(&self, text: &'t str) -> Result<(Part, &'t str)> {
        let Some(first) = text.chars().next() else {
            return Err(self.wrong("it ends with a backslash"));
        };
        let after = &text[first.len_utf8()..];
        let plain = |c: char| Ok((Part::Text(c.to_string()), after));
        match first {
            'g' => self.group(after),
            '0' => plain('\0'),
            '1'..='9' => {
                let digits = text.bytes().take(2).take_while(u8::is_ascii_digit).count();
                let number = text[..digits].parse().unwrap_or_default();
                Ok((Part::Number(number), &text[digits..]))
            }
            'n' => plain('\n'),
            't' => plain('\t'),
            'r' => plain('\r'),
            'f' => plain('\u{c}'),
            'v' => plain('\u{b}'),
            'a' => plain('\u{7}'),
            'b' => plain('\u{8}'),
            '\\' => plain('\\'),
            c if c.is_ascii_alphabetic() => Err(self.wrong(&format!("`\\{c}` means nothing"))),
            c => Ok((Part::Text(format!("\\{c}")), after)),
        }
    }

    fn group<'t>(&self, text: &'t str) -> Result<(Part, &'t str)> {
        let (name, after) = text
            .strip_prefix('<')
            .and_then(|t| t.split_once('>'))
            .ok_or_else(|| self.wrong("a group is written `\\g<name>`"))?;
        let part = name
            .parse()
            .map_or_else(|_| Part::Name(name.to_owned()), Part::Number);
        Ok((part, after))
    }

    fn wrong(&self, why: &str) -> Failure {
        Failure::new(format!("`{}` cannot be filled in: {why}", self.text))
            .arg(self.arg)
            .help("a backslash that is meant as such is written twice")
    }
}

/// An expression of Python's in the engine's syntax.
fn translate(python: &str, multi_line: bool) -> String {
    let mut out = String::with_capacity(python.len());
    let mut rest = python;
    let mut in_set = false;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        rest = after;
        match c {
            '\\' => rest = escaped(after, &mut out),
            '[' if !in_set => {
                in_set = true;
                out.push('[');
                if let Some(more) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = more;
                }
                // The first one is the character itself.
                if let Some(more) = rest.strip_prefix(']') {
                    out.push_str("\\]");
                    rest = more;
                }
            }
            ']' if in_set => {
                in_set = false;
                out.push(']');
            }
            // The engine's operators on sets; plain characters in Python.
            '[' | '&' | '~' if in_set => out.extend(['\\', c]),
            '{' if !in_set => match repetition(after) {
                Some((counts, more)) => {
                    out.push_str(&counts);
                    rest = more;
                }
                None => out.push_str("\\{"),
            },
            // The end, or before the newline that ends the text.
            '$' if !in_set && !multi_line => out.push_str("(?=\\n?\\z)"),
            c => out.push(c),
        }
    }
    out
}

/// What follows a backslash, put out; gives the rest.
fn escaped<'t>(after: &'t str, out: &mut String) -> &'t str {
    let Some(c) = after.chars().next() else {
        out.push('\\');
        return after;
    };
    match c {
        'Z' => out.push_str("\\z"),
        // Any other character stands for itself; some of them mean something here.
        c if !c.is_ascii_alphanumeric() => {
            if "\\.+*?()|[]{}^$#&-~".contains(c) {
                out.push('\\');
            }
            out.push(c);
        }
        c => out.extend(['\\', c]),
    }
    &after[c.len_utf8()..]
}

/// `{2}`, `{2,}`, `{,3}` or `{2,3}` after its `{`, and the rest; `None` where it is a plain brace.
fn repetition(after: &str) -> Option<(String, &str)> {
    let (counts, rest) = after.split_once('}')?;
    let (low, high) = counts.split_once(',').unwrap_or((counts, "0"));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if counts.is_empty() || counts == "," || !digits(low) || !digits(high) {
        return None;
    }
    let zero = if low.is_empty() { "0" } else { "" };
    Some((format!("{{{zero}{counts}}}"), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, text: &str) -> Option<String> {
        let expression = Expression::new("regexp", pattern, Flags::default()).unwrap();
        let found = expression.find(text.as_bytes()).unwrap()?;
        Some(text[found.range()].to_owned())
    }

    #[test]
    fn python_syntax_is_understood() {
        let cases = [
            (r"^#?\s*Port\b", "#Port 22", "#Port"),
            (r"(?P<q>['\x22]).*?(?P=q)", "a 'b' c", "'b'"),
            (r"a{,2}", "aaa", "aa"),
            (r"^{{ x }}$", "{{ x }}", "{{ x }}"),
            (r"[[\]]+", "a[]b", "[]"),
            (r"[]x]+", "a]xb", "]x"),
            (r"[a&&b]+", "c&b", "&b"),
            (r"\<a\>", "<a>", "<a>"),
            (r"\/etc\-\ x\=\%", "/etc- x=%", "/etc- x=%"),
            (r"b\Z", "ab", "b"),
            (r"(?<!#)foo(?=bar)", "#foobar foobar", "foo"),
            (r"(?i)port", "PORT", "PORT"),
            (r"^é.*$", "éà", "éà"),
        ];
        for (pattern, text, wanted) in cases {
            assert_eq!(found(pattern, text).as_deref(), Some(wanted), "{pattern}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_passed_over() {
        let expression = Expression::new("regexp", "^b=(.*)$", Flags::default()).unwrap();
        let found = expression.find(b"b=\xff\xfe").unwrap().unwrap();
        assert_eq!(found.range(), 0..4);
    }

    #[test]
    fn groups_are_filled_in() {
        let expression =
            Expression::new("regexp", r"(?P<k>\w+)=(\w*)(x)?", Flags::default()).unwrap();
        let found = expression.find(b"key=val").unwrap().unwrap();
        let expand = |text: &str| {
            let bytes = found.expand(&Template::new("line", text).unwrap()).unwrap();
            String::from_utf8(bytes).unwrap()
        };
        assert_eq!(expand(r"\2=\g<k>"), "val=key");
        assert_eq!(expand(r"\g<1>0\3.\\\t\."), "key0.\\\t\\.");
    }

    #[test]
    fn a_group_that_is_not_there_is_an_error() {
        let expression = Expression::new("regexp", "a", Flags::default()).unwrap();
        let found = expression.find(b"a").unwrap().unwrap();
        let error = found
            .expand(&Template::new("line", r"\1").unwrap())
            .unwrap_err();
        assert_eq!(error.msg, r"`\1` cannot be filled in: there is no group 1");
    }

    #[test]
    fn a_broken_expression_is_said_to_be_one() {
        let error = Expression::new("regexp", "a(", Flags::default())
            .err()
            .unwrap();
        assert!(
            error.msg.starts_with("`a(` is no regular expression"),
            "{error}"
        );
    }
}
