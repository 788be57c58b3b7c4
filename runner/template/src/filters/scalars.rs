//! Single values: bools, numbers, text.

use minijinja::value::{Kwargs, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::jinja::{string, text_of, type_name, wrong};

pub(super) fn register(env: &mut Environment<'static>) {
    env.add_filter("bool", |v: Value| to_bool(&v));
    env.add_filter("string", |v: Value| string(&v));
    env.add_filter("mandatory", |v: Value, msg: Option<String>| {
        if v.is_undefined() {
            let words = msg.unwrap_or_else(|| "a mandatory variable is not defined".into());
            return Err(wrong(words));
        }
        Ok(v)
    });
    env.add_filter("type_debug", |v: Value| type_name(&v));
    env.add_filter("quote", |v: Value| Ok::<_, Error>(quote(&string(&v)?)));
    env.add_filter("comment", |v: Value, style: Option<String>| {
        let mark = match style.as_deref() {
            None | Some("plain") => "# ",
            Some("erlang") => "% ",
            Some("c") => "// ",
            Some(other) => return Err(wrong(format!("comment knows no style `{other}`"))),
        };
        let text = string(&v)?;
        let lines = text
            .lines()
            .map(|l| format!("{mark}{l}").trim_end().to_owned());
        let mark = mark.trim_end();
        Ok::<_, Error>(format!(
            "{mark}\n{}\n{mark}",
            lines.collect::<Vec<_>>().join("\n")
        ))
    });
    env.add_filter("split", |v: Value, by: Option<String>| {
        let text = string(&v)?;
        Ok::<_, Error>(match by {
            Some(by) => text
                .split(by.as_str())
                .map(str::to_owned)
                .collect::<Vec<_>>(),
            None => text.split_whitespace().map(str::to_owned).collect(),
        })
    });
    env.add_filter("human_readable", |v: Value, _: Kwargs| {
        let mut size = f64::try_from(v)?;
        for unit in ["Bytes", "KB", "MB", "GB", "TB", "PB"] {
            if size < 1024.0 || unit == "PB" {
                return Ok(format!("{size:.2} {unit}"));
            }
            size /= 1024.0;
        }
        Err(wrong("too large"))
    });
    env.add_filter("human_to_bytes", |v: Value| human_to_bytes(&string(&v)?));
    env.add_filter("pow", |a: f64, b: f64| whole(a.powf(b)));
    env.add_filter("root", |a: f64, base: Option<f64>| {
        whole(a.powf(1.0 / base.unwrap_or(2.0)))
    });
    env.add_filter("log", |a: f64, base: Option<f64>| match base {
        Some(base) => a.log(base),
        None => a.ln(),
    });
    env.add_function("now", |kwargs: Kwargs| {
        let utc: Option<bool> = kwargs.get("utc")?;
        let fmt: Option<String> = kwargs.get("fmt")?;
        let now = jiff::ZonedDateTime::now();
        let now = if utc.unwrap_or(false) {
            now.with_time_zone(jiff::tz::TimeZone::UTC)
        } else {
            now
        };
        Ok::<_, Error>(
            now.strftime(&fmt.unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".into()))
                .to_string(),
        )
    });
    env.add_filter("strftime", |format: String, seconds: Option<f64>| {
        let stamp = match seconds {
            // Whole seconds are all that the format shows.
            #[allow(clippy::cast_possible_truncation)]
            Some(s) => jiff::Timestamp::from_second(s as i64).map_err(|e| wrong(e.to_string()))?,
            None => jiff::Timestamp::now(),
        };
        let local = stamp.to_zoned_datetime(jiff::tz::TimeZone::system());
        Ok::<_, Error>(local.strftime(&format).to_string())
    });
}

/// Ansible's truth of words.
pub(crate) fn to_bool(value: &Value) -> Result<bool, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    if value.kind() == ValueKind::Bool {
        return Ok(value.is_true());
    }
    let word = text_of(value).to_lowercase();
    Ok(matches!(
        word.as_str(),
        "yes" | "on" | "1" | "true" | "y" | "t" | "1.0"
    ))
}

/// A word that a shell takes as one.
fn quote(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

/// A number without a fraction as an integer, as Python's `int` results print.
fn whole(number: f64) -> Value {
    Value::from(number)
}

fn human_to_bytes(text: &str) -> Result<i64, Error> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number
        .parse()
        .map_err(|_| wrong(format!("`{text}` is no size")))?;
    let power = match unit.trim().chars().next().map(|c| c.to_ascii_uppercase()) {
        None | Some('B') => 0,
        Some('K') => 1,
        Some('M') => 2,
        Some('G') => 3,
        Some('T') => 4,
        Some('P') => 5,
        _ => return Err(wrong(format!("`{unit}` is no unit of size"))),
    };
    // Sizes beyond 2^53 bytes are beyond any disk.
    #[allow(clippy::cast_possible_truncation)]
    Ok((number * 1024_f64.powi(power)) as i64)
}
