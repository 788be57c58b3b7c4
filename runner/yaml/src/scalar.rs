//! Plain scalars to values, as YAML 1.1 (and so Ansible) reads them.

use crate::Kind;

/// What an unquoted, untagged scalar means.
pub(crate) fn resolve(text: &str) -> Kind {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Kind::Null,
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            return Kind::Bool(true);
        }
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            return Kind::Bool(false);
        }
        _ => {}
    }
    integer(text)
        .map(Kind::Int)
        .or_else(|| float(text).map(Kind::Float))
        .unwrap_or_else(|| Kind::Str(text.to_owned()))
}

fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = digits.replace('_', "");
    let magnitude = if let Some(hex) = plain.strip_prefix("0x") {
        i64::from_str_radix(hex, 16).ok()?
    } else if let Some(binary) = plain.strip_prefix("0b") {
        i64::from_str_radix(binary, 2).ok()?
    } else if plain.contains(':') {
        sexagesimal(&plain)?
    } else if plain.len() > 1 && plain.starts_with('0') {
        i64::from_str_radix(&plain, 8).ok()?
    } else {
        plain.parse().ok()?
    };
    Some(if negative { -magnitude } else { magnitude })
}

/// `1:30` is ninety: YAML 1.1's base 60.
fn sexagesimal(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let first = parts.next()?;
    if first.starts_with('0') && first.len() > 1 {
        return None;
    }
    let mut total: i64 = first.parse().ok()?;
    for part in parts {
        let value: i64 = part.parse().ok()?;
        if part.is_empty() || part.len() > 2 || value > 59 {
            return None;
        }
        total = total.checked_mul(60)?.checked_add(value)?;
    }
    Some(total)
}

fn float(text: &str) -> Option<f64> {
    let (negative, rest) = sign(text);
    let signed = |value: f64| Some(if negative { -value } else { value });
    match rest {
        ".inf" | ".Inf" | ".INF" => return signed(f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" => return Some(f64::NAN),
        _ => {}
    }
    // PyYAML wants a dot, and a sign in the exponent: `1e3` is text.
    let plain = rest.replace('_', "");
    let (mantissa, exponent) = match plain.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e)),
        None => (plain.as_str(), None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['+', '-'])?;
        if power.is_empty() || !digits(power) {
            return None;
        }
    }
    signed(plain.parse().ok()?)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_yaml_1_1_are_bools() {
        assert_eq!(resolve("yes"), Kind::Bool(true));
        assert_eq!(resolve("Off"), Kind::Bool(false));
        assert_eq!(resolve("y"), Kind::Str("y".into()));
    }

    #[test]
    fn a_leading_zero_is_octal() {
        assert_eq!(resolve("0644"), Kind::Int(0o644));
        assert_eq!(resolve("0o644"), Kind::Str("0o644".into()));
        assert_eq!(resolve("0899"), Kind::Str("0899".into()));
    }

    #[test]
    fn base_sixty_reads_as_pyyaml_does() {
        assert_eq!(resolve("22:22"), Kind::Int(1342));
        assert_eq!(resolve("192.168.6.204:2380"), Kind::Str("192.168.6.204:2380".into()));
    }

    #[test]
    fn floats_need_a_dot() {
        assert_eq!(resolve("1.5"), Kind::Float(1.5));
        assert_eq!(resolve("1e3"), Kind::Str("1e3".into()));
        assert_eq!(resolve("1.2.3"), Kind::Str("1.2.3".into()));
        assert_eq!(resolve(".5"), Kind::Float(0.5));
    }
}
