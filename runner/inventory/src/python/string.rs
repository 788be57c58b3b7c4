//! Python's strings: their prefixes, quotes and escapes.

use super::Reader;

impl Reader<'_> {
    /// Strings that stand beside each other are one.
    pub(super) fn strings(&mut self) -> Option<String> {
        let mut out = String::new();
        let mut kinds = (false, false);
        loop {
            let bytes = self.string(&mut out)?;
            if bytes {
                kinds.0 = true;
            } else {
                kinds.1 = true;
            }
            if kinds == (true, true) {
                return None;
            }
            let next = self.peek();
            let again = matches!(next, Some('\'' | '"'))
                || next.is_some_and(char::is_alphabetic) && self.prefixed();
            if !again {
                return Some(out);
            }
        }
    }

    /// Whether letters and then a quote are next.
    fn prefixed(&self) -> bool {
        let letters = self.rest().trim_start_matches(|c: char| c.is_alphabetic());
        letters.starts_with(['\'', '"'])
    }

    /// One string; whether it is one of bytes.
    fn string(&mut self, out: &mut String) -> Option<bool> {
        let prefix = self.word().to_lowercase();
        let (raw, bytes) = match prefix.as_str() {
            "" | "u" => (false, false),
            "r" => (true, false),
            "b" => (false, true),
            "br" | "rb" => (true, true),
            _ => return None,
        };
        let quote = self
            .rest()
            .chars()
            .next()
            .filter(|c| matches!(c, '\'' | '"'))?;
        let three: String = [quote; 3].iter().collect();
        let close = if self.rest().starts_with(&three) {
            three
        } else {
            quote.to_string()
        };
        self.at += close.len();
        loop {
            if self.rest().starts_with(&close) {
                self.at += close.len();
                return Some(bytes);
            }
            let c = self.rest().chars().next()?;
            self.at += c.len_utf8();
            match c {
                '\\' if raw => {
                    let next = self.rest().chars().next()?;
                    self.at += next.len_utf8();
                    out.extend(['\\', next]);
                }
                '\\' => self.escape(out, bytes)?,
                c if bytes && !c.is_ascii() => return None,
                c => out.push(c),
            }
        }
    }

    /// What stands after a backslash.
    fn escape(&mut self, out: &mut String, bytes: bool) -> Option<()> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        let made = match c {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            '\\' | '\'' | '"' => c,
            'x' => self.code(2, 16)?,
            'u' if !bytes => self.code(4, 16)?,
            'U' if !bytes => self.code(8, 16)?,
            'N' if !bytes => return None,
            '0'..='7' => {
                self.at -= 1;
                let digits = self.rest().chars().take(3);
                let digits = digits.take_while(|d| d.is_digit(8)).count();
                self.code(digits, 8)?
            }
            other => {
                out.push('\\');
                other
            }
        };
        out.push(made);
        Some(())
    }

    fn code(&mut self, digits: usize, base: u32) -> Option<char> {
        let word = self.rest().get(..digits)?;
        let code = u32::from_str_radix(word, base).ok()?;
        self.at += digits;
        char::from_u32(code)
    }
}
