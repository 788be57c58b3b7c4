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
    /// What kind of I/O error it is, where it is one.
    pub cause: Option<io::ErrorKind>,
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
            cause: None,
        }
    }

    /// What a dry run cannot know, and why: "command `x` was not run".
    pub fn unknown(why: impl Into<String>) -> Self {
        Self {
            unknown: true,
            ..Self::new(why)
        }
    }

    /// An argument that must be given, in the words that playbooks look for.
    pub fn missing(arg: &str) -> Self {
        Self::new(format!("missing required arguments: {arg}")).arg(arg)
    }

    /// An I/O error with its act and path: could not read `/x`: Permission denied.
    pub fn io(act: &str, path: &Path, error: &io::Error) -> Self {
        let words = words(error);
        Self {
            cause: Some(error.kind()),
            ..Self::new(format!("could not {act} `{}`: {words}", path.display()))
        }
    }

    /// Says that the failure is that something is not there, which an earlier task may bring where
    /// a dry run cannot know what that task does.
    #[must_use]
    pub fn absent(self) -> Self {
        Self {
            cause: Some(io::ErrorKind::NotFound),
            ..self
        }
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

/// An I/O error in the system's words, which playbooks look for; without its number, which says
/// nothing to a reader.
fn words(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error ") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
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
