//! Dates.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{State, Value};

use crate::call::{Args, Callable, Out, strict};
use crate::date;
use crate::python::wrong;

pub(super) const FILTERS: &[Callable] = &[
    strict(&["strftime"], &["string_format", "second", "utc"], strftime),
    strict(&["to_datetime"], &["value", "format"], to_datetime),
];

fn strftime(_: &mut State<'_, '_>, args: &Args) -> Out {
    let format = args.text(0)?;
    let stamp = match args.some(1) {
        None => Timestamp::now(),
        Some(value) => {
            let seconds = value.as_str().and_then(|s| s.trim().parse().ok());
            let seconds = seconds.or_else(|| f64::try_from(value.clone()).ok());
            let seconds = seconds.ok_or_else(|| {
                let shown = crate::python::in_words(value);
                wrong(format!("Invalid value for epoch value ({shown})"))
            })?;
            // Whole seconds are all that most formats show; micros are kept.
            #[allow(clippy::cast_possible_truncation)]
            let micros = (seconds * 1e6) as i64;
            Timestamp::from_microsecond(micros).map_err(|e| wrong(e.to_string()))?
        }
    };
    let zone = if args.flag(2, false) {
        TimeZone::UTC
    } else {
        TimeZone::system()
    };
    let local = stamp.to_zoned_datetime(zone.clone()).datetime();
    date::formatted(local, &zone, &format).map(Value::from)
}

fn to_datetime(_: &mut State<'_, '_>, args: &Args) -> Out {
    let format = args
        .opt_text(1)?
        .unwrap_or_else(|| "%Y-%m-%d %H:%M:%S".into());
    date::parse(&args.text(0)?, &format)
}
