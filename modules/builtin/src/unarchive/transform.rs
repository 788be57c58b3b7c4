//! `--transform`: sed's `s/REGEXP/TEXT/FLAGS` on member names, basic expressions or with `x`
//! extended ones.

use fancy_regex::{Captures, Regex};
use rplay_api::{Failure, Result};

/// A renaming of members.
#[derive(Debug)]
pub(super) struct Transform {
    regex: Regex,
    text: String,
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
        let regex = Regex::new(&pattern).map_err(|e| wrong(&e.to_string()))?;
        Ok(Self {
            regex,
            text: text.clone(),
            all: flags.contains('g'),
        })
    }

    pub(super) fn apply(&self, path: &str) -> String {
        let limit = if self.all { 0 } else { 1 };
        let text = |found: &Captures<'_, str>| self.expand(found);
        self.regex.replacen(path, limit, text).into_owned()
    }

    /// The text with `&` and `\1` filled in.
    fn expand(&self, found: &Captures<'_, str>) -> String {
        let group = |n: usize| found.get(n).map_or("", |m| m.as_str());
        let mut out = String::new();
        let mut chars = self.text.chars();
        while let Some(c) = chars.next() {
            match c {
                '&' => out.push_str(group(0)),
                '\\' => match chars.next() {
                    Some(digit) if digit.is_ascii_digit() => {
                        out.push_str(group(digit as usize - '0' as usize));
                    }
                    Some(other) => out.push(other),
                    None => {}
                },
                other => out.push(other),
            }
        }
        out
    }
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
        Transform::parse(expression).unwrap().apply(path)
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
        let error = Transform::parse("y/a/b/").unwrap_err();
        assert!(error.msg.contains("does not begin with `s/`"), "{error}");
    }
}
