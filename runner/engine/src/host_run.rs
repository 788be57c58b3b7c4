//! One host during a run: how it stands, what it was told, what it counts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rplay_event::Recap;
use rplay_template::Origin;

use crate::ahead::Line;
use crate::python::Worker;

/// How a host stands in the present play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It takes part.
    Active,
    /// A task failed on it.
    Failed,
    /// It was lost.
    Unreachable,
    /// It left the play without a failure (`meta: end_host`), or the play was stopped.
    Ended,
    /// It left the role that it is in (`meta: end_role`).
    LeftRole,
}

/// A host's state during the run.
#[derive(Debug)]
pub(crate) struct HostRun {
    /// The inventory's name.
    pub name: String,
    /// What is decided of its next tasks.
    pub line: Line,
    /// The process that runs the items of a task's loop in Python.
    pub worker: Mutex<Option<Worker>>,
    state: Mutex<State>,
    /// Counts the changes of standing of all hosts of the run.
    moves: Arc<AtomicU64>,
}

/// What changes.
#[derive(Debug)]
pub(crate) struct State {
    /// How it stands.
    pub standing: Standing,
    /// The numbers of the handlers notified, not run yet.
    pub notified: BTreeSet<usize>,
    /// The names that were notified since the last flush, with the handlers that answered then.
    pub called: Vec<(String, Vec<usize>)>,
    /// The handlers that a dry run cannot tell whether they are notified, and what it depends on.
    pub in_doubt: BTreeMap<usize, Vec<Origin>>,
    /// Its row of the recap.
    pub recap: Recap,
    /// The tasks of its row that went on without it.
    pub passed_over: u64,
    /// It is active in an `always` only, and as failed as before at its end; `clear_host_errors`
    /// takes that back.
    pub fails_after: bool,
    /// It is failed for another host's failure (`any_errors_fatal`), which is not counted here.
    pub felled: bool,
}

impl HostRun {
    pub(crate) fn new(name: &str, moves: Arc<AtomicU64>) -> Self {
        let recap = Recap {
            host: name.to_owned(),
            ..Recap::default()
        };
        let state = State {
            standing: Standing::Active,
            notified: BTreeSet::new(),
            called: vec![],
            in_doubt: BTreeMap::new(),
            recap,
            passed_over: 0,
            fails_after: false,
            felled: false,
        };
        Self {
            name: name.to_owned(),
            line: Line::default(),
            worker: Mutex::default(),
            state: Mutex::new(state),
            moves,
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn standing(&self) -> Standing {
        self.state().standing
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.line.clear();
        self.state().standing = standing;
        // After the change: who counted before it looks again.
        self.moves.fetch_add(1, Ordering::SeqCst);
    }

    /// The tasks that ran on it to a good end.
    pub(crate) fn done(&self) -> u64 {
        let state = self.state();
        state.recap.ok - state.passed_over
    }

    pub(crate) fn is_active(&self) -> bool {
        self.standing() == Standing::Active
    }

    /// It fails with another host.
    pub(crate) fn fell(&self) {
        self.state().felled = true;
        self.set_standing(Standing::Failed);
    }

    /// A `rescue` takes its failure back.
    pub(crate) fn rescue(&self) {
        {
            let mut state = self.state();
            if !std::mem::take(&mut state.felled) {
                state.recap.failed = state.recap.failed.saturating_sub(1);
                state.recap.rescued += 1;
            }
        }
        self.set_standing(Standing::Active);
    }

    /// Its errors are forgotten (`meta: clear_host_errors`).
    pub(crate) fn clear_errors(&self) {
        self.state().fails_after = false;
        if self.is_lost() {
            self.set_standing(Standing::Active);
        }
    }

    /// Whether a task failed on it, or it could not be reached.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.standing(), Standing::Failed | Standing::Unreachable)
    }
}
