//! One look at a port or a file.

use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rplay_api::{Host, Result};
use serde_json::{Map, Value};

use super::drained::Query;
use crate::python_regex::{Expression, Flags};

/// As much as a port may say before it is certain that it will not say what is searched.
const MAX_HEARD: usize = 1 << 20;

/// What to look at.
pub(super) enum Look {
    Port {
        host: String,
        port: u16,
        timeout: Duration,
        regex: Option<Expression>,
        closed: bool,
    },
    Path {
        path: PathBuf,
        regex: Option<Expression>,
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
pub(super) fn regex(text: &str) -> Result<Expression> {
    let flags = Flags {
        multi_line: true,
        ..Flags::default()
    };
    Expression::new("search_regex", text, flags)
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
            } => match self.connect() {
                Some(stream) => listen(stream, regex, *timeout)?,
                None => None,
            },
            Self::Path {
                path,
                regex,
                absent,
            } => {
                let present = match (host.stat(path)?, regex) {
                    (None, _) => None,
                    (Some(_), None) => Some(Found::default()),
                    (Some(_), Some(regex)) => found(regex, &host.read(path)?)?,
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
fn listen(mut stream: TcpStream, regex: &Expression, timeout: Duration) -> Result<Option<Found>> {
    let end = Instant::now() + timeout;
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    while bytes.len() < MAX_HEARD {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() || stream.set_read_timeout(Some(left)).is_err() {
            return Ok(None);
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return Ok(None),
            Ok(n) => bytes.extend_from_slice(&buffer[..n]),
        }
        if let Some(found) = found(regex, &bytes)? {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

fn found(regex: &Expression, bytes: &[u8]) -> Result<Option<Found>> {
    let Some(found) = regex.find(bytes)? else {
        return Ok(None);
    };
    let value = |bytes: Option<&[u8]>| {
        bytes.map_or(Value::Null, |b| {
            String::from_utf8_lossy(b).into_owned().into()
        })
    };
    let named = |name: &str| value(found.group(name).map(|range| &bytes[range]));
    Ok(Some(Found {
        groups: found.groups().into_iter().map(value).collect(),
        named: regex
            .names()
            .into_iter()
            .map(|name| (name.to_owned(), named(name)))
            .collect(),
    }))
}
