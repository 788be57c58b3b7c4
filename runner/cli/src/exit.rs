//! Exit codes: part of the interface, as documented in the README; under Ansible's names, Ansible's.

use std::process::ExitCode;

use rplay_engine::{Broken, Summary};

use crate::manner::Manner;

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
    /// A playbook or inventory cannot be read, or is wrong.
    Parse,
    /// A task found the playbook wrong.
    Halted,
    /// A playbook is not there.
    Missing,
    /// The command line is wrong.
    Usage,
    /// The command line asks for what makes no sense.
    Options,
    /// Something changed, or would: only where that was asked.
    Changes,
    /// A plan does not fit a host any more.
    Drifted,
    /// Ctrl-C.
    Interrupted,
}

impl Exit {
    /// How a run ends.
    pub(crate) fn of(summary: &Summary) -> Self {
        match summary.broken {
            Some(Broken::Unreadable) => return Self::Parse,
            Some(Broken::Halted) => return Self::Halted,
            None => {}
        }
        match (summary.failed, summary.unreachable) {
            (true, true) => Self::FailedAndUnreachable,
            (true, false) => Self::Failed,
            (false, true) => Self::Unreachable,
            (false, false) => Self::Ok,
        }
    }

    /// Whether a wrong playbook ended the run: what it did until then is no plan.
    pub(crate) fn is_broken(self) -> bool {
        matches!(self, Self::Parse | Self::Halted)
    }

    /// With `--detailed-exitcode`: 2 says that something changed, and so failures are 1.
    pub(crate) fn detailed(self, changed: bool) -> Self {
        match self {
            Self::Ok if changed => Self::Changes,
            Self::Failed => Self::Error,
            other => other,
        }
    }

    /// The code that the shell sees.
    pub(crate) fn code(self, manner: Manner) -> ExitCode {
        let (own, ansibles) = match self {
            Self::Ok => (0, 0),
            Self::Error => (1, 1),
            Self::Failed => (2, 2),
            Self::Unreachable => (3, 4),
            Self::FailedAndUnreachable => (7, 4),
            Self::Parse => (4, 4),
            Self::Halted | Self::Missing => (4, 1),
            Self::Usage => (5, 2),
            Self::Options => (5, 5),
            Self::Changes => (2, 2),
            Self::Drifted => (6, 6),
            Self::Interrupted => (130, 99),
        };
        ExitCode::from(if manner.is_ansible() { ansibles } else { own })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_no_change_where_codes_are_detailed() {
        let code = |exit: Exit, changed| exit.detailed(changed).code(Manner::Rplay);
        assert_eq!(code(Exit::Ok, false), ExitCode::from(0));
        assert_eq!(code(Exit::Ok, true), ExitCode::from(2));
        assert_eq!(code(Exit::Failed, true), ExitCode::from(1));
        assert_eq!(code(Exit::Unreachable, true), ExitCode::from(3));
    }

    fn summary(failed: bool, unreachable: bool) -> Summary {
        Summary {
            recap: vec![],
            failed,
            unreachable,
            broken: None,
        }
    }

    #[test]
    fn a_wrong_playbook_counts_before_what_hosts_came_to() {
        let exit = |broken| {
            Exit::of(&Summary {
                broken: Some(broken),
                ..summary(true, true)
            })
        };
        let (unread, halted) = (exit(Broken::Unreadable), exit(Broken::Halted));
        for exit in [unread, halted] {
            assert!(exit.is_broken());
            assert_eq!(exit.code(Manner::Rplay), ExitCode::from(4));
        }
        assert_eq!(unread.code(Manner::Playbook), ExitCode::from(4));
        assert_eq!(halted.code(Manner::Playbook), ExitCode::from(1));
    }

    #[test]
    fn a_lost_and_a_failed_host_are_told_apart() {
        let exit = |failed, unreachable| Exit::of(&summary(failed, unreachable));
        assert_eq!(exit(true, false), Exit::Failed);
        assert_eq!(exit(false, true), Exit::Unreachable);
        assert_eq!(exit(true, true), Exit::FailedAndUnreachable);
        assert_eq!(exit(false, false), Exit::Ok);
    }
}
