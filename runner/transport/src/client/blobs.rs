//! Sends the blobs that a request pulls, as fast as the agent takes them.

use std::collections::HashMap;
use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use rplay_wire::{CHUNK, ToAgent, encode};
use tokio::sync::mpsc;

use crate::Exchange;

/// The blobs of one request that are under way. Dropped, they end.
pub(super) struct Pulls {
    id: u64,
    chunks: mpsc::Sender<Bytes>,
    exchange: Arc<dyn Exchange>,
    granted: HashMap<u32, mpsc::UnboundedSender<u32>>,
}

impl Pulls {
    pub(super) fn new(id: u64, chunks: mpsc::Sender<Bytes>, exchange: Arc<dyn Exchange>) -> Self {
        Self {
            id,
            chunks,
            exchange,
            granted: HashMap::new(),
        }
    }

    /// The agent takes so many more chunks of a blob.
    pub(super) fn grant(&mut self, blob: u32, stream: u32, chunks: u32) {
        let sender = self.granted.entry(stream).or_insert_with(|| {
            let (sender, grants) = mpsc::unbounded_channel();
            let feed = Feed {
                id: self.id,
                blob,
                stream,
                chunks: self.chunks.clone(),
                exchange: self.exchange.clone(),
            };
            tokio::task::spawn_blocking(move || feed.run(grants));
            sender
        });
        // A feed that has ended has sent all there is.
        let _ = sender.send(chunks);
    }
}

/// One blob on its way, on a thread that may block.
struct Feed {
    id: u64,
    blob: u32,
    stream: u32,
    chunks: mpsc::Sender<Bytes>,
    exchange: Arc<dyn Exchange>,
}

impl Feed {
    fn run(self, mut grants: mpsc::UnboundedReceiver<u32>) {
        let mut file = match self.exchange.open(self.blob) {
            Ok(file) => file,
            Err(e) => {
                self.send(vec![], true, Some(e.to_string()));
                return;
            }
        };
        while let Some(granted) = grants.blocking_recv() {
            for _ in 0..granted {
                if !self.next(&mut *file) {
                    return;
                }
            }
        }
    }

    /// Sends the next chunk; false where there is no more to send.
    fn next(&self, file: &mut dyn Read) -> bool {
        let mut data = Vec::with_capacity(CHUNK);
        match file.take(CHUNK as u64).read_to_end(&mut data) {
            Ok(n) => {
                let last = n < CHUNK;
                self.send(data, last, None) && !last
            }
            Err(e) => {
                self.send(vec![], true, Some(e.to_string()));
                false
            }
        }
    }

    fn send(&self, data: Vec<u8>, last: bool, error: Option<String>) -> bool {
        let (id, stream) = (self.id, self.stream);
        let frame = encode(&ToAgent::Chunk {
            id,
            stream,
            data,
            last,
            error,
        })
        .expect("bug: a chunk is smaller than a frame may be");
        self.chunks.blocking_send(frame.into()).is_ok()
    }
}
