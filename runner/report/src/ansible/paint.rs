//! Ansible's colours: a code for each kind of line, put around every line by itself.

/// What a line is, for its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    Warning,
    Deprecation,
    Verbose,
    Added,
    Removed,
    Hunk,
    Retry,
    Plain,
}

impl Ink {
    fn code(self) -> Option<&'static str> {
        Some(match self {
            Self::Ok | Self::Added => "0;32",
            Self::Changed => "0;33",
            Self::Skipped | Self::Hunk => "0;36",
            Self::Failed | Self::Removed => "0;31",
            Self::Unreachable => "1;31",
            Self::Warning => "1;35",
            Self::Deprecation => "0;35",
            Self::Verbose => "0;34",
            Self::Retry => "1;30",
            Self::Plain => return None,
        })
    }

    /// The text in this colour, line by line.
    pub(crate) fn paint(self, text: &str, colour: bool) -> String {
        match self.code().filter(|_| colour) {
            None => text.to_owned(),
            Some(code) => {
                let lines = text.split('\n');
                let painted = lines.map(|line| format!("\u{1b}[{code}m{line}\u{1b}[0m"));
                painted.collect::<Vec<_>>().join("\n")
            }
        }
    }
}
