//! Exit codes: part of the interface, as documented in the README.

use std::process::ExitCode;

use rplay_engine::Summary;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// All well.
    Ok,
    /// An error before the run.
    Error,
    /// Tasks failed on hosts.
    Failed,
    /// Hosts could not be reached.
    Unreachable,
    /// Some failed, some could not be reached.
    FailedAndUnreachable,
    /// A playbook or inventory is wrong.
    Parse,
    /// The command line is wrong.
    Usage,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// How a run ends.
    pub(crate) fn of(summary: &Summary) -> Self {
        let failed = summary.recap.iter().any(|r| r.failed > 0);
        let lost = summary.recap.iter().any(|r| r.unreachable > 0);
        match (failed, lost) {
            _ if summary.broken => Self::Parse,
            (true, true) => Self::FailedAndUnreachable,
            (true, false) => Self::Failed,
            (false, true) => Self::Unreachable,
            (false, false) => Self::Ok,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0_u8,
            Exit::Error => 1,
            Exit::Failed => 2,
            Exit::Unreachable => 3,
            Exit::Parse => 4,
            Exit::Usage => 5,
            Exit::FailedAndUnreachable => 7,
            Exit::Interrupted => 130,
        })
    }
}

#[cfg(test)]
mod tests {
    use rplay_event::Recap;

    use super::*;

    #[test]
    fn a_lost_and_a_failed_host_are_told_apart() {
        let failed = Recap {
            failed: 1,
            ..Recap::default()
        };
        let lost = Recap {
            unreachable: 1,
            ..Recap::default()
        };
        let exit = |recap: Vec<Recap>| {
            Exit::of(&Summary {
                recap,
                broken: false,
            })
        };
        assert_eq!(exit(vec![failed.clone()]), Exit::Failed);
        assert_eq!(exit(vec![lost.clone()]), Exit::Unreachable);
        assert_eq!(exit(vec![failed, lost]), Exit::FailedAndUnreachable);
        assert_eq!(exit(vec![Recap::default()]), Exit::Ok);
    }
}
