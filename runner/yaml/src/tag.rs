//! What `!vault`, `!unsafe` and the tags of YAML itself make of a value.

use base64::Engine;
use rplay_diag::{Diagnostic, Span, did_you_mean};
use saphyr_parser::{ScalarStyle, Tag};

use crate::scalar::{float, integer, resolve};
use crate::{Kind, Node};

const TAGS: [&str; 3] = ["unsafe", "vault", "vault-encrypted"];

/// The value of a scalar.
pub(crate) fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: &Span,
) -> Result<Kind, Diagnostic> {
    let own = || Kind::Str(text.to_owned());
    let Some(tag) = tag else {
        return Ok(if style == ScalarStyle::Plain {
            resolve(text)
        } else {
            own()
        });
    };
    let typed = if tag.is_yaml_core_schema() {
        match tag.suffix.as_str() {
            "str" => Some(own()),
            "null" => Some(Kind::Null),
            "bool" => Some(resolve(text)).filter(|kind| matches!(kind, Kind::Bool(_))),
            "int" => integer(text).map(Kind::Int),
            "binary" => binary(text),
            "float" => float(text)
                .or_else(|| integer(text).map(|n| n as f64))
                .map(Kind::Float),
            _ => return Err(unknown(tag, span)),
        }
    } else {
        match (tag.handle.as_str(), tag.suffix.as_str()) {
            ("!", "vault" | "vault-encrypted") => Some(Kind::Vault(text.to_owned())),
            ("!", "unsafe") => Some(Kind::Unsafe(text.to_owned())),
            ("" | "!", "" | "!") => Some(own()),
            _ => return Err(unknown(tag, span)),
        }
    };
    typed.ok_or_else(|| {
        Diagnostic::error(format!(
            "`{text}` is not of its tag's type `!!{}`",
            tag.suffix
        ))
        .at(span)
    })
}

/// Bytes in base64. What of them is no text is replaced: no template can hold it.
fn binary(text: &str) -> Option<Kind> {
    let letters: String = text.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(letters)
        .ok()?;
    Some(Kind::Unsafe(String::from_utf8_lossy(&bytes).into_owned()))
}

/// A list or mapping under its tag: all text of an `!unsafe` one is.
pub(crate) fn collection(node: Node, tag: Option<&Tag>) -> Result<Node, Diagnostic> {
    let Some(tag) = tag else { return Ok(node) };
    if tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq") {
        return Ok(node);
    }
    match (tag.handle.as_str(), tag.suffix.as_str()) {
        ("!", "unsafe") => Ok(without_templates(node)),
        ("!", "vault" | "vault-encrypted") => {
            let words = format!(
                "`!vault` takes the text that ansible-vault made, not {}",
                node.describe()
            );
            Err(Diagnostic::error(words).at(&node.span))
        }
        _ => Err(unknown(tag, &node.span)),
    }
}

fn without_templates(node: Node) -> Node {
    let kind = match node.kind {
        Kind::Str(text) => Kind::Unsafe(text),
        Kind::Seq(items) => Kind::Seq(items.into_iter().map(without_templates).collect()),
        Kind::Map(map) => Kind::Map(
            map.into_iter()
                .map(|(k, v)| (k, without_templates(v)))
                .collect(),
        ),
        other => other,
    };
    Node {
        span: node.span,
        kind,
    }
}

fn unknown(tag: &Tag, span: &Span) -> Diagnostic {
    let written = span
        .source()
        .text()
        .get(span.start()..span.end())
        .unwrap_or_default();
    let span = &span.slice(
        0,
        written.find(char::is_whitespace).unwrap_or(written.len()),
    );
    let handle = if tag.is_yaml_core_schema() {
        "!!"
    } else {
        &tag.handle
    };
    let error = Diagnostic::error(format!("unknown tag `{handle}{}`", tag.suffix)).at(span);
    match did_you_mean(&tag.suffix, TAGS) {
        Some(near) => error.help(format!("did you mean `!{near}`?")),
        None => error.help("the tags of playbooks are `!vault` and `!unsafe`; text that begins with `!` must be quoted"),
    }
}
