//! One text: plain, or in the quotes that it needs, on as many lines as it needs.

use std::sync::LazyLock;

use regex::Regex;
use rplay_yaml::plain::escape;

/// What a plain text must not look like.
static TYPED: LazyLock<Regex> = LazyLock::new(|| {
    let all = [
        "yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF",
        r"~|null|Null|NULL|<<|=",
        r"[-+]?0b[01_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+",
        r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+",
        r"[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?",
        r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
    ];
    Regex::new(&format!("^(?:{})$", all.join("|"))).expect("bug: a bad pattern")
});

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    let day = "[0-9]{4}-[0-9]{2}-[0-9]{2}";
    let moment = r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?";
    Regex::new(&format!("^(?:{day}|{moment})$")).expect("bug: a bad pattern")
});

/// Whether YAML takes a plain text for a date.
pub(crate) fn is_timestamp(text: &str) -> bool {
    TIMESTAMP.is_match(text)
}

/// Where lines are folded.
const WIDTH: usize = 80;

/// Writes texts, and knows in which column it stands.
#[derive(Default)]
pub(super) struct Writer {
    pub out: String,
    column: usize,
    /// Whether only blanks and dashes stand in the line.
    at_start: bool,
}

/// The ways in which a text may be written.
struct Allowed {
    plain: bool,
    single: bool,
}

impl Writer {
    pub(super) fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
        self.at_start = false;
    }

    pub(super) fn line_break(&mut self) {
        self.out.push('\n');
        self.column = 0;
        self.at_start = true;
    }

    /// Goes to a column: in this line, where nothing stands in it, or in the next.
    pub(super) fn indent(&mut self, indent: usize) {
        let fresh = self.out.is_empty() || self.at_start;
        if !fresh || self.column > indent {
            self.line_break();
        }
        self.out
            .extend(std::iter::repeat_n(' ', indent - self.column));
        self.column = indent;
    }

    pub(super) fn dash(&mut self) {
        self.put("-");
        self.at_start = true;
    }

    /// A word behind a key or a dash.
    pub(super) fn word(&mut self, word: &str) {
        self.put(" ");
        self.put(word);
    }

    /// A key.
    pub(super) fn key(&mut self, text: &str) {
        self.scalar(text, None);
    }

    /// A text behind a key or a dash; its further lines are indented.
    pub(super) fn text(&mut self, text: &str, indent: usize) {
        self.put(" ");
        self.scalar(text, Some(indent));
    }

    fn scalar(&mut self, text: &str, indent: Option<usize>) {
        let allowed = allowed(text);
        let typed = text.is_empty() || TYPED.is_match(text) || is_timestamp(text);
        let broken_key = indent.is_none() && text.contains('\n');
        if allowed.plain && !typed {
            self.folded(text, indent, false);
        } else if allowed.single && !broken_key {
            self.put("'");
            self.folded(text, indent, true);
            self.put("'");
        } else {
            self.double(text, indent);
        }
    }

    /// Whether a line ends at a space here.
    fn folds(&self, indent: Option<usize>, spaces: bool, next: Option<&char>) -> bool {
        indent.is_some() && !spaces && self.column > WIDTH && next.is_some_and(|c| *c != ' ')
    }

    fn folded(&mut self, text: &str, indent: Option<usize>, quoted: bool) {
        let (mut spaces, mut breaks) = (false, false);
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            let inside = !quoted || !first;
            match c {
                ' ' => {
                    match (self.folds(indent, spaces, chars.peek()) && inside, indent) {
                        (true, Some(indent)) => self.indent(indent),
                        _ => self.put(" "),
                    }
                    spaces = true;
                }
                '\n' => {
                    if !breaks {
                        self.line_break();
                    }
                    self.line_break();
                    breaks = true;
                }
                c => {
                    if breaks {
                        self.indent(indent.unwrap_or_default());
                    }
                    if c == '\'' && quoted {
                        self.put("'");
                    }
                    self.put(c.encode_utf8(&mut [0; 4]));
                    (spaces, breaks) = (false, false);
                }
            }
            first = false;
        }
        if breaks {
            self.indent(indent.unwrap_or_default());
        }
    }

    fn double(&mut self, text: &str, indent: Option<usize>) {
        self.put("\"");
        let mut spaces = false;
        let mut chars = text.chars().peekable();
        let mut first = true;
        while let Some(c) = chars.next() {
            let last = chars.peek().is_none();
            let full = indent.is_some() && !spaces && self.column > WIDTH && !first && !last;
            first = false;
            match (c, indent) {
                (' ', Some(indent)) if full => {
                    self.indent(indent);
                    if chars.peek() == Some(&' ') {
                        self.put("\\");
                    }
                }
                (c, _) if !is_printable(c) || is_break(c) || matches!(c, '"' | '\\') => {
                    self.put(&escape(c).expect("bug: an odd letter has an escape"));
                }
                (c, _) => self.put(c.encode_utf8(&mut [0; 4])),
            }
            spaces = c == ' ';
        }
        self.put("\"");
    }

    /// A text line by line, as it is.
    pub(super) fn literal(&mut self, tag: &str, text: &str, indent: usize) {
        self.word(tag);
        self.word(if text.ends_with('\n') { "|" } else { "|-" });
        for line in text.lines() {
            self.line_break();
            self.indent(indent);
            self.put(line);
        }
    }
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}')
        && c != '\u{feff}'
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// How a text may be written outside of brackets.
fn allowed(text: &str) -> Allowed {
    let chars: Vec<char> = text.chars().collect();
    let blank = |at: usize| {
        chars
            .get(at)
            .is_none_or(|c| *c == ' ' || *c == '\t' || is_break(*c))
    };
    let mut marks = text.starts_with("---") || text.starts_with("...");
    let (mut special, mut lines, mut break_space, mut space_break) = (false, false, false, false);
    for (at, c) in chars.iter().copied().enumerate() {
        marks |= match c {
            '#' => at == 0 || blank(at - 1),
            ':' => blank(at + 1),
            '?' | '-' => at == 0 && blank(at + 1),
            c => at == 0 && ",[]{}&*!|>'\"%@`".contains(c),
        };
        special |= !is_printable(c);
        lines |= is_break(c);
        let before = at.checked_sub(1).map(|at| chars[at]);
        break_space |= c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(c) && before == Some(' ');
    }
    let edge = |c: Option<&char>| c.is_some_and(|c| *c == ' ' || is_break(*c));
    let edges = edge(chars.first()) || edge(chars.last());
    let quotable = !space_break && !special;
    Allowed {
        plain: quotable && !break_space && !edges && !lines && !marks,
        single: quotable && !break_space,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut writer = Writer::default();
        writer.indent(0);
        writer.key("k");
        writer.put(":");
        writer.text(text, 2);
        writer.out
    }

    #[test]
    fn quotes_are_those_that_are_needed() {
        for (text, wanted) in [
            ("a b", "k: a b"),
            ("on", "k: 'on'"),
            ("y", "k: y"),
            ("1e3", "k: 1e3"),
            ("1.5e+3", "k: '1.5e+3'"),
            ("0o7", "k: 0o7"),
            ("08", "k: 08"),
            ("07", "k: '07'"),
            ("12:30", "k: '12:30'"),
            ("2021-01-02", "k: '2021-01-02'"),
            ("", "k: ''"),
            ("a: b", "k: 'a: b'"),
            ("a:b", "k: a:b"),
            ("a #b", "k: 'a #b'"),
            ("a#b", "k: a#b"),
            ("-x", "k: -x"),
            ("- x", "k: '- x'"),
            ("it's", "k: it's"),
            ("'x'", "k: '''x'''"),
            (" x", "k: ' x'"),
            ("{{ x }}", "k: '{{ x }}'"),
            ("a\tb", "k: \"a\\tb\""),
            ("\u{1F600}", "k: \"\\U0001F600\""),
            ("\u{e9}", "k: \u{e9}"),
            ("a\nb", "k: 'a\n\n  b'"),
            ("a\n b\n", "k: \"a\\n b\\n\""),
        ] {
            assert_eq!(written(text), wanted, "{text}");
        }
    }

    #[test]
    fn a_long_line_is_folded_at_a_space() {
        let words = "aaaa ".repeat(20);
        let text = written(words.trim_end());
        assert_eq!(
            text,
            format!(
                "k: {}\n  {}",
                "aaaa ".repeat(16).trim_end(),
                "aaaa ".repeat(4).trim_end()
            )
        );
    }
}
