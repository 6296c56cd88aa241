//! The record of an event that failed for good, in the format of an on-failure destination.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::entry::Event;
use super::notice::EventFailure;

/// Returns the JSON record: `version` 1.0, the request with its context, and the last response.
///
/// See "Capturing records of Lambda asynchronous invocations" in the AWS Lambda Developer Guide.
pub(crate) fn record(event: &Event, why: EventFailure, now: SystemTime) -> Value {
    let call = event.call();
    let response = event.last_error.as_deref();
    let version = call.executed_version();
    let mut record = json!({
        "version": "1.0",
        "timestamp": timestamp(now),
        "requestContext": {
            "requestId": call.request_id.as_str(),
            "functionArn": call.function_arn(),
            "condition": why.as_str(),
            "approximateInvokeCount": event.attempts,
        },
        "requestPayload": json_or_text(event.payload()),
    });
    if let (Some(response), Some(record)) = (response, record.as_object_mut()) {
        let context = json!({
            "statusCode": 200,
            "executedVersion": version,
            "functionError": "Unhandled",
        });
        record.insert("responseContext".to_owned(), context);
        record.insert("responsePayload".to_owned(), json_or_text(response));
    }
    record
}

fn json_or_text(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes)
        .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(bytes).into_owned()))
}

/// Formats a time as UTC with milliseconds: `2019-11-14T18:16:05.568Z`.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    let millis = since.subsec_millis();
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Converts a number of days since 1970-01-01 to year, month and day in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // Counted from 0000-03-01, so that the leap day is the last of a year. An era is 400 years.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 {
        (month + 3, 0)
    } else {
        (month - 9, 1)
    };
    (era * 400 + year + next, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn formats_times_as_in_the_record() {
        for (millis, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (1_573_755_365_568, "2019-11-14T18:16:05.568Z"),
            (951_827_696_789, "2000-02-29T12:34:56.789Z"),
            (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(timestamp(UNIX_EPOCH + Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn every_day_of_a_century_follows_the_one_before() {
        let mut last = date(0);
        for days in 1..50_000 {
            let next = date(days);
            let (year, month, day) = next;
            assert!(next > last, "{next:?}");
            assert!(day == last.2 + 1 || day == 1, "{next:?}");
            assert!((1..=12).contains(&month) && (1..=31).contains(&day) && year >= 1970);
            last = next;
        }
    }
}
