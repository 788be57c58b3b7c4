//! Whether the parts of a file are compressed on their way: where the line is slow enough, and the
//! content gives way enough, that it takes less time than it saves.
//!
//! How fast the line is shows in how long the host waited for what was sent, and it says so each time
//! that it asks for more. A host that is slow itself does not wait.

use std::time::{Duration, Instant};

use rplay_wire::pack;

/// Compression is to take this much less time than it saves.
const MARGIN: f64 = 1.2;

/// Every so many parts one is compressed to see whether it would pay by now.
const PROBE: u32 = 32;

/// How much is left of the older measurements when a new one comes.
const KEPT: f64 = 0.75;

/// What was measured so far.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// Seconds on the line, and bytes.
    line: Mean,
    /// Seconds of compressing, and bytes that were.
    cost: Mean,
    /// Bytes that were left of those, and those.
    left: Mean,
    since_probe: u32,
}

impl Packer {
    /// The part as it is to be sent, and whether it is compressed.
    pub(super) fn pack(&mut self, part: Vec<u8>) -> (Vec<u8>, bool) {
        self.since_probe += 1;
        let is_probe = self.line.per_byte() > 0.0 && self.since_probe >= PROBE;
        if !is_probe && !self.pays() {
            return (part, false);
        }
        self.since_probe = 0;
        let begun = Instant::now();
        let packed = pack(&part);
        self.cost.note(begun.elapsed().as_secs_f64(), part.len());
        self.left.note(number(packed.len()), part.len());
        match packed.len() < part.len() {
            true => (packed, true),
            false => (part, false),
        }
    }

    /// The host waited so long for so many bytes.
    pub(super) fn note_line(&mut self, waited: Duration, bytes: usize) {
        self.line.note(waited.as_secs_f64(), bytes);
        if self.cost.bytes == 0.0 {
            // The first measurement is reason enough to look.
            self.since_probe = PROBE;
        }
    }

    fn pays(&self) -> bool {
        let saved = self.line.per_byte() * (1.0 - self.left.per_byte());
        self.cost.bytes > 0.0 && saved > self.cost.per_byte() * MARGIN
    }
}

/// What so many bytes came to, the older of them counting less.
#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    bytes: f64,
}

impl Mean {
    fn note(&mut self, value: f64, bytes: usize) {
        if bytes > 0 {
            self.sum = self.sum * KEPT + value;
            self.bytes = self.bytes * KEPT + number(bytes);
        }
    }

    fn per_byte(&self) -> f64 {
        match self.bytes > 0.0 {
            true => self.sum / self.bytes,
            false => 0.0,
        }
    }
}

// Sizes of parts are small numbers.
#[allow(clippy::cast_precision_loss)]
fn number(bytes: usize) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests {
    use rplay_wire::unpack;

    use super::*;

    const PART: usize = rplay_wire::CHUNK;

    /// Sends so many parts over a line of so many bytes a second; how many were compressed.
    fn send(packer: &mut Packer, part: &[u8], count: usize, rate: f64) -> usize {
        let mut packed = 0;
        for _ in 0..count {
            let (sent, is_packed) = packer.pack(part.to_vec());
            if is_packed {
                packed += 1;
                assert_eq!(unpack(&sent).unwrap(), part);
            }
            let waited = Duration::from_secs_f64(sent.len() as f64 / rate);
            packer.note_line(waited, sent.len());
        }
        packed
    }

    fn text() -> Vec<u8> {
        b"the quick brown fox jumps over the lazy dog\n"
            .iter()
            .copied()
            .cycle()
            .take(PART)
            .collect()
    }

    /// Bytes that nothing makes smaller.
    fn noise() -> Vec<u8> {
        let mut state = 1_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..PART).map(|_| next()).collect()
    }

    #[test]
    fn text_is_compressed_on_a_slow_line() {
        let packed = send(&mut Packer::default(), &text(), 100, 1e5);
        assert!(packed >= 98, "{packed}");
    }

    #[test]
    fn text_is_sent_as_it_is_on_a_line_that_is_faster_than_compressing() {
        let packed = send(&mut Packer::default(), &text(), 100, 1e13);
        assert!(packed <= 100 / PROBE as usize + 1, "{packed}");
    }

    #[test]
    fn noise_is_sent_as_it_is() {
        assert_eq!(send(&mut Packer::default(), &noise(), 100, 1e5), 0);
    }

    #[test]
    fn text_behind_noise_is_found() {
        let mut packer = Packer::default();
        send(&mut packer, &noise(), 100, 1e5);
        let packed = send(&mut packer, &text(), 300, 1e5);
        assert!(packed > 100, "{packed}");
    }
}
