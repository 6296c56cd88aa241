//! The record of an event that failed for good, in the format of an on-failure destination.

use std::borrow::Cow;
use std::time::{SystemTime, UNIX_EPOCH};

use humantime::format_rfc3339_millis;
use serde::Serialize;
use serde_json::value::RawValue;

use super::entry::Event;
use super::notice::EventFailure;

/// 10000-01-01T00:00:00Z, in seconds since the epoch.
const YEAR_10000: u64 = 253_402_300_800;

/// The JSON record: `version` 1.0, the request with its context, and the last response. Payloads that are
/// JSON stay as they are written.
///
/// See "Capturing records of Lambda asynchronous invocations" in the AWS Lambda Developer Guide.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'e> {
    version: &'static str,
    timestamp: String,
    request_context: RequestContext<'e>,
    request_payload: Payload<'e>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_context: Option<ResponseContext>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_payload: Option<Payload<'e>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext<'e> {
    request_id: &'e str,
    function_arn: String,
    condition: &'static str,
    approximate_invoke_count: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ResponseContext {
    status_code: u16,
    executed_version: String,
    function_error: &'static str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Payload<'e> {
    Json(&'e RawValue),
    Text(Cow<'e, str>),
}

impl<'e> Payload<'e> {
    fn new(bytes: &'e [u8]) -> Self {
        match serde_json::from_slice(bytes) {
            Ok(json) => Self::Json(json),
            Err(_) => Self::Text(String::from_utf8_lossy(bytes)),
        }
    }
}

/// Returns the record of an event, in one line.
pub(crate) fn record(event: &Event, why: EventFailure, now: SystemTime) -> String {
    let call = event.call();
    let response = event.last_error.as_deref();
    // As in the published example, which has `$LATEST` for a call without a qualifier.
    let qualifier = call.qualifier.as_deref().unwrap_or("$LATEST");
    let record = Record {
        version: "1.0",
        timestamp: timestamp(now),
        request_context: RequestContext {
            request_id: call.request_id.as_str(),
            function_arn: format!("{}:{qualifier}", call.function.arn),
            condition: why.as_str(),
            approximate_invoke_count: event.attempts,
        },
        request_payload: Payload::new(event.payload()),
        response_context: response.map(|_| ResponseContext {
            status_code: 200,
            executed_version: call.executed_version(),
            function_error: "Unhandled",
        }),
        response_payload: response.map(Payload::new),
    };
    // Every member is a text, a number or JSON, and no JSON has a line break within a string.
    let json = serde_json::to_string(&record).unwrap_or_default();
    json.replace(['\n', '\r'], " ")
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
    fn payloads_stay_as_they_are_written() {
        let json = r#"{"b":12345678901234567890123,"a":[1.10,1e400],"cut":"\ud83d"}"#;
        let written = |bytes| serde_json::to_string(&Payload::new(bytes)).unwrap();
        assert_eq!(written(json.as_bytes()), json);
        assert_eq!(written(b"{no \xff"), "\"{no \u{fffd}\"");
    }

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
