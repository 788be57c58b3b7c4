//! A stream of Zstandard frames: the decoder knows one only, and parallel packers write several.

use std::io::{self, Read};

use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use crate::content::fill;

type Frame<R> = StreamingDecoder<io::Chain<io::Cursor<Vec<u8>>, R>, FrameDecoder>;

/// What `zstd` itself unpacks without being told to: memory for the window, in bytes.
const MOST_WINDOW: u64 = 128 << 20;

enum At<R: Read> {
    /// Before a frame, or at the end.
    Between(R),
    /// In a frame.
    Frame(Box<Frame<R>>),
    /// An error was told.
    Broken,
}

/// Unpacks all frames, one after the other.
pub(super) struct Zstd<R: Read>(At<R>);

impl<R: Read> Zstd<R> {
    pub(super) fn new(source: R) -> Self {
        Self(At::Between(source))
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            match std::mem::replace(&mut self.0, At::Broken) {
                At::Broken => return Err(io::Error::other("the frame is damaged")),
                At::Between(source) => match next_frame(source)? {
                    Next::Frame(frame) => self.0 = At::Frame(frame),
                    Next::Skipped(source) => self.0 = At::Between(source),
                    Next::End(source) => {
                        self.0 = At::Between(source);
                        return Ok(0);
                    }
                },
                At::Frame(mut frame) => match frame.read(buffer)? {
                    0 => self.0 = At::Between(end_of(*frame)?),
                    n => {
                        self.0 = At::Frame(frame);
                        return Ok(n);
                    }
                },
            }
        }
    }
}

enum Next<R: Read> {
    Frame(Box<Frame<R>>),
    /// A frame that holds no content.
    Skipped(R),
    End(R),
}

fn next_frame<R: Read>(mut source: R) -> io::Result<Next<R>> {
    let mut magic = vec![0; 4];
    let n = fill(&mut source, &mut magic)?;
    if n == 0 {
        return Ok(Next::End(source));
    }
    magic.truncate(n);
    if let [0x50..=0x5f, 0x2a, 0x4d, 0x18] = magic[..] {
        let mut length = [0; 4];
        source.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        io::copy(&mut source.by_ref().take(length), &mut io::sink())?;
        return Ok(Next::Skipped(source));
    }
    let source = io::Cursor::new(magic).chain(source);
    StreamingDecoder::new_with_max_window_size(source, MOST_WINDOW)
        .map(|frame| Next::Frame(Box::new(frame)))
        .map_err(|e| io::Error::other(e.to_string()))
}

/// The frame's content must be what its checksum was made of, where it has one.
fn end_of<R: Read>(frame: Frame<R>) -> io::Result<R> {
    let (source, decoder) = frame.into_parts();
    let (told, is) = (
        decoder.get_checksum_from_data(),
        decoder.get_calculated_checksum(),
    );
    if told.is_some() && told != is {
        return Err(io::Error::other("its checksum is wrong"));
    }
    Ok(source.into_inner().1)
}
