//! The content on its way: from a server or a file of the target, counted and checked.

use std::io::{self, Read};
use std::path::PathBuf;

use flate2::read::MultiGzDecoder;
use rplay_api::{Failure, Host, Meta, Result};

use super::expected::Expected;
use crate::checksum::{Algorithm, Hashing};
use crate::http::{self, Answer, Client, Download, Slot};

/// What came of asking.
pub(super) enum Incoming<'a> {
    /// The server says that the file is as it was.
    Unchanged,
    /// A content.
    Body(Box<Body<'a>>),
}

/// A content that has not been read yet.
pub(super) enum Body<'a> {
    Answer(Answer),
    File {
        url: String,
        path: PathBuf,
        host: &'a Host<'a>,
    },
}

impl<'a> Incoming<'a> {
    /// Asks for `url`; where a file is there, only for a newer one than `since`.
    pub(super) fn ask(
        client: &Client,
        host: &'a Host<'a>,
        url: &str,
        since: Option<Meta>,
    ) -> Result<Self> {
        if let Some(path) = url.strip_prefix("file://") {
            let path = http::percent_decode(path.strip_prefix("localhost").unwrap_or(path));
            return Ok(Self::Body(Box::new(Body::File {
                url: url.to_owned(),
                path: path.into(),
                host,
            })));
        }
        let mut headers = vec![];
        match since {
            Some(meta) => headers.push(("if-modified-since", httpdate::fmt_http_date(meta.mtime))),
            None => headers.push(("cache-control", "no-cache".to_owned())),
        }
        let answer = client.get(url, &headers)?;
        if answer.response.status().as_u16() == 304 {
            return Ok(Self::Unchanged);
        }
        Ok(Self::Body(Box::new(Body::Answer(answer))))
    }
}

impl Body<'_> {
    pub(super) fn url(&self) -> &str {
        match self {
            Self::Answer(answer) => &answer.url,
            Self::File { url, .. } => url,
        }
    }

    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(answer) => Some(answer.response.status().as_u16()),
            Self::File { .. } => None,
        }
    }

    /// The name in a folder: the server's own, or that of the address.
    pub(super) fn file_name(&self) -> String {
        let given = match self {
            Self::Answer(answer) => http::offered_name(answer.response.headers()),
            Self::File { .. } => None,
        };
        given
            .or_else(|| http::file_name(self.url()))
            .unwrap_or_else(|| "index.html".to_owned())
    }

    /// The content as a stream that ends well only where its digest is right.
    pub(super) fn verified<'c>(
        self,
        client: &'c Client<'c>,
        expected: Option<Expected>,
        decompress: bool,
        slot: &Slot,
    ) -> Result<Verified<'c>> {
        let url = self.url().to_owned();
        let source: Box<dyn Read + 'c> = match self {
            Self::File { path, host, .. } => host.open(&path).map_err(|f| f.arg("url"))?,
            Self::Answer(answer) => {
                let packed = header(&answer, "content-encoding")
                    .is_some_and(|e| e.eq_ignore_ascii_case("gzip"));
                let download = Download::new(client, answer, slot.clone());
                if packed && decompress {
                    Box::new(MultiGzDecoder::new(download))
                } else {
                    Box::new(download)
                }
            }
        };
        let mut algorithms = vec![Algorithm::Sha1, Algorithm::Md5];
        algorithms.extend(expected.as_ref().map(|e| e.algorithm));
        Ok(Verified {
            source,
            hashing: Some(Hashing::new(&algorithms)),
            digests: Default::default(),
            size: 0,
            expected,
            url,
            slot: slot.clone(),
        })
    }
}

fn header<'h>(answer: &'h Answer, name: &str) -> Option<&'h str> {
    answer.response.headers().get(name)?.to_str().ok()
}

/// Counts and hashes what passes; a wrong digest is an error before the end is told.
pub(super) struct Verified<'a> {
    source: Box<dyn Read + 'a>,
    hashing: Option<Hashing>,
    digests: [String; 2],
    size: u64,
    expected: Option<Expected>,
    url: String,
    slot: Slot,
}

impl Verified<'_> {
    /// The size, and SHA-1 and MD5 in hex.
    pub(super) fn finish(self) -> (u64, [String; 2]) {
        (self.size, self.digests)
    }

    fn check(&mut self) -> io::Result<()> {
        let Some(hashing) = self.hashing.take() else {
            return Ok(());
        };
        let mut digests = hashing.finish().into_iter();
        self.digests = [
            digests.next().unwrap_or_default(),
            digests.next().unwrap_or_default(),
        ];
        let (Some(expected), Some(actual)) = (&self.expected, digests.next()) else {
            return Ok(());
        };
        if expected.digest == actual {
            return Ok(());
        }
        let (url, wanted, word) = (&self.url, &expected.digest, expected.algorithm.word());
        Err(self.slot.put(
            Failure::new(format!(
                "the checksum of `{url}` did not match: its {word} digest is `{actual}`, not `{wanted}`"
            ))
            .arg("checksum")
            .help(
                "nothing was kept of it; the file on the server, or the way to it, is not what \
                   the checksum was made for",
            )
            .with("url", url.as_str()),
        ))
    }
}

impl Read for Verified<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.source.read(buffer)?;
        if n == 0 && !buffer.is_empty() {
            self.check()?;
        }
        if let Some(hashing) = &mut self.hashing {
            hashing.update(&buffer[..n]);
        }
        self.size += n as u64;
        Ok(n)
    }
}
