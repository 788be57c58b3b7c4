//! Dates and spans of time, as `to_datetime` and `now` give them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp};
use minijinja::value::{DynObject, Object, ObjectRepr};
use minijinja::{Error, ErrorKind, State, Value};

use crate::python::{text, wrong};

/// A date and time without a zone, as Python's `datetime`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Date {
    /// The date and time shown.
    pub at: DateTime,
    /// Whether it is in UTC rather than in the controller's zone.
    pub utc: bool,
}

/// The time between two dates, as Python's `timedelta`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Span(SignedDuration);

impl Date {
    fn stamp(self) -> Result<Timestamp, Error> {
        let zone = if self.utc {
            jiff::tz::TimeZone::UTC
        } else {
            jiff::tz::TimeZone::system()
        };
        zone.to_timestamp(self.at).map_err(|e| wrong(e.to_string()))
    }

    fn shown(self, between: char) -> String {
        let whole = self
            .at
            .strftime(&format!("%Y-%m-%d{between}%H:%M:%S"))
            .to_string();
        match self.at.subsec_nanosecond() / 1000 {
            0 => whole,
            micros => format!("{whole}.{micros:06}"),
        }
    }
}

/// A date as a value.
pub(crate) fn value(at: DateTime, utc: bool) -> Value {
    Value::from_object(Date { at, utc })
}

/// Reads a date by a format of `strptime`.
///
/// # Errors
/// Where the text does not follow it.
pub(crate) fn parse(written: &str, format: &str) -> Result<Value, Error> {
    let parsed = jiff::fmt::strtime::parse(format, written).and_then(|parts| {
        let date = parts.to_date()?;
        let time = parts
            .to_time()
            .unwrap_or_else(|_| jiff::civil::Time::midnight());
        Ok(date.to_datetime(time))
    });
    let at = parsed.map_err(|e| {
        wrong(format!(
            "`{written}` is no date of the format `{format}`: {e}"
        ))
    })?;
    Ok(value(at, false))
}

/// Formats; a format that is not good is an error.
pub(crate) fn formatted(
    at: DateTime,
    zone: &jiff::tz::TimeZone,
    format: &str,
) -> Result<String, Error> {
    let bad = |e: jiff::Error| wrong(format!("`{format}` is no format of a date: {e}"));
    let zoned = at.to_zoned_datetime(zone.clone()).map_err(bad)?;
    jiff::fmt::strtime::format(format, &zoned).map_err(bad)
}

impl Object for Date {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        Some(match key.as_str()? {
            "year" => self.at.year().into(),
            "month" => self.at.month().into(),
            "day" => self.at.day().into(),
            "hour" => self.at.hour().into(),
            "minute" => self.at.minute().into(),
            "second" => self.at.second().into(),
            "microsecond" => (self.at.subsec_nanosecond() / 1000).into(),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        let zone = jiff::tz::TimeZone::UTC;
        Ok(match method {
            "strftime" => {
                let format = args
                    .first()
                    .ok_or_else(|| wrong("strftime takes a format"))?;
                formatted(self.at, &zone, &text(format)?)?.into()
            }
            "isoformat" => self.shown('T').into(),
            // Python has these as floats as well.
            #[allow(clippy::cast_precision_loss)]
            "timestamp" => (self.stamp()?.as_microsecond() as f64 / 1e6).into(),
            "date" => self.at.date().to_string().into(),
            "time" => self.at.time().to_string().into(),
            "weekday" => self.at.weekday().to_monday_zero_offset().into(),
            "isoweekday" => self.at.weekday().to_monday_one_offset().into(),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        })
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| self.at.cmp(&other.at))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown(' '))
    }
}

impl Object for Span {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let seconds = self.0.as_secs();
        Some(match key.as_str()? {
            "days" => seconds.div_euclid(86_400).into(),
            "seconds" => seconds.rem_euclid(86_400).into(),
            "microseconds" => (self.0.subsec_nanos() / 1000).into(),
            _ => return None,
        })
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        _: &[Value],
    ) -> Result<Value, Error> {
        match method {
            "total_seconds" => Ok(self.0.as_secs_f64().into()),
            _ => Err(Error::from(ErrorKind::UnknownMethod)),
        }
    }

    fn custom_cmp(self: &Arc<Self>, other: &DynObject) -> Option<Ordering> {
        other
            .downcast_ref::<Self>()
            .map(|other| self.0.cmp(&other.0))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
        match days {
            0 => {}
            1 | -1 => write!(f, "{days} day, ")?,
            _ => write!(f, "{days} days, ")?,
        }
        write!(
            f,
            "{}:{:02}:{:02}",
            rest / 3600,
            rest % 3600 / 60,
            rest % 60
        )
    }
}

fn dates(a: &Value, b: &Value) -> (Option<Date>, Option<Span>, Option<Date>, Option<Span>) {
    let date = |v: &Value| v.downcast_object_ref::<Date>().copied();
    let span = |v: &Value| v.downcast_object_ref::<Span>().copied();
    (date(a), span(a), date(b), span(b))
}

fn moved(date: Date, by: SignedDuration) -> Result<Value, Error> {
    let at = date.at.checked_add(by).map_err(|e| wrong(e.to_string()))?;
    Ok(value(at, date.utc))
}

/// A date and a span of time, or two spans, added; `None` for other values.
pub(crate) fn add(a: &Value, b: &Value) -> Option<Result<Value, Error>> {
    match dates(a, b) {
        (Some(date), _, _, Some(span)) | (_, Some(span), Some(date), _) => {
            Some(moved(date, span.0))
        }
        (_, Some(a), _, Some(b)) => Some(Ok(Value::from_object(Span(a.0.saturating_add(b.0))))),
        _ => None,
    }
}

/// Two dates, or a date and a span of time; `None` for other values.
pub(crate) fn sub(a: &Value, b: &Value) -> Option<Result<Value, Error>> {
    match dates(a, b) {
        (Some(a), _, Some(b), _) => Some(Ok(Value::from_object(Span(a.at.duration_since(b.at))))),
        (Some(date), _, _, Some(span)) => Some(moved(date, -span.0)),
        (_, Some(a), _, Some(b)) => Some(Ok(Value::from_object(Span(a.0.saturating_sub(b.0))))),
        _ => None,
    }
}
