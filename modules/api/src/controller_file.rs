//! Files of the controller that travel with a task: the `src` of copy, template, unarchive, script.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ArgKind, ArgType};

/// What the engine puts in place of a path: a file, or all that is in a folder.
///
/// On the target, with `remote_src`, the same argument stays a path there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ControllerFile {
    /// Found on the controller and sent along.
    Sent {
        /// The path as the task wrote it: a trailing `/` means a folder's content.
        src: String,
        /// The file (one entry with an empty `path`), or what is in the folder, parents first.
        entries: Vec<Entry>,
    },
    /// A path on the target.
    Remote(String),
}

/// A file, folder or link below the source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Path below the source folder; empty for the source itself.
    pub path: String,
    /// Permission bits on the controller.
    pub mode: u32,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A file: index into the request's blobs.
    File(u32),
    /// A folder.
    Directory,
    /// A symbolic link and where it points.
    Link(String),
}

impl ArgType for ControllerFile {
    const KIND: ArgKind = ArgKind::ControllerFile;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|_| format!("`{value}` is not a file"))
    }
}

/// A program of the controller and the words behind it: `setup.sh --quiet "two words"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControllerScript {
    /// The program.
    pub file: ControllerFile,
    /// The words, as a shell takes them.
    pub words: String,
}

impl ControllerScript {
    /// The name of the program and the words behind it; a name with blanks stands in quotes.
    pub fn split(line: &str) -> (String, String) {
        let line = line.trim();
        let quote = line.chars().next().filter(|c| matches!(c, '"' | '\''));
        let (name, rest) = match quote {
            Some(quote) => line[1..].split_once(quote).unwrap_or((&line[1..], "")),
            None => line.split_once(char::is_whitespace).unwrap_or((line, "")),
        };
        (name.to_owned(), rest.trim().to_owned())
    }
}

impl ArgType for ControllerScript {
    const KIND: ArgKind = ArgKind::ControllerScript;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        serde_json::from_value(value.clone()).map_err(|_| format!("`{value}` is not a program"))
    }
}

/// The key of a form's part under which the engine puts its [`ControllerFile`].
pub const FORM_FILE: &str = "controller_file";

/// What is sent to a web service: anything, or with body_format: form-multipart a form.
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerForm(pub Value);

impl ArgType for ControllerForm {
    const KIND: ArgKind = ArgKind::ControllerForm("body_format", "form-multipart");

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        Ok(Self(value.clone()))
    }
}

/// A [`ControllerFile`] that the engine renders as a template before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControllerTemplate(pub ControllerFile);

impl ArgType for ControllerTemplate {
    const KIND: ArgKind = ArgKind::ControllerTemplate;

    fn parse_arg(value: &Value) -> std::result::Result<Self, String> {
        ControllerFile::parse_arg(value).map(Self)
    }
}
