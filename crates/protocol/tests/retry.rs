//! The retry decision: its rules, the official tables, and the table in docs/retry-safety.md.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use lambda_invoke_error::{Execution, RetryAfter, RetryClass, ServiceError, known_errors, lookup};
use lambda_invoke_protocol::retry::{
    CallRetries, ClockOffset, Decision, Failure, GiveUpReason, Recovery, Retry, RetryContext,
    RetryPolicy, TokenBucket, decide,
};
use lambda_invoke_vectors::{json, suite};
use serde_json::Value;

const NOW: SystemTime = SystemTime::UNIX_EPOCH;

fn first(failure: Failure<'_>) -> RetryContext<'_> {
    RetryContext::new(failure, 1, NOW, 1.0)
}

fn retry(decision: Decision) -> Retry {
    match decision {
        Decision::Retry(retry) => retry,
        other => panic!("{other:?}"),
    }
}

fn throttled() -> ServiceError {
    lookup("TooManyRequestsException")
        .unwrap()
        .error("Rate Exceeded.")
}

#[test]
fn backs_off_twice_as_long_each_time_up_to_the_bound() {
    let policy = RetryPolicy::default().with_max_attempts(100);
    let error = throttled();
    for (failure, base) in [(Failure::NotSent, 50), (Failure::Service(&error), 1000)] {
        for attempt in 1..=40 {
            let context = RetryContext::new(failure, attempt, NOW, 1.0);
            let whole = (base << (attempt - 1).min(20)).min(20_000);
            assert_eq!(
                retry(decide(&policy, &context)).after,
                Duration::from_millis(whole)
            );
            let context = RetryContext::new(failure, attempt, NOW, 0.25);
            let quarter = Duration::from_millis(whole) / 4;
            assert_eq!(retry(decide(&policy, &context)).after, quarter);
        }
    }
    let policy = policy.with_max_backoff(Duration::from_secs(3));
    let late = RetryContext::new(Failure::NotSent, 90, NOW, 1.0);
    assert_eq!(retry(decide(&policy, &late)).after, Duration::from_secs(3));
}

#[test]
fn a_strange_random_number_is_taken_for_the_nearer_end() {
    let policy = RetryPolicy::default();
    for (random, millis) in [
        (-1.0, 0),
        (f64::NAN, 0),
        (0.0, 0),
        (2.0, 50),
        (f64::INFINITY, 50),
    ] {
        let context = RetryContext::new(Failure::NotSent, 1, NOW, random);
        assert_eq!(
            retry(decide(&policy, &context)).after,
            Duration::from_millis(millis)
        );
    }
}

#[test]
fn retry_after_is_honoured_and_bounded() {
    let policy = RetryPolicy::default();
    let after = |wish: RetryAfter, now: SystemTime| {
        let error = throttled().with_retry_after(wish);
        decide(
            &policy,
            &RetryContext::new(Failure::Service(&error), 1, now, 0.5),
        )
    };
    assert_eq!(
        retry(after(RetryAfter::seconds(7), NOW)).after,
        Duration::from_secs(7)
    );
    // Not before the backoff either.
    assert_eq!(
        retry(after(RetryAfter::seconds(0), NOW)).after,
        Duration::from_millis(500)
    );
    assert_eq!(
        retry(after(RetryAfter::seconds(60), NOW)).after,
        Duration::from_secs(60)
    );
    assert_eq!(
        after(RetryAfter::seconds(61), NOW),
        Decision::GiveUp(GiveUpReason::WaitTooLong)
    );
    assert_eq!(
        after(RetryAfter::seconds(u64::MAX), NOW),
        Decision::GiveUp(GiveUpReason::WaitTooLong)
    );
    let date = RetryAfter::from_header("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
    let before = NOW + Duration::from_secs(784_111_777 - 9);
    assert_eq!(retry(after(date, before)).after, Duration::from_secs(9));
    assert_eq!(
        after(date, NOW),
        Decision::GiveUp(GiveUpReason::WaitTooLong)
    );
    // The wish in milliseconds takes the backoff's place, by five seconds more at most.
    assert_eq!(
        retry(after(RetryAfter::millis(1500), NOW)).after,
        Duration::from_millis(1500)
    );
    assert_eq!(
        retry(after(RetryAfter::millis(60_000), NOW)).after,
        Duration::from_millis(5500)
    );
}

#[test]
fn a_skewed_clock_is_corrected_and_a_right_one_is_not_blamed() {
    let policy = RetryPolicy::default();
    let skewed = lookup("InvalidSignatureException")
        .unwrap()
        .error("Signature expired: 2016");
    let at = |offset: Option<i64>| {
        let mut context = first(Failure::Service(&skewed));
        context.clock_offset = offset.map(ClockOffset::from_secs);
        decide(&policy, &context)
    };
    for offset in [-3600, -301, 301, 86_400] {
        let retry = retry(at(Some(offset)));
        assert_eq!(
            retry.recovery,
            Recovery::CorrectClock(ClockOffset::from_secs(offset))
        );
        assert_eq!(retry.after, Duration::ZERO);
    }
    assert_eq!(at(Some(2)), Decision::GiveUp(GiveUpReason::Useless));
    assert_eq!(at(None), Decision::GiveUp(GiveUpReason::Useless));

    // Never by more than a day in all, in either direction.
    let day = 24 * 3600;
    for (clock, offset, corrected) in [
        (0, day, Some(day)),
        (0, -day, Some(-day)),
        (0, day + 1, None),
        (0, -day - 1, None),
        (day - 60, 60, Some(day)),
        (day, 60, None),
        (day, -60, Some(day - 60)),
        (-day, -60, None),
        (3600, -3600, Some(0)),
        (i64::MAX, i64::MAX, None),
        (i64::MIN, i64::MIN, None),
    ] {
        let mut context = first(Failure::Service(&skewed));
        context.clock = ClockOffset::from_secs(clock);
        context.clock_offset = Some(ClockOffset::from_secs(offset));
        let decided = decide(&RetryPolicy::default(), &context);
        match corrected.map(ClockOffset::from_secs) {
            Some(corrected) => {
                let Decision::Retry(retry) = decided else {
                    panic!("{clock} and {offset}: {decided:?}")
                };
                assert_eq!(retry.recovery, Recovery::CorrectClock(corrected));
            }
            None => assert_eq!(decided, Decision::GiveUp(GiveUpReason::Useless)),
        }
    }
    // A wrong secret has the same code, and no clock mends it.
    let wrong = lookup("InvalidSignatureException")
        .unwrap()
        .error("does not match");
    let mut context = first(Failure::Service(&wrong));
    context.clock_offset = Some(ClockOffset::from_secs(3600));
    assert_eq!(
        decide(&policy, &context),
        Decision::GiveUp(GiveUpReason::Useless)
    );
}

#[test]
fn expired_credentials_are_fetched_again_where_that_is_possible() {
    let expired = lookup("ExpiredTokenException").unwrap().error("");
    let mut context = first(Failure::Service(&expired));
    assert_eq!(
        decide(&RetryPolicy::default(), &context),
        Decision::GiveUp(GiveUpReason::Useless)
    );
    context.can_refresh_credentials = true;
    let retry = retry(decide(&RetryPolicy::default(), &context));
    assert_eq!(retry.recovery, Recovery::RefreshCredentials);
}

#[test]
fn no_attempt_is_begun_that_the_calls_time_does_not_reach() {
    let mut context = RetryContext::new(Failure::NotSent, 1, NOW, 1.0);
    context.remaining = Some(Duration::from_millis(51));
    retry(decide(&RetryPolicy::default(), &context));
    context.remaining = Some(Duration::from_millis(50));
    assert_eq!(
        decide(&RetryPolicy::default(), &context),
        Decision::GiveUp(GiveUpReason::OutOfTime)
    );
}

#[test]
fn attempts_and_tokens_run_out() {
    let policy = RetryPolicy::default();
    let mut context = RetryContext::new(Failure::NotSent, 3, NOW, 1.0);
    assert_eq!(
        decide(&policy, &context),
        Decision::GiveUp(GiveUpReason::OutOfAttempts)
    );
    context.attempt = 2;
    context.tokens = 13;
    assert_eq!(
        decide(&policy, &context),
        Decision::GiveUp(GiveUpReason::OutOfTokens)
    );
    assert_eq!(
        decide(&RetryPolicy::none(), &first(Failure::NotSent)),
        Decision::GiveUp(GiveUpReason::OutOfAttempts)
    );
    assert_eq!(RetryPolicy::none().with_max_attempts(0).max_attempts(), 1);
}

#[test]
fn a_durable_name_allows_what_the_policy_does_not() {
    let mut context = first(Failure::NoResponse);
    let policy = RetryPolicy::default();
    assert_eq!(
        decide(&policy, &context),
        Decision::GiveUp(GiveUpReason::MayHaveRun)
    );
    context.durable = true;
    retry(decide(&policy, &context));
    // But not what ran for certain.
    context.failure = Failure::IncompleteResponse;
    assert_eq!(
        decide(&policy, &context),
        Decision::GiveUp(GiveUpReason::MayHaveRun)
    );
}

/// The standard mode of 2026, whose constants this crate has. Its SDKs retry every 500; here that
/// takes the policy `at_least_once`.
///
/// Not run: `standard-legacy.json` and `adaptive.json` (other constants, another algorithm),
/// `request-information-headers` (headers that this client does not send). Of the long-polling
/// cases only the delay after giving up is left out: nothing of Lambda polls.
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
        let outcome = answer(&mut call, step, name);
        if outcome == "success" {
            std::mem::replace(&mut call, CallRetries::new(policy, &bucket)).succeeded();
        }
        check_quota(&bucket, step, name);
    }
}

/// The threads' failures come in order, and their successes in the opposite one.
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
            assert_ne!(answer(&mut call, step, name), "success", "{name}");
            check_quota(&bucket, step, name);
        }
        calls.push((call, last));
    }
    for (mut call, step) in calls.into_iter().rev() {
        assert_eq!(answer(&mut call, step, name), "success", "{name}");
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

/// Hands a response to the call, compares outcome and delay, and gives the outcome.
fn answer(call: &mut CallRetries<'_>, step: &Value, name: &str) -> &'static str {
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
        other => panic!("{name}: {other:?}"),
    };
    assert_eq!(expected["outcome"], outcome, "{name}");
    outcome
}

/// Each kind of failure, with what a reader of the table calls it.
fn failures() -> Vec<(String, Failure<'static>)> {
    let mut failures: Vec<(String, Failure<'static>)> = vec![
        (
            "a request that is wrong in itself; no credentials".to_owned(),
            Failure::Local,
        ),
        (
            "no connection; closed before the request was written".to_owned(),
            Failure::NotSent,
        ),
        (
            "reset, closed or out of time, without an answer".to_owned(),
            Failure::NoResponse,
        ),
        (
            "an answer that is not the operation's".to_owned(),
            Failure::UnexpectedResponse,
        ),
        (
            "an answer that broke off after its head".to_owned(),
            Failure::IncompleteResponse,
        ),
        (
            "a function error; `InvokeComplete` with an error code".to_owned(),
            Failure::FunctionFailed,
        ),
    ];
    for status in [400, 403, 404, 408, 413, 429, 500, 502, 503, 504] {
        let error = ServiceError::parse(status, |_| None, b"");
        failures.push((format!("{status} without a known code"), service(error)));
    }
    for row in known_errors() {
        failures.push((
            format!("{} `{}`", row.status, row.code),
            service(row.error("")),
        ));
    }
    failures
}

/// Leaked, since the table borrows from every row at once and the test's process is short.
fn service(error: ServiceError) -> Failure<'static> {
    Failure::Service(Box::leak(Box::new(error)))
}

fn cell(policy: &RetryPolicy, failure: Failure<'_>, durable: bool) -> String {
    let mut context = first(failure);
    context.durable = durable;
    context.clock_offset = Some(ClockOffset::from_secs(600));
    context.can_refresh_credentials = true;
    match decide(policy, &context) {
        Decision::Retry(Retry {
            recovery: Recovery::CorrectClock(_),
            ..
        }) => "again, by the right clock".to_owned(),
        Decision::Retry(Retry {
            recovery: Recovery::RefreshCredentials,
            ..
        }) => "again, with new credentials".to_owned(),
        Decision::Retry(retry) => format!("again, from {:?} on", retry.after),
        Decision::GiveUp(_) => "no".to_owned(),
        other => panic!("{other:?}"),
    }
}

fn rendered_table() -> String {
    let mut text = String::from(
        "| failure | execution | class | default | `at_least_once()` | durable name | `none()` |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let (default, bold, none) = (
        RetryPolicy::default(),
        RetryPolicy::at_least_once(),
        RetryPolicy::none(),
    );
    for (name, failure) in failures() {
        writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} | {} |",
            failure.execution(),
            failure.class(),
            cell(&default, failure, false),
            cell(&bold, failure, false),
            cell(&default, failure, true),
            cell(&none, failure, false),
        )
        .unwrap();
    }
    text
}

/// Write it anew with `UPDATE_DOCS=1 cargo test -p lambda-invoke-protocol --test retry`.
#[test]
fn the_table_in_the_docs_is_this_function() {
    const BEGIN: &str = "<!-- table: begin -->\n";
    const END: &str = "<!-- table: end -->\n";
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/retry-safety.md");
    let docs = std::fs::read_to_string(path).unwrap();
    let (before, rest) = docs.split_once(BEGIN).unwrap();
    let (found, after) = rest.split_once(END).unwrap();
    let expected = rendered_table();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, format!("{before}{BEGIN}{expected}{END}{after}")).unwrap();
    } else {
        assert!(
            found == expected,
            "docs/retry-safety.md is out of date; UPDATE_DOCS=1 mends it"
        );
    }
}

#[test]
fn by_default_nothing_is_sent_again_that_may_have_run() {
    let mut seen = [0; 3];
    for (name, failure) in failures() {
        let mut context = first(failure);
        context.clock_offset = Some(ClockOffset::from_secs(600));
        context.can_refresh_credentials = true;
        let careful = matches!(
            decide(&RetryPolicy::default(), &context),
            Decision::Retry(_)
        );
        let bold = matches!(
            decide(&RetryPolicy::at_least_once(), &context),
            Decision::Retry(_)
        );
        let permanent = failure.class() == RetryClass::Permanent;
        match failure.execution() {
            Execution::NotStarted => {
                seen[0] += 1;
                assert_eq!((careful, bold), (!permanent, !permanent), "{name}");
            }
            Execution::Unknown => {
                seen[1] += 1;
                assert_eq!((careful, bold), (false, !permanent), "{name}");
            }
            _ => {
                seen[2] += 1;
                assert_eq!((careful, bold), (false, false), "{name}");
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}
