//! The way back to the controller, shared by all requests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use rplay_wire::{FrameError, FromAgent, encode};

/// Writes whole frames, one at a time. Clones share one stream.
#[derive(Clone)]
pub(crate) struct Writer(Arc<Mutex<Box<dyn Write + Send>>>);

impl Writer {
    pub(crate) fn new(stream: impl Write + Send + 'static) -> Self {
        Self(Arc::new(Mutex::new(Box::new(stream))))
    }

    /// Writes bytes that are no frame.
    pub(crate) fn raw(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stream.write_all(bytes)?;
        stream.flush()
    }

    /// Writes a message.
    pub(crate) fn send(&self, message: &FromAgent) -> Result<(), FrameError> {
        let frame = encode(message)?;
        self.raw(&frame).map_err(FrameError::Io)
    }
}
