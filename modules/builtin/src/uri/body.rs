//! What is sent: the body in its format, and the headers that go with it.

use std::time::SystemTime;

use rplay_api::{ControllerEntry, ControllerFile, EntryKind, Failure, Host, Meta, Result};
use serde_json::Value;

use super::hops::set;
use super::{BodyFormat, UriArgs, form};
use crate::content::Content;
use crate::http::{Exchange, Payload};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// The request with the task's headers and body.
pub(super) fn fill(mut exchange: Exchange, args: &UriArgs, host: &Host) -> Result<Exchange> {
    let (body, content_type) = match (&args.body, &args.src) {
        (Some(_), Some(_)) => {
            return Err(Failure::new("`body` and `src` exclude each other")
                .arg("src")
                .help("leave one of them out"));
        }
        (None, Some(src)) => {
            let content_type = match args.body_format {
                BodyFormat::Json => JSON,
                _ => FORM,
            };
            (Some(file(src, host)?), Some(content_type.to_owned()))
        }
        (Some(body), None) => {
            let (bytes, content_type) = encode(&body.0, args, host)?;
            (Some(Payload::bytes(bytes)), Some(content_type))
        }
        (None, None) => (None, None),
    };
    exchange.body = body;
    if args.force {
        exchange
            .headers
            .push(("cache-control".to_owned(), "no-cache".to_owned()));
    } else if let Some(time) = written_before(args, host)? {
        let since = httpdate::fmt_http_date(time);
        exchange.headers.push(("if-modified-since".to_owned(), since));
    }
    if let Some(content_type) = content_type {
        set(&mut exchange.headers, "content-type", content_type);
    }
    let fixed = args.body_format == BodyFormat::FormMultipart && args.body.is_some();
    for (name, value) in args.headers.iter().flatten() {
        // The boundary of the parts is in the form's own header.
        if !(fixed && name.eq_ignore_ascii_case("content-type")) {
            set(&mut exchange.headers, name, value.clone());
        }
    }
    Ok(exchange)
}

/// When the file that the answer is for was written, where it is there.
fn written_before(args: &UriArgs, host: &Host) -> Result<Option<SystemTime>> {
    let Some(dest) = &args.dest else {
        return Ok(None);
    };
    let dest = std::path::absolute(dest).unwrap_or_else(|_| dest.clone());
    let there = host.stat(&dest)?.filter(Meta::is_file);
    Ok(there.map(|meta| meta.mtime))
}

fn encode(body: &Value, args: &UriArgs, host: &Host) -> Result<(Vec<u8>, String)> {
    let text = match body {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let wrong = |why: &str, help: &str| Failure::new(why).arg("body").help(help);
    Ok(match (args.body_format, text) {
        (BodyFormat::Raw, Some(text)) => (text.into_bytes(), FORM.to_owned()),
        (BodyFormat::Raw, None) => {
            return Err(wrong(
                "a mapping or list cannot be sent as it is",
                "set body_format: json, or one of the forms",
            ));
        }
        (BodyFormat::Json, Some(text)) => (text.into_bytes(), JSON.to_owned()),
        (BodyFormat::Json, None) => (
            body.to_string().into_bytes(),
            JSON.to_owned(),
        ),
        (BodyFormat::FormUrlencoded, Some(text)) => (text.into_bytes(), FORM.to_owned()),
        (BodyFormat::FormUrlencoded, None) => (form::urlencoded(body)?.into_bytes(), FORM.to_owned()),
        (BodyFormat::FormMultipart, _) => form::multipart(body, args.remote_src, host)?,
    })
}

/// A file of the controller or the target.
pub(super) fn file(src: &ControllerFile, host: &Host) -> Result<Payload> {
    match src {
        ControllerFile::Remote(path) => target_file(path, host),
        ControllerFile::Sent { src, entries } => match entries.as_slice() {
            [ControllerEntry { kind: EntryKind::File(index), .. }] => {
                let (_, size) = host.blobs().info(*index).ok_or_else(|| {
                    Failure::new(format!("bug: the controller sent no file number {index}"))
                })?;
                Ok(Payload { content: Content::Blob(*index), size })
            }
            _ => Err(Failure::new(format!("`{src}` is a folder")).arg("src")),
        },
    }
}

/// A file of the target.
fn target_file(path: &str, host: &Host) -> Result<Payload> {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
    let Some(meta) = host.stat(&path)? else {
        let failure = Failure::new(format!("`{}` does not exist", path.display())).arg("src");
        return Err(host.missing(failure));
    };
    if meta.is_dir() {
        return Err(Failure::new(format!("`{}` is a folder", path.display())).arg("src"));
    }
    Ok(Payload { content: Content::File(path), size: meta.size })
}
