//! The table and the parser, compared with the service's model and the official protocol cases.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use lambda_invoke_error::{
    ErrorType, Fault, Operation, Origin, RetryAfter, RetryClass, ServiceError, ThrottleReason,
    known_errors, lookup,
};
use lambda_invoke_vectors::{json, suite};
use serde_json::Value;

const OPERATIONS: [Operation; 3] = [
    Operation::Invoke,
    Operation::InvokeWithResponseStream,
    Operation::InvokeAsync,
];

fn text<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name]
        .as_str()
        .unwrap_or_else(|| panic!("no {name} in {value}"))
}

fn list<'v>(value: &'v Value, name: &str) -> &'v Vec<Value> {
    value[name]
        .as_array()
        .unwrap_or_else(|| panic!("no list {name} in {value}"))
}

/// Every object inside `value`, including `value` itself.
fn objects<'v>(value: &'v Value, each: &mut impl FnMut(&'v Value)) {
    match value {
        Value::Object(members) => {
            each(value);
            members.values().for_each(|member| objects(member, each));
        }
        Value::Array(items) => items.iter().for_each(|item| objects(item, each)),
        _ => {}
    }
}

fn parse(status: u64, headers: &Value, body: &[u8]) -> ServiceError {
    let find = |name: &str| {
        let headers = headers.as_object()?;
        headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name))?
            .1
            .as_str()
    };
    ServiceError::parse(status.try_into().unwrap(), find, body)
}

#[test]
fn the_table_has_every_modelled_exception_as_modelled() {
    suite("error/model", |folder| {
        let model = json(&folder.join("model/lambda-invoke-errors.json"));
        let errors = list(&model, "errors");
        for error in errors {
            let code = text(error, "code");
            let known = lookup(code).unwrap_or_else(|| panic!("{code} is missing"));
            assert_eq!((known.code, known.origin), (code, Origin::Modelled));
            assert_eq!(u64::from(known.status), error["http_status"], "{code}");
            assert_eq!(
                known.fault == Fault::Sender,
                error["sender_fault"],
                "{code}"
            );
            assert_eq!(
                known.fault == Fault::Server,
                error["server_fault"],
                "{code}"
            );
            for operation in OPERATIONS {
                let named = list(error, "operations")
                    .iter()
                    .any(|o| o == operation.as_str());
                assert_eq!(known.applies_to(operation), named, "{code} {operation}");
            }
            let members = error["members"].as_object().unwrap();
            assert!(
                members.contains_key(known.message_member),
                "{code} {}",
                known.message_member
            );
            assert_eq!(known.has_type, members.contains_key("Type"), "{code}");
            let modelled_members = [
                "Type",
                "message",
                "Message",
                "Reason",
                "EC2ErrorCode",
                "retryAfterSeconds",
            ];
            assert!(
                members
                    .keys()
                    .all(|member| modelled_members.contains(&member.as_str())),
                "{code}"
            );
        }
        let modelled = known_errors()
            .iter()
            .filter(|known| known.origin == Origin::Modelled);
        assert_eq!(modelled.count(), errors.len());
        errors.len()
    });
}

#[test]
fn each_operation_returns_the_errors_that_the_model_lists_for_it() {
    suite("error/operations", |folder| {
        let model = json(&folder.join("model/lambda-2015-03-31-invoke-reduced.json"));
        let mut cases = 0;
        for operation in OPERATIONS {
            let mut listed: Vec<&str> = list(&model["operations"][operation.as_str()], "errors")
                .iter()
                .map(|error| text(error, "shape"))
                .collect();
            listed.sort_unstable();
            let modelled = known_errors()
                .iter()
                .filter(|known| known.origin == Origin::Modelled);
            let mut ours: Vec<&str> = modelled
                .filter(|known| known.applies_to(operation))
                .map(|known| known.code)
                .collect();
            ours.sort_unstable();
            assert_eq!(ours, listed, "{operation}");
            cases += listed.len();
        }
        let reasons = list(&model["shapes"]["ThrottleReason"], "enum");
        assert_eq!(reasons.len(), ThrottleReason::KNOWN.len());
        for reason in reasons {
            let typed = ThrottleReason::from(reason.as_str().unwrap());
            assert!(ThrottleReason::KNOWN.contains(&typed), "{reason}");
        }
        cases
    });
}

#[test]
fn reads_the_errors_of_the_rest_json_protocol_suite() {
    suite("error/restjson", |folder| {
        let mut cases = 0;
        for suite in json(&folder.join("model/restjson/output.json"))
            .as_array()
            .unwrap()
        {
            for case in list(suite, "cases")
                .iter()
                .filter(|case| case["errorCode"].is_string())
            {
                let id = text(case, "id");
                let response = &case["response"];
                let body = response["body"].as_str().unwrap_or_default();
                let status = response["status_code"].as_u64().unwrap();
                let error = parse(status, &response["headers"], body.as_bytes());
                assert_eq!(error.code(), case["errorCode"].as_str(), "{id}");
                assert_eq!(error.message(), case["errorMessage"].as_str(), "{id}");
                assert_eq!(u64::from(error.status()), status, "{id}");
                cases += 1;
            }
        }
        cases
    });
}

/// Responses of the service recorded through boto3, which puts the body's modelled members next to
/// `Error`.
#[test]
fn the_recorded_errors_are_as_the_table_has_them() {
    suite("error/recorded", |folder| {
        let mut cases = 0;
        for file in [
            "model/invoke-responses/localstack-invoke-snapshots.json",
            "model/names/localstack-function-name-validation.json",
        ] {
            let recorded = json(&folder.join(file));
            objects(&recorded, &mut |response| {
                let Some(code) = response["Error"]["Code"].as_str() else {
                    return;
                };
                let known = lookup(code).unwrap_or_else(|| panic!("{code} is missing"));
                let status = &response["ResponseMetadata"]["HTTPStatusCode"];
                assert_eq!(u64::from(known.status), *status, "{response}");
                let message = text(&response["Error"], "Message");
                assert_eq!(known.has_type, response["Type"].is_string(), "{response}");
                if let Some(kind) = response["Type"].as_str() {
                    assert_eq!(
                        known.error("x").error_type(),
                        Some(&ErrorType::from(kind)),
                        "{code}"
                    );
                    assert_eq!(response[known.message_member], message, "{code}");
                }
                let body = serde_json::json!({ known.message_member: message }).to_string();
                let headers = serde_json::json!({ "X-Amzn-ErrorType": code });
                let error = parse(known.status.into(), &headers, body.as_bytes());
                assert_eq!((error.code(), error.message()), (Some(code), Some(message)));
                cases += 1;
            });
        }
        cases
    });
}

#[test]
fn the_codes_recorded_for_names_are_rejections() {
    suite("error/recorded-names", |folder| {
        let names = json(&folder.join("model/names/localstack-function-name-validation.json"));
        let mut cases = 0;
        for case in list(&names, "cases") {
            for observed in case["observed"].as_object().unwrap().values() {
                let known = lookup(text(observed, "Code")).unwrap_or_else(|| panic!("{observed}"));
                let error = known.error(observed["Message"].as_str().unwrap_or_default());
                assert_eq!(
                    error.execution(),
                    lambda_invoke_error::Execution::NotStarted
                );
                assert_eq!(error.retry_class(), RetryClass::Permanent);
                cases += 1;
            }
        }
        cases
    });
}

/// Responses of the service itself, with their headers.
#[test]
fn reads_the_error_responses_captured_from_the_service() {
    suite("error/captured", |folder| {
        let file = "rawstreams/stackd-lambda-native/related-buffered-invocations.json";
        let captured = json(&folder.join(file));
        let mut cases = 0;
        for response in list(&captured, "observations") {
            let Some(code) = response["headers"]["x-amzn-errortype"].as_str() else {
                continue;
            };
            let status = response["http_status"].as_u64().unwrap();
            // The capture has the whole body, only its message, or neither.
            let body = match (&response["body"], &response["message"]) {
                (Value::Object(body), _) => Value::Object(body.clone()).to_string(),
                (_, Value::String(message)) => {
                    serde_json::json!({ "message": message }).to_string()
                }
                _ => String::new(),
            };
            let error = parse(status, &response["headers"], body.as_bytes());
            assert_eq!(error.code(), Some(code));
            let known = error
                .known_error()
                .unwrap_or_else(|| panic!("{code} is missing"));
            assert_eq!(u64::from(known.status), status, "{code}");
            assert!(known.applies_to(Operation::InvokeAsync), "{code}");
            assert_eq!(error.message().is_some(), !body.is_empty(), "{code}");
            assert_eq!(error.is_too_large(), status == 413, "{code}");
            assert_eq!(error.is_access_denied(), status == 403, "{code}");
            cases += 1;
        }
        cases
    });
}

#[test]
fn what_the_sdks_take_for_throttling_is_throttling() {
    suite("error/throttling-codes", |folder| {
        let classification = json(&folder.join("retry/classification.json"));
        let codes = list(&classification, "throttling_error_codes_all_three_agree");
        for code in codes {
            let headers = serde_json::json!({ "x-amzn-errortype": code });
            for status in [400, 403, 429, 502, 503, 509] {
                assert!(
                    parse(status, &headers, b"{}").is_throttle(),
                    "{code} {status}"
                );
            }
        }
        codes.len()
    });
}

#[test]
fn reads_the_retry_after_of_the_sdks_retry_cases() {
    suite("error/retry-after", |folder| {
        let standard = json(&folder.join("retry/smithy-kotlin/standard-2026.json"));
        let mut cases = 0;
        objects(&standard, &mut |response| {
            let headers = &response["headers"];
            let Some(value) = headers["x-amz-retry-after"].as_str() else {
                return;
            };
            let status = response["status_code"].as_u64().unwrap();
            let delay = parse(status, headers, b"").retry_after();
            let expected = match value {
                "1500" => Some(RetryAfter::millis(1500)),
                "0" => Some(RetryAfter::millis(0)),
                "invalid" => None,
                other => panic!("no expectation for {other:?}"),
            };
            assert_eq!(delay, expected, "{value}");
            cases += 1;
        });
        cases
    });
}
