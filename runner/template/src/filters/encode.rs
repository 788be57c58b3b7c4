//! Encodings and digests: JSON, YAML, base64, hashes.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, Value};
use serde::Serialize;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::jinja::{string, wrong};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("b64encode", |v: Value| {
        Ok::<_, Error>(STANDARD.encode(string(&v)?))
    });
    env.add_filter("b64decode", |v: Value| {
        let bytes = STANDARD
            .decode(string(&v)?.trim())
            .map_err(|e| wrong(format!("b64decode: {e}")))?;
        String::from_utf8(bytes).map_err(|_| wrong("b64decode: the content is not text"))
    });
    env.add_filter("to_json", |v: Value, kwargs: Kwargs| {
        let indent: Option<usize> = kwargs.get("indent")?;
        let _: Option<bool> = kwargs.get("sort_keys")?;
        json(&v, indent)
    });
    env.add_filter("to_nice_json", |v: Value, kwargs: Kwargs| {
        let indent: Option<usize> = kwargs.get("indent")?;
        json(&v, Some(indent.unwrap_or(4)))
    });
    env.add_filter("from_json", |v: Value| {
        let json: serde_json::Value =
            serde_json::from_str(&string(&v)?).map_err(|e| wrong(format!("from_json: {e}")))?;
        Ok::<_, Error>(Value::from(minijinja::value::Serde(&json)))
    });
    env.add_filter("to_yaml", |v: Value| yaml(&v));
    env.add_filter("to_nice_yaml", |v: Value, _: Kwargs| yaml(&v));
    env.add_filter("from_yaml", |v: Value| {
        let yaml: serde_norway::Value =
            serde_norway::from_str(&string(&v)?).map_err(|e| wrong(format!("from_yaml: {e}")))?;
        Ok::<_, Error>(Value::from(minijinja::value::Serde(&yaml)))
    });
    env.add_filter("hash", |v: Value, kind: Option<String>| {
        hash(&string(&v)?, kind.as_deref().unwrap_or("sha1"))
    });
    env.add_filter("checksum", |v: Value| hash(&string(&v)?, "sha1"));
    env.add_filter("sha1", |v: Value| hash(&string(&v)?, "sha1"));
    env.add_filter("md5", |v: Value| hash(&string(&v)?, "md5"));
}

/// JSON as Python's `json.dumps` writes it: a blank after `,` and `:`.
fn json(value: &Value, indent: Option<usize>) -> Result<String, Error> {
    let json = serde_json::to_value(value).map_err(|e| wrong(e.to_string()))?;
    let mut out = vec![];
    match indent {
        Some(width) => {
            let indent = " ".repeat(width);
            let format = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
            let mut writer = serde_json::Serializer::with_formatter(&mut out, format);
            sorted(&json)
                .serialize(&mut writer)
                .map_err(|e| wrong(e.to_string()))?;
        }
        None => {
            let mut writer = serde_json::Serializer::with_formatter(&mut out, Spaced);
            json.serialize(&mut writer)
                .map_err(|e| wrong(e.to_string()))?;
        }
    }
    String::from_utf8(out).map_err(|e| wrong(e.to_string()))
}

fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => {
            let mut pairs: Vec<_> = map.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            serde_json::Value::Object(pairs.into_iter().collect())
        }
        serde_json::Value::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// One line, with blanks after `,` and `:`.
struct Spaced;

impl serde_json::ser::Formatter for Spaced {
    fn begin_array_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> std::io::Result<()> {
        if first {
            Ok(())
        } else {
            writer.write_all(b", ")
        }
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(
        &mut self,
        writer: &mut W,
    ) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}

fn yaml(value: &Value) -> Result<String, Error> {
    serde_norway::to_string(value).map_err(|e| wrong(e.to_string()))
}

fn hash(text: &str, kind: &str) -> Result<String, Error> {
    fn hex<D: Digest>(text: &str) -> String {
        D::digest(text).iter().map(|b| format!("{b:02x}")).collect()
    }
    Ok(match kind {
        "sha1" => hex::<Sha1>(text),
        "md5" => hex::<Md5>(text),
        "sha224" => hex::<Sha224>(text),
        "sha256" => hex::<Sha256>(text),
        "sha384" => hex::<Sha384>(text),
        "sha512" => hex::<Sha512>(text),
        other => return Err(wrong(format!("there is no hash `{other}`"))),
    })
}
