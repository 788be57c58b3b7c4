//! Where a template's names come from.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use minijinja::Value;
use rplay_yaml::Node;

/// A variable.
#[derive(Debug, Clone)]
pub enum Var {
    /// As written in YAML: text in it may be a template, and is rendered when it is used.
    Raw(Arc<Node>),
    /// Data: facts, results. Never rendered.
    Value(Value),
}

/// The variables of one task on one host.
pub trait Vars: Send + Sync + fmt::Debug {
    /// The variable of that name.
    fn get(&self, name: &str) -> Option<Var>;

    /// Every name, for suggestions.
    fn names(&self) -> Vec<String>;

    /// What lookups may touch; `None` where there is nothing to look things up in.
    fn io(&self) -> Option<Arc<dyn LookupIo>> {
        None
    }
}

/// What lookups may touch on the controller.
pub trait LookupIo: Send + Sync {
    /// A file's text, looked for as the task's own files are (`kind`: `files`, `templates`, `vars`).
    ///
    /// # Errors
    /// Why not, in words.
    fn read(&self, kind: &str, name: &str) -> Result<String, String>;

    /// The path of such a file, if it is there.
    fn find(&self, kind: &str, name: &str) -> Option<PathBuf>;

    /// Paths that match a pattern.
    fn glob(&self, pattern: &str) -> Vec<PathBuf>;

    /// A variable of the environment.
    fn env(&self, name: &str) -> Option<String>;

    /// What a command prints.
    ///
    /// # Errors
    /// Why it failed, in words.
    fn pipe(&self, command: &str) -> Result<String, String>;
}
