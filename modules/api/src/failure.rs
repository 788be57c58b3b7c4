//! Why a module could not do its work.

use std::fmt;
use std::io;
use std::path::Path;

use serde_json::{Map, Value};

use crate::ArgError;

/// What a module gives back where it fails.
pub type Result<T> = std::result::Result<T, Failure>;

/// A failure: what happened, what to do, and what else is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// What happened, lowercase, values in backticks.
    pub msg: String,
    /// The argument at fault, where it is one.
    pub arg: Option<String>,
    /// What to do about it, a line each.
    pub help: Vec<String>,
    /// More keys of the result (`rc`, `stderr`).
    pub data: Map<String, Value>,
    /// It is no failure: a dry run cannot know what would happen here.
    pub unknown: bool,
    /// Something is not there that an earlier task may bring, where a dry run cannot know what
    /// that task does.
    pub absent: bool,
}

impl Failure {
    /// A failure with its message.
    pub fn new(msg: impl Into<String>) -> Self {
        Self {
            msg: msg.into(),
            arg: None,
            help: vec![],
            data: Map::new(),
            unknown: false,
            absent: false,
        }
    }

    /// What a dry run cannot know, and why: "command `x` was not run".
    pub fn unknown(why: impl Into<String>) -> Self {
        Self {
            unknown: true,
            ..Self::new(why)
        }
    }

    /// An I/O error with its act and path: could not read `/x`: permission denied.
    pub fn io(act: &str, path: &Path, error: &io::Error) -> Self {
        let absent = error.kind() == io::ErrorKind::NotFound;
        let error = words(error);
        Self {
            absent,
            ..Self::new(format!("could not {act} `{}`: {error}", path.display()))
        }
    }

    /// Says that the failure is that something is not there.
    #[must_use]
    pub fn absent(mut self) -> Self {
        self.absent = true;
        self
    }

    /// Names the argument at fault.
    #[must_use]
    pub fn arg(mut self, name: impl Into<String>) -> Self {
        self.arg = Some(name.into());
        self
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help.push(text.into());
        self
    }

    /// Adds a key of the result.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }
}

/// An I/O error as the end of a sentence: without its number, which says nothing to a reader.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let Some((words, _)) = text.split_once(" (os error ") else {
        return text;
    };
    let mut letters = words.chars();
    letters
        .next()
        .map(|first| first.to_lowercase().chain(letters).collect())
        .unwrap_or_default()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.msg)
    }
}

impl std::error::Error for Failure {}

impl From<ArgError> for Failure {
    fn from(e: ArgError) -> Self {
        Self::new(e.to_string()).arg(e.arg)
    }
}
