//! Whether a run changed anything, for its exit code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rplay_event::{Event, Sink};

/// Listens on the way to the screen.
pub(crate) struct Tally {
    shown: Arc<dyn Sink>,
    changed: AtomicBool,
}

impl Tally {
    /// Listens, and passes everything on.
    pub(crate) fn before(shown: Arc<dyn Sink>) -> Self {
        Self {
            shown,
            changed: AtomicBool::new(false),
        }
    }

    /// Whether something changed.
    pub(crate) fn has_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }
}

impl Sink for Tally {
    fn emit(&self, event: &Event) {
        if let Event::RunEnded { recap, .. } = event {
            let changed = recap.iter().any(|row| row.changed > 0);
            self.changed.store(changed, Ordering::Relaxed);
        }
        self.shown.emit(event);
    }
}
