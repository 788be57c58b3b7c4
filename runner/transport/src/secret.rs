//! Passwords and passphrases, and where they come from.

use std::fmt;

/// A text that never shows in output, debug logs or errors.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Secret(String);

impl Secret {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

/// Asks the user for what no file or variable holds. Called off the async threads; it may block.
pub trait Secrets: Send + Sync {
    /// The passphrase of an encrypted key file. Asked once a file and run; `None` skips the key.
    fn passphrase(&self, key_file: &std::path::Path) -> Option<Secret>;
}

/// Has no secrets: encrypted keys are skipped.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn passphrase(&self, _: &std::path::Path) -> Option<Secret> {
        None
    }
}
