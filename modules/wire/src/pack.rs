//! A part of a file in fewer bytes: raw deflate (RFC 1951), each part by itself.

use std::io::{self, Read};

use flate2::Compression;
use flate2::read::{DeflateDecoder, DeflateEncoder};

use crate::CHUNK;

/// The part, compressed as fast as it goes.
#[must_use]
pub fn pack(part: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(part.len());
    DeflateEncoder::new(part, Compression::fast())
        .read_to_end(&mut packed)
        .expect("bug: memory can be read");
    packed
}

/// What a compressed part was; of one that claims to be more than a chunk, a chunk.
///
/// # Errors
/// Bytes that are no such part.
pub fn unpack(packed: &[u8]) -> io::Result<Vec<u8>> {
    let mut part = vec![];
    let mut decoder = DeflateDecoder::new(packed).take(CHUNK as u64);
    decoder.read_to_end(&mut part)?;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_comes_back() {
        for part in [&b""[..], b"x", &[7; CHUNK]] {
            assert_eq!(unpack(&pack(part)).unwrap(), part);
        }
    }

    #[test]
    fn what_claims_to_be_a_large_part_is_cut() {
        assert_eq!(unpack(&pack(&[0; 10 * CHUNK])).unwrap().len(), CHUNK);
    }

    #[test]
    fn what_is_no_part_is_an_error() {
        assert!(unpack(b"\xff\xff\xff").is_err());
    }
}
