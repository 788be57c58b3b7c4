//! Files of the controller, as a module reads them, and the file it sends back.

use std::cell::Cell;
use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Receiver, channel};

use rplay_api::{Blobs, Failure, Result};
use rplay_wire::{Blob, CHUNK, FromAgent};
use sha2::{Digest, Sha256};

use crate::requests::{Chunk, Requests};
use crate::writer::Writer;

/// How many chunks may be on their way: enough for a long line, little enough to hold in memory.
const WINDOW: u32 = 32;

/// The files of one request.
pub(crate) struct Files {
    pub(crate) id: u64,
    pub(crate) blobs: Vec<Blob>,
    pub(crate) requests: Requests,
    pub(crate) writer: Writer,
    pub(crate) streams: Cell<u32>,
}

impl Blobs for Files {
    fn info(&self, index: u32) -> Option<(String, u64)> {
        let blob = self.blobs.get(index as usize)?;
        Some((blob.sha256.clone(), blob.size))
    }

    fn open(&self, index: u32) -> Result<Box<dyn Read + Send>> {
        let blob = self
            .blobs
            .get(index as usize)
            .ok_or_else(|| Failure::new(format!("the task has no file {index}")))?;
        if let Some(inline) = &blob.inline {
            return Ok(Box::new(Cursor::new(inline.clone())));
        }
        let stream = self.streams.get();
        self.streams.set(stream + 1);
        let (sender, chunks) = channel();
        self.requests.listen(self.id, stream, sender);
        let mut pulled = Pulled {
            id: self.id,
            blob: index,
            stream,
            sha256: blob.sha256.clone(),
            chunks,
            requests: self.requests.clone(),
            writer: self.writer.clone(),
            hash: Sha256::new(),
            current: Cursor::default(),
            is_last: false,
            taken: 0,
        };
        pulled.grant(WINDOW).map_err(gone)?;
        Ok(Box::new(pulled))
    }

    fn push(&self, data: &[u8]) -> Result<()> {
        for part in data.chunks(CHUNK) {
            let data = part.to_vec();
            let sent = self.writer.send(&FromAgent::Push { id: self.id, data });
            sent.map_err(|e| gone(io::Error::other(e)))?;
        }
        Ok(())
    }

    fn progress(&self, done: u64, total: Option<u64>) {
        // Where the controller is gone the request ends by itself.
        let _ = self.writer.send(&FromAgent::Progress {
            id: self.id,
            done,
            total,
        });
    }
}

fn gone(error: io::Error) -> Failure {
    Failure::new(format!("lost the controller: {error}"))
}

/// A file on its way from the controller.
struct Pulled {
    id: u64,
    blob: u32,
    stream: u32,
    sha256: String,
    chunks: Receiver<Chunk>,
    requests: Requests,
    writer: Writer,
    hash: Sha256,
    current: Cursor<Vec<u8>>,
    is_last: bool,
    /// Chunks read since the last grant.
    taken: u32,
}

impl Pulled {
    fn grant(&mut self, chunks: u32) -> io::Result<()> {
        let (id, blob, stream) = (self.id, self.blob, self.stream);
        self.taken = 0;
        let pull = FromAgent::Pull {
            id,
            blob,
            stream,
            chunks,
        };
        self.writer.send(&pull).map_err(io::Error::other)
    }

    /// Waits for the next chunk.
    fn advance(&mut self) -> io::Result<()> {
        let cancelled = |_| io::Error::other("the request was cancelled");
        let chunk = self.chunks.recv().map_err(cancelled)?;
        if let Some(error) = chunk.error {
            return Err(io::Error::other(format!(
                "the controller could not read it: {error}"
            )));
        }
        self.hash.update(&chunk.data);
        self.is_last = chunk.last;
        self.current = Cursor::new(chunk.data);
        self.taken += 1;
        if self.is_last {
            return self.check();
        }
        if self.taken == WINDOW / 2 {
            self.grant(WINDOW / 2)?;
        }
        Ok(())
    }

    /// What came is what was announced.
    fn check(&mut self) -> io::Result<()> {
        let hash = rplay_api::hex(&std::mem::take(&mut self.hash).finalize());
        if hash == self.sha256 {
            return Ok(());
        }
        Err(io::Error::other(
            "it changed on the controller while it was sent",
        ))
    }
}

impl Read for Pulled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let n = self.current.read(buffer)?;
            if n > 0 || self.is_last || buffer.is_empty() {
                return Ok(n);
            }
            self.advance()?;
        }
    }
}

impl Drop for Pulled {
    fn drop(&mut self) {
        self.requests.unlisten(self.id, self.stream);
    }
}
