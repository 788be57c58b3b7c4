//! One host during a run: how it stands, what it was told, what it counts.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rplay_event::Recap;

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
}

/// A host's state during the run.
#[derive(Debug)]
pub(crate) struct HostRun {
    /// The inventory's name.
    pub name: String,
    state: Mutex<State>,
}

/// What changes.
#[derive(Debug)]
pub(crate) struct State {
    /// How it stands.
    pub standing: Standing,
    /// Handlers and topics notified, not run yet.
    pub notified: Vec<String>,
    /// Its row of the recap.
    pub recap: Recap,
}

impl HostRun {
    pub(crate) fn new(name: &str) -> Self {
        let recap = Recap {
            host: name.to_owned(),
            ..Recap::default()
        };
        let state = State {
            standing: Standing::Active,
            notified: vec![],
            recap,
        };
        Self {
            name: name.to_owned(),
            state: Mutex::new(state),
        }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn standing(&self) -> Standing {
        self.state().standing
    }

    pub(crate) fn set_standing(&self, standing: Standing) {
        self.state().standing = standing;
    }

    pub(crate) fn is_active(&self) -> bool {
        self.standing() == Standing::Active
    }

    /// A handler (or topic) is to run at the next flush.
    pub(crate) fn notify(&self, name: &str) {
        let mut state = self.state();
        if !state.notified.iter().any(|n| n == name) {
            state.notified.push(name.to_owned());
        }
    }
}
