//! The requests under way: what a cancel or a chunk from the controller is for.

use std::collections::HashMap;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rplay_api::Control;

/// A part of a blob, or why there is none.
pub(crate) struct Chunk {
    pub(crate) data: Vec<u8>,
    pub(crate) last: bool,
    pub(crate) error: Option<String>,
}

/// All requests under way. Clones share them.
#[derive(Clone, Default)]
pub(crate) struct Requests(Arc<Inner>);

#[derive(Default)]
struct Inner {
    by_id: Mutex<HashMap<u64, Request>>,
    ended: Condvar,
}

#[derive(Default)]
struct Request {
    control: Control,
    streams: HashMap<u32, Sender<Chunk>>,
}

impl Requests {
    /// A request begins.
    pub(crate) fn begin(&self, id: u64) -> Control {
        self.lock().entry(id).or_default().control.clone()
    }

    /// A request has ended.
    pub(crate) fn end(&self, id: u64) {
        self.lock().remove(&id);
        self.0.ended.notify_all();
    }

    /// A request reads a blob: chunks of that number go to it.
    pub(crate) fn listen(&self, id: u64, stream: u32, sender: Sender<Chunk>) {
        if let Some(request) = self.lock().get_mut(&id) {
            request.streams.insert(stream, sender);
        }
    }

    /// A request has read enough of a blob.
    pub(crate) fn unlisten(&self, id: u64, stream: u32) {
        if let Some(request) = self.lock().get_mut(&id) {
            request.streams.remove(&stream);
        }
    }

    /// A chunk has come. One for a request that has ended meanwhile is dropped.
    pub(crate) fn chunk(&self, id: u64, stream: u32, chunk: Chunk) {
        let requests = self.lock();
        if let Some(reader) = requests.get(&id).and_then(|r| r.streams.get(&stream)) {
            let _ = reader.send(chunk);
        }
    }

    /// Cancels a request: its processes are killed, and what it waits for fails.
    pub(crate) fn cancel(&self, id: u64) {
        if let Some(request) = self.lock().get_mut(&id) {
            request.cancel();
        }
    }

    /// Cancels every request, and gives them a moment to clean up after themselves.
    pub(crate) fn cancel_all(&self, patience: Duration) {
        let mut requests = self.lock();
        requests.values_mut().for_each(Request::cancel);
        let waited = self
            .0
            .ended
            .wait_timeout_while(requests, patience, |left| !left.is_empty());
        drop(waited);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Request>> {
        self.0.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Request {
    fn cancel(&mut self) {
        self.control.cancel();
        self.streams.clear();
    }
}
