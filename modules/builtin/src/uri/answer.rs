//! The answer as a result: its headers as keys, its body as text, JSON or a file.

use std::io::Read;
use std::path::PathBuf;
use std::time::Instant;

use flate2::read::MultiGzDecoder;
use rplay_api::{Failure, Host, Outcome, Result};
use serde_json::{Map, Value};
use ureq::http::{HeaderMap, StatusCode};

use super::hops::{self, Arrived};
use super::{UriArgs, not_yet};
use crate::content::write_differing;
use crate::http;
use crate::path_info;

/// As much of a body can be part of a result.
const MOST_TEXT: u64 = 32 << 20;

/// What is made of an answer.
pub(super) struct Answer<'a> {
    pub args: &'a UriArgs,
    pub host: &'a Host<'a>,
    /// The address that was asked for.
    pub asked: &'a str,
    pub start: Instant,
}

impl Answer<'_> {
    /// The result, or the failure where the status is none of the wanted.
    pub(super) fn take(&self, arrived: Arrived) -> Result<Outcome> {
        let status = arrived.response.status();
        let code = status.as_u16();
        let wanted = self.args.status_code.contains(&i32::from(code));
        let mut data = headers(arrived.response.headers());
        if let Some(to) = crate::http::location(&arrived.url, &arrived.response) {
            data.insert("location".to_owned(), to.into());
        }
        let length = data.get("content_length").and_then(Value::as_str);
        let msg = if status.is_success() {
            format!("OK ({} bytes)", length.unwrap_or("unknown"))
        } else {
            format!("HTTP Error {code}: {}", arrived.reason)
        };
        let cookies = arrived.cookies.iter().cloned();
        let cookies: Map<String, Value> = cookies.map(|(n, v)| (n, v.into())).collect();
        let cookies_string = hops::pairs(&arrived.cookies).collect::<Vec<_>>().join("; ");
        let own = [
            ("msg", Value::from(msg.as_str())),
            ("status", code.into()),
            ("url", arrived.url.as_str().into()),
            ("redirected", (arrived.url != self.asked).into()),
            ("cookies", cookies.into()),
            ("cookies_string", cookies_string.into()),
        ];
        data.extend(own.map(|(k, v)| (k.to_owned(), v)));
        let written = self.body(arrived, wanted, &mut data)?;
        let elapsed = self.start.elapsed().as_secs();
        data.insert("elapsed".to_owned(), elapsed.into());
        if !wanted {
            return Err(self.unwanted(code, &msg, data));
        }
        let mut outcome = Outcome::new();
        outcome.data = data;
        match written {
            None => Ok(outcome),
            Some(path) => {
                let outcome = outcome.with("path", path.to_string_lossy());
                path_info::describe(self.host, &path, outcome)
            }
        }
    }

    fn unwanted(&self, code: u16, msg: &str, data: Map<String, Value>) -> Failure {
        let list: Vec<String> = self.args.status_code.iter().map(i32::to_string).collect();
        let list = list.join(", ");
        let failure = Failure::new(format!("Status code was {code} and not [{list}]: {msg}"));
        let mut failure = not_yet(self.host, failure);
        failure.data = data;
        failure
    }

    /// Takes the body to where it is wanted: the result, a file, or both.
    fn body(
        &self,
        arrived: Arrived,
        wanted: bool,
        data: &mut Map<String, Value>,
    ) -> Result<Option<PathBuf>> {
        let head = arrived.response.headers();
        let content_type = header(head, "content-type");
        let packed = header(head, "content-encoding").eq_ignore_ascii_case("gzip");
        let offered = http::offered_name(head);
        let dest = match &self.args.dest {
            // It is as it was, and so is the file.
            Some(_) if arrived.response.status() == StatusCode::NOT_MODIFIED => None,
            Some(dest) if wanted => Some(self.path(dest, &arrived.url, offered)?),
            _ => None,
        };
        let is_json = is_json(&content_type);
        let body = arrived.response.into_body();
        let body = body.into_with_config().limit(u64::MAX).reader();
        let mut body: Box<dyn Read> = if packed && self.args.decompress && !arrived.is_head {
            Box::new(MultiGzDecoder::new(body))
        } else {
            Box::new(body)
        };
        if !self.args.return_content && !is_json {
            if let Some(path) = &dest {
                self.write(path, &mut body)?;
            }
            return Ok(dest);
        }
        let bytes = self.read(&mut body, &arrived.url)?;
        if let Some(path) = &dest {
            self.write(path, &mut bytes.as_slice())?;
        }
        let text = text(&content_type, &bytes);
        if is_json && let Ok(value) = serde_json::from_str::<Value>(&text) {
            data.insert("json".to_owned(), value);
        }
        if self.args.return_content {
            data.insert("content".to_owned(), text.into());
        }
        Ok(dest)
    }

    fn read(&self, body: &mut dyn Read, url: &str) -> Result<Vec<u8>> {
        let mut bytes = vec![];
        body.take(MOST_TEXT + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| Failure::new(format!("HTTP Error while fetching `{url}`: the answer broke off: {e}")))?;
        if bytes.len() as u64 > MOST_TEXT {
            return Err(Failure::new(format!(
                "the answer of `{url}` is larger than {} MiB",
                MOST_TEXT >> 20
            ))
            .help("write it to a file with `dest`, or download it with `get_url`"));
        }
        Ok(bytes)
    }

    fn write(&self, path: &std::path::Path, body: &mut dyn Read) -> Result<()> {
        let there = self.host.stat(path)?;
        let attrs = self.host.attrs(&self.args.file, there.as_ref(), false)?;
        write_differing(self.host, path, body, &attrs, &mut || Ok(()))?;
        let path = path_info::follow(self.host, path)?;
        self.host.ensure_attrs(&path, &self.args.file)
    }

    /// The file to write.
    fn path(&self, dest: &std::path::Path, url: &str, offered: Option<String>) -> Result<PathBuf> {
        let dest = &std::path::absolute(dest).unwrap_or_else(|_| dest.to_owned());
        if self.host.is_dir(dest)? {
            let name = offered.or_else(|| http::file_name(url));
            return Ok(dest.join(name.unwrap_or_else(|| "index.html".to_owned())));
        }
        crate::copy::require_parent(self.host, dest).map_err(|mut failure| {
            failure.msg = format!("Could not replace file: {}", failure.msg);
            failure
        })?;
        Ok(dest.clone())
    }
}

fn header(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|h| h.as_bytes()).unwrap_or_default();
    String::from_utf8_lossy(value).into_owned()
}

/// The headers in lowercase with `_`; those of one name are joined.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut data = Map::new();
    for name in headers.keys() {
        let values = headers.get_all(name).iter();
        let values = values.map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
        let text = values.collect::<Vec<_>>().join(", ");
        data.insert(name.as_str().replace('-', "_"), text.into());
    }
    data
}

fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default();
    let kind = kind.trim().to_ascii_lowercase();
    kind.strip_prefix("application/")
        .is_some_and(|sub| sub.contains("json") || sub.contains("javascript"))
}

/// The body as text, in the letters that the server says it has.
fn text(content_type: &str, bytes: &[u8]) -> String {
    let charset = content_type.split(';').find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("charset")
            .then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    match charset.as_deref() {
        // Each of its bytes is the letter of that number.
        Some("iso-8859-1" | "latin1" | "latin-1" | "us-ascii") => {
            bytes.iter().map(|b| char::from(*b)).collect()
        }
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}
