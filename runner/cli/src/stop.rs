//! Why there is no run.

use rplay_diag::Diagnostic;

use crate::exit::Exit;

/// What was wrong before the run, and how the program ends for it.
pub(crate) struct Stop {
    /// How it ends.
    pub exit: Exit,
    /// What was wrong.
    pub diagnostics: Vec<Diagnostic>,
}

impl Stop {
    /// Something in a playbook or inventory.
    pub(crate) fn parse(diagnostic: Diagnostic) -> Self {
        Self {
            exit: Exit::Parse,
            diagnostics: vec![diagnostic],
        }
    }

    /// Something else, in words.
    pub(crate) fn error(words: impl Into<String>) -> Self {
        Self::because(Exit::Error, words)
    }

    /// Something in words, and how to end.
    pub(crate) fn because(exit: Exit, words: impl Into<String>) -> Self {
        Self {
            exit,
            diagnostics: vec![Diagnostic::error(words)],
        }
    }
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::error(error.to_string())
    }
}
