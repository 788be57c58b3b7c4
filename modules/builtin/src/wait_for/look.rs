//! One look at a port or a file.

use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use rplay_api::{Failure, Host, Result};
use serde_json::{Map, Value};

use super::drained::Query;

/// As much as a port may say before it is certain that it will not say what is searched.
const MAX_HEARD: usize = 1 << 20;

/// What to look at.
pub(super) enum Look {
    Port {
        host: String,
        port: u16,
        timeout: Duration,
        regex: Option<Regex>,
        closed: bool,
    },
    Path {
        path: PathBuf,
        regex: Option<Regex>,
        absent: bool,
    },
    Drained(Query),
}

/// What the groups of the regular expression matched.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub groups: Vec<Value>,
    pub named: Map<String, Value>,
}

/// As Python's re.MULTILINE.
pub(super) fn regex(text: &str) -> Result<Regex> {
    Regex::new(&format!("(?m){text}")).map_err(|e| {
        Failure::new(format!("`{text}` is no regular expression: {e}")).arg("search_regex")
    })
}

impl Look {
    /// What was found, where what is waited for is so.
    pub(super) fn once(&self, host: &Host) -> Result<Option<Found>> {
        Ok(match self {
            Self::Port { closed: true, .. } => self.connect().is_none().then(Found::default),
            Self::Port { regex: None, .. } => self.connect().map(|_| Found::default()),
            Self::Port {
                regex: Some(regex),
                timeout,
                ..
            } => self
                .connect()
                .and_then(|stream| listen(stream, regex, *timeout)),
            Self::Path {
                path,
                regex,
                absent,
            } => {
                let present = match (host.stat(path)?, regex) {
                    (None, _) => None,
                    (Some(_), None) => Some(Found::default()),
                    (Some(_), Some(regex)) => found(regex, &host.read(path)?),
                };
                match present {
                    present if !absent => present,
                    Some(_) => None,
                    None => Some(Found::default()),
                }
            }
            Self::Drained(query) => query.is_drained(host).then(Found::default),
        })
    }

    fn connect(&self) -> Option<TcpStream> {
        let Self::Port {
            host,
            port,
            timeout,
            ..
        } = self
        else {
            return None;
        };
        // A name that cannot be resolved yet is a port that is not open yet.
        let addresses = (host.as_str(), *port).to_socket_addrs().ok()?;
        addresses
            .into_iter()
            .find_map(|address| TcpStream::connect_timeout(&address, *timeout).ok())
    }
}

/// Reads until the text matches, the other side is done, or the time is up.
fn listen(mut stream: TcpStream, regex: &Regex, timeout: Duration) -> Option<Found> {
    let end = Instant::now() + timeout;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while bytes.len() < MAX_HEARD {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return None;
        }
        stream.set_read_timeout(Some(left)).ok()?;
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
        if let Some(found) = found(regex, &bytes) {
            return Some(found);
        }
    }
    None
}

fn found(regex: &Regex, bytes: &[u8]) -> Option<Found> {
    let text = String::from_utf8_lossy(bytes);
    let captures = regex.captures(text.as_ref()).ok()??;
    let value =
        |group: Option<fancy_regex::Match<'_>>| group.map_or(Value::Null, |m| m.as_str().into());
    let groups = (1..captures.len()).map(|i| value(captures.get(i)));
    let named = regex
        .capture_names()
        .flatten()
        .map(|name| (name.to_owned(), value(captures.name(name))));
    Some(Found {
        groups: groups.collect(),
        named: named.collect(),
    })
}
