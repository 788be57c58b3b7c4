//! Texts for shells, comments and people: quoting, comments, sizes, identifiers.

use minijinja::{Error, State, Value};
use sha1::{Digest, Sha1};

use crate::call::{Args, Callable, Out, strict};
use crate::python::{named, text, wrong};

pub(super) const FILTERS: &[Callable] = &[
    strict(&["quote"], &["value"], |_, a| {
        // Nothing is an empty word, and not the word `None`.
        let word = if a.req(0)?.is_none() {
            String::new()
        } else {
            a.text(0)?
        };
        Ok(quote(&word).into())
    }),
    strict(
        &["comment"],
        &[
            "value",
            "style",
            "decoration",
            "beginning",
            "end",
            "prefix",
            "postfix",
            "newline",
            "prefix_count",
            "postfix_count",
        ],
        comment,
    ),
    strict(
        &["human_readable"],
        &["value", "isbits", "unit"],
        human_readable,
    ),
    strict(
        &["human_to_bytes"],
        &["value", "default_unit", "isbits"],
        human_to_bytes,
    ),
    strict(&["filesizeformat"], &["value", "binary"], filesizeformat),
    strict(&["to_uuid"], &["value", "namespace"], to_uuid),
];

/// A word that a shell takes as one.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// A style of comments: decoration of a line, and what stands before and after all.
struct Style {
    beginning: &'static str,
    decoration: &'static str,
    end: &'static str,
}

fn style(name: &str) -> Result<Style, Error> {
    let (beginning, decoration, end) = match name {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        other => {
            let words = format!("Invalid style '{other}'");
            return Err(wrong(format!(
                "{words}: they are plain, erlang, c, cblock and xml"
            )));
        }
    };
    Ok(Style {
        beginning,
        decoration,
        end,
    })
}

fn comment(_: &mut State<'_, '_>, args: &Args) -> Out {
    let style = style(&args.opt_text(1)?.unwrap_or_else(|| "plain".into()))?;
    let or = |at: usize, default: &str| -> Result<String, Error> {
        Ok(args.opt_text(at)?.unwrap_or_else(|| default.to_owned()))
    };
    let decoration = or(2, style.decoration)?;
    let newline = or(7, "\n")?;
    let bare = decoration.trim_end().to_owned();
    let (prefix, postfix) = (or(5, &bare)?, or(6, &bare)?);
    let (beginning, end) = (or(3, style.beginning)?, or(4, style.end)?);
    let count = |at: usize| -> Result<usize, Error> {
        Ok(usize::try_from(args.int(at)?.unwrap_or(1)).unwrap_or(0))
    };
    let before = |line: &str, times: usize| match line {
        "" => String::new(),
        // An empty line is no line more.
        line if line == newline => line.repeat(times),
        line => format!("{line}{newline}").repeat(times),
    };
    let text = args.text(0)?;
    let lines: Vec<&str> = text.split('\n').collect();
    let last = lines.len() - 1;
    let lines = lines.into_iter().enumerate().map(|(at, line)| match line {
        // The blank behind the sign goes where a line follows, and only there.
        "" if at < last => bare.clone(),
        line => format!("{decoration}{line}"),
    });
    let body = lines.collect::<Vec<_>>().join(&newline);
    let first = match beginning.as_str() {
        "" => String::new(),
        beginning => format!("{beginning}{newline}"),
    };
    let after = format!("{newline}{postfix}").repeat(count(9)?);
    let mut out = first + &before(&prefix, count(8)?) + &body + &after;
    if !end.is_empty() {
        out = out + &newline + &end;
    }
    Ok(out.into())
}

const UNITS: &str = "KMGTPEZY";

fn human_readable(_: &mut State<'_, '_>, args: &Args) -> Out {
    let size = f64::try_from(args.req(0)?.clone()).map_err(|_| {
        let kind = named(args.req(0).unwrap_or(&Value::UNDEFINED));
        wrong(format!(
            "human_readable() failed on bad input: it takes a number, not {kind}"
        ))
    })?;
    let base = if args.flag(1, false) { "bits" } else { "Bytes" };
    let short = if args.flag(1, false) { "b" } else { "B" };
    let wanted = args.opt_text(2)?.map(|u| u.to_uppercase());
    let units = UNITS.char_indices().rev();
    for (i, unit) in units {
        let factor = 1024_f64.powi(i32::try_from(i).unwrap_or(0) + 1);
        let chosen = match &wanted {
            Some(wanted) => wanted.starts_with(unit),
            None => size >= factor,
        };
        if chosen {
            return Ok(format!("{:.2} {unit}{short}", size / factor).into());
        }
    }
    Ok(format!("{size:.2} {base}").into())
}

fn human_to_bytes(_: &mut State<'_, '_>, args: &Args) -> Out {
    let written = args.text(0)?;
    let trimmed = written.trim();
    let end = trimmed
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-')
        .unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(end);
    let number: f64 = number
        .parse()
        .map_err(|_| wrong(format!("`{written}` is no size: write `10M` or `1.5 GB`")))?;
    let unit = match unit.trim() {
        "" => args.opt_text(1)?.unwrap_or_default(),
        unit => unit.to_owned(),
    };
    let bits = args.flag(2, false);
    let first = unit.chars().next().map(|c| c.to_ascii_uppercase());
    let power = match first {
        None | Some('B') => Some(0),
        Some(c) => UNITS.find(c).map(|i| i + 1),
    };
    let rest = unit.get(1..).unwrap_or_default();
    let known = match rest {
        "" => true,
        "B" | "bytes" | "Bytes" | "ytes" | "yte" => !bits,
        "b" | "bits" | "its" | "it" => bits,
        other => other.eq_ignore_ascii_case("bytes") && !bits,
    };
    let (Some(power), true) = (power, known) else {
        return Err(wrong(format!("`{unit}` is no unit of size in `{written}`")));
    };
    let size = number * 1024_f64.powi(i32::try_from(power).unwrap_or(0));
    // Sizes beyond 2^53 bytes are beyond any disk.
    #[allow(clippy::cast_possible_truncation)]
    Ok((size.round() as i64).into())
}

fn filesizeformat(_: &mut State<'_, '_>, args: &Args) -> Out {
    let size = match args.req(0)?.as_str() {
        Some(text) => text
            .trim()
            .parse()
            .map_err(|_| wrong(format!("`filesizeformat` takes a number, not `{text}`")))?,
        None => args.number(0)?,
    };
    let binary = args.flag(1, false);
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if (size - 1.0).abs() < f64::EPSILON {
        return Ok("1 Byte".into());
    }
    if size < base {
        return Ok(format!("{size:.0} Bytes").into());
    }
    let mut value = size / base;
    for unit in UNITS.chars() {
        if value < base || unit == 'Y' {
            let (unit, suffix) = if binary {
                (unit, "iB")
            } else {
                (if unit == 'K' { 'k' } else { unit }, "B")
            };
            return Ok(format!("{value:.1} {unit}{suffix}").into());
        }
        value /= base;
    }
    Ok(Value::from(text(&size.into())?))
}

/// Ansible's own namespace of identifiers.
const NAMESPACE: &str = "361E6D51-FAEC-444A-9079-341386DA8E2E";

/// A UUID of version 5.
fn to_uuid(_: &mut State<'_, '_>, args: &Args) -> Out {
    let namespace = args.opt_text(1)?.unwrap_or_else(|| NAMESPACE.into());
    let digits: String = namespace.chars().filter(char::is_ascii_hexdigit).collect();
    let bytes: Option<Vec<u8>> = (0..16)
        .map(|i| {
            digits
                .get(i * 2..i * 2 + 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
        })
        .collect();
    let bytes = bytes.filter(|_| digits.len() == 32).ok_or_else(|| {
        wrong(format!(
            "Invalid value '{namespace}' for 'namespace': it is no UUID"
        ))
    })?;
    let mut hash = Sha1::new();
    hash.update(bytes);
    hash.update(args.text(0)?);
    let mut id: [u8; 16] = [0; 16];
    id.copy_from_slice(&hash.finalize()[..16]);
    id[6] = id[6] & 0x0f | 0x50;
    id[8] = id[8] & 0x3f | 0x80;
    let hex: String = id.iter().map(|b| format!("{b:02x}")).collect();
    let parts = [
        &hex[..8],
        &hex[8..12],
        &hex[12..16],
        &hex[16..20],
        &hex[20..],
    ];
    Ok(parts.join("-").into())
}
