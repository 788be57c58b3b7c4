//! Sends the blobs that a request pulls, as fast as the agent takes them.

use std::collections::VecDeque;
use std::io::Read;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use rplay_wire::{CHUNK, ToAgent, encode};
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::pack::Packer;
use crate::Exchange;

/// Small parts go out together, in pieces of about so many bytes: sshd moves what waits in it each
/// time that a packet joins it.
const PIECE: usize = 32 << 10;

/// What the agent takes of a blob.
pub(super) struct Grant {
    pub blob: u32,
    /// The agent's number of this reading of it.
    pub stream: u32,
    pub chunks: u32,
    /// How long it waited for bytes since the last one.
    pub waited: Duration,
}

/// The blobs of one request that are under way. Dropped, they end.
pub(super) struct Pulls {
    id: u64,
    chunks: mpsc::Sender<Bytes>,
    exchange: Arc<dyn Exchange>,
    grants: Option<mpsc::UnboundedSender<Grant>>,
}

impl Pulls {
    pub(super) fn new(id: u64, chunks: mpsc::Sender<Bytes>, exchange: Arc<dyn Exchange>) -> Self {
        Self {
            id,
            chunks,
            exchange,
            grants: None,
        }
    }

    /// The agent takes so many more chunks of a blob.
    pub(super) fn grant(&mut self, grant: Grant) {
        let grants = self.grants.get_or_insert_with(|| {
            let (sender, grants) = mpsc::unbounded_channel();
            let feed = Feed {
                id: self.id,
                chunks: self.chunks.clone(),
                exchange: self.exchange.clone(),
                streams: VecDeque::new(),
                newest: None,
                packer: Packer::default(),
                piece: BytesMut::new(),
                sent: 0,
                busy: Duration::ZERO,
            };
            tokio::task::spawn_blocking(move || feed.run(grants));
            sender
        });
        // A feed ends only where nobody listens any more.
        let _ = grants.send(grant);
    }
}

/// One reading of a blob.
struct Stream {
    number: u32,
    blob: u32,
    /// Opened when its first chunk is sent: very many may wait for that.
    file: Option<Box<dyn Read + Send>>,
    /// How many chunks the agent takes now.
    granted: u32,
}

/// The blobs of a request on their way, on a thread that may block.
struct Feed {
    id: u64,
    chunks: mpsc::Sender<Bytes>,
    exchange: Arc<dyn Exchange>,
    /// Those that are not at their end, the first that was asked for in front.
    streams: VecDeque<Stream>,
    /// The last number seen: a lower one that is not among the streams is at its end.
    newest: Option<u32>,
    packer: Packer,
    /// Parts that wait for more to go with.
    piece: BytesMut,
    /// Bytes sent since the last grant, and the time that making them took.
    sent: usize,
    busy: Duration,
}

impl Feed {
    fn run(mut self, mut grants: mpsc::UnboundedReceiver<Grant>) {
        loop {
            // As long as there is something to send it does not wait for grants.
            let ready = self.streams.iter().position(|s| s.granted > 0);
            let grant = match ready {
                Some(_) => match grants.try_recv() {
                    Ok(grant) => Some(grant),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return,
                },
                None => match self.flush().then(|| grants.blocking_recv()).flatten() {
                    None => return,
                    grant => grant,
                },
            };
            match (grant, ready) {
                (Some(grant), _) => self.take(&grant),
                (None, Some(ready)) if self.next(ready) => {}
                (None, _) => return,
            }
        }
    }

    fn take(&mut self, grant: &Grant) {
        let (sent, busy) = (
            std::mem::take(&mut self.sent),
            std::mem::take(&mut self.busy),
        );
        // While this side reads and compresses, it is not the line that the agent waits for.
        self.packer
            .note_line(grant.waited.saturating_sub(busy), sent);
        if self.newest.is_none_or(|newest| grant.stream > newest) {
            self.newest = Some(grant.stream);
            self.streams.push_back(Stream {
                number: grant.stream,
                blob: grant.blob,
                file: None,
                granted: grant.chunks,
            });
        } else if let Some(stream) = self.streams.iter_mut().find(|s| s.number == grant.stream) {
            stream.granted += grant.chunks;
        }
    }

    /// Sends the next chunk of a stream; false where nobody listens any more.
    fn next(&mut self, place: usize) -> bool {
        let begun = Instant::now();
        let stream = &mut self.streams[place];
        stream.granted -= 1;
        let number = stream.number;
        let read = stream.read(&*self.exchange);
        let last = !matches!(&read, Ok(data) if data.len() == CHUNK);
        if last {
            self.streams.remove(place);
        }
        match read {
            Ok(data) => self.send(number, data, last, None, begun),
            Err(e) => self.send(number, vec![], true, Some(e.to_string()), begun),
        }
    }

    fn send(
        &mut self,
        stream: u32,
        data: Vec<u8>,
        last: bool,
        error: Option<String>,
        begun: Instant,
    ) -> bool {
        let id = self.id;
        let (data, packed) = self.packer.pack(data);
        let bytes = data.len();
        let frame = encode(&ToAgent::Chunk {
            id,
            stream,
            data,
            packed,
            last,
            error,
        })
        .expect("bug: a chunk is smaller than a frame may be");
        self.sent += bytes;
        self.busy += begun.elapsed();
        self.piece.unsplit(BytesMut::from(Bytes::from(frame)));
        self.piece.len() < PIECE || self.flush()
    }

    /// Sends what waits; false where nobody listens any more.
    fn flush(&mut self) -> bool {
        let piece = self.piece.split().freeze();
        piece.is_empty() || self.chunks.blocking_send(piece).is_ok()
    }
}

impl Stream {
    fn read(&mut self, exchange: &dyn Exchange) -> std::io::Result<Vec<u8>> {
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(exchange.open(self.blob)?),
        };
        let mut data = Vec::with_capacity(CHUNK);
        file.take(CHUNK as u64).read_to_end(&mut data)?;
        Ok(data)
    }
}
