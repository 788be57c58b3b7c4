//! `--transform`: sed's `s/REGEXP/TEXT/FLAGS` on member names, basic expressions or with `x`
//! extended ones.

use rplay_api::{Failure, Result};

use crate::python_regex::{Expression, Flags, Template};

/// A renaming of members.
pub(super) struct Transform {
    regex: Expression,
    text: Template,
    all: bool,
}

impl Transform {
    pub(super) fn parse(expression: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::new(format!(
                "`{expression}` is no expression for --transform: {why}"
            ))
            .arg("extra_opts")
            .help("it is written as for sed: s/REGEXP/TEXT/")
        };
        let mut chars = expression.chars();
        let (Some('s'), Some(mark)) = (chars.next(), chars.next()) else {
            return Err(wrong("it does not begin with `s/`"));
        };
        let parts = parts(chars.as_str(), mark);
        let [regex, text, flags] = parts.as_slice() else {
            return Err(wrong("it has not three parts"));
        };
        if let Some(flag) = flags.chars().find(|f| !"gixrRsShH".contains(*f)) {
            return Err(wrong(&format!("the flag `{flag}` is not known")));
        }
        let extended = flags.contains('x');
        let mut pattern = if extended {
            regex.clone()
        } else {
            from_basic(regex)
        };
        if flags.contains('i') {
            pattern.insert_str(0, "(?i)");
        }
        Ok(Self {
            regex: Expression::new("extra_opts", &pattern, Flags::default())?,
            text: Template::new("extra_opts", &template(text))?,
            all: flags.contains('g'),
        })
    }

    pub(super) fn apply(&self, path: &str) -> Result<String> {
        let bytes = path.as_bytes();
        let found = self.regex.find_all(bytes)?;
        let mut out = vec![];
        let mut at = 0;
        for one in found.iter().take(if self.all { usize::MAX } else { 1 }) {
            let range = one.range();
            out.extend_from_slice(&bytes[at..range.start]);
            out.extend(one.expand(&self.text)?);
            at = range.end;
        }
        out.extend_from_slice(&bytes[at..]);
        Ok(String::from_utf8_lossy(&out).into_owned())
    }
}

/// sed's text, where `&` is the match, as Python writes it.
fn template(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str("\\g<0>"),
            '\\' => match chars.next() {
                Some(next) if next.is_ascii_digit() || "nt\\".contains(next) => {
                    out.extend(['\\', next]);
                }
                Some(next) => out.push(next),
                None => out.push_str("\\\\"),
            },
            c => out.push(c),
        }
    }
    out
}

/// Splits at `mark`, except after a backslash; `\MARK` is the mark itself.
fn parts(text: &str, mark: char) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == mark {
            parts.push(String::new());
            continue;
        }
        let last = parts.last_mut().expect("bug: there is a first part");
        match (c, chars.clone().next()) {
            ('\\', Some(next)) => {
                chars.next();
                if next != mark {
                    last.push('\\');
                }
                last.push(next);
            }
            _ => last.push(c),
        }
    }
    parts
}

/// In a basic expression the operators have a backslash, and without one they are plain.
fn from_basic(basic: &str) -> String {
    let mut out = String::new();
    let mut chars = basic.chars();
    let mut in_set = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' if !in_set => match chars.next() {
                Some(op @ ('(' | ')' | '{' | '}' | '|' | '+' | '?')) => out.push(op),
                Some(other) => out.extend(['\\', other]),
                None => out.push_str("\\\\"),
            },
            '(' | ')' | '{' | '}' | '|' | '+' | '?' if !in_set => out.extend(['\\', c]),
            c => {
                in_set = c == '[' || (in_set && c != ']');
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apply(expression: &str, path: &str) -> String {
        Transform::parse(expression).unwrap().apply(path).unwrap()
    }

    #[test]
    fn names_change_as_with_sed() {
        assert_eq!(apply("s,^app-[0-9.]*,app,", "app-1.2/bin/x"), "app/bin/x");
        assert_eq!(apply(r"s/\(a\)\(b\)/\2\1/", "abab"), "baab");
        assert_eq!(apply("s/a+/x/", "aa+"), "ax");
        assert_eq!(apply("s/a+/x/x", "aa+"), "x+");
        assert_eq!(apply(r"s/A/[&]/gi", "aba"), "[a]b[a]");
        assert_eq!(apply(r"s/\//-/g", "a/b/c"), "a-b-c");
    }

    #[test]
    fn what_is_no_expression_is_refused() {
        let error = Transform::parse("y/a/b/").err().unwrap();
        assert!(error.msg.contains("does not begin with `s/`"), "{error}");
    }
}
