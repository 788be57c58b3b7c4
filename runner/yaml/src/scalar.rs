//! Plain scalars to values, as YAML 1.1 (and so Ansible) reads them.
//!
//! The traps: `yes` is a bool, `0644` is octal but `0o644` and `0899` are text, `22:22` is base 60,
//! `1e3` is text (a float needs a dot, its exponent a sign), and dates stay text.

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

/// An integer; one that does not fit into 64 bits stays text, which prints the same.
pub(crate) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = sign(text);
    let magnitude = magnitude(digits)?;
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

fn magnitude(digits: &str) -> Option<i128> {
    if let Some(hex) = digits.strip_prefix("0x") {
        return in_radix(hex, 16);
    }
    if let Some(binary) = digits.strip_prefix("0b") {
        return in_radix(binary, 2);
    }
    if digits == "0" {
        return Some(0);
    }
    if let Some(octal) = digits.strip_prefix('0') {
        return if octal.chars().all(|c| c == '_') {
            Some(0)
        } else {
            in_radix(octal, 8)
        };
    }
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    match digits.split_once(':') {
        None => in_radix(digits, 10),
        Some((first, rest)) => rest
            .split(':')
            .try_fold(in_radix(first, 10)?, |total, part| {
                total.checked_mul(60)?.checked_add(base_sixty_digit(part)?)
            }),
    }
}

/// Digits with underscores between, before or after them.
fn in_radix(digits: &str, radix: u32) -> Option<i128> {
    let plain = digits.replace('_', "");
    let good = !plain.is_empty() && plain.chars().all(|c| c.is_digit(radix));
    if good {
        i128::from_str_radix(&plain, radix).ok()
    } else {
        None
    }
}

/// One place of a number such as `1:30`, which is ninety: `0` to `59`.
fn base_sixty_digit(part: &str) -> Option<i128> {
    let good = matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    if good { part.parse().ok() } else { None }
}

/// A float. It needs a dot, and a sign in its exponent: `1e3` is text.
pub(crate) fn float(text: &str) -> Option<f64> {
    if matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Some(f64::NAN);
    }
    let (negative, rest) = sign(text);
    let value = match rest {
        ".inf" | ".Inf" | ".INF" => f64::INFINITY,
        // Only a number with digits before its dot takes a sign.
        _ if rest.starts_with('.') && rest.len() < text.len() => return None,
        _ if rest.contains(':') => base_sixty_float(rest)?,
        _ => decimal(rest)?,
    };
    Some(if negative { -value } else { value })
}

fn decimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.')?;
    let first = if whole.is_empty() { fraction } else { whole };
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let spaced = |digits: &str| digits.chars().all(|c| c.is_ascii_digit() || c == '_');
    if !spaced(whole) || !spaced(fraction) {
        return None;
    }
    if let Some(exponent) = exponent {
        let power = exponent.strip_prefix(['+', '-'])?;
        if power.is_empty() || !power.chars().all(|c| c.is_ascii_digit()) {
            return None;
        }
    }
    text.replace('_', "").parse().ok()
}

/// `1:30.5` is ninety and a half.
fn base_sixty_float(text: &str) -> Option<f64> {
    let (places, fraction) = text.split_once('.')?;
    let (first, rest) = places.split_once(':')?;
    if !first.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let whole = rest
        .split(':')
        .try_fold(in_radix(first, 10)?, |total, part| {
            total.checked_mul(60)?.checked_add(base_sixty_digit(part)?)
        })?;
    let digits = fraction.replace('_', "");
    if !digits.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    format!("{whole}.{digits}").parse().ok()
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

    fn text(text: &str) -> Kind {
        Kind::Str(text.to_owned())
    }

    #[test]
    fn words_of_yaml_1_1_are_bools() {
        assert_eq!(resolve("yes"), Kind::Bool(true));
        assert_eq!(resolve("Off"), Kind::Bool(false));
        assert_eq!(resolve("y"), text("y"));
        assert_eq!(resolve("yEs"), text("yEs"));
    }

    #[test]
    fn a_leading_zero_is_octal() {
        assert_eq!(resolve("0644"), Kind::Int(0o644));
        assert_eq!(resolve("-0644"), Kind::Int(-0o644));
        assert_eq!(resolve("0o644"), text("0o644"));
        assert_eq!(resolve("0899"), text("0899"));
        assert_eq!(resolve("00"), Kind::Int(0));
    }

    #[test]
    fn base_sixty_reads_as_pyyaml_does() {
        assert_eq!(resolve("22:22"), Kind::Int(1342));
        assert_eq!(resolve("1:30.5"), Kind::Float(90.5));
        assert_eq!(resolve("1:60"), text("1:60"));
        assert_eq!(resolve("01:30"), text("01:30"));
        assert_eq!(resolve("192.168.6.204:2380"), text("192.168.6.204:2380"));
        assert_eq!(resolve("00:50:56:ab:cd:ef"), text("00:50:56:ab:cd:ef"));
    }

    #[test]
    fn floats_need_a_dot() {
        assert_eq!(resolve("1.5"), Kind::Float(1.5));
        assert_eq!(resolve("1e3"), text("1e3"));
        assert_eq!(resolve("1.0e3"), text("1.0e3"));
        assert_eq!(resolve("1.0e+3"), Kind::Float(1000.0));
        assert_eq!(resolve("1.2.3"), text("1.2.3"));
        assert_eq!(resolve(".5"), Kind::Float(0.5));
        assert_eq!(resolve("-.5"), text("-.5"));
        assert_eq!(resolve("."), text("."));
    }

    #[test]
    fn underscores_and_other_bases_are_integers() {
        assert_eq!(resolve("1_000"), Kind::Int(1000));
        assert_eq!(resolve("0x1F"), Kind::Int(31));
        assert_eq!(resolve("0b101"), Kind::Int(5));
        assert_eq!(resolve("_1"), text("_1"));
        assert_eq!(resolve("-"), text("-"));
    }

    #[test]
    fn what_does_not_fit_stays_text() {
        assert_eq!(resolve("9223372036854775807"), Kind::Int(i64::MAX));
        assert_eq!(resolve("-9223372036854775808"), Kind::Int(i64::MIN));
        assert_eq!(
            resolve("18446744073709551615"),
            text("18446744073709551615")
        );
    }

    #[test]
    fn dates_stay_text() {
        assert_eq!(resolve("2026-11-23"), text("2026-11-23"));
    }
}
