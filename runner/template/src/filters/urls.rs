//! URLs.

use indexmap::IndexMap;
use minijinja::value::ValueKind;
use minijinja::{State, Value};

use crate::call::{Args, Callable, Out, strict};
use crate::python::{text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["urldecode"], &["value"], |_, a| {
        Ok(decoded(&a.text(0)?).into())
    }),
    strict(&["urlencode"], &["value"], urlencode),
    strict(&["urlsplit"], &["value", "query"], urlsplit),
];

fn decoded(text: &str) -> String {
    let text = text.replace('+', " ");
    let bytes = text.as_bytes();
    let mut out = vec![];
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match code {
            Some(byte) if bytes[at] == b'%' => {
                out.push(byte);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn encoded(text: &str, safe: &str, plus: bool) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match char::from(byte) {
            c if c.is_ascii_alphanumeric() || "_.-~".contains(c) || safe.contains(c) => out.push(c),
            ' ' if plus => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn urlencode(_: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if value.is_none() {
        return Ok("None".into());
    }
    if value.as_str().is_some() || value.try_iter().is_err() {
        return Ok(encoded(&args.text(0)?, "/", false).into());
    }
    let mut parts = vec![];
    for item in value.try_iter()? {
        let (key, value) = match value.kind() {
            ValueKind::Map => (item.clone(), value.get_item(&item)?),
            _ => (
                item.get_item(&Value::from(0))?,
                item.get_item(&Value::from(1))?,
            ),
        };
        parts.push(format!(
            "{}={}",
            encoded(&text(&key)?, "", true),
            encoded(&text(&value)?, "", true)
        ));
    }
    Ok(parts.join("&").into())
}

fn urlsplit(_: &mut State<'_, '_>, args: &Args) -> Out {
    let url = args.text(0)?;
    let parts = split(&url);
    let Some(wanted) = args.opt_text(1)?.filter(|w| !w.is_empty()) else {
        return Ok(Value::from_pairs(parts));
    };
    parts.get(wanted.as_str()).cloned().ok_or_else(|| {
        let known: Vec<&str> = parts.keys().copied().collect();
        wrong(format!(
            "unknown URL component `{wanted}`: they are {}",
            known.join(", ")
        ))
    })
}

fn split(url: &str) -> IndexMap<&'static str, Value> {
    let (rest, fragment) = url.split_once('#').unwrap_or((url, ""));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let scheme_ok = |s: &str| {
        !s.is_empty()
            && s.chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match rest.split_once(':') {
        Some((scheme, rest)) if scheme_ok(scheme) => (scheme.to_lowercase(), rest),
        _ => (String::new(), rest),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = netloc
        .rsplit_once('@')
        .map_or((None, netloc), |(u, h)| (Some(u), h));
    let (name, password) =
        match user.map(|u| u.split_once(':').map_or((u, None), |(n, p)| (n, Some(p)))) {
            Some((name, password)) => (Some(name), password),
            None => (None, None),
        };
    let (hostname, port) = match host.strip_prefix('[').and_then(|h| h.split_once(']')) {
        Some((inner, after)) => (inner, after.strip_prefix(':')),
        None => host
            .split_once(':')
            .map_or((host, None), |(h, p)| (h, Some(p))),
    };
    let some = |text: Option<&str>| text.map_or(Value::from(()), Value::from);
    let port = port.and_then(|p| p.parse::<u16>().ok());
    IndexMap::from([
        ("fragment", Value::from(fragment)),
        (
            "hostname",
            some(Some(hostname.to_lowercase().as_str()).filter(|h| !h.is_empty())),
        ),
        ("netloc", Value::from(netloc)),
        ("password", some(password)),
        ("path", Value::from(path)),
        ("port", port.map_or(Value::from(()), Value::from)),
        ("query", Value::from(query)),
        ("scheme", Value::from(scheme)),
        ("username", some(name)),
    ])
}
