//! A password that no debug output, log or error shows.

use std::fmt;

use crate::Redactor;

/// A secret text. It prints as `[secret]`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A secret; `redactor` hides it wherever else it shows up.
    pub fn new(text: impl Into<String>, redactor: &Redactor) -> Self {
        let text = text.into();
        redactor.register(&text);
        Self(text)
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}
