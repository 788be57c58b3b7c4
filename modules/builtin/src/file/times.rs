//! Times as tasks write them: `now`, `preserve`, or a date in a format of strptime.

use std::time::SystemTime;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use rplay_api::{Attrs, Failure, Host, Meta, Result};

use super::{FileModuleArgs, no_change};

/// A wanted time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// The one that is there.
    Preserve,
    /// This moment.
    Now,
    /// That one.
    At(SystemTime),
}

/// Both times of a file.
pub(super) struct Times {
    modified: When,
    accessed: When,
}

impl Times {
    pub(super) fn parse(args: &FileModuleArgs, default: When) -> Result<Self> {
        let read = |text: &Option<String>, format: &str, arg: &str| match text {
            None => Ok(default),
            Some(text) => when(text, format).map_err(|f| f.arg(arg)),
        };
        Ok(Self {
            modified: read(
                &args.modification_time,
                &args.modification_time_format,
                "modification_time",
            )?,
            accessed: read(&args.access_time, &args.access_time_format, "access_time")?,
        })
    }

    /// What is to be set on a file, or `None` where its times are right.
    pub(super) fn attrs(&self, host: &Host, meta: &Meta) -> Option<Attrs> {
        let set = |wanted: When, is: SystemTime| match wanted {
            When::Preserve => None,
            When::Now => Some(host.now()),
            When::At(time) => (time != is).then_some(time),
        };
        let attrs = Attrs {
            mtime: set(self.modified, meta.mtime),
            atime: set(self.accessed, meta.atime),
            ..Attrs::default()
        };
        (!no_change(&attrs)).then_some(attrs)
    }
}

fn when(text: &str, format: &str) -> Result<When> {
    match text {
        "preserve" => Ok(When::Preserve),
        "now" => Ok(When::Now),
        text => DateTime::strptime(format, text)
            .and_then(|time| time.to_zoned_datetime(TimeZone::system()))
            .and_then(|time| SystemTime::try_from(time.timestamp()))
            .map(When::At)
            .map_err(|e| {
                Failure::new(format!("`{text}` is no time in the format `{format}`: {e}"))
                    .help("give `now`, `preserve`, or a time such as 202601311530.00")
            }),
    }
}
