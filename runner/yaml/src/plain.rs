//! Which texts can be written without quotes and read back as they are, and how letters are escaped
//! in the others.

use rplay_diag::Source;

use crate::{Kind, load};

/// Whether a text can stand as it is, in brackets or outside of them, as PyYAML has it.
pub fn can_stand(text: &str, in_flow: bool) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let second = text.chars().nth(1);
    let mark = match first {
        '-' | '?' | ':' => second.is_none_or(char::is_whitespace),
        _ => ",[]{}#&*!|>'\"%@`".contains(first),
    };
    let broken = text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
        || text.starts_with("---")
        || text.starts_with("...")
        || matches!(text, "=" | "<<");
    let in_brackets = in_flow && text.contains([',', '[', ']', '{', '}', '?', ':']);
    let special = |c: char| !is_printable(c) || matches!(c, '\n' | '\u{2028}' | '\u{2029}');
    if mark || broken || in_brackets || text.trim_matches(' ') != text || text.contains(special) {
        return false;
    }
    if is_date(text) {
        return false;
    }
    // It is read back as it is, by the rules of YAML 1.1.
    let source = Source::new("", text);
    load(&source)
        .is_ok_and(|loaded| matches!(loaded.root(&source).kind, Kind::Str(read) if read == text))
}

/// PyYAML escapes what is beyond these, emoji among it.
pub fn is_printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// How a letter is written in double quotes, where not as itself.
pub fn escape(c: char) -> Option<String> {
    let short = match c {
        '\0' => '0',
        '\u{7}' => 'a',
        '\u{8}' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\u{b}' => 'v',
        '\u{c}' => 'f',
        '\r' => 'r',
        '\u{1b}' => 'e',
        '"' | '\\' => c,
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c if is_printable(c) => return None,
        c => {
            return Some(match u32::from(c) {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            });
        }
    };
    Some(format!("\\{short}"))
}

/// Whether YAML takes a text for a date: `2021-01-02`, with or without a time.
fn is_date(text: &str) -> bool {
    let day = text.split(['T', 't', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split('-').collect();
    let digits = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    parts.len() == 3 && parts[0].len() == 4 && parts.iter().all(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_back_as_the_same_text_stands() {
        for text in [
            "0beec7b5ea3f",
            "1 x",
            "1.2.3",
            "1,000",
            "-x",
            "?x",
            ":x",
            "N",
            "y",
            "08",
            "0o7",
            "1e5",
            "it's",
        ] {
            assert!(can_stand(text, false), "{text}");
        }
    }

    #[test]
    fn what_would_read_back_as_something_else_does_not() {
        for text in [
            "",
            "1",
            "1.5",
            ".5",
            "+1",
            "01",
            "0x1f",
            "0b11",
            "1_000",
            "12:30:45",
            "10.5e+3",
            "2020-01-01",
            "null",
            "~",
            "yes",
            "on",
            "=",
            "<<",
            "- a",
            "? x",
            "a: b",
            "x:",
            "a #b",
            "@x",
            "`x",
            "%x",
            "!x",
            "&x",
            "*x",
            "{x",
            "|x",
            " lead",
            "trail ",
            "---",
            "...",
            "a\nb",
        ] {
            assert!(!can_stand(text, false), "{text}");
        }
    }

    #[test]
    fn more_is_quoted_in_brackets() {
        assert!(can_stand("x,y", false));
        assert!(!can_stand("x,y", true));
    }
}
