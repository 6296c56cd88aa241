//! The retry decision and the JSON check of payloads.

use std::time::{Duration, SystemTime};

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_error::{Execution, RetryAfter, RetryClass, ServiceError, known_errors};
use lambda_invoke_protocol::json;
use lambda_invoke_protocol::retry::{
    ClockOffset, Decision, Failure, RetryContext, RetryPolicy, decide,
};
use serde_json::value::RawValue;

/// The check accepts exactly what a parser accepts; an error has a position within the payload.
pub fn json_check(data: &[u8]) {
    // A parser that builds values has a depth limit, which the check does not have.
    let is_json = serde_json::from_slice::<&RawValue>(data).is_ok();
    match json::check(data) {
        Ok(()) => assert!(is_json),
        Err(fault) => {
            assert!(!is_json, "{fault}");
            assert!(fault.offset() <= data.len() && fault.line() > 0 && fault.column() > 0);
            assert!(!fault.to_string().is_empty() && !fault.service_message().is_empty());
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Attempt {
    kind: u8,
    row: u16,
    status: u16,
    message: bool,
    requested: Option<(bool, u64)>,
    attempt: u32,
    durable: bool,
    remaining: Option<u32>,
    tokens: u32,
    offset: Option<i64>,
    refresh: bool,
    random: f64,
    max_attempts: u32,
    max_backoff: u32,
    max_retry_after: u32,
}

/// The tokens that no retry exceeds.
const MOST_TOKENS: u32 = 14;

/// Whether a failure that can pass has started nothing, and nothing limits the next attempt.
fn must_retry(policy: &RetryPolicy, context: &RetryContext<'_>, input: &Attempt) -> bool {
    let can_pass = matches!(
        context.failure.class(),
        RetryClass::Transient | RetryClass::Throttled | RetryClass::Pending
    );
    can_pass
        && context.failure.execution() == Execution::NotStarted
        && context.attempt < policy.max_attempts()
        && context.tokens >= MOST_TOKENS
        && context.remaining.is_none()
        && input.requested.is_none()
}

/// The decision keeps its guarantees in every context.
pub fn retry(data: &[u8]) {
    let Ok(input) = Attempt::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let mut error = match known_errors().get(usize::from(input.row) % (known_errors().len() + 1)) {
        Some(row) => row.error(if input.message {
            "Signature expired"
        } else {
            ""
        }),
        None => ServiceError::parse(input.status, |_| None, b""),
    };
    if let Some((millis, number)) = input.requested {
        let requested = if millis {
            RetryAfter::millis(number)
        } else {
            RetryAfter::seconds(number)
        };
        error = error.with_retry_after(requested);
    }
    let failure = match input.kind % 8 {
        0 => Failure::Local,
        1 => Failure::NotSent,
        2 => Failure::NoResponse,
        3 => Failure::UnexpectedResponse,
        4 => Failure::IncompleteResponse,
        5 => Failure::FunctionFailed,
        _ => Failure::Service(&error),
    };
    let mut context =
        RetryContext::new(failure, input.attempt, SystemTime::UNIX_EPOCH, input.random);
    context.durable = input.durable;
    context.remaining = input
        .remaining
        .map(|millis| Duration::from_millis(millis.into()));
    context.tokens = input.tokens;
    context.clock_offset = input.offset.map(ClockOffset::from_secs);
    context.can_refresh_credentials = input.refresh;
    let tuned = |policy: RetryPolicy| {
        policy
            .with_max_attempts(input.max_attempts)
            .with_max_backoff(Duration::from_millis(input.max_backoff.into()))
            .with_max_retry_after(Duration::from_millis(input.max_retry_after.into()))
    };
    let (default, at_least_once) = (
        tuned(RetryPolicy::default()),
        tuned(RetryPolicy::at_least_once()),
    );
    for policy in [default, at_least_once] {
        let Decision::Retry(retry) = decide(&policy, &context) else {
            assert!(!must_retry(&policy, &context, &input), "{context:?}");
            continue;
        };
        match failure.execution() {
            Execution::NotStarted => {}
            Execution::Unknown => assert!(policy.retries_unknown() || input.durable),
            execution => panic!("retried although {execution}"),
        }
        assert_ne!(failure.class(), RetryClass::Permanent);
        assert!(input.attempt < policy.max_attempts() && retry.cost <= input.tokens);
        assert!(
            context
                .remaining
                .is_none_or(|remaining| retry.after < remaining)
        );
        let longest = policy.max_backoff() + Duration::from_secs(5);
        assert!(retry.after <= longest.max(policy.max_retry_after()));
    }
    // Whatever the default policy retries, `at_least_once` retries in the same way.
    if let again @ Decision::Retry(_) = decide(&default, &context) {
        assert_eq!(decide(&at_least_once, &context), again);
    }
    context.attempt = 1;
    assert!(!matches!(
        decide(&RetryPolicy::none(), &context),
        Decision::Retry(_)
    ));
}
