//! Digests as Ansible's modules name them, computed while content streams by.

use std::io::{self, Read};
use std::path::Path;

use rplay_api::{Choice, Failure, Host, Result, hex};
use sha2::Digest;
use sha2::digest::DynDigest;

/// A digest's algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Choice)]
pub enum Algorithm {
    /// MD5: only to compare with old lists; it protects against nothing.
    Md5,
    /// SHA-1: what Ansible's `checksum` results are.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA3-256.
    #[arg(name = "sha3_256")]
    Sha3x256,
    /// SHA3-384.
    #[arg(name = "sha3_384")]
    Sha3x384,
    /// SHA3-512.
    #[arg(name = "sha3_512")]
    Sha3x512,
}

impl Algorithm {
    /// The algorithm of that name, in any case.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.to_ascii_lowercase().as_str() {
            "md5" => Self::Md5,
            "sha1" => Self::Sha1,
            "sha224" => Self::Sha224,
            "sha256" => Self::Sha256,
            "sha384" => Self::Sha384,
            "sha512" => Self::Sha512,
            "sha3_256" => Self::Sha3x256,
            "sha3_384" => Self::Sha3x384,
            "sha3_512" => Self::Sha3x512,
            _ => return None,
        })
    }

    /// How many hex digits its digests have.
    pub fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha224 => 56,
            Self::Sha256 | Self::Sha3x256 => 64,
            Self::Sha384 | Self::Sha3x384 => 96,
            Self::Sha512 | Self::Sha3x512 => 128,
        }
    }

    fn hasher(self) -> Box<dyn DynDigest + Send> {
        match self {
            Self::Md5 => Box::new(md5::Md5::new()),
            Self::Sha1 => Box::new(sha1::Sha1::new()),
            Self::Sha224 => Box::new(sha2::Sha224::new()),
            Self::Sha256 => Box::new(sha2::Sha256::new()),
            Self::Sha384 => Box::new(sha2::Sha384::new()),
            Self::Sha512 => Box::new(sha2::Sha512::new()),
            Self::Sha3x256 => Box::new(sha3::Sha3_256::new()),
            Self::Sha3x384 => Box::new(sha3::Sha3_384::new()),
            Self::Sha3x512 => Box::new(sha3::Sha3_512::new()),
        }
    }
}

/// Several digests of one stream.
pub struct Hashing {
    hashers: Vec<Box<dyn DynDigest + Send>>,
}

impl Hashing {
    /// Starts the digests of `algorithms`.
    pub fn new(algorithms: &[Algorithm]) -> Self {
        Self {
            hashers: algorithms.iter().map(|a| a.hasher()).collect(),
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hashers.iter_mut().for_each(|h| h.update(bytes));
    }

    /// The digests in hex, in the order of their algorithms.
    pub fn finish(self) -> Vec<String> {
        self.hashers
            .into_iter()
            .map(|h| hex(&h.finalize()))
            .collect()
    }
}

/// A stream whose SHA-1 and MD5 are taken while it is read, so that a large file that comes from
/// afar needs no second reading once it is there.
pub struct Digesting<R> {
    source: R,
    hashing: Hashing,
    has_ended: bool,
}

impl<R: Read> Digesting<R> {
    /// Nothing of it is read yet.
    pub fn new(source: R) -> Self {
        Self {
            source,
            hashing: Hashing::new(&[Algorithm::Sha1, Algorithm::Md5]),
            has_ended: false,
        }
    }

    /// SHA-1 and MD5, in hex; `None` where it was not read to its end.
    pub fn finish(self) -> Option<[String; 2]> {
        self.has_ended
            .then(|| self.hashing.finish().try_into().ok())?
    }
}

impl<R: Read> Read for Digesting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        self.has_ended |= n == 0 && !buffer.is_empty();
        self.hashing.update(&buffer[..n]);
        Ok(n)
    }
}

/// The digest of a stream, in hex.
pub fn of_reader(reader: &mut dyn Read, algorithm: Algorithm) -> io::Result<String> {
    let [digest] = digests(reader, [algorithm])?;
    Ok(digest)
}

/// A file's digest, in hex.
pub fn of_file(host: &Host, path: &Path, algorithm: Algorithm) -> Result<String> {
    of_reader(&mut *host.open(path)?, algorithm).map_err(|e| Failure::io("read", path, &e))
}

/// A file's SHA-1 and MD5, in hex and one reading: the digests of Ansible's results.
pub fn sha1_and_md5(host: &Host, path: &Path) -> Result<[String; 2]> {
    digests(&mut *host.open(path)?, [Algorithm::Sha1, Algorithm::Md5])
        .map_err(|e| Failure::io("read", path, &e))
}

fn digests<const N: usize>(
    reader: &mut dyn Read,
    algorithms: [Algorithm; N],
) -> io::Result<[String; N]> {
    let mut hashing = Hashing::new(&algorithms);
    let mut buffer = vec![0; 64 << 10];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => hashing.update(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(hashing
        .finish()
        .try_into()
        .expect("bug: one digest an algorithm"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_coreutils() {
        let of = |a| of_reader(&mut &b"abc"[..], a).unwrap();
        assert_eq!(of(Algorithm::Md5), "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(
            of(Algorithm::Sha1),
            "a9993e364706816aba3e25717850c26c9cd0d89d"
        );
        for algorithm in [
            Algorithm::Sha224,
            Algorithm::Sha256,
            Algorithm::Sha384,
            Algorithm::Sha512,
        ] {
            assert_eq!(of(algorithm).len(), algorithm.digits());
        }
    }
}
