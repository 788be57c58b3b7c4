//! Whole numbers of JSON that no number type holds exactly, such as the modulus of a key: they are read
//! as their digits.

use std::borrow::Cow;

/// JSON with whole numbers beyond 64 bits in quotes, so that no digit of them is lost.
pub fn exact_integers(json: &str) -> Cow<'_, str> {
    let mut found: Vec<(usize, usize)> = vec![];
    let mut at = 0;
    while let Some(from) = json[at..].find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        let from = at + from;
        at = match json.as_bytes()[from] {
            b'"' => from + text_length(&json[from..]),
            _ => {
                let is_part = |c: char| c.is_ascii_digit() || "-+.eE".contains(c);
                let rest = &json[from..];
                let to = from + rest.find(|c| !is_part(c)).unwrap_or(rest.len());
                if is_too_long(&json[from..to]) {
                    found.push((from, to));
                }
                to
            }
        };
    }
    if found.is_empty() {
        return Cow::Borrowed(json);
    }
    let mut exact = String::with_capacity(json.len() + 2 * found.len());
    let mut done = 0;
    for (from, to) in found {
        exact.push_str(&json[done..from]);
        exact.push('"');
        exact.push_str(&json[from..to]);
        exact.push('"');
        done = to;
    }
    exact.push_str(&json[done..]);
    Cow::Owned(exact)
}

/// Bytes of the text that begins here, its quotes among them.
fn text_length(json: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    json.len()
}

fn is_too_long(number: &str) -> bool {
    let is_whole = number
        .trim_start_matches('-')
        .bytes()
        .all(|b| b.is_ascii_digit());
    number.len() > 18
        && is_whole
        && number.parse::<i64>().is_err()
        && number.parse::<u64>().is_err()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_beyond_64_bits_are_quoted() {
        let big = "9".repeat(400);
        let json = format!(
            r#"{{"a\"{big}": [1, -2.5e3, {big}], "b": 18446744073709551615, "c": -{big}}}"#
        );
        let exact = exact_integers(&json);
        let value: serde_json::Value = serde_json::from_str(&exact).unwrap();
        assert_eq!(value["b"], u64::MAX);
        assert_eq!(value["c"], format!("-{big}"));
        assert_eq!(value[format!("a\"{big}")][2], big);
        assert!(matches!(
            exact_integers(r#"{"a": 1, "b": "x"}"#),
            Cow::Borrowed(_)
        ));
    }
}
