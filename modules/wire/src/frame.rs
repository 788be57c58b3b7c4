//! Frames: a length of four bytes, big endian, and that many bytes of postcard.

use std::fmt;
use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The largest frame either side accepts, in bytes. File content is streamed in smaller chunks;
/// this bounds a module's arguments and results.
pub const MAX_FRAME: u32 = 64 << 20;

/// Why a frame could not be read or written.
#[derive(Debug)]
pub enum FrameError {
    /// The stream failed.
    Io(io::Error),
    /// The stream ended between two frames.
    Closed,
    /// A length above [`MAX_FRAME`]: most often text that is no frame at all.
    TooLong(u32),
    /// The bytes are not a message of this version.
    Garbled(postcard::Error),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(e) => write!(f, "the stream failed: {e}"),
            Self::Closed => f.write_str("the stream ended"),
            Self::TooLong(n) => write!(f, "a frame of {n} bytes is over the limit of {MAX_FRAME}"),
            Self::Garbled(e) => write!(f, "a frame could not be decoded: {e}"),
        }
    }
}

impl std::error::Error for FrameError {}

impl From<io::Error> for FrameError {
    fn from(e: io::Error) -> Self {
        Self::Io(e)
    }
}

/// A message as a whole frame, its length first.
///
/// # Errors
/// [`FrameError::TooLong`] where it is over [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> Result<Vec<u8>, FrameError> {
    let mut frame = postcard::to_extend(message, vec![0; 4]).map_err(FrameError::Garbled)?;
    let len = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    if len > MAX_FRAME {
        return Err(FrameError::TooLong(len));
    }
    frame[..4].copy_from_slice(&len.to_be_bytes());
    Ok(frame)
}

/// The message in a frame's body (the bytes after its length).
///
/// # Errors
/// [`FrameError::Garbled`].
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> Result<T, FrameError> {
    postcard::from_bytes(body).map_err(FrameError::Garbled)
}

/// Reads one message.
///
/// # Errors
/// Any [`FrameError`]; [`FrameError::Closed`] where the stream ends before a frame begins.
pub fn read_frame<T: DeserializeOwned>(stream: &mut impl Read) -> Result<T, FrameError> {
    let mut len = [0; 4];
    let mut got = 0;
    while got < 4 {
        match stream.read(&mut len[got..]) {
            Ok(0) if got == 0 => return Err(FrameError::Closed),
            Ok(0) => return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(n) => got += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    let len = u32::from_be_bytes(len);
    if len > MAX_FRAME {
        return Err(FrameError::TooLong(len));
    }
    let mut body = vec![0; len as usize];
    stream.read_exact(&mut body)?;
    decode(&body)
}

/// Writes one message and flushes.
///
/// # Errors
/// [`FrameError::Io`], [`FrameError::TooLong`].
pub fn write_frame<T: Serialize>(stream: &mut impl Write, message: &T) -> Result<(), FrameError> {
    stream.write_all(&encode(message)?)?;
    stream.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FromAgent, ToAgent};

    #[test]
    fn a_message_survives_the_wire() {
        let sent = ToAgent::Cancel { id: 7 };
        let mut wire = Vec::new();
        write_frame(&mut wire, &sent).unwrap();
        let got: ToAgent = read_frame(&mut wire.as_slice()).unwrap();
        assert_eq!(got, sent);
    }

    #[test]
    fn a_banner_in_place_of_a_frame_is_too_long() {
        let mut text: &[u8] = b"Welcome to this host\n";
        let got = read_frame::<FromAgent>(&mut text);
        assert!(matches!(got, Err(FrameError::TooLong(_))), "{got:?}");
    }

    #[test]
    fn an_end_between_frames_is_closed() {
        let got = read_frame::<FromAgent>(&mut [].as_slice());
        assert!(matches!(got, Err(FrameError::Closed)), "{got:?}");
    }
}
