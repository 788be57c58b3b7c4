//! `'%s-%03d' % (a, b)`: Python's formatting of texts.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};

use crate::python::{repr, text, wrong};

/// What stands between `%` and the letter.
#[derive(Debug, Default)]
struct Directive {
    key: Option<String>,
    left: bool,
    zero: bool,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// The values that directives take, one after the other or by name.
struct Values<'a> {
    all: &'a Value,
    items: Vec<Value>,
    next: usize,
}

impl Values<'_> {
    fn take(&mut self, key: Option<&str>) -> Result<Value, Error> {
        if let Some(key) = key {
            let value = self.all.get_item(&Value::from(key))?;
            return crate::python::valid(value)
                .map_err(|_| wrong(format!("`%({key})` has no value to take")));
        }
        self.next += 1;
        let value = self.items.get(self.next - 1).cloned();
        value.ok_or_else(|| wrong("there are fewer values than `%` directives in the text"))
    }
}

/// Formats; `values` is one value, a tuple of them, or a mapping for `%(name)s`.
pub(crate) fn format(format: &str, values: &Value) -> Result<String, Error> {
    let items = if values.is_tuple() {
        values.try_iter()?.collect()
    } else {
        vec![values.clone()]
    };
    let mut values = Values {
        all: values,
        items,
        next: 0,
    };
    let mut out = String::new();
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let (directive, letter, after) = parse(&rest[at + 1..], &mut values)?;
        if letter == '%' {
            out.push('%');
        } else {
            let value = values.take(directive.key.as_deref())?;
            out.push_str(&apply(&directive, letter, &value)?);
        }
        rest = after;
    }
    out.push_str(rest);
    let unused = values.next < values.items.len() && values.all.kind() != ValueKind::Map;
    if unused {
        return Err(wrong(
            "not all values were used by the `%` directives of the text",
        ));
    }
    Ok(out)
}

fn parse<'a>(text: &'a str, values: &mut Values<'_>) -> Result<(Directive, char, &'a str), Error> {
    let mut directive = Directive::default();
    let mut rest = text;
    if let Some(inner) = rest.strip_prefix('(') {
        let (key, after) = inner
            .split_once(')')
            .ok_or_else(|| wrong("`%(` is not closed"))?;
        directive.key = Some(key.to_owned());
        rest = after;
    }
    while let Some(flag) = rest.chars().next().filter(|c| "-0+ #".contains(*c)) {
        match flag {
            '-' => directive.left = true,
            '0' => directive.zero = true,
            '#' => directive.alternate = true,
            sign => directive.sign = Some(sign),
        }
        rest = &rest[1..];
    }
    (directive.width, rest) = size(rest, values)?;
    if let Some(after) = rest.strip_prefix('.') {
        let (precision, after) = size(after, values)?;
        directive.precision = Some(precision);
        rest = after;
    }
    rest = rest.trim_start_matches(['l', 'h', 'L']);
    let letter = rest
        .chars()
        .next()
        .ok_or_else(|| wrong("the text ends in an unfinished `%`"))?;
    Ok((directive, letter, &rest[letter.len_utf8()..]))
}

fn size<'a>(text: &'a str, values: &mut Values<'_>) -> Result<(usize, &'a str), Error> {
    if let Some(rest) = text.strip_prefix('*') {
        let width = values.take(None)?.as_usize();
        return Ok((width.ok_or_else(|| wrong("`*` takes an integer"))?, rest));
    }
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    // A width of more digits than that is a mistake, and nothing is done for it.
    let size: usize = text[..end].parse().unwrap_or(0);
    Ok((size.min(10_000), &text[end..]))
}

fn apply(directive: &Directive, letter: char, value: &Value) -> Result<String, Error> {
    let body = match letter {
        's' => cut(text(value)?, directive),
        'r' | 'a' => cut(repr(value)?, directive),
        'c' => match value.as_str() {
            Some(text) => text.to_owned(),
            None => u32::try_from(value.clone())
                .ok()
                .and_then(char::from_u32)
                .map(String::from)
                .ok_or_else(|| wrong("`%c` takes a character"))?,
        },
        'd' | 'i' | 'u' | 'x' | 'X' | 'o' => return integer(directive, letter, value),
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => return float(directive, letter, value),
        other => return Err(wrong(format!("`%{other}` is no directive of formatting"))),
    };
    Ok(pad(directive, "", &body, false))
}

fn cut(text: String, directive: &Directive) -> String {
    match directive.precision {
        Some(n) => text.chars().take(n).collect(),
        None => text,
    }
}

fn integer(directive: &Directive, letter: char, value: &Value) -> Result<String, Error> {
    let number = match value.kind() {
        ValueKind::Bool => i128::from(value.is_true()),
        ValueKind::Number if value.is_integer() => i128::try_from(value.clone())?,
        #[allow(clippy::cast_possible_truncation)] // Python's %d drops the fraction too.
        ValueKind::Number if "diu".contains(letter) => f64::try_from(value.clone())? as i128,
        _ => {
            let kind = crate::python::type_name(value);
            return Err(wrong(format!("`%{letter}` takes an integer, not {kind}")));
        }
    };
    let size = number.unsigned_abs();
    let (prefix, mut digits) = match letter {
        'x' => ("0x", format!("{size:x}")),
        'X' => ("0X", format!("{size:X}")),
        'o' => ("0o", format!("{size:o}")),
        _ => ("", size.to_string()),
    };
    if let Some(least) = directive.precision {
        digits = format!("{digits:0>least$}");
    }
    let prefix = if directive.alternate { prefix } else { "" };
    Ok(pad(
        directive,
        &format!("{}{prefix}", sign(directive, number < 0)),
        &digits,
        true,
    ))
}

fn float(directive: &Directive, letter: char, value: &Value) -> Result<String, Error> {
    let number = match value.kind() {
        ValueKind::Bool | ValueKind::Number => f64::try_from(value.clone())?,
        _ => return Err(wrong(format!("`%{letter}` takes a number"))),
    };
    let precision = directive.precision.unwrap_or(6);
    let size = number.abs();
    let mut digits = match letter {
        'f' | 'F' => format!("{size:.precision$}"),
        'e' | 'E' => exponential(size, precision),
        _ => general(size, precision.max(1)),
    };
    if letter.is_ascii_uppercase() {
        digits = digits.to_uppercase();
    }
    Ok(pad(
        directive,
        &sign(directive, number < 0.0),
        &digits,
        true,
    ))
}

fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match exponent.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', exponent),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

fn general(number: f64, precision: usize) -> String {
    let trimmed = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    let scientific = exponential(number, precision - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let power: i64 = exponent.parse().unwrap_or(0);
    let digits = i64::try_from(precision).unwrap_or(6);
    if power < -4 || power >= digits {
        return format!("{}e{exponent}", trimmed(mantissa));
    }
    let after = usize::try_from(digits - 1 - power).unwrap_or(0);
    trimmed(&format!("{number:.after$}"))
}

fn sign(directive: &Directive, negative: bool) -> String {
    match (negative, directive.sign) {
        (true, _) => "-".to_owned(),
        (false, Some(sign)) => sign.to_string(),
        (false, None) => String::new(),
    }
}

fn pad(directive: &Directive, prefix: &str, body: &str, numeric: bool) -> String {
    let len = prefix.chars().count() + body.chars().count();
    let fill = directive.width.saturating_sub(len);
    if directive.left {
        format!("{prefix}{body}{}", " ".repeat(fill))
    } else if directive.zero && numeric {
        format!("{prefix}{}{body}", "0".repeat(fill))
    } else {
        format!("{}{prefix}{body}", " ".repeat(fill))
    }
}

#[cfg(test)]
mod tests {
    use minijinja::value::Tuple;

    use super::*;

    fn one(text: &str, value: impl Into<Value>) -> String {
        format(text, &value.into()).unwrap()
    }

    #[test]
    fn directives_are_pythons() {
        assert_eq!(one("%s!", "a"), "a!");
        assert_eq!(one("%05d|", 42), "00042|");
        assert_eq!(one("%-5d|", 42), "42   |");
        assert_eq!(one("%+.2f", 1.0), "+1.00");
        assert_eq!(one("%g", 0.0001), "0.0001");
        assert_eq!(one("%g", 1e10), "1e+10");
        assert_eq!(one("%x", 255), "ff");
        assert_eq!(one("100%% %s", true), "100% True");
        assert_eq!(
            one("%(a)s-%(b)02d", Value::from_pairs([("a", 1), ("b", 2)])),
            "1-02"
        );
        let pair = Tuple::from(vec![Value::from("a"), Value::from(5)]);
        assert_eq!(one("%s-%03d", Value::from(pair)), "a-005");
    }

    #[test]
    fn too_few_and_too_many_values_are_errors() {
        assert!(format("%s %s", &Value::from("a")).is_err());
        assert!(format("none", &Value::from("a")).is_err());
        assert!(format("%d", &Value::from("a")).is_err());
    }
}
