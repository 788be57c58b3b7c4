//! Lengths of time, as cfssl and people write them: `87600h`, `10y`, `30d`.

use std::time::Duration;

use rplay_api::{ArgKind, ArgType, ArgValue};

/// A length of time as an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// No certificate should outlive that; a slip of a unit does.
const MAX_YEARS: u64 = 1000;

impl Span {
    /// Reads an argument's text.
    pub fn of(text: &str, arg: &str) -> rplay_api::Result<Self> {
        Self::parse_arg(&text.into()).map_err(|why| rplay_api::Failure::new(why).arg(arg))
    }
}

impl ArgType for Span {
    const KIND: ArgKind = ArgKind::Str;

    fn parse_arg(value: &ArgValue) -> Result<Self, String> {
        let text = String::parse_arg(value)?;
        let wrong = || format!("`{text}` is no length of time such as `87600h`, `365d` or `10y`");
        let digits = text
            .trim()
            .trim_end_matches(|c: char| c.is_ascii_alphabetic());
        let number: u64 = digits.parse().map_err(|_| wrong())?;
        let unit: u64 = match &text.trim()[digits.len()..] {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" | "" => 86_400,
            "w" => 7 * 86_400,
            "y" => 365 * 86_400,
            _ => return Err(wrong()),
        };
        let seconds = number
            .checked_mul(unit)
            .filter(|s| *s <= MAX_YEARS * 366 * 86_400);
        seconds
            .map(|s| Self(Duration::from_secs(s)))
            .ok_or_else(|| format!("`{text}` is more than {MAX_YEARS} years"))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn units_are_read() {
        let hours = |v| Span::parse_arg(&v).map(|s| s.0.as_secs() / 3600);
        assert_eq!(hours(json!("87600h")), Ok(87_600));
        assert_eq!(hours(json!("30d")), Ok(720));
        assert_eq!(hours(json!(30)), Ok(720));
        assert_eq!(hours(json!("10y")), Ok(87_600));
        assert!(
            hours(json!("h")).is_err()
                && hours(json!("5x")).is_err()
                && hours(json!("-1h")).is_err()
        );
        assert!(hours(json!("99999999y")).is_err());
    }
}
