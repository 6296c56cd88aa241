//! The record of an event that failed for good, in the format of an on-failure destination.

use std::time::{SystemTime, UNIX_EPOCH};

use humantime::format_rfc3339_millis;
use serde_json::{Value, json};

use super::entry::Event;
use super::notice::EventFailure;

/// 10000-01-01T00:00:00Z, in seconds since the epoch.
const YEAR_10000: u64 = 253_402_300_800;

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

/// Formats a time as UTC with milliseconds: `2019-11-14T18:16:05.568Z`. A time outside the years
/// 1970 to 9999, which the format cannot express, becomes the start of 1970.
fn timestamp(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let time = match since.as_secs() {
        0..YEAR_10000 => UNIX_EPOCH + since,
        _ => UNIX_EPOCH,
    };
    format_rfc3339_millis(time).to_string()
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
    fn a_clock_out_of_range_does_not_panic() {
        let epoch = "1970-01-01T00:00:00.000Z";
        assert_eq!(timestamp(UNIX_EPOCH - Duration::from_secs(1)), epoch);
        let year_10000 = UNIX_EPOCH + Duration::from_secs(YEAR_10000);
        assert_eq!(timestamp(year_10000), epoch);
    }
}
