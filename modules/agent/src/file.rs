//! Files of the controller, as a module reads them, and the file it sends back.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Cursor, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rplay_api::{Blobs, Failure, Result};
use rplay_wire::{Blob, CHUNK, FromAgent, unpack};
use sha2::{Digest, Sha256};

use crate::requests::{Chunk, Requests};
use crate::writer::Writer;

/// How many chunks may be on their way: enough for a long line, little enough to hold in memory.
const WINDOW: u32 = 32;

/// How much of what is expected may be on its way, in bytes, and in how many files.
const AHEAD: u64 = 4 << 20;
const FILES_AHEAD: usize = 1000;

/// The files of one request.
pub(crate) struct Files {
    pub(crate) id: u64,
    pub(crate) blobs: Vec<Blob>,
    pub(crate) requests: Requests,
    pub(crate) writer: Writer,
    pub(crate) streams: Cell<u32>,
    pub(crate) expected: RefCell<Expected>,
    /// Microseconds that the module waited for bytes, not told to the controller yet.
    pub(crate) waited: Arc<AtomicU64>,
}

/// Files that the module will open.
#[derive(Default)]
pub(crate) struct Expected {
    /// Those that were not asked for yet.
    next: VecDeque<u32>,
    /// Those on their way.
    coming: VecDeque<Pulled>,
}

impl Files {
    /// Asks the controller for a blob.
    fn pull(&self, index: u32, blob: &Blob) -> Result<Pulled> {
        let stream = self.streams.get();
        self.streams.set(stream + 1);
        let (sender, chunks) = channel();
        self.requests.listen(self.id, stream, sender);
        let mut pulled = Pulled {
            id: self.id,
            blob: index,
            stream,
            sha256: blob.sha256.clone(),
            size: blob.size,
            waited: self.waited.clone(),
            chunks,
            requests: self.requests.clone(),
            writer: self.writer.clone(),
            hash: Sha256::new(),
            current: Cursor::default(),
            is_last: false,
            taken: 0,
        };
        pulled.grant(WINDOW).map_err(gone)?;
        Ok(pulled)
    }

    /// Asks for as many of the expected files as may be on their way.
    fn pull_expected(&self) -> Result<()> {
        let mut expected = self.expected.borrow_mut();
        let mut ahead: u64 = expected.coming.iter().map(|pulled| pulled.size).sum();
        while ahead < AHEAD
            && expected.coming.len() < FILES_AHEAD
            && let Some(index) = expected.next.pop_front()
        {
            let Some(blob) = self.blobs.get(index as usize) else {
                continue;
            };
            if blob.inline.is_none() {
                ahead += blob.size;
                let pulled = self.pull(index, blob)?;
                expected.coming.push_back(pulled);
            }
        }
        Ok(())
    }

    /// An expected file that is on its way.
    fn coming(&self, index: u32) -> Option<Pulled> {
        let mut expected = self.expected.borrow_mut();
        let place = expected.coming.iter().position(|p| p.blob == index)?;
        expected.coming.remove(place)
    }
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
        let pulled = match self.coming(index) {
            Some(pulled) => pulled,
            None => self.pull(index, blob)?,
        };
        self.pull_expected()?;
        Ok(Box::new(pulled))
    }

    fn expect(&self, indices: &[u32]) {
        self.expected.borrow_mut().next.extend(indices);
        // What cannot be asked for now fails when it is opened.
        let _ = self.pull_expected();
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
pub(crate) struct Pulled {
    id: u64,
    blob: u32,
    stream: u32,
    sha256: String,
    size: u64,
    waited: Arc<AtomicU64>,
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
            waited_us: self.waited.swap(0, Ordering::Relaxed),
        };
        self.writer.send(&pull).map_err(io::Error::other)
    }

    /// Waits for the next chunk.
    fn advance(&mut self) -> io::Result<()> {
        let cancelled = |_| io::Error::other("the request was cancelled");
        let begun = Instant::now();
        let chunk = self.chunks.recv().map_err(cancelled)?;
        let waited = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited.fetch_add(waited, Ordering::Relaxed);
        if let Some(error) = chunk.error {
            return Err(io::Error::other(format!(
                "the controller could not read it: {error}"
            )));
        }
        let data = match chunk.packed {
            true => unpack(&chunk.data)?,
            false => chunk.data,
        };
        self.hash.update(&data);
        self.is_last = chunk.last;
        self.current = Cursor::new(data);
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

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::{Arc, Mutex};

    use rplay_wire::read_frame;

    use super::*;

    /// What the agent sent.
    #[derive(Clone, Default)]
    struct Sent(Arc<Mutex<Vec<u8>>>);

    impl Write for Sent {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sent {
        fn messages(&self) -> Vec<FromAgent> {
            let bytes = self.0.lock().unwrap();
            let mut rest = bytes.as_slice();
            std::iter::from_fn(|| read_frame(&mut rest).ok()).collect()
        }

        fn granted(&self) -> u32 {
            let chunks = |message| match message {
                FromAgent::Pull { chunks, .. } => chunks,
                other => panic!("{other:?}"),
            };
            self.messages().into_iter().map(chunks).sum()
        }
    }

    fn files(content: &[u8], inline: bool) -> (Files, Sent) {
        let sent = Sent::default();
        let blob = Blob {
            sha256: rplay_api::hex(&Sha256::digest(content)),
            size: content.len() as u64,
            inline: inline.then(|| content.to_vec()),
        };
        let requests = Requests::default();
        requests.control(7);
        let files = Files {
            id: 7,
            blobs: vec![blob],
            requests,
            writer: Writer::new(sent.clone()),
            streams: Cell::new(0),
            expected: RefCell::default(),
            waited: Arc::default(),
        };
        (files, sent)
    }

    fn feed(files: &Files, stream: u32, content: &[u8]) {
        let parts: Vec<_> = content.chunks(1000).collect();
        for (index, part) in parts.iter().enumerate() {
            let last = index + 1 == parts.len();
            let chunk = Chunk {
                data: part.to_vec(),
                packed: false,
                last,
                error: None,
            };
            files.requests.chunk(7, stream, chunk);
        }
    }

    fn read(files: &Files) -> (u32, Box<dyn Read + Send>) {
        let stream = files.streams.get();
        (stream, files.open(0).unwrap())
    }

    #[test]
    fn a_pulled_file_comes_whole_and_is_asked_for_in_parts() {
        let content: Vec<u8> = (0..200_000_u32).map(|n| n as u8).collect();
        let (files, sent) = files(&content, false);
        let (stream, mut reader) = read(&files);
        assert_eq!(sent.granted(), WINDOW);
        feed(&files, stream, &content);
        let mut got = vec![];
        reader.read_to_end(&mut got).unwrap();
        assert!(got == content);
        // 200 chunks: never fewer than were sent, never more than the window ahead.
        assert!(
            (200..=200 + WINDOW).contains(&sent.granted()),
            "{}",
            sent.granted()
        );
    }

    #[test]
    fn a_file_can_be_read_twice() {
        let (files, _) = files(b"text", false);
        for _ in 0..2 {
            let (stream, mut reader) = read(&files);
            feed(&files, stream, b"text");
            assert_eq!(io::read_to_string(&mut reader).unwrap(), "text");
        }
    }

    #[test]
    fn a_small_file_is_there_at_once() {
        let (files, sent) = files(b"text", true);
        assert_eq!(io::read_to_string(files.open(0).unwrap()).unwrap(), "text");
        assert_eq!(sent.messages(), []);
    }

    #[test]
    fn a_file_that_changed_on_the_way_is_an_error() {
        let (files, _) = files(b"text", false);
        let (stream, reader) = read(&files);
        feed(&files, stream, b"next");
        let error = io::read_to_string(reader).unwrap_err();
        assert_eq!(
            error.to_string(),
            "it changed on the controller while it was sent"
        );
    }

    #[test]
    fn a_file_that_the_controller_cannot_read_is_an_error() {
        let (files, _) = files(b"text", false);
        let (stream, reader) = read(&files);
        let error = Some("permission denied".to_owned());
        files.requests.chunk(
            7,
            stream,
            Chunk {
                data: vec![],
                packed: false,
                last: true,
                error,
            },
        );
        let error = io::read_to_string(reader).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the controller could not read it: permission denied"
        );
    }

    #[test]
    fn a_cancel_ends_the_wait_for_a_file() {
        let (files, _) = files(b"text", false);
        let (_, reader) = read(&files);
        files.requests.cancel(7);
        assert_eq!(
            io::read_to_string(reader).unwrap_err().to_string(),
            "the request was cancelled"
        );
    }

    #[test]
    fn expected_files_are_asked_for_before_they_are_opened() {
        let (mut files, sent) = files(b"one", false);
        files
            .blobs
            .extend([b"two".as_slice(), b"six"].map(|content| Blob {
                sha256: rplay_api::hex(&Sha256::digest(content)),
                size: 3,
                inline: None,
            }));
        files.expect(&[0, 2]);
        let asked = |sent: &Sent| -> Vec<u32> {
            let blob = |message| match message {
                FromAgent::Pull { blob, .. } => blob,
                other => panic!("{other:?}"),
            };
            sent.messages().into_iter().map(blob).collect()
        };
        assert_eq!(asked(&sent), [0, 2]);
        feed(&files, 0, b"one");
        feed(&files, 1, b"six");
        for (index, content) in [(2, "six"), (0, "one")] {
            let read = io::read_to_string(files.open(index).unwrap()).unwrap();
            assert_eq!(read, content);
        }
        assert_eq!(asked(&sent), [0, 2]);
        let _unexpected = files.open(1).unwrap();
        assert_eq!(asked(&sent), [0, 2, 1]);
    }

    #[test]
    fn no_more_is_on_its_way_than_fits() {
        let (mut files, sent) = files(b"", false);
        files.blobs = vec![files.blobs[0].clone(); 3];
        for blob in &mut files.blobs {
            blob.size = AHEAD;
        }
        files.expect(&[0, 1, 2]);
        assert_eq!(sent.messages().len(), 1);
        drop(files.open(0).unwrap());
        assert_eq!(sent.messages().len(), 2);
    }

    #[test]
    fn a_pushed_file_goes_in_parts() {
        let (files, sent) = files(b"", false);
        files.push(&vec![1; CHUNK + 1]).unwrap();
        let sizes: Vec<_> = sent
            .messages()
            .into_iter()
            .map(|message| match message {
                FromAgent::Push { id: 7, data } => data.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(sizes, [CHUNK, 1]);
    }
}
