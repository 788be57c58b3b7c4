//! Ends a request from outside: the agent holds one end, the module's processes the other.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Cancels a module and kills what it started. Clones share one state.
#[derive(Debug, Clone, Default)]
pub struct Control {
    cancelled: Arc<AtomicBool>,
    /// Process groups that are running now.
    groups: Arc<Mutex<Vec<u32>>>,
}

impl Control {
    /// Whether the request was cancelled: a long loop asks from time to time.
    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    /// A process group that [`Control::cancel`] is to kill, until [`Control::leave`].
    pub fn enter(&self, group: u32) {
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(group);
        if self.is_cancelled() {
            kill(group);
        }
    }

    /// A process group that has ended.
    pub fn leave(&self, group: u32) {
        self.groups
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .retain(|g| *g != group);
    }

    /// Ends the request: its processes are killed.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
        let groups = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        groups.iter().copied().for_each(kill);
    }
}

fn kill(group: u32) {
    let Some(pid) = i32::try_from(group)
        .ok()
        .and_then(rustix::process::Pid::from_raw)
    else {
        return;
    };
    // It may have ended meanwhile: then there is nothing to kill.
    let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
}
