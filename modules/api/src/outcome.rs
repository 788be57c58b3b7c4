//! What a module gives back where it succeeds.

use serde_json::{Map, Value};

/// A module's result. Whether the host changed follows from what it changed through
/// [`crate::Host`], save where the module knows better.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// Set only where the changes made through the host do not tell (a command).
    pub changed: Option<bool>,
    /// The result's keys, under Ansible's names.
    pub data: Map<String, Value>,
    /// Keys whose value a dry run cannot know; of a fact that is a mapping `ansible_facts.FACT.KEY`.
    pub unknown: Vec<String>,
}

impl Outcome {
    /// A result with no keys yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Says whether the host changed.
    #[must_use]
    pub fn changed(mut self, changed: bool) -> Self {
        self.changed = Some(changed);
        self
    }

    /// Adds a key.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.data.insert(key.to_owned(), value.into());
        self
    }

    /// Adds a key whose value a dry run cannot know.
    #[must_use]
    pub fn unknown(mut self, key: &str) -> Self {
        self.unknown.push(key.to_owned());
        self
    }
}
