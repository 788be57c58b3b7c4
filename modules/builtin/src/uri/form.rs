//! The formats of forms: `a=1&b=2`, and parts with files.

use std::io::Read;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rplay_api::{ArgType, ControllerFile, FORM_FILE, Failure, Host, Result};
use serde_json::{Map, Value};

/// What a browser leaves as it is.
const KEPT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

fn wrong(why: impl Into<String>) -> Failure {
    Failure::new(why).arg("body")
}

/// A field's value; a list stands for several fields of the name.
fn texts(name: &str, value: &Value) -> Result<Vec<String>> {
    Ok(match value {
        Value::Array(items) => {
            let nested = items.iter().map(|item| texts(name, item));
            nested.collect::<Result<Vec<_>>>()?.concat()
        }
        Value::Object(_) => {
            return Err(wrong(format!("the field `{name}` is a mapping"))
                .help("a form's field is text; put it through the filter `to_json`"));
        }
        Value::String(text) => vec![text.clone()],
        Value::Bool(true) => vec!["True".to_owned()],
        Value::Bool(false) => vec!["False".to_owned()],
        Value::Null => vec!["None".to_owned()],
        Value::Number(number) => vec![number.to_string()],
    })
}

/// A mapping, or a list of pairs, as `a=1&b=2`.
pub(super) fn urlencoded(body: &Value) -> Result<String> {
    let no_form = |why: String| {
        wrong(format!("failed to parse body as form_urlencoded: {why}"))
            .help("a form is a mapping, or a list of pairs such as [name, value]")
    };
    let fields: Vec<(String, &Value)> = match body {
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), v)).collect(),
        Value::Array(items) => items
            .iter()
            .map(|item| match item.as_array().map(Vec::as_slice) {
                Some([Value::String(name), value]) => Ok((name.clone(), value)),
                pair => {
                    let many = pair.map_or(usize::MAX, <[Value]>::len) > 2;
                    let count = if many { "too many" } else { "not enough" };
                    Err(no_form(format!("{count} values to unpack: `{item}` is no pair")))
                }
            })
            .collect::<Result<_>>()?,
        other => return Err(no_form(format!("`{other}` is no mapping and no list"))),
    };
    let word = |text: &str| utf8_percent_encode(text, KEPT).to_string().replace("%20", "+");
    let mut pairs = vec![];
    for (name, value) in fields {
        for text in texts(&name, value)? {
            pairs.push(format!("{}={}", word(&name), word(&text)));
        }
    }
    Ok(pairs.join("&"))
}

/// A mapping as parts, and the Content-Type with what is between them.
pub(super) fn multipart(body: &Value, remote_src: bool, host: &Host) -> Result<(Vec<u8>, String)> {
    let Value::Object(fields) = body else {
        return Err(wrong("a form with parts is a mapping")
            .help("give each field by name: text, or a mapping with `content` or `filename`"));
    };
    let parts = fields
        .iter()
        .map(|(name, value)| part(name, value, remote_src, host))
        .collect::<Result<Vec<_>>>()?;
    let boundary = boundary(host, &parts);
    let mut bytes = vec![];
    for part in parts {
        bytes.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
        bytes.extend_from_slice(&part);
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((bytes, format!("multipart/form-data; boundary=\"{boundary}\"")))
}

/// A line that is in none of the parts.
fn boundary(host: &Host, parts: &[Vec<u8>]) -> String {
    let time = host.now().duration_since(std::time::UNIX_EPOCH);
    let mut number = time.map_or(0, |t| t.as_nanos());
    loop {
        let boundary = format!("==============={number:020}==");
        let found = parts
            .iter()
            .any(|part| part.windows(boundary.len()).any(|w| w == boundary.as_bytes()));
        if !found {
            return boundary;
        }
        number += 1;
    }
}

fn part(name: &str, value: &Value, remote_src: bool, host: &Host) -> Result<Vec<u8>> {
    match value {
        Value::Object(map) => file_part(name, map, remote_src, host),
        Value::String(text) => Ok(headed(name, None, "text/plain", None, text.as_bytes())),
        other => {
            let kind = match other {
                Value::Bool(_) => "bool",
                Value::Number(number) if number.is_f64() => "float",
                Value::Number(_) => "int",
                Value::Array(_) => "list",
                _ => "NoneType",
            };
            Err(wrong(format!(
                "failed to parse body as form-multipart: value must be a string, or mapping, \
                 cannot be type {kind}"
            ))
            .help(format!("put the field `{name}` through the filter `string` or `to_json`")))
        }
    }
}

/// Lines end as in a mail.
fn in_mail_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    for (i, byte) in bytes.iter().enumerate() {
        if *byte == b'\n' && (i == 0 || bytes[i - 1] != b'\r') {
            out.push(b'\r');
        }
        out.push(*byte);
    }
    out
}

fn file_part(
    name: &str,
    map: &Map<String, Value>,
    remote_src: bool,
    host: &Host,
) -> Result<Vec<u8>> {
    let text = |key: &str| map.get(key).and_then(Value::as_str);
    let filename = text("filename");
    let content_type = match (text("mime_type"), filename) {
        (Some(word), _) => word,
        (None, Some(filename)) => by_name(filename),
        (None, None) => "application/octet-stream",
    };
    let short = filename.map(|f| {
        Path::new(f)
            .file_name()
            .map_or_else(|| f.to_owned(), |n| n.to_string_lossy().into_owned())
    });
    if let Some(content) = map.get("content") {
        let content = texts(name, content)?.join(",");
        return Ok(headed(name, short.as_deref(), content_type, None, content.as_bytes()));
    }
    let Some(path) = filename else {
        return Err(wrong(format!("the field `{name}` has neither `content` nor `filename`")));
    };
    let bytes = match map.get(FORM_FILE) {
        Some(file) => sent(file, host)?,
        None if !remote_src => {
            let failure = wrong(format!("the file `{path}` of the field `{name}` was not sent along"));
            return Err(failure.help("set remote_src: true for a file of the target"));
        }
        None => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.into());
            host.read(&path).map_err(|f| f.arg("body"))?
        }
    };
    match text("multipart_encoding").unwrap_or("base64") {
        "base64" => {
            let lines = in_lines(&STANDARD.encode(bytes));
            Ok(headed(name, short.as_deref(), content_type, Some("base64"), lines.as_bytes()))
        }
        "7or8bit" => {
            let encoding = if bytes.is_ascii() { "7bit" } else { "8bit" };
            let lines = in_mail_lines(&bytes);
            Ok(headed(name, short.as_deref(), content_type, Some(encoding), &lines))
        }
        other => Err(wrong(format!(
            "`multipart_encoding` of the field `{name}`: `{other}` is not one of `base64`, `7or8bit`"
        ))),
    }
}

/// A file of the controller.
fn sent(file: &Value, host: &Host) -> Result<Vec<u8>> {
    let file = ControllerFile::parse_arg(file).map_err(wrong)?;
    let payload = super::body::file(&file, host).map_err(|f| f.arg("body"))?;
    let mut bytes = vec![];
    payload
        .content
        .open(host)?
        .read_to_end(&mut bytes)
        .map_err(|e| wrong(format!("a file of the form did not arrive: {e}")))?;
    Ok(bytes)
}

/// Text in the lines of a mail.
fn in_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 38);
    for (i, letter) in text.chars().enumerate() {
        if i > 0 && i % 76 == 0 {
            out.push_str("\r\n");
        }
        out.push(letter);
    }
    out.push_str("\r\n");
    out
}

fn headed(
    name: &str,
    filename: Option<&str>,
    content_type: &str,
    encoding: Option<&str>,
    content: &[u8],
) -> Vec<u8> {
    let quoted = |text: &str| text.replace('"', "%22").replace(['\r', '\n'], " ");
    let mut head = String::new();
    if let Some(encoding) = encoding {
        head.push_str(&format!("Content-Transfer-Encoding: {encoding}\r\n"));
    }
    head.push_str(&format!("Content-Type: {content_type}\r\n"));
    head.push_str(&format!("Content-Disposition: form-data; name=\"{}\"", quoted(name)));
    if let Some(filename) = filename {
        head.push_str(&format!("; filename=\"{}\"", quoted(filename)));
    }
    head.push_str("\r\n\r\n");
    [head.as_bytes(), content].concat()
}

/// The type that a file's name tells.
fn by_name(name: &str) -> &'static str {
    let end = Path::new(name).extension().and_then(|e| e.to_str());
    match end.map(str::to_ascii_lowercase).as_deref() {
        Some("txt" | "log" | "conf") => "text/plain",
        Some("html" | "htm") => "text/html",
        Some("css") => "text/css",
        Some("csv") => "text/csv",
        Some("xml") => "text/xml",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("pdf") => "application/pdf",
        Some("zip") => "application/zip",
        Some("tar") => "application/x-tar",
        Some("png") => "image/png",
        Some("gif") => "image/gif",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_form_is_encoded_as_python_does() {
        let got = urlencoded(&json!({"a": "x y&z", "b": [1, 2], "c": true, "ü": "~"})).unwrap();
        assert_eq!(got, "a=x+y%26z&b=1&b=2&c=True&%C3%BC=~");
        let got = urlencoded(&json!([["a", "x"], ["a", 2], ["c", ["p", "q"]]])).unwrap();
        assert_eq!(got, "a=x&a=2&c=p&c=q");
        assert_eq!(urlencoded(&json!([1])).unwrap_err().arg.as_deref(), Some("body"));
        assert!(urlencoded(&json!({"a": {"b": 1}})).is_err());
    }

    #[test]
    fn text_has_the_line_ends_of_a_mail() {
        assert_eq!(in_mail_lines(b"a\nb\r\n"), b"a\r\nb\r\n");
    }

    #[test]
    fn base64_is_in_lines() {
        assert_eq!(in_lines(&"a".repeat(77)), format!("{}\r\na\r\n", "a".repeat(76)));
    }
}
