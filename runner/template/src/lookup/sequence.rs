//! `start=1 end=4 stride=1 format=x%02d`, `1-4`, `0-8/2:x%d`, or keyword arguments.

use minijinja::{Error, Value};

use super::Found;
use crate::call::Args;
use crate::python::{text, wrong};

#[derive(Debug, Default)]
struct Sequence {
    start: Option<i64>,
    end: Option<i64>,
    count: Option<i64>,
    stride: Option<i64>,
    format: Option<String>,
}

pub(super) fn found(args: &Args) -> Found {
    let mut out = vec![];
    if args.rest.is_empty() {
        let mut sequence = Sequence::default();
        named(&mut sequence, args)?;
        return numbers(&sequence);
    }
    for term in super::spread(&args.rest)? {
        let written = text(&term)?;
        let mut sequence = Sequence::default();
        if !short(&mut sequence, &written)? {
            for word in written.split_whitespace() {
                let (key, value) = word
                    .split_once('=')
                    .ok_or_else(|| wrong(format!("`{word}` is no part of a sequence")))?;
                set(&mut sequence, key, value)?;
            }
        }
        named(&mut sequence, args)?;
        out.extend(numbers(&sequence)?);
    }
    Ok(out)
}

fn named(sequence: &mut Sequence, args: &Args) -> Result<(), Error> {
    let known = args
        .more
        .iter()
        .filter(|(k, _)| !["wantlist", "errors"].contains(&k.as_str()));
    for (key, value) in known {
        set(sequence, key, &text(value)?)?;
    }
    Ok(())
}

fn number(written: &str) -> Result<i64, Error> {
    let plain = written.trim();
    let parsed = match plain.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => match plain.strip_prefix('0').filter(|rest| !rest.is_empty()) {
            Some(octal) => i64::from_str_radix(octal.trim_start_matches('o'), 8),
            None => plain.parse(),
        },
    };
    parsed.map_err(|_| wrong(format!("`{written}` of a sequence is no integer")))
}

fn set(sequence: &mut Sequence, key: &str, value: &str) -> Result<(), Error> {
    match key {
        "start" => sequence.start = Some(number(value)?),
        "end" => sequence.end = Some(number(value)?),
        "count" => sequence.count = Some(number(value)?),
        "stride" => sequence.stride = Some(number(value)?),
        "format" => sequence.format = Some(value.to_owned()),
        other => {
            let words = format!("a sequence has no `{other}`");
            return Err(wrong(format!(
                "{words}: it has start, end, count, stride and format"
            )));
        }
    }
    Ok(())
}

/// `[start-]end[/stride][:format]`.
fn short(sequence: &mut Sequence, written: &str) -> Result<bool, Error> {
    let pattern = r"^(?:(-?(?:0x)?\w+)-)?(-?(?:0x)?[0-9a-fA-F]+)(?:/(-?\w+))?(?::(.+))?$";
    let regex = crate::filters::regex::pattern_of(pattern, false, false)?;
    let Ok(Some(found)) = regex.captures(written) else {
        return Ok(false);
    };
    for (group, key) in [(1, "start"), (2, "end"), (3, "stride"), (4, "format")] {
        if let Some(value) = found.get(group) {
            set(sequence, key, value.as_str())?;
        }
    }
    Ok(true)
}

fn numbers(sequence: &Sequence) -> Found {
    let start = sequence.start.unwrap_or(1);
    let end = match (sequence.end, sequence.count) {
        (Some(_), Some(_)) => return Err(wrong("a sequence has an end or a count, and not both")),
        (None, None) => return Err(wrong("a sequence needs an end or a count")),
        (None, Some(0)) => return Ok(vec![]),
        (Some(end), None) => end,
        (None, Some(count)) => start + sequence.stride.unwrap_or(1) * (count - 1),
    };
    let stride = sequence.stride.unwrap_or(1);
    match stride {
        0 => return Ok(vec![]),
        _ if stride > 0 && end < start => {
            return Err(wrong(format!(
                "a sequence from {start} down to {end} needs a stride below 0"
            )));
        }
        _ if stride < 0 && end > start => {
            return Err(wrong(format!(
                "a sequence from {start} up to {end} needs a stride above 0"
            )));
        }
        _ => {}
    }
    let format = sequence.format.as_deref().unwrap_or("%d");
    let mut out = vec![];
    let mut at = start;
    while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
        out.push(crate::percent::format(format, &Value::from(at))?.into());
        at += stride;
    }
    Ok(out)
}
