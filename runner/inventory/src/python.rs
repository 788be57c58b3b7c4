//! Values as Python writes literals: what an INI inventory's values are read as.

use rplay_diag::Span;
use rplay_yaml::{Key, Kind, Map, Node};

/// The value that a text is as a Python literal; the text itself where it is none.
///
/// A tuple or set is a list, bytes are text; a complex number and `...` stay text.
pub(crate) fn value(text: &str, span: &Span) -> Kind {
    let mut reader = Reader { text, at: 0, span };
    match reader.whole() {
        Some(node) => node.kind,
        None => Kind::Str(text.to_owned()),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    span: &'a Span,
}

/// A number, and whether it is imaginary.
struct Number {
    kind: Kind,
    imaginary: bool,
}

impl Reader<'_> {
    /// One value, or several between commas: a tuple without its brackets.
    fn whole(&mut self) -> Option<Node> {
        let start = self.at;
        let first = self.item()?;
        if self.next_is(',') {
            let mut items = vec![first];
            while self.peek().is_some() {
                items.push(self.item()?);
                if !self.next_is(',') {
                    break;
                }
            }
            self.ended()?;
            return Some(self.node(start, Kind::Seq(items)));
        }
        self.ended()?;
        Some(first)
    }

    fn ended(&mut self) -> Option<()> {
        self.peek().is_none().then_some(())
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// The next character that counts: no blank, no comment.
    fn peek(&mut self) -> Option<char> {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start().len();
        match self.rest().chars().next() {
            Some('#') => {
                self.at = self.text.len();
                None
            }
            next => next,
        }
    }

    fn next_is(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn node(&self, start: usize, kind: Kind) -> Node {
        let span = self.span.slice(start, self.at);
        Node { span, kind }
    }

    fn item(&mut self) -> Option<Node> {
        let first = self.peek()?;
        let start = self.at;
        let kind = match first {
            '[' => Kind::Seq(self.items(']')?),
            '(' => self.bracketed()?,
            '{' => self.braced()?,
            '+' | '-' | '0'..='9' => self.numbers()?,
            '.' if self.rest().starts_with("...") => {
                self.at += 3;
                Kind::Str("...".to_owned())
            }
            '.' => self.numbers()?,
            _ => match self.word() {
                "True" => Kind::Bool(true),
                "False" => Kind::Bool(false),
                "None" => Kind::Null,
                "set" => {
                    let empty = self.next_is('(') && self.next_is(')');
                    empty.then_some(Kind::Seq(vec![]))?
                }
                _ => {
                    self.at = start;
                    Kind::Str(self.strings()?)
                }
            },
        };
        Some(self.node(start, kind))
    }

    /// The name that is next.
    fn word(&mut self) -> &str {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let start = self.at;
        self.at += end;
        &self.text[start..self.at]
    }

    /// Items between commas up to a closing bracket; the opening one is next.
    fn items(&mut self, close: char) -> Option<Vec<Node>> {
        self.at += 1;
        let mut items = vec![];
        while !self.next_is(close) {
            items.push(self.item()?);
            if !self.next_is(',') {
                return self.next_is(close).then_some(items);
            }
        }
        Some(items)
    }

    /// A tuple, or one value in brackets.
    fn bracketed(&mut self) -> Option<Kind> {
        let start = self.at;
        let mut items = self.items(')')?;
        let inner = &self.text[start..self.at - 1];
        if items.len() == 1 && !inner.trim_end().ends_with(',') {
            return items.pop().map(|node| node.kind);
        }
        Some(Kind::Seq(items))
    }

    /// A dictionary or a set.
    fn braced(&mut self) -> Option<Kind> {
        self.at += 1;
        let mut map = Map::new();
        let mut set: Vec<Node> = vec![];
        while !self.next_is('}') {
            let key = self.item()?;
            if self.next_is(':') {
                if !set.is_empty() {
                    return None;
                }
                let value = self.item()?;
                map.insert(key_of(&key)?, value);
            } else if map.is_empty() {
                key_of(&key)?;
                if !set.iter().any(|known| known.kind == key.kind) {
                    set.push(key);
                }
            } else {
                return None;
            }
            if !self.next_is(',') && self.peek() != Some('}') {
                return None;
            }
        }
        Some(match set.is_empty() {
            true => Kind::Map(map),
            false => Kind::Seq(set),
        })
    }

    /// A number with its sign, or the sum that a complex number is written as.
    fn numbers(&mut self) -> Option<Kind> {
        let first = self.signed()?;
        let plus = match self.peek() {
            Some('+') => true,
            Some('-') => false,
            _ if first.imaginary => return Some(Kind::Str(format!("{}j", short(&first.kind)))),
            _ => return Some(first.kind),
        };
        self.at += 1;
        self.peek()?;
        let second = self.number()?;
        let text = format!(
            "({}{}{}j)",
            short(&first.kind),
            if plus { '+' } else { '-' },
            short(&second.kind)
        );
        (second.imaginary && !first.imaginary).then_some(Kind::Str(text))
    }

    fn signed(&mut self) -> Option<Number> {
        let minus = match self.peek()? {
            '-' => true,
            '+' => false,
            _ => return self.number(),
        };
        self.at += 1;
        self.peek()?;
        let mut number = self.number()?;
        if minus {
            number.kind = match number.kind {
                Kind::Int(n) => Kind::Int(-n),
                Kind::Float(n) => Kind::Float(-n),
                Kind::Str(digits) => Kind::Str(format!("-{digits}")),
                other => other,
            };
        }
        Some(number)
    }

    fn number(&mut self) -> Option<Number> {
        let rest = self.rest();
        let hex = rest.starts_with("0x") || rest.starts_with("0X");
        let mut end = 0;
        let mut before = ' ';
        for c in rest.chars() {
            let of_exponent = !hex && matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
            if !c.is_alphanumeric() && c != '_' && c != '.' && !of_exponent {
                break;
            }
            end += c.len_utf8();
            before = c;
        }
        let word = rest[..end].to_owned();
        self.at += end;
        number(&word)
    }

    /// Strings that stand beside each other are one.
    fn strings(&mut self) -> Option<String> {
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

/// A key of a dictionary as text; lists and dictionaries are none.
fn key_of(node: &Node) -> Option<Key> {
    let text = match &node.kind {
        Kind::Str(text) => text.clone(),
        Kind::Int(n) => n.to_string(),
        Kind::Float(n) => n.to_string(),
        Kind::Bool(true) => "True".to_owned(),
        Kind::Bool(false) => "False".to_owned(),
        Kind::Null => "None".to_owned(),
        _ => return None,
    };
    let span = node.span.clone();
    Some(Key { text, span })
}

/// A part of a complex number: `1`, `1.5`.
fn short(kind: &Kind) -> String {
    match kind {
        Kind::Int(n) => n.to_string(),
        Kind::Float(n) => n.to_string(),
        Kind::Str(text) => text.clone(),
        _ => String::new(),
    }
}

/// A number without its sign.
fn number(word: &str) -> Option<Number> {
    let bad_underscores = word.starts_with('_')
        || word.ends_with('_')
        || word.contains("__")
        || word.contains("_.")
        || word.contains("._");
    if bad_underscores {
        return None;
    }
    let plain = word.replace('_', "").to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            let number = i64::from_str_radix(digits, base).ok()?;
            return Some(real(Kind::Int(number)));
        }
    }
    if let Some(part) = plain.strip_suffix('j') {
        let float = float(part)?;
        let kind = Kind::Float(float);
        return Some(Number {
            kind,
            imaginary: true,
        });
    }
    if plain.bytes().all(|b| b.is_ascii_digit()) && !plain.is_empty() {
        let zeros = plain.bytes().all(|b| b == b'0');
        if plain.starts_with('0') && !zeros {
            return None;
        }
        // A number that is too large stays as it is written: nothing of it is lost.
        let kind = plain.parse().map_or(Kind::Str(plain), Kind::Int);
        return Some(real(kind));
    }
    float(&plain).map(|n| real(Kind::Float(n)))
}

fn real(kind: Kind) -> Number {
    let imaginary = false;
    Number { kind, imaginary }
}

/// `1.`, `.5`, `1e3`: but no `inf`.
fn float(word: &str) -> Option<f64> {
    let good = word
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    if !good || !word.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    word.parse().ok()
}

#[cfg(test)]
mod tests {
    use rplay_diag::Source;

    use super::*;

    fn kind(text: &str) -> Kind {
        value(text, &Span::new(Source::new("hosts", text), 0, text.len()))
    }

    /// A value in one line.
    fn shown(kind: &Kind) -> String {
        match kind {
            Kind::Null => "null".to_owned(),
            Kind::Bool(b) => b.to_string(),
            Kind::Int(n) => n.to_string(),
            Kind::Float(n) => format!("{n:?}"),
            Kind::Seq(items) => {
                let items: Vec<String> = items.iter().map(|i| shown(&i.kind)).collect();
                format!("[{}]", items.join(", "))
            }
            Kind::Map(map) => {
                let items = map
                    .iter()
                    .map(|(k, v)| format!("{}: {}", k.text, shown(&v.kind)));
                format!("{{{}}}", items.collect::<Vec<_>>().join(", "))
            }
            Kind::Str(text) => format!("{text:?}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn numbers_are_pythons() {
        for (text, wanted) in [
            ("0x1f", "31"),
            ("0o17", "15"),
            ("0b11", "3"),
            ("1e3", "1000.0"),
            ("+3", "3"),
            ("- 1", "-1"),
            ("-0x1f", "-31"),
            ("1_000", "1000"),
            ("1_000_000.5", "1000000.5"),
            ("1.", "1.0"),
            (".5", "0.5"),
            ("00", "0"),
            ("1e-2", "0.01"),
            ("1e400", "inf"),
            ("017", "\"017\""),
            ("--1", "\"--1\""),
            ("-", "\"-\""),
            ("1__0", "\"1__0\""),
            ("10.0.0.1", "\"10.0.0.1\""),
            ("1if", "\"1if\""),
            ("inf", "\"inf\""),
            ("host-01.internal", "\"host-01.internal\""),
            ("1j", "\"1j\""),
            ("1+2j", "\"(1+2j)\""),
            ("1+2", "\"1+2\""),
            ("10000000000000000000000", "\"10000000000000000000000\""),
        ] {
            assert_eq!(shown(&kind(text)), wanted, "{text}");
        }
    }

    #[test]
    fn strings_lose_their_quotes_and_join() {
        for (text, wanted) in [
            ("'x'", "x"),
            ("'x' 'y'", "xy"),
            ("\"x\" 'y'", "xy"),
            ("b'x'", "x"),
            ("r'x\\n'", "x\\n"),
            ("'a\\nb\\x41\\u00e9'", "a\nbA\u{e9}"),
            ("'''tri \"ple'''", "tri \"ple"),
            ("'a # b' # c", "a # b"),
            ("'it''s'", "its"),
            ("'x' b'y'", "'x' b'y'"),
            ("\"a", "\"a"),
            ("f'x'", "f'x'"),
            ("a # c", "a # c"),
            ("a#b", "a#b"),
            ("# only", "# only"),
            ("{{ a }}", "{{ a }}"),
            ("1==1", "1==1"),
            ("not x", "not x"),
            ("", ""),
        ] {
            assert_eq!(kind(text), Kind::Str(wanted.to_owned()), "{text}");
        }
    }

    #[test]
    fn words_lists_and_dictionaries_are_read() {
        for (text, wanted) in [
            ("True", "true"),
            ("None # x", "null"),
            ("true", "\"true\""),
            ("(1,2)", "[1, 2]"),
            ("1,2", "[1, 2]"),
            ("1,", "[1]"),
            ("(1)", "1"),
            ("(1,)", "[1]"),
            ("()", "[]"),
            ("[1, [2, {'a': (1, 2)}]]", "[1, [2, {a: [1, 2]}]]"),
            ("{'a': 1, 'a': 2, 3: None}", "{a: 2, 3: null}"),
            ("{1, 2, 1}", "[1, 2]"),
            ("set()", "[]"),
            ("{}", "{}"),
            ("[..., 1j, b'x']", "[\"...\", \"1j\", \"x\"]"),
            ("[1, 2] # foo", "[1, 2]"),
            ("[1,", "\"[1,\""),
            ("[a]", "\"[a]\""),
            ("{[1]: 2}", "\"{[1]: 2}\""),
            ("[1,,2]", "\"[1,,2]\""),
        ] {
            assert_eq!(shown(&kind(text)), wanted, "{text}");
        }
    }
}
