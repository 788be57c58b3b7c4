//! A body that comes whole though its connection breaks.

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use rplay_api::{Failure, Result};
use ureq::BodyReader;
use ureq::http::HeaderMap;

use super::{Answer, Client};
use crate::progress::Progress;

/// Connections that may break in one download, however much each of them brought.
const MOST_BREAKS: u32 = 100;

/// Why a stream ended early: what an `io::Error` cannot carry through a writer.
#[derive(Clone, Default)]
pub struct Slot(Rc<Cell<Option<Failure>>>);

impl Slot {
    /// Keeps the failure and gives the error to return.
    pub fn put(&self, failure: Failure) -> io::Error {
        let error = io::Error::other(failure.msg.clone());
        self.0.set(Some(failure));
        error
    }

    /// The failure behind `other`, or else `other`.
    pub fn or(&self, other: Failure) -> Failure {
        self.0.take().unwrap_or(other)
    }
}

/// Reads a body; where the connection breaks it asks for the rest.
pub struct Download<'a> {
    client: &'a Client<'a>,
    url: String,
    body: Box<dyn Read>,
    at: u64,
    total: Option<u64>,
    /// What tells that the rest is of the same content.
    validator: Option<String>,
    slot: Slot,
    progress: Progress,
    breaks: u32,
    /// Breaks since the last byte that came.
    idle_breaks: u32,
}

impl<'a> Download<'a> {
    /// The body of an answer to `client`.
    pub fn new(client: &'a Client<'a>, answer: Answer, slot: Slot) -> Self {
        let headers = answer.response.headers();
        Self {
            client,
            url: answer.url,
            total: number(headers, "content-length"),
            validator: validator(headers),
            body: Box::new(reader(answer.response.into_body())),
            at: 0,
            slot,
            progress: Progress::default(),
            breaks: 0,
            idle_breaks: 0,
        }
    }

    /// Asks for what is missing until it comes, or it was asked often enough.
    fn resume(&mut self, mut why: String) -> io::Result<()> {
        loop {
            self.breaks += 1;
            self.idle_breaks += 1;
            if self.idle_breaks > self.client.options.retries || self.breaks > MOST_BREAKS {
                return Err(self.slot.put(self.broken(&why)));
            }
            self.client
                .pause(self.idle_breaks)
                .map_err(|f| self.slot.put(f))?;
            match self.ask_for_rest() {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => why = error.to_string(),
                Err(failure) => return Err(self.slot.put(failure)),
            }
        }
    }

    fn broken(&self, why: &str) -> Failure {
        let of = self.total.map_or_else(String::new, |t| format!(" of {t}"));
        Failure::new(format!(
            "Incomplete read: the download of `{}` broke off after {}{of} bytes: {why}",
            self.url, self.at
        ))
        .with("url", self.url.as_str())
        .help("nothing was written; `retries` sets how often a download is taken up again")
    }

    /// The inner error is one that may pass.
    fn ask_for_rest(&mut self) -> Result<io::Result<()>> {
        let mut headers = vec![];
        if self.at > 0 {
            headers.push(("range", format!("bytes={}-", self.at)));
            headers.extend(self.validator.clone().map(|v| ("if-range", v)));
        }
        let answer = match self.client.try_get(&self.url, &headers) {
            Ok(answer) => answer,
            Err(fault) if fault.passes => return Ok(Err(io::Error::other(fault.failure.msg))),
            Err(fault) => return Err(fault.failure),
        };
        let head = answer.response.headers();
        let partial = answer.response.status().as_u16() == 206;
        let same = if partial {
            range_start(head) == Some(self.at)
        } else {
            validator(head) == self.validator && number(head, "content-length") == self.total
        };
        if !same {
            return Err(
                Failure::new(format!("`{}` changed while it was downloaded", self.url))
                    .help("run it again"),
            );
        }
        let mut body = reader(answer.response.into_body());
        let skipped = if partial {
            Ok(())
        } else {
            skip(&mut body, self.at)
        };
        self.body = Box::new(body);
        Ok(skipped)
    }
}

impl Read for Download<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.client.host.is_cancelled() {
                return Err(self.slot.put(Failure::new("the task was cancelled")));
            }
            let why = match self.body.read(buffer) {
                Ok(0) if self.total.is_some_and(|total| self.at < total) && !buffer.is_empty() => {
                    "the server closed the connection".to_owned()
                }
                Ok(n) => {
                    self.at += n as u64;
                    self.idle_breaks = if n > 0 { 0 } else { self.idle_breaks };
                    self.progress.at(self.client.host, self.at, self.total);
                    return Ok(n);
                }
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => e.to_string(),
            };
            self.resume(why)?;
        }
    }
}

fn reader(body: ureq::Body) -> BodyReader<'static> {
    body.into_with_config().limit(u64::MAX).reader()
}

fn skip(body: &mut dyn Read, bytes: u64) -> io::Result<()> {
    let skipped = io::copy(&mut body.take(bytes), &mut io::sink())?;
    if skipped == bytes {
        return Ok(());
    }
    Err(io::Error::other("the server closed the connection"))
}

fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn number(headers: &HeaderMap, name: &str) -> Option<u64> {
    header(headers, name)?.trim().parse().ok()
}

/// A strong ETag, or else the date of the last change.
fn validator(headers: &HeaderMap) -> Option<String> {
    let etag = header(headers, "etag").filter(|tag| !tag.starts_with("W/"));
    etag.or_else(|| header(headers, "last-modified"))
        .map(str::to_owned)
}

/// Where the part in a 206 answer begins.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = header(headers, "content-range")?
        .trim()
        .strip_prefix("bytes")?;
    range.trim().split('-').next()?.parse().ok()
}
