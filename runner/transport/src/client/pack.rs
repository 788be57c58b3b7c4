//! Whether the parts of a file are compressed on their way: where the line is slow enough, and the
//! content gives way enough, that it takes less time than it saves.
//!
//! Nothing is asked of the line: how fast it is shows in how long each part waits to be sent. The
//! first parts fill buffers and go as they are.

use std::time::{Duration, Instant};

use rplay_wire::pack;

/// Compression is to take this much less time than it saves.
const MARGIN: f64 = 1.2;

/// Every so many parts one is compressed to see whether it would pay by now.
const PROBE: u32 = 32;

/// How much the newest measurement counts. The line takes many parts at once and then none for a
/// while: what counts is the mean over some of its turns.
const NEWEST_PACKED: f64 = 0.25;
const NEWEST_OF_LINE: f64 = 0.03;

/// What was measured so far. Seconds are those of one byte of content.
#[derive(Debug, Default)]
pub(super) struct Packer {
    /// How long a byte on the line takes.
    line: Option<f64>,
    /// How long it takes to compress one, and what part of it is left then.
    packing: Option<(f64, f64)>,
    since_probe: u32,
}

impl Packer {
    /// The part as it is to be sent, and whether it is compressed.
    pub(super) fn pack(&mut self, part: Vec<u8>) -> (Vec<u8>, bool) {
        self.since_probe += 1;
        let is_probe = self.line.is_some() && self.since_probe >= PROBE;
        if !is_probe && !self.pays() {
            return (part, false);
        }
        self.since_probe = 0;
        let begun = Instant::now();
        let packed = pack(&part);
        self.note_packing(begun.elapsed(), part.len(), packed.len());
        match packed.len() < part.len() {
            true => (packed, true),
            false => (part, false),
        }
    }

    /// So many bytes waited so long until the line took them.
    pub(super) fn note_line(&mut self, waited: Duration, bytes: usize) {
        if let Some(now) = per_byte(waited, bytes) {
            self.line = Some(blend(self.line, now, NEWEST_OF_LINE));
            // The first measurement is reason enough to look.
            self.since_probe = self
                .since_probe
                .max(PROBE * u32::from(self.packing.is_none()));
        }
    }

    fn note_packing(&mut self, took: Duration, bytes: usize, left: usize) {
        if let (Some(cost), Some(left)) = (per_byte(took, bytes), share(left, bytes)) {
            let known = self.packing;
            self.packing = Some((
                blend(known.map(|(cost, _)| cost), cost, NEWEST_PACKED),
                blend(known.map(|(_, left)| left), left, NEWEST_PACKED),
            ));
        }
    }

    fn pays(&self) -> bool {
        match (self.line, self.packing) {
            (Some(line), Some((cost, left))) => line * (1.0 - left) > cost * MARGIN,
            _ => false,
        }
    }
}

// Sizes of parts are small numbers.
#[allow(clippy::cast_precision_loss)]
fn per_byte(time: Duration, bytes: usize) -> Option<f64> {
    (bytes > 0).then(|| time.as_secs_f64() / bytes as f64)
}

#[allow(clippy::cast_precision_loss)]
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn blend(known: Option<f64>, newest: f64, counts: f64) -> f64 {
    known.map_or(newest, |known| known * (1.0 - counts) + newest * counts)
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
