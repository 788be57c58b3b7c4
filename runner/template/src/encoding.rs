//! Text in other encodings than UTF-8, under the names that Python gives them.
//!
//! Bytes that no text has (those of a program, say) are kept as letters of a private plane, so that
//! what was decoded is encoded to the same bytes again.

use encoding_rs::Encoding;

/// The first of the 128 letters that stand for bytes from 0x80 on.
const BYTES: u32 = 0x10_FF00;

/// A text in an encoding.
///
/// # Errors
/// Where the encoding is not known or has not all letters of the text, in words.
pub fn encode(text: &str, encoding: &str) -> Result<Vec<u8>, String> {
    let units = || text.encode_utf16();
    Ok(match name(encoding).as_str() {
        "utf-8" => to_bytes(text),
        "utf-8-sig" => [&[0xef, 0xbb, 0xbf], text.as_bytes()].concat(),
        "utf-16" => [0xfeff]
            .into_iter()
            .chain(units())
            .flat_map(u16::to_le_bytes)
            .collect(),
        "utf-16-le" => units().flat_map(u16::to_le_bytes).collect(),
        "utf-16-be" => units().flat_map(u16::to_be_bytes).collect(),
        "latin-1" => {
            let byte = |c: char| u8::try_from(u32::from(c)).ok();
            let bytes: Option<Vec<u8>> = text.chars().map(byte).collect();
            bytes.ok_or("the text has letters that latin-1 has not")?
        }
        "ascii" if text.is_ascii() => text.as_bytes().to_vec(),
        "ascii" => return Err("the text has letters that ASCII has not".to_owned()),
        other => {
            let known = known(other)?;
            let (bytes, _, lossy) = known.encode(text);
            if lossy {
                return Err(format!("the text has letters that {encoding} has not"));
            }
            bytes.into_owned()
        }
    })
}

/// Bytes of an encoding as text.
///
/// # Errors
/// Where the encoding is not known or the bytes are none of it, in words.
pub fn decode(bytes: &[u8], encoding: &str) -> Result<String, String> {
    let words = |bytes: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|p| read([p[0], p[1]])).collect();
        String::from_utf16(&units).map_err(|_| "the content is no UTF-16".to_owned())
    };
    Ok(match name(encoding).as_str() {
        "utf-8" => of_bytes(bytes),
        "utf-8-sig" => of_bytes(bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes)),
        "utf-16" => match bytes {
            [0xfe, 0xff, rest @ ..] => words(rest, u16::from_be_bytes)?,
            [0xff, 0xfe, rest @ ..] => words(rest, u16::from_le_bytes)?,
            rest => words(rest, u16::from_le_bytes)?,
        },
        "utf-16-le" => words(bytes, u16::from_le_bytes)?,
        "utf-16-be" => words(bytes, u16::from_be_bytes)?,
        "latin-1" => bytes.iter().map(|b| char::from(*b)).collect(),
        "ascii" if bytes.is_ascii() => of_bytes(bytes),
        "ascii" => return Err("the content is not ASCII".to_owned()),
        other => {
            let known = known(other)?;
            let text = known.decode_without_bom_handling_and_without_replacement(bytes);
            text.ok_or_else(|| format!("the content is not {encoding}"))?
                .into_owned()
        }
    })
}

/// Bytes as text: those that are no UTF-8 as letters that stand for them.
pub fn of_bytes(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        let kept = chunk.invalid().iter();
        text.extend(kept.filter_map(|b| char::from_u32(BYTES + u32::from(*b) - 0x80)));
    }
    text
}

/// The bytes of a text, those that stand for bytes among its letters.
pub fn to_bytes(text: &str) -> Vec<u8> {
    let byte = |c: char| {
        let kept = u32::from(c).checked_sub(BYTES).filter(|n| *n < 0x80);
        kept.and_then(|n| u8::try_from(n + 0x80).ok())
    };
    if !text.chars().any(|c| byte(c).is_some()) {
        return text.as_bytes().to_vec();
    }
    let mut bytes = Vec::with_capacity(text.len());
    for c in text.chars() {
        match byte(c) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes
}

/// A name as Python's `codecs` tells them apart.
fn name(encoding: &str) -> String {
    let plain = encoding.trim().to_lowercase().replace('_', "-");
    match plain.as_str() {
        "utf8" | "u8" | "cp65001" => "utf-8",
        "utf16" | "u16" => "utf-16",
        "utf-16le" => "utf-16-le",
        "utf-16be" => "utf-16-be",
        "latin1" | "latin" | "l1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" => "latin-1",
        "us-ascii" | "646" => "ascii",
        other => return other.to_owned(),
    }
    .to_owned()
}

fn known(name: &str) -> Result<&'static Encoding, String> {
    // Python writes `cp1252` and `iso8859-15` for what the web calls otherwise.
    let page = name.strip_prefix("cp").map(|n| format!("windows-{n}"));
    let part = name
        .strip_prefix("iso8859-")
        .map(|n| format!("iso-8859-{n}"));
    [Some(name.to_owned()), page, part]
        .iter()
        .flatten()
        .find_map(|label| Encoding::for_label_no_replacement(label.as_bytes()))
        .ok_or_else(|| format!("the encoding `{name}` is not known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_an_encoding_comes_back() {
        for (encoding, bytes) in [
            ("utf-8", "é€".as_bytes()),
            ("windows-1252", &[0xe9, 0x80]),
            ("cp1252", &[0xe9, 0x80]),
            ("iso8859-15", &[0xe9, 0xa4]),
            ("utf-16-be", &[0, 0xe9, 0x20, 0xac]),
        ] {
            assert_eq!(encode("é€", encoding).unwrap(), bytes, "{encoding}");
            assert_eq!(decode(bytes, encoding).unwrap(), "é€", "{encoding}");
        }
        assert!(encode("é€", "latin-1").is_err());
        assert!(encode("é", "klingon").unwrap_err().contains("klingon"));
    }

    #[test]
    fn bytes_that_are_no_text_come_back() {
        let bytes = [0xff, b'a', 0x80, 0xc3, 0xa9, 0xc3];
        assert_eq!(to_bytes(&of_bytes(&bytes)), bytes);
    }
}
