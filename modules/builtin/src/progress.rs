//! How far a long transfer is, told often enough for an eye and not for every piece.

use std::time::{Duration, Instant};

use rplay_api::Host;

const PAUSE: Duration = Duration::from_millis(250);

/// Tells the controller how far a transfer is.
#[derive(Debug, Default)]
pub struct Progress {
    told: Option<Instant>,
}

impl Progress {
    /// The transfer is at `done` of `total` bytes.
    pub fn at(&mut self, host: &Host, done: u64, total: Option<u64>) {
        let now = Instant::now();
        let is_due = self.told.is_none_or(|told| now - told >= PAUSE);
        if is_due || total == Some(done) {
            self.told = Some(now);
            host.blobs().progress(done, total);
        }
    }
}
