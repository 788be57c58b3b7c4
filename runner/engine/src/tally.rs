//! A host's counts for the recap.

use rplay_event::{Recap, Status};

/// Counts the end of a task.
pub(crate) fn count(recap: &mut Recap, status: &Status, ignored: bool) {
    match status {
        Status::Ok => recap.ok += 1,
        Status::Changed => {
            recap.ok += 1;
            recap.changed += 1;
        }
        Status::Skipped { .. } => recap.skipped += 1,
        Status::Failed { .. } | Status::Unreachable { .. } if ignored => {
            recap.ok += 1;
            recap.ignored += 1;
        }
        Status::Failed { .. } => recap.failed += 1,
        Status::Unreachable { .. } => recap.unreachable += 1,
        Status::Undecided { .. } => recap.undecided += 1,
    }
}
