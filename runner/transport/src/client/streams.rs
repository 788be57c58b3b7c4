//! The two tasks of an agent: one writes frames, one reads them.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use rplay_wire::{FromAgent, MAX_FRAME, decode};
use tokio::sync::mpsc;

use super::{Requests, addressed};
use crate::AgentLost;
use crate::process::{Input, Output, Piece};

/// How much of an agent's standard error is kept, in bytes.
const STDERR_KEPT: usize = 4 << 10;

/// How many bytes of waiting requests go out in one piece, at the most or a little over it.
const PIECE: usize = 32 << 10;

/// Writes requests before chunks, so that a cancel does not wait behind a file.
pub(super) async fn write(
    mut input: Input,
    mut frames: mpsc::UnboundedReceiver<Bytes>,
    mut chunks: mpsc::Receiver<Bytes>,
) {
    loop {
        let frame = tokio::select! {
            biased;
            Some(frame) = frames.recv() => with_waiting(frame, &mut frames),
            Some(chunk) = chunks.recv() => chunk,
            else => break,
        };
        // The reader says how the agent ended.
        if input.write(frame).await.is_err() {
            return;
        }
    }
    input.end().await;
}

/// A request, and those that wait behind it.
fn with_waiting(frame: Bytes, frames: &mut mpsc::UnboundedReceiver<Bytes>) -> Bytes {
    let Ok(next) = frames.try_recv() else {
        return frame;
    };
    let mut piece = BytesMut::from(frame);
    piece.extend_from_slice(&next);
    while piece.len() < PIECE
        && let Ok(next) = frames.try_recv()
    {
        piece.extend_from_slice(&next);
    }
    piece.freeze()
}

/// Reads what an agent says, until it ends.
pub(super) struct Reader {
    pub(super) host: String,
    pub(super) requests: Arc<Requests>,
    pub(super) stderr: Vec<u8>,
}

impl Reader {
    pub(super) async fn read(mut self, mut output: Output, mut buffer: BytesMut) {
        let how = loop {
            if let Err(how) = self.deliver(&mut buffer).await {
                break how;
            }
            match output.next().await {
                Some(Piece::Out(data)) if buffer.is_empty() => buffer = data.into(),
                Some(Piece::Out(data)) => buffer.extend_from_slice(&data),
                Some(Piece::Err(data)) => keep_tail(&mut self.stderr, &data),
                None => break format!("it {}", output.ended().await),
            }
        };
        let mut waiting = self.requests.lock();
        waiting.lost = Some(AgentLost {
            host: self.host,
            how,
            stderr: String::from_utf8_lossy(&self.stderr).into_owned(),
        });
        // Dropping the senders tells those who wait.
        waiting.by_id.clear();
    }

    /// Hands on every whole frame in the buffer.
    async fn deliver(&self, buffer: &mut BytesMut) -> Result<(), String> {
        while let Some(message) = take_frame::<FromAgent>(buffer)? {
            let Some((id, said)) = addressed(message) else {
                continue;
            };
            let waiting = self.requests.lock().by_id.get(&id).cloned();
            if let Some(request) = waiting {
                // A request that was dropped meanwhile wants nothing more.
                let _ = request.send(said).await;
            }
        }
        Ok(())
    }
}

/// The first message in the buffer, if it is whole.
pub(crate) fn take_frame<T: serde::de::DeserializeOwned>(
    buffer: &mut BytesMut,
) -> Result<Option<T>, String> {
    let Some(len) = buffer
        .first_chunk::<4>()
        .map(|len| u32::from_be_bytes(*len))
    else {
        return Ok(None);
    };
    if len > MAX_FRAME {
        return Err(format!(
            "it sent a frame of {len} bytes, over the limit of {MAX_FRAME}"
        ));
    }
    let len = len as usize;
    if buffer.len() < 4 + len {
        buffer.reserve(4 + len - buffer.len());
        return Ok(None);
    }
    buffer.advance(4);
    let body = buffer.split_to(len);
    decode(&body).map(Some).map_err(|e| e.to_string())
}

/// Appends, and drops the beginning of what is too long.
pub(crate) fn keep_tail(kept: &mut Vec<u8>, data: &[u8]) {
    kept.extend_from_slice(data);
    let surplus = kept.len().saturating_sub(STDERR_KEPT);
    kept.drain(..surplus);
}
