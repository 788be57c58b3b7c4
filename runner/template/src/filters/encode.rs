//! JSON, base64 and digests.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use md5::Md5;
use minijinja::value::Serde;
use minijinja::{Error, State, Value};
use serde::Serialize;
use serde_json::Value as Json;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};

use crate::call::{Args, Callable, Out, strict};
use crate::context::context_of;
use crate::encoding;
use crate::json::{Trouble, to_json};
use crate::python::{named, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["b64encode"], &["value", "encoding", "urlsafe"], b64encode),
    strict(&["b64decode"], &["value", "encoding", "urlsafe"], b64decode),
    strict(
        &["to_json"],
        &[
            "value",
            "indent",
            "sort_keys",
            "ensure_ascii",
            "separators",
            "vault_to_text",
            "preprocess_unsafe",
            "skipkeys",
            "allow_nan",
            "check_circular",
        ],
        |_, a| json(a, None, false),
    ),
    strict(
        &["to_nice_json"],
        &[
            "value",
            "indent",
            "sort_keys",
            "ensure_ascii",
            "separators",
            "vault_to_text",
            "preprocess_unsafe",
            "skipkeys",
            "allow_nan",
            "check_circular",
        ],
        |_, a| json(a, Some(4), true),
    ),
    strict(&["tojson"], &["value", "indent"], tojson),
    // The mark is ours, and says that a playbook wrote the text: what is safe in HTML has none.
    strict(&["safe"], &["value"], |_, a| Ok(a.req(0)?.clone())),
    strict(&["from_json"], &["value", "profile"], from_json),
    strict(&["hash"], &["value", "hashtype"], |_, a| {
        hash(
            &a.text(0)?,
            &a.opt_text(1)?.unwrap_or_else(|| "sha1".into()),
        )
        .map(Value::from)
    }),
    strict(&["checksum", "sha1"], &["value"], |_, a| {
        hash(&a.text(0)?, "sha1").map(Value::from)
    }),
    strict(&["md5"], &["value"], |_, a| {
        hash(&a.text(0)?, "md5").map(Value::from)
    }),
];

fn encoding(args: &Args) -> Result<String, Error> {
    Ok(args.opt_text(1)?.unwrap_or_else(|| "utf-8".into()))
}

fn b64encode(_: &mut State<'_, '_>, args: &Args) -> Out {
    let bytes = encoding::encode(&args.text(0)?, &encoding(args)?)
        .map_err(|why| wrong(format!("`b64encode`: {why}")))?;
    Ok(if args.flag(2, false) {
        URL_SAFE.encode(bytes)
    } else {
        STANDARD.encode(bytes)
    }
    .into())
}

fn b64decode(_: &mut State<'_, '_>, args: &Args) -> Out {
    let text: String = args.text(0)?.split_whitespace().collect();
    let text = text.replace('-', "+").replace('_', "/");
    let bytes = STANDARD
        .decode(text)
        .map_err(|e| wrong(format!("`b64decode`: {e}")))?;
    encoding::decode(&bytes, &encoding(args)?)
        .map(Value::from)
        .map_err(|why| wrong(format!("`b64decode`: {why}")))
}

/// A value as JSON for a text. What is unknown in it was noted before.
pub(crate) fn plain(value: &Value) -> Result<Json, Error> {
    to_json(value).map_err(|trouble| match trouble {
        Trouble::Unknown(_) => wrong("a part of the value is unknown"),
        Trouble::Error(words) => wrong(words),
    })
}

fn json(args: &Args, indent: Option<usize>, sort: bool) -> Out {
    let mut json = plain(args.req(0)?)?;
    if args.flag(2, sort) {
        json.sort_all_objects();
    }
    let indent = match args.int(1)? {
        Some(width) => Some(usize::try_from(width).unwrap_or(0)),
        None => indent,
    };
    let (item, key) = separators(args, indent.is_some())?;
    let style = Python {
        indent,
        depth: 0,
        item,
        key,
        empty: true,
        ascii: args.flag(3, true),
    };
    let mut out = vec![];
    let mut writer = serde_json::Serializer::with_formatter(&mut out, style);
    json.serialize(&mut writer)
        .map_err(|e| wrong(e.to_string()))?;
    String::from_utf8(out)
        .map(Value::from)
        .map_err(|e| wrong(e.to_string()))
}

/// JSON that may stand in HTML, as Jinja writes it: its keys sorted.
fn tojson(_: &mut State<'_, '_>, args: &Args) -> Out {
    let written = json(args, None, true)?;
    let text = written.as_str().unwrap_or_default();
    let safe = [
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("'", "\\u0027"),
    ];
    let safe = safe.iter().fold(text.to_owned(), |text, (sign, code)| {
        text.replace(sign, code)
    });
    Ok(safe.into())
}

fn separators(args: &Args, indented: bool) -> Result<(String, String), Error> {
    if let Some(pair) = args.some(4) {
        let part = |at: usize| crate::python::text(&pair.get_item(&Value::from(at))?);
        return Ok((part(0)?, part(1)?));
    }
    Ok((
        if indented { "," } else { ", " }.to_owned(),
        ": ".to_owned(),
    ))
}

/// JSON as Python's `json.dumps` writes it.
struct Python {
    indent: Option<usize>,
    depth: usize,
    item: String,
    key: String,
    empty: bool,
    ascii: bool,
}

impl Python {
    fn line<W: ?Sized + io::Write>(&self, writer: &mut W) -> io::Result<()> {
        match self.indent {
            Some(width) => write!(writer, "\n{}", " ".repeat(width * self.depth)),
            None => Ok(()),
        }
    }

    fn open<W: ?Sized + io::Write>(&mut self, writer: &mut W, mark: u8) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        writer.write_all(&[mark])
    }

    fn close<W: ?Sized + io::Write>(&mut self, writer: &mut W, mark: u8) -> io::Result<()> {
        self.depth -= 1;
        if !self.empty {
            self.line(writer)?;
        }
        self.empty = false;
        writer.write_all(&[mark])
    }

    fn next<W: ?Sized + io::Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        if !first {
            writer.write_all(self.item.as_bytes())?;
        }
        self.line(writer)
    }
}

impl serde_json::ser::Formatter for Python {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'[')
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b']')
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.next(writer, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.open(writer, b'{')
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.close(writer, b'}')
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.next(writer, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        writer.write_all(self.key.as_bytes())
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(crate::python::float(value).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        text: &str,
    ) -> io::Result<()> {
        if !self.ascii || text.is_ascii() {
            return writer.write_all(text.as_bytes());
        }
        for c in text.chars() {
            if c.is_ascii() {
                write!(writer, "{c}")?;
                continue;
            }
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
        }
        Ok(())
    }
}

fn from_json(state: &mut State<'_, '_>, args: &Args) -> Out {
    let value = args.req(0)?;
    if value.as_str().is_none() {
        return Err(wrong(format!(
            "`from_json` takes a string, not {}",
            named(value)
        )));
    }
    let json: Json =
        serde_json::from_str(&args.text(0)?).map_err(|e| wrong(format!("`from_json`: {e}")))?;
    match args.opt_text(1)?.as_deref() {
        None | Some("tagless") => Ok(Value::from(Serde(&json))),
        Some("legacy" | "inventory_legacy") => {
            let context = context_of(state)?;
            let open = |cipher: &str| {
                // What cannot be opened here stays closed: perhaps nobody looks at it.
                let Ok(plain) = context.templar.vault_keys().decrypt(cipher) else {
                    return Value::from(cipher);
                };
                context.templar.redactor().register(&plain);
                Value::from(plain)
            };
            Ok(marked(&json, value.is_safe(), &open))
        }
        Some(other) => Err(wrong(format!(
            "Unknown profile name '{other}'. `from_json` knows `tagless`, `legacy` and `inventory_legacy`"
        ))),
    }
}

/// JSON in which a mapping may stand for a text with a mark: one that is not to be trusted, or a
/// vault. All other text is as trusted as the JSON itself.
fn marked(json: &Json, trusted: bool, open: &dyn Fn(&str) -> Value) -> Value {
    match json {
        Json::String(text) if trusted => Value::from_safe_string(text.clone()),
        Json::Array(items) => {
            let items = items.iter().map(|item| marked(item, trusted, open));
            items.collect::<Vec<_>>().into()
        }
        Json::Object(pairs) => {
            let only = (pairs.len() == 1).then(|| pairs.iter().next()).flatten();
            match only.map(|(key, text)| (key.as_str(), text)) {
                Some(("__ansible_unsafe", Json::String(text))) => text.as_str().into(),
                Some(("__ansible_vault", Json::String(cipher))) => open(cipher),
                _ => Value::from_pairs(
                    pairs
                        .iter()
                        .map(|(key, item)| (key.as_str(), marked(item, trusted, open))),
                ),
            }
        }
        other => Value::from(Serde(other)),
    }
}

/// A digest in hexadecimal.
pub(crate) fn hash(text: &str, kind: &str) -> Result<String, Error> {
    fn hex<D: Digest>(text: &str) -> String {
        D::digest(encoding::to_bytes(text))
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }
    Ok(match kind {
        "sha1" => hex::<Sha1>(text),
        "md5" => hex::<Md5>(text),
        "sha224" => hex::<Sha224>(text),
        "sha256" => hex::<Sha256>(text),
        "sha384" => hex::<Sha384>(text),
        "sha512" => hex::<Sha512>(text),
        other => {
            let words = format!("unsupported hash type {other}");
            return Err(wrong(format!(
                "{words}: use md5, sha1, sha224, sha256, sha384 or sha512"
            )));
        }
    })
}
