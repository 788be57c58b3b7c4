//! Which files a search lists.

use std::path::Path;
use std::time::SystemTime;

use glob::{MatchOptions, Pattern};
use rplay_api::{Failure, FileMode, Host, Meta, Result};

use super::decode::Decoder;
use super::{FindArgs, Stamp};
use crate::python_regex::{Expression, Flags};

/// The conditions of a search.
pub(super) struct Filter {
    patterns: Vec<Name>,
    excludes: Vec<Name>,
    contains: Option<Expression>,
    decoder: Decoder,
    whole: bool,
    age: Option<f64>,
    stamp: Stamp,
    now: SystemTime,
    size: Option<f64>,
    mode: Option<FileMode>,
    exact_mode: bool,
}

enum Name {
    Pattern(Pattern),
    Regex(Expression),
}

impl Name {
    fn parse(arg: &'static str, texts: &[String], regex: bool) -> Result<Vec<Self>> {
        let one = |text: &String| {
            if regex {
                let whole = format!("^(?:{text})");
                return Expression::new(arg, &whole, Flags::default()).map(Self::Regex);
            }
            Pattern::new(text).map(Self::Pattern).map_err(|e| {
                Failure::new(format!("`{text}` is no pattern: {e}"))
                    .arg(arg)
                    .help("regular expressions need use_regex: true")
            })
        };
        texts.iter().map(one).collect()
    }

    fn is_match(&self, name: &str) -> Result<bool> {
        match self {
            Self::Pattern(pattern) => Ok(pattern.matches_with(name, MatchOptions::new())),
            Self::Regex(regex) => regex.is_match(name.as_bytes()),
        }
    }
}

impl Filter {
    pub(super) fn new(args: &FindArgs, now: SystemTime) -> Result<Self> {
        let content = Flags {
            multi_line: false,
            dot_all: false,
        };
        let contains = args.contains.as_deref().map(|text| {
            // As for Python's match, a line matches from its beginning.
            let text = if args.read_whole_file {
                text.to_owned()
            } else {
                format!("^(?:{text})")
            };
            Expression::new("contains", &text, content)
        });
        Ok(Self {
            patterns: Name::parse("patterns", &args.patterns, args.use_regex)?,
            excludes: Name::parse("excludes", &args.excludes, args.use_regex)?,
            contains: contains.transpose()?,
            decoder: Decoder::new(args.encoding.as_deref()),
            whole: args.read_whole_file,
            age: amount("age", args.age.as_deref(), AGES)?,
            stamp: args.age_stamp,
            now,
            size: amount("size", args.size.as_deref(), SIZES)?,
            mode: args.mode.clone(),
            exact_mode: args.exact_mode,
        })
    }

    /// Whether name and properties fit.
    pub(super) fn takes(&self, name: &str, meta: &Meta) -> Result<bool> {
        let any = |names: &[Name]| -> Result<bool> {
            for one in names {
                if one.is_match(name)? {
                    return Ok(true);
                }
            }
            Ok(false)
        };
        if (!self.patterns.is_empty() && !any(&self.patterns)?) || any(&self.excludes)? {
            return Ok(false);
        }
        Ok(self.takes_age(meta) && self.takes_size(meta) && self.takes_mode(meta))
    }

    fn takes_age(&self, meta: &Meta) -> bool {
        let time = match self.stamp {
            Stamp::Atime => meta.atime,
            Stamp::Ctime => meta.ctime,
            Stamp::Mtime => meta.mtime,
        };
        let age = self
            .now
            .duration_since(time)
            .map_or(0.0, |d| d.as_secs_f64());
        self.age.is_none_or(|limit| at_least(age, limit))
    }

    fn takes_size(&self, meta: &Meta) -> bool {
        // Sizes of files are far below 2^52.
        #[allow(clippy::cast_precision_loss)]
        let size = meta.size as f64;
        self.size
            .is_none_or(|limit| meta.is_dir() || at_least(size, limit))
    }

    fn takes_mode(&self, meta: &Meta) -> bool {
        let Some(mode) = &self.mode else { return true };
        let wanted = mode.resolve(0, meta.is_dir());
        if self.exact_mode {
            meta.mode == wanted
        } else {
            meta.mode & wanted == wanted
        }
    }

    /// Whether the content fits; it is read only where that was asked for. Where it cannot be told
    /// what it is, the reason.
    pub(super) fn takes_content(
        &self,
        host: &Host,
        path: &Path,
    ) -> Result<std::result::Result<bool, String>> {
        let Some(expression) = &self.contains else {
            return Ok(Ok(true));
        };
        let content = host.read(path)?;
        let content = match self.decoder.text(&content, path) {
            Ok(content) => content,
            Err(why) => return Ok(Err(why)),
        };
        if self.whole {
            return expression.is_match(&content).map(Ok);
        }
        for line in content.split(|b| *b == b'\n') {
            if expression.is_match(line)? {
                return Ok(Ok(true));
            }
        }
        Ok(Ok(false))
    }
}

/// At least a limit, or for a negative one at most its amount.
fn at_least(value: f64, limit: f64) -> bool {
    if limit < 0.0 {
        value <= -limit
    } else {
        value >= limit
    }
}

const AGES: &[(char, f64)] = &[
    ('s', 1.0),
    ('m', 60.0),
    ('h', 3600.0),
    ('d', 86400.0),
    ('w', 604_800.0),
];

const SIZES: &[(char, f64)] = &[
    ('b', 1.0),
    ('k', 1024.0),
    ('m', 1_048_576.0),
    ('g', 1_073_741_824.0),
    ('t', 1_099_511_627_776.0),
];

/// A number with a unit.
fn amount(arg: &str, text: Option<&str>, units: &[(char, f64)]) -> Result<Option<f64>> {
    let Some(text) = text else { return Ok(None) };
    let word = text.trim().to_ascii_lowercase();
    let unit = word
        .chars()
        .last()
        .and_then(|c| units.iter().find(|(u, _)| *u == c));
    let (number, factor) = match unit {
        Some((_, factor)) => (&word[..word.len() - 1], *factor),
        None => (word.as_str(), 1.0),
    };
    let number: f64 = number.parse().map_err(|_| {
        let units: Vec<String> = units.iter().map(|(u, _)| format!("`{u}`")).collect();
        Failure::new(format!(
            "`{text}` is no number with one of the units {}",
            units.join(", ")
        ))
        .arg(arg)
    })?;
    Ok(Some(number * factor))
}
