//! Python's numbers.

use rplay_yaml::Kind;

/// A number, and whether it is imaginary.
pub(super) struct Number {
    pub kind: Kind,
    pub imaginary: bool,
}

/// A part of a complex number: `1`, `1.5`.
pub(super) fn short(kind: &Kind) -> String {
    match kind {
        Kind::Int(n) => n.to_string(),
        Kind::Float(n) => n.to_string(),
        Kind::Str(text) => text.clone(),
        _ => String::new(),
    }
}

/// A number without its sign.
pub(super) fn number(word: &str) -> Option<Number> {
    let bad_underscores = word.starts_with('_')
        || word.ends_with('_')
        || word.contains("__")
        || word.contains("_.")
        || word.contains("._");
    if bad_underscores {
        return None;
    }
    let plain = word.replace('_', "").to_ascii_lowercase();
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = plain.strip_prefix(prefix) {
            let number = i64::from_str_radix(digits, base).ok()?;
            return Some(real(Kind::Int(number)));
        }
    }
    if let Some(part) = plain.strip_suffix('j') {
        let float = float(part)?;
        let kind = Kind::Float(float);
        return Some(Number {
            kind,
            imaginary: true,
        });
    }
    if plain.bytes().all(|b| b.is_ascii_digit()) && !plain.is_empty() {
        let zeros = plain.bytes().all(|b| b == b'0');
        if plain.starts_with('0') && !zeros {
            return None;
        }
        // A number that is too large stays as it is written: nothing of it is lost.
        let kind = plain.parse().map_or(Kind::Str(plain), Kind::Int);
        return Some(real(kind));
    }
    float(&plain).map(|n| real(Kind::Float(n)))
}

fn real(kind: Kind) -> Number {
    let imaginary = false;
    Number { kind, imaginary }
}

/// `1.`, `.5`, `1e3`: but no `inf`.
fn float(word: &str) -> Option<f64> {
    let good = word
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'+' | b'-'));
    if !good || !word.bytes().any(|b| b.is_ascii_digit()) {
        return None;
    }
    word.parse().ok()
}
