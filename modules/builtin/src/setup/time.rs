//! The time of day on the host.

use rplay_api::Host;
use serde_json::json;

use super::Facts;

pub(super) fn gather(host: &Host, facts: &mut Facts) {
    let Ok(stamp) = jiff::Timestamp::try_from(host.now()) else { return };
    let local = stamp.to_zoned_datetime(jiff::tz::TimeZone::system());
    let utc = stamp.to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let at = |format: &str| local.strftime(format).to_string();
    let at_utc = |format: &str| utc.strftime(format).to_string();
    facts.insert(
        "date_time".to_owned(),
        json!({
            "year": at("%Y"),
            "month": at("%m"),
            "day": at("%d"),
            "hour": at("%H"),
            "minute": at("%M"),
            "second": at("%S"),
            "weekday": at("%A"),
            "weekday_number": at("%w"),
            "weeknumber": at("%W"),
            "date": at("%Y-%m-%d"),
            "time": at("%H:%M:%S"),
            "epoch": stamp.as_second().to_string(),
            "epoch_int": stamp.as_second().to_string(),
            "iso8601": at_utc("%Y-%m-%dT%H:%M:%SZ"),
            "iso8601_micro": at_utc("%Y-%m-%dT%H:%M:%S.%6fZ"),
            "iso8601_basic": at("%Y%m%dT%H%M%S%6f"),
            "iso8601_basic_short": at("%Y%m%dT%H%M%S"),
            "tz": at("%Z"),
            "tz_dst": at("%Z"),
            "tz_offset": at("%z"),
        }),
    );
}
