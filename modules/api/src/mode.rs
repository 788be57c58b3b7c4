//! Permissions as an argument: octal, or symbolic as chmod reads them.

use serde_json::Value;

use crate::{ArgKind, ArgType};

/// A wanted mode, which may depend on the present one (`u+x`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileMode {
    /// These bits.
    Octal(u32),
    /// `preserve`: the source's mode.
    Preserve,
    /// Clauses such as `u=rwX,g-w`.
    Symbolic(Vec<Clause>),
}

/// One clause of a symbolic mode: who, and what is done to their permissions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Which of u, g, o.
    who: Vec<char>,
    /// `+`, `-` or `=`.
    op: char,
    /// Letters of rwxXst, or one of u, g, o to copy from.
    perms: String,
}

impl FileMode {
    /// The mode bits (0 to 0o7777), where the present ones are `current` and the file is a folder
    /// or not.
    pub fn resolve(&self, current: u32, is_dir: bool) -> u32 {
        match self {
            Self::Octal(bits) => *bits,
            Self::Preserve => current,
            Self::Symbolic(clauses) => clauses
                .iter()
                .fold(current & 0o7777, |mode, c| c.apply(mode, is_dir)),
        }
    }
}

impl Clause {
    fn parse(text: &str) -> Option<Vec<Self>> {
        let at = text.find(['+', '-', '='])?;
        let (who, mut rest) = text.split_at(at);
        let who: Vec<char> = match who {
            "" | "a" => vec!['u', 'g', 'o'],
            w => w.chars().collect(),
        };
        who.iter().all(|c| "ugo".contains(*c)).then_some(())?;
        let mut clauses = vec![];
        while let Some(op) = rest.chars().next() {
            let body = &rest[1..];
            let end = body.find(['+', '-', '=']).unwrap_or(body.len());
            let perms = &body[..end];
            let copies = matches!(perms, "u" | "g" | "o");
            (copies || perms.chars().all(|c| "rwxXst".contains(c))).then_some(())?;
            clauses.push(Self {
                who: who.clone(),
                op,
                perms: perms.to_owned(),
            });
            rest = &body[end..];
        }
        Some(clauses)
    }

    fn apply(&self, mode: u32, is_dir: bool) -> u32 {
        self.who.iter().fold(mode, |mode, who| {
            let (shift, special) = match who {
                'u' => (6, 0o4000),
                'g' => (3, 0o2000),
                _ => (0, 0o1000),
            };
            let bits = self.bits(mode, shift, special, is_dir);
            // A sticky bit belongs to all; it is cleared with `o=` as chmod does with `a=`.
            let mask = (0o7 << shift) | special;
            match self.op {
                '+' => mode | bits,
                '-' => mode & !bits,
                _ => (mode & !mask) | bits,
            }
        })
    }

    fn bits(&self, mode: u32, shift: u32, special: u32, is_dir: bool) -> u32 {
        let copied = |from: u32| ((mode >> from) & 0o7) << shift;
        match self.perms.as_str() {
            "u" => return copied(6),
            "g" => return copied(3),
            "o" => return copied(0),
            _ => {}
        }
        self.perms.chars().fold(0, |bits, c| {
            bits | match c {
                'r' => 0o4 << shift,
                'w' => 0o2 << shift,
                'x' => 0o1 << shift,
                'X' if is_dir || mode & 0o111 != 0 => 0o1 << shift,
                's' if shift > 0 => special,
                't' => 0o1000,
                _ => 0,
            }
        })
    }
}

impl ArgType for FileMode {
    const KIND: ArgKind = ArgKind::Mode;

    fn parse_arg(value: &Value) -> Result<Self, String> {
        // The words that scripts look for.
        let wrong = || "mode must be in octal or symbolic form".to_owned();
        match value {
            Value::Number(n) => {
                let bits = n
                    .as_u64()
                    .and_then(|n| u32::try_from(n).ok())
                    .ok_or_else(wrong)?;
                if bits > 0o7777 {
                    return Err(format!("{}; quote it: mode: \"{n}\"", wrong()));
                }
                Ok(Self::Octal(bits))
            }
            Value::String(s) if s == "preserve" => Ok(Self::Preserve),
            Value::String(s) if !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit()) => {
                let bits = u32::from_str_radix(s, 8).ok().filter(|b| *b <= 0o7777);
                bits.map(Self::Octal).ok_or_else(wrong)
            }
            Value::String(s) => {
                let s = s
                    .strip_prefix("0o")
                    .map(|d| u32::from_str_radix(d, 8))
                    .map_or_else(
                        || {
                            let clauses: Option<Vec<_>> = s.split(',').map(Clause::parse).collect();
                            clauses.map(|c| Self::Symbolic(c.concat()))
                        },
                        |octal| octal.ok().map(Self::Octal),
                    );
                s.ok_or_else(wrong)
            }
            _ => Err(wrong()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn resolve(mode: &str, current: u32, is_dir: bool) -> u32 {
        FileMode::parse_arg(&json!(mode))
            .unwrap()
            .resolve(current, is_dir)
    }

    #[test]
    fn octal_text_and_numbers_agree() {
        assert_eq!(
            FileMode::parse_arg(&json!("0644")),
            Ok(FileMode::Octal(0o644))
        );
        assert_eq!(
            FileMode::parse_arg(&json!(0o644)),
            Ok(FileMode::Octal(0o644))
        );
    }

    #[test]
    fn symbolic_modes_follow_chmod() {
        assert_eq!(resolve("u=rw,go=r", 0o777, false), 0o644);
        assert_eq!(resolve("u+x", 0o644, false), 0o744);
        assert_eq!(resolve("a+X", 0o644, false), 0o644);
        assert_eq!(resolve("a+X", 0o644, true), 0o755);
        assert_eq!(resolve("g=u", 0o640, false), 0o660);
        assert_eq!(resolve("+t", 0o755, true), 0o1755);
        assert_eq!(resolve("u+s,g+s", 0o755, false), 0o6755);
        assert_eq!(resolve("a-wx+r", 0o377, false), 0o444);
    }

    #[test]
    fn letters_of_nobody_are_refused() {
        for wrong in ["abc=r", "ao=r", "oa=r", "foo=r", "u=foo"] {
            assert!(FileMode::parse_arg(&json!(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_decimal_slip_is_refused() {
        let error = FileMode::parse_arg(&json!(6440)).unwrap_err();
        assert!(error.contains("quote it"), "{error}");
    }
}
