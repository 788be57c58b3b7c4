//! Values as Python writes literals: what an INI inventory's values are read as.

mod number;
mod string;

use rplay_diag::Span;
use rplay_yaml::{Key, Kind, Map, Node};

use number::{Number, number, short};

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
