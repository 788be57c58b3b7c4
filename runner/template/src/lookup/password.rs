//! Passwords that are made up once, and kept in a file.

use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use super::{Found, spread};
use crate::call::Args;
use crate::context::Context;
use crate::filters::crypt::hashed;
use crate::filters::random::Twister;
use crate::python::{text, wrong};
use crate::vars::LookupIo;

/// What a password is made of.
struct Wish {
    path: String,
    length: usize,
    chars: Vec<char>,
    encrypt: Option<String>,
    seed: Option<Value>,
}

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// Letters of a class, or the text itself.
fn letters(class: &str) -> String {
    match class {
        "ascii_letters" => [LOWER, UPPER].concat(),
        "ascii_lowercase" => LOWER.to_owned(),
        "ascii_uppercase" => UPPER.to_owned(),
        "digits" => DIGITS.to_owned(),
        "hexdigits" => "0123456789abcdefABCDEF".to_owned(),
        "octdigits" => "01234567".to_owned(),
        "punctuation" => PUNCTUATION.to_owned(),
        other => other.to_owned(),
    }
}

impl Wish {
    fn new(term: &str, args: &Args) -> Result<Self, Error> {
        let mut wish = Self {
            path: String::new(),
            length: 20,
            chars: [LOWER, UPPER, DIGITS, ".,:-_"].concat().chars().collect(),
            encrypt: None,
            seed: None,
        };
        let mut path = vec![];
        for word in term.split(' ') {
            match word
                .split_once('=')
                .filter(|(name, _)| ["length", "chars", "encrypt", "seed", "ident"].contains(name))
            {
                Some((name, value)) => wish.set(name, &Value::from(value))?,
                None => path.push(word),
            }
        }
        wish.path = path.join(" ");
        for (name, value) in args
            .more
            .iter()
            .filter(|(n, _)| !["wantlist", "errors"].contains(&n.as_str()))
        {
            wish.set(name, value)?;
        }
        Ok(wish)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), Error> {
        match name {
            "length" => {
                let length = text(value)?.parse();
                self.length =
                    length.map_err(|_| wrong("the length of a password is an integer"))?;
            }
            "chars" => {
                let classes = match value.kind() {
                    ValueKind::Seq | ValueKind::Iterable => crate::call::items(value)?
                        .iter()
                        .map(text)
                        .collect::<Result<Vec<_>, _>>()?,
                    _ => text(value)?
                        .replace(",,", "\u{0}")
                        .split(',')
                        .map(|c| c.replace('\u{0}', ","))
                        .collect(),
                };
                let mut chars: Vec<char> = vec![];
                for c in classes
                    .iter()
                    .flat_map(|class| letters(class).chars().collect::<Vec<_>>())
                {
                    if !chars.contains(&c) {
                        chars.push(c);
                    }
                }
                self.chars = chars;
            }
            "encrypt" => self.encrypt = Some(text(value)?).filter(|e| !e.is_empty()),
            "seed" => self.seed = Some(value.clone()),
            "ident" => {}
            other => {
                return Err(wrong(format!(
                    "a password has no `{other}`: it has length, chars, encrypt and seed"
                )));
            }
        }
        Ok(())
    }

    fn make(&self) -> Result<String, Error> {
        if self.chars.is_empty() {
            return Err(wrong("there are no characters to make a password of"));
        }
        let count = u64::try_from(self.chars.len()).unwrap_or(1);
        if self.seed.is_some() {
            let mut rng = Twister::new(self.seed.as_ref())?;
            let letter = |_| self.chars[usize::try_from(rng.below(count)).unwrap_or(0)];
            return Ok((0..self.length).map(letter).collect());
        }
        let letter = |_| -> Result<char, Error> {
            // Of 64 bits the rest of a division by so few is even enough.
            let number = getrandom::u64().map_err(|e| wrong(format!("no random numbers: {e}")))?;
            Ok(self.chars[usize::try_from(number % count).unwrap_or(0)])
        };
        (0..self.length).map(letter).collect()
    }
}

pub(super) fn found(context: &Arc<Context>, io: &dyn LookupIo, args: &Args) -> Found {
    let one = |term: &Value| -> Result<Value, Error> {
        let wish = Wish::new(&text(term)?, args)?;
        let kept = match wish.path.as_str() {
            "/dev/null" => None,
            path => io
                .find("files", path)
                .map(|_| io.read("files", path))
                .transpose()
                .map_err(wrong)?,
        };
        let (mut password, mut salt) = match &kept {
            Some(content) => {
                let line = content.trim_end();
                match line.rsplit_once(" salt=") {
                    Some((password, salt)) => (password.to_owned(), Some(salt.to_owned())),
                    None => (line.to_owned(), None),
                }
            }
            None => (wish.make()?, None),
        };
        context.templar.redactor().register(&password);
        let mut changed = kept.is_none();
        if wish.encrypt.is_some() && salt.is_none() {
            let letters = if wish.encrypt.as_deref() == Some("bcrypt") {
                22
            } else {
                8
            };
            salt = Some(crate::filters::crypt::random_salt(letters)?);
            changed = true;
        }
        if changed && wish.path != "/dev/null" {
            let suffix = salt
                .as_ref()
                .map_or(String::new(), |salt| format!(" salt={salt}"));
            io.write_private(&wish.path, &format!("{password}{suffix}\n"))
                .map_err(wrong)?;
        }
        if let Some(kind) = wish.encrypt.as_deref() {
            let kind = if kind == "true" { "sha512" } else { kind };
            password = hashed(&password, kind, salt, None)?;
        }
        Ok(password.into())
    };
    spread(&args.rest)?.iter().map(one).collect()
}
