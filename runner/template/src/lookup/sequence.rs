//! `start=1 end=4 stride=1 format=x%02d`, `1-4`, `0-8/2:x%d`, or keyword arguments.

use minijinja::{Error, Value};

use super::Found;
use crate::call::Args;
use crate::python::{repr, text, wrong};

#[derive(Debug, Default, Clone)]
struct Sequence {
    start: Option<i64>,
    end: Option<i64>,
    count: Option<i64>,
    stride: Option<i64>,
    format: Option<String>,
}

pub(super) fn found(args: &Args) -> Found {
    let mut given = Sequence::default();
    let named = args
        .more
        .iter()
        .filter(|(k, _)| !["wantlist", "errors"].contains(&k.as_str()));
    for (key, value) in named {
        given.set(key, &text(value)?)?;
    }
    let terms = super::spread(&args.rest)?;
    if terms.is_empty() && args.more.is_empty() {
        return Ok(vec![]);
    }
    if terms.is_empty() {
        return given.numbers();
    }
    let mut out = vec![];
    for term in terms {
        let written = text(&term)?;
        // What a term says goes before what is said of all of them.
        let mut sequence = given.clone();
        if !sequence.short(&written)? {
            for word in written.split_whitespace() {
                let (key, value) = word.split_once('=').unwrap_or((word, ""));
                sequence.set(key, value)?;
            }
        }
        out.extend(sequence.numbers()?);
    }
    Ok(out)
}

fn number(key: &str, written: &str) -> Result<i64, Error> {
    let plain = written.trim();
    let parsed = match plain.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16),
        None => match plain.strip_prefix('0').filter(|rest| !rest.is_empty()) {
            Some(octal) => i64::from_str_radix(octal.trim_start_matches('o'), 8),
            None => plain.parse(),
        },
    };
    parsed.map_err(|_| {
        wrong(format!(
            "`{key}` of a sequence has an invalid value: `{written}` is no integer"
        ))
    })
}

impl Sequence {
    fn set(&mut self, key: &str, value: &str) -> Result<(), Error> {
        match key {
            "start" => self.start = Some(number(key, value)?),
            "end" => self.end = Some(number(key, value)?),
            "count" => self.count = Some(number(key, value)?),
            "stride" => self.stride = Some(number(key, value)?),
            "format" => self.format = Some(value.to_owned()),
            other => {
                let other = repr(&Value::from(vec![other.to_owned()]))?;
                return Err(wrong(format!(
                    "unrecognized arguments to with_sequence: {other}; they are start, end, count, stride and format"
                )));
            }
        }
        Ok(())
    }

    /// `[start-]end[/stride][:format]`.
    fn short(&mut self, written: &str) -> Result<bool, Error> {
        let pattern = r"^(?:(-?(?:0x)?\w+)-)?(-?(?:0x)?[0-9a-fA-F]+)(?:/(-?\w+))?(?::(.+))?$";
        let regex = crate::filters::regex::pattern_of(pattern, false, false)?;
        let Ok(Some(found)) = regex.captures(written) else {
            return Ok(false);
        };
        for (group, key) in [(1, "start"), (2, "end"), (3, "stride"), (4, "format")] {
            if let Some(value) = found.get(group) {
                self.set(key, value.as_str())?;
            }
        }
        Ok(true)
    }

    fn numbers(&self) -> Found {
        let start = self.start.unwrap_or(1);
        let stride = self.stride.unwrap_or(1);
        let end = match (self.end, self.count) {
            (Some(_), Some(_)) => {
                return Err(wrong("can't specify both count and end in with_sequence"));
            }
            (None, None) => return Err(wrong("must specify count or end in with_sequence")),
            (None, Some(0)) => return Ok(vec![]),
            (Some(end), None) => end,
            // As Ansible counts, also downwards.
            (None, Some(count)) => start + stride * count - 1,
        };
        match stride {
            0 => return Ok(vec![]),
            _ if stride > 0 && end < start => {
                return Err(wrong(format!(
                    "to count backwards make stride negative: {end} is below {start}"
                )));
            }
            _ if stride < 0 && end > start => {
                return Err(wrong(format!(
                    "to count forward don't make stride negative: {end} is above {start}"
                )));
            }
            _ => {}
        }
        let format = self.format.as_deref().unwrap_or("%d");
        let mut out = vec![];
        let mut at = start;
        while (stride > 0 && at <= end) || (stride < 0 && at >= end) {
            let shown = crate::percent::format(format, &Value::from(at));
            let shown = shown.map_err(|_| wrong(format!("bad formatting string: {format}")))?;
            out.push(shown.into());
            at += stride;
        }
        Ok(out)
    }
}
