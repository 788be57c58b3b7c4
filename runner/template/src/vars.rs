//! Where a template's names come from.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::Value;
use rplay_yaml::Node;
use serde_json::{Map, Value as Json};

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

    /// Whether somebody sets it: what holds only where nobody does is no answer.
    fn is_set(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

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

    /// As [`Self::read`], for a file of any content.
    ///
    /// # Errors
    /// Why not, in words.
    fn read_bytes(&self, kind: &str, name: &str) -> Result<Vec<u8>, String> {
        self.read(kind, name).map(String::into_bytes)
    }

    /// The kind of the files that the task itself takes.
    fn kind(&self) -> &'static str {
        "files"
    }

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

    /// Writes a file that only its owner may read, with the folders above it: a password that was
    /// made up.
    ///
    /// # Errors
    /// Why not, in words.
    fn write_private(&self, name: &str, _text: &str) -> Result<(), String> {
        Err(format!("`{name}` cannot be written here"))
    }

    /// The hosts that a pattern names, for `inventory_hostnames`.
    ///
    /// # Errors
    /// Why not, in words.
    fn hosts(&self, _pattern: &str) -> Result<Vec<String>, String> {
        Err("there is no inventory here".to_owned())
    }

    /// A setting's value and where it comes from, for `config`; `None` where there is no such
    /// setting. `plugin` is the kind and name of what it is a setting of; `variable` gives the
    /// variables that may set it.
    ///
    /// # Errors
    /// Why it cannot be told, in words.
    fn config(
        &self,
        _name: &str,
        _plugin: Option<(&str, &str)>,
        _variable: &dyn Fn(&str) -> Option<Value>,
    ) -> Result<Option<(Value, String)>, String> {
        Ok(None)
    }

    /// The variables with those over them that the template at `path`, asked for as `name`, is told
    /// of itself.
    fn of_template(&self, vars: &Arc<dyn Vars>, _name: &str, _path: &Path) -> Arc<dyn Vars> {
        vars.clone()
    }

    /// What a URL gives, as text; the options are those of the lookup.
    ///
    /// # Errors
    /// Why not, in words.
    fn url(&self, url: &str, _options: &Map<String, Json>) -> Result<String, String> {
        Err(format!("`{url}` cannot be read here: use the `uri` module"))
    }

    /// What a plugin of the user's own makes of values, of arguments by place and by name, for an
    /// expression that sees `vars`; `None` where there is none of that kind and name. A lookup gives a
    /// list.
    ///
    /// # Errors
    /// What it did instead, in words: `failed: why`.
    fn plugin(
        &self,
        _kind: Plugin,
        _name: &str,
        _given: Vec<Json>,
        _named: Map<String, Json>,
        _vars: &dyn Vars,
    ) -> Option<Result<Json, String>> {
        None
    }
}

/// The kinds of plugins that expressions call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Plugin {
    /// `value | name`.
    Filter,
    /// `value is name`.
    Test,
    /// `lookup('name')`.
    Lookup,
}

impl Plugin {
    /// Its word, as in the names of folders (`filter_plugins`).
    pub fn word(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Test => "test",
            Self::Lookup => "lookup",
        }
    }
}
