//! Reads `ssh_config` files: lines, quotes, blocks and includes.
//!
//! Our own, because `ssh2-config` knows neither `Match` nor tokens: see docs/decisions.

mod lookup;

use std::path::{Path, PathBuf};

use crate::error::Cause;
pub(super) use lookup::{Found, Subject};

/// Includes within includes that are followed, as in ssh.
const MAX_DEPTH: usize = 16;

/// One file, and what it includes.
#[derive(Debug, Default)]
pub(super) struct Config {
    lines: Vec<Line>,
    /// What was odd.
    pub(super) warnings: Vec<String>,
}

#[derive(Debug)]
enum Line {
    /// Lines from here on are for these hosts only.
    Host(Vec<String>),
    /// Lines from here on are for what meets all of these criteria only.
    Match(Vec<Criterion>),
    /// A setting, its keyword in lowercase.
    Set(Setting),
    /// Another file's lines, where those around it apply.
    Include(Vec<Line>),
}

/// One setting and where it was written.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) keyword: String,
    pub(super) words: Vec<String>,
    /// All words as they were written, for commands.
    pub(super) text: String,
    /// `FILE:LINE`.
    pub(super) place: String,
}

#[derive(Debug)]
struct Criterion {
    negated: bool,
    kind: CriterionKind,
}

#[derive(Debug)]
enum CriterionKind {
    All,
    Host(String),
    OriginalHost(String),
    User(String),
    LocalUser(String),
    /// One that rplay does not know: it never holds.
    Unsupported,
}

/// What includes are relative to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Folders<'a> {
    /// The user's home.
    pub(super) home: &'a Path,
    /// Where a relative include is looked for: `~/.ssh` or `/etc/ssh`.
    pub(super) base: &'a Path,
}

impl Config {
    /// A file; one that is not there is empty.
    pub(super) fn read(path: &Path, folders: Folders<'_>) -> Result<Self, Cause> {
        let mut reader = Reader {
            folders,
            warnings: vec![],
        };
        let lines = reader.file(path, 0)?;
        Ok(Self {
            lines,
            warnings: reader.warnings,
        })
    }
}

struct Reader<'a> {
    folders: Folders<'a>,
    warnings: Vec<String>,
}

impl Reader<'_> {
    fn file(&mut self, path: &Path, depth: usize) -> Result<Vec<Line>, Cause> {
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(vec![]),
            Err(e) => {
                let message = format!(
                    "could not read the ssh configuration `{}`: {e}",
                    path.display()
                );
                return Err(Cause::Settings(message, None));
            }
        };
        self.text(&text, &path.display().to_string(), depth)
    }

    fn text(&mut self, text: &str, name: &str, depth: usize) -> Result<Vec<Line>, Cause> {
        let mut lines = vec![];
        for (index, line) in text.lines().enumerate() {
            let place = format!("{name}:{}", index + 1);
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let setting = setting(line, place)?;
            lines.push(match setting.keyword.as_str() {
                "host" => Line::Host(setting.words),
                "match" => Line::Match(self.criteria(&setting)?),
                "include" => Line::Include(self.include(&setting, depth)?),
                _ => Line::Set(setting),
            });
        }
        Ok(lines)
    }

    fn include(&mut self, setting: &Setting, depth: usize) -> Result<Vec<Line>, Cause> {
        if depth >= MAX_DEPTH {
            return Err(fault(&setting.place, "files include each other too deeply"));
        }
        let mut lines = vec![];
        for word in &setting.words {
            let pattern = match word.strip_prefix("~/") {
                Some(rest) => self.folders.home.join(rest),
                None => self.folders.base.join(word),
            };
            let files = glob::glob(&pattern.to_string_lossy())
                .map_err(|e| fault(&setting.place, &format!("`{word}` is no pattern: {e}")))?;
            for file in files.filter_map(Result::ok) {
                // What an included file's blocks leave open ends with the file.
                lines.push(Line::Include(self.file(&file, depth + 1)?));
            }
        }
        Ok(lines)
    }

    fn criteria(&mut self, setting: &Setting) -> Result<Vec<Criterion>, Cause> {
        let mut words = setting.words.iter();
        let mut criteria = vec![];
        while let Some(word) = words.next() {
            let (negated, name) = match word.strip_prefix('!') {
                Some(name) => (true, name),
                None => (false, word.as_str()),
            };
            let (name, joined) = match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            };
            let mut value = || {
                joined
                    .clone()
                    .or_else(|| words.next().cloned())
                    .ok_or_else(|| fault(&setting.place, &format!("`Match {name}` has no value")))
            };
            let kind = match name.to_ascii_lowercase().as_str() {
                "all" => CriterionKind::All,
                "host" => CriterionKind::Host(value()?),
                "originalhost" => CriterionKind::OriginalHost(value()?),
                "user" => CriterionKind::User(value()?),
                "localuser" => CriterionKind::LocalUser(value()?),
                other => {
                    if !matches!(other, "final" | "canonical") {
                        value()?;
                    }
                    self.warnings.push(format!(
                        "{}: `Match {other}` is not supported and taken as not met",
                        setting.place
                    ));
                    criteria.push(Criterion {
                        negated: false,
                        kind: CriterionKind::Unsupported,
                    });
                    continue;
                }
            };
            criteria.push(Criterion { negated, kind });
        }
        Ok(criteria)
    }
}

/// `Keyword value`, `Keyword=value`, `Keyword "a value" # remark`.
fn setting(line: &str, place: String) -> Result<Setting, Cause> {
    let end = line
        .find(|c: char| c.is_whitespace() || c == '=')
        .unwrap_or(line.len());
    let (keyword, rest) = line.split_at(end);
    let rest = rest.trim_start();
    let text = rest.strip_prefix('=').unwrap_or(rest).trim();
    if text.is_empty() {
        return Err(fault(&place, &format!("`{keyword}` has no value")));
    }
    let words = words(text).ok_or_else(|| fault(&place, "a quote is not closed"))?;
    Ok(Setting {
        keyword: keyword.to_ascii_lowercase(),
        words,
        text: text.to_owned(),
        place,
    })
}

/// Splits at blanks outside of quotes, up to a remark; `None` where a quote is not closed.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words = vec![];
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match (c, quote) {
            ('\\', _)
                if letters
                    .peek()
                    .is_some_and(|c| matches!(c, '"' | '\'' | '\\')) =>
            {
                word.get_or_insert_default().extend(letters.next());
            }
            (c, Some(q)) if c == q => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            ('#', None) if word.is_none() => break,
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// A mistake in a file.
pub(super) fn fault(place: &str, words: &str) -> Cause {
    let help = "correct the ssh configuration; `man ssh_config` has its format".to_owned();
    Cause::Settings(format!("{place}: {words}"), Some(help))
}

/// The files that are read where nothing else is said.
pub(super) fn default_files(home: &Path) -> [(PathBuf, PathBuf); 2] {
    let own = home.join(".ssh");
    let system = PathBuf::from("/etc/ssh");
    [
        (own.join("config"), own),
        (system.join("ssh_config"), system),
    ]
}

#[cfg(test)]
mod tests;
