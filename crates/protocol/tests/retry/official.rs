//! The official cases of the AWS SDKs' standard retry mode.

use std::time::Duration;

use lambda_invoke_error::ServiceError;
use lambda_invoke_protocol::retry::{
    CallRetries, Decision, Failure, GiveUpReason, RetryContext, RetryPolicy, TokenBucket,
};
use lambda_invoke_vectors::{json, suite};
use serde_json::Value;

use super::NOW;

/// The standard mode of 2026, whose constants this crate uses. The SDKs retry every 500; here that
/// requires the policy `at_least_once`.
///
/// Not run are `standard-legacy.json` and `adaptive.json` (other constants, another algorithm) and
/// `request-information-headers` (headers that this client does not send). In the long-polling
/// cases, only the delay after giving up is left out, since no operation of Lambda polls.
#[test]
fn the_standard_mode_of_2026() {
    suite("protocol/retry-2026", |folder| {
        let data = json(&folder.join("retry/smithy-kotlin/standard-2026.json"));
        let mut cases = 0;
        for group in ["single_invocation", "multi_invocation", "long_polling"] {
            for case in data[group].as_array().unwrap() {
                run_official(case);
                cases += 1;
            }
        }
        for case in data["multi_threaded"].as_array().unwrap() {
            run_threads(case);
            cases += 1;
        }
        cases
    });
}

fn official_policy(given: &Value) -> RetryPolicy {
    let attempts = given["max_attempts"].as_u64().unwrap_or(3);
    let policy = RetryPolicy::at_least_once().with_max_attempts(u32::try_from(attempts).unwrap());
    match given["max_backoff_time"].as_f64() {
        Some(seconds) => policy.with_max_backoff(Duration::from_secs_f64(seconds)),
        None => policy,
    }
}

fn official_bucket(given: &Value) -> TokenBucket {
    let tokens = given["initial_retry_tokens"].as_u64();
    tokens.map_or_else(TokenBucket::default, |tokens| {
        TokenBucket::with_tokens(u32::try_from(tokens).unwrap())
    })
}

fn run_official(case: &Value) {
    let name = case["name"].as_str().unwrap();
    assert_eq!(case["given"]["exponential_base"], 1, "{name}");
    let (policy, bucket) = (
        official_policy(&case["given"]),
        official_bucket(&case["given"]),
    );
    let mut call = CallRetries::new(policy, &bucket);
    for step in case["responses"].as_array().unwrap() {
        let outcome = respond(&mut call, step, name);
        if outcome == "success" {
            std::mem::replace(&mut call, CallRetries::new(policy, &bucket)).succeeded();
        }
        check_quota(&bucket, step, name);
    }
}

/// Runs the threads' failures in order, and their successes in reverse order.
fn run_threads(case: &Value) {
    let name = case["name"].as_str().unwrap();
    let (policy, bucket) = (
        official_policy(&case["given"]),
        official_bucket(&case["given"]),
    );
    let mut calls = Vec::new();
    for thread in case["threads"].as_array().unwrap() {
        let mut call = CallRetries::new(policy, &bucket);
        let (last, failures) = thread.as_array().unwrap().split_last().unwrap();
        for step in failures {
            assert_ne!(respond(&mut call, step, name), "success", "{name}");
            check_quota(&bucket, step, name);
        }
        calls.push((call, last));
    }
    for (mut call, step) in calls.into_iter().rev() {
        assert_eq!(respond(&mut call, step, name), "success", "{name}");
        call.succeeded();
        check_quota(&bucket, step, name);
    }
    assert_eq!(
        Some(u64::from(bucket.available())),
        case["expected_final_quota"].as_u64()
    );
}

fn check_quota(bucket: &TokenBucket, step: &Value, name: &str) {
    if let Some(quota) = step["expected"]["retry_quota"].as_u64() {
        assert_eq!(u64::from(bucket.available()), quota, "{name}");
    }
}

/// Passes a response to the call, checks the outcome and the delay, and returns the outcome.
fn respond(call: &mut CallRetries<'_>, step: &Value, name: &str) -> &'static str {
    let (response, expected) = (&step["response"], &step["expected"]);
    let status = u16::try_from(response["status_code"].as_u64().unwrap()).unwrap();
    if status < 300 {
        assert_eq!(expected["outcome"], "success", "{name}");
        return "success";
    }
    let header = |header: &str| match header {
        "x-amzn-errortype" => response["error_code"].as_str(),
        other => response["headers"][other].as_str(),
    };
    let error = ServiceError::parse(status, header, b"");
    let context = RetryContext::new(Failure::Service(&error), call.attempt(), NOW, 1.0);
    let outcome = match call.failed(context) {
        Decision::Retry(retry) => {
            if let Some(delay) = expected["delay"].as_f64() {
                assert_eq!(retry.after, Duration::from_secs_f64(delay), "{name}");
            }
            "retry_request"
        }
        Decision::GiveUp(GiveUpReason::OutOfAttempts) => "max_attempts_exceeded",
        Decision::GiveUp(GiveUpReason::OutOfTokens) => "retry_quota_exceeded",
        Decision::GiveUp(_) => "fail_request",
    };
    assert_eq!(expected["outcome"], outcome, "{name}");
    outcome
}
