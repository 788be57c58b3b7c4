//! Where a file's new content comes from, and how it gets to its place only where it differs.

use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use rplay_api::{Attrs, Failure, Host, Meta, Result, hex};
use sha2::{Digest, Sha256};

/// A content that can be read more than once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A file of the controller: index into the request's blobs.
    Blob(u32),
    /// A file of the target.
    File(PathBuf),
}

impl Content {
    /// The content as a stream.
    pub fn open(&self, host: &Host) -> Result<Box<dyn Read + Send>> {
        match self {
            Self::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Self::Blob(index) => host.blobs().open(*index),
            Self::File(path) => host.open(path),
        }
    }

    /// SHA-256 in hex, and the size.
    fn sha256(&self, host: &Host) -> Result<(String, u64)> {
        match self {
            Self::Bytes(bytes) => Ok((hex(&Sha256::digest(bytes)), bytes.len() as u64)),
            Self::Blob(index) => host.blobs().info(*index).ok_or_else(|| {
                Failure::new(format!("bug: the controller sent no file number {index}"))
            }),
            Self::File(path) => {
                let size = host.stat(path)?.map_or(0, |meta| meta.size);
                Ok((host.sha256(path)?, size))
            }
        }
    }

    /// Whether the file at `path`, which `meta` describes, has this content already.
    pub fn is_at(&self, host: &Host, path: &Path, meta: &Meta) -> Result<bool> {
        if !meta.is_file() {
            return Ok(false);
        }
        let (sha256, size) = self.sha256(host)?;
        Ok(size == meta.size && sha256 == host.sha256(path)?)
    }
}

/// Writes what `source` gives to `path`, unless the file there has that content already; says
/// whether it wrote. `source` is read once and never held whole: as far as both agree the old
/// file stands in for it.
///
/// `differs` is called before the first write to a file that is there, which is the time for a
/// backup.
pub fn write_differing(
    host: &Host,
    path: &Path,
    source: &mut dyn Read,
    attrs: &Attrs,
    differs: &mut dyn FnMut() -> Result<()>,
) -> Result<bool> {
    if !host.stat(path)?.is_some_and(|meta| meta.is_file()) {
        host.write(path, source, attrs)?;
        return Ok(true);
    }
    let failed = |e: io::Error| Failure::io("compare with the new content the file", path, &e);
    let mut old = host.open(path)?;
    let (mut ours, mut theirs) = (vec![0; CHUNK], vec![0; CHUNK]);
    let mut same = 0;
    loop {
        let n = fill(source, &mut theirs).map_err(failed)?;
        let m = fill(&mut old, &mut ours).map_err(failed)?;
        if theirs[..n] == ours[..m] {
            same += n as u64;
            if n < CHUNK {
                return Ok(false);
            }
            continue;
        }
        drop(old);
        differs()?;
        let mut whole = host
            .open(path)?
            .take(same)
            .chain(&theirs[..n])
            .chain(source);
        host.write(path, &mut whole, attrs)?;
        return Ok(true);
    }
}

const CHUNK: usize = 64 << 10;

/// Reads until the buffer is full or the source ends.
pub fn fill(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut at = 0;
    while at < buffer.len() {
        match source.read(&mut buffer[at..]) {
            Ok(0) => break,
            Ok(n) => at += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(at)
}
