//! What a request wants from the controller while it runs.

use std::io::{self, Read};

/// The files a request may pull, the place its pushed file goes, and who hears of its progress.
pub trait Exchange: Send + Sync {
    /// Opens a blob of the request. Called off the async threads, as is reading from it.
    ///
    /// # Errors
    /// Where it cannot be read; the module fails with it.
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>>;

    /// Takes the next part of the file that the module sends back.
    ///
    /// # Errors
    /// Where it cannot be kept; the request fails with it.
    fn push(&self, data: &[u8]) -> io::Result<()>;

    /// Hears how far a long request is.
    fn progress(&self, _done: u64, _total: Option<u64>) {}
}

/// A request that sends no files in either direction.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFiles;

impl Exchange for NoFiles {
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>> {
        let words = format!("the task has no file {blob}; this is a bug in rplay");
        Err(io::Error::other(words))
    }

    fn push(&self, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other(
            "the task wants no file; this is a bug in rplay",
        ))
    }
}
