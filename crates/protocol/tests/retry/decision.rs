//! The rules: delays, clocks, credentials, and what ends the attempts.

use std::time::{Duration, SystemTime};

use lambda_invoke_error::{RetryAfter, lookup};
use lambda_invoke_protocol::retry::{
    ClockOffset, Decision, Failure, GiveUpReason, Recovery, RetryContext, RetryPolicy, decide,
};

use super::{NOW, first, retry, throttled};

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
fn an_invalid_random_number_is_clamped() {
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
fn retry_after_is_respected_and_bounded() {
    let policy = RetryPolicy::default();
    let after = |requested: RetryAfter, now: SystemTime| {
        let error = throttled().with_retry_after(requested);
        decide(
            &policy,
            &RetryContext::new(Failure::Service(&error), 1, now, 0.5),
        )
    };
    assert_eq!(
        retry(after(RetryAfter::seconds(7), NOW)).after,
        Duration::from_secs(7)
    );
    // Nor is the request sent before the backoff has passed.
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
    let date = RetryAfter::try_from(("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")).unwrap();
    let before = NOW + Duration::from_secs(784_111_777 - 9);
    assert_eq!(retry(after(date, before)).after, Duration::from_secs(9));
    assert_eq!(
        after(date, NOW),
        Decision::GiveUp(GiveUpReason::WaitTooLong)
    );
    // A delay in milliseconds replaces the backoff, and may exceed it by at most five seconds.
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
fn a_date_in_retry_after_is_compared_with_the_time_of_the_service() {
    let date = RetryAfter::try_from(("retry-after", "Sun, 06 Nov 1994 08:49:37 GMT")).unwrap();
    let error = throttled().with_retry_after(date);
    let there = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777 - 7);
    for (clock, further) in [
        (3600, None),
        (-3600, None),
        (0, Some(3600)),
        (3600, Some(-7200)),
    ] {
        let total = clock + further.unwrap_or(0);
        let now = ClockOffset::from_secs(-total).apply(there);
        let mut context = RetryContext::new(Failure::Service(&error), 1, now, 0.5);
        context.clock = ClockOffset::from_secs(clock);
        context.clock_offset = further.map(ClockOffset::from_secs);
        let after = retry(decide(&RetryPolicy::default(), &context)).after;
        assert_eq!(after, Duration::from_secs(7), "{clock} {further:?}");
    }
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

    // The clock is never corrected by more than a day in total, in either direction.
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
    // A wrong secret has the same error code, but correcting the clock does not help.
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
fn expired_credentials_are_refreshed_if_possible() {
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
fn no_attempt_starts_after_the_calls_timeout() {
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
    context.tokens = 14;
    assert_eq!(retry(decide(&policy, &context)).cost, 14);
    assert_eq!(
        decide(&RetryPolicy::none(), &first(Failure::NotSent)),
        Decision::GiveUp(GiveUpReason::OutOfAttempts)
    );
    assert_eq!(RetryPolicy::none().with_max_attempts(0).max_attempts(), 1);
}

#[test]
fn a_policy_may_accept_longer_waits_or_none() {
    let error = throttled().with_retry_after(RetryAfter::seconds(61));
    let context = RetryContext::new(Failure::Service(&error), 1, NOW, 0.5);
    let patient = RetryPolicy::at_least_once().with_max_retry_after(Duration::from_secs(61));
    assert_eq!(patient.max_retry_after(), Duration::from_secs(61));
    assert!(patient.retries_unknown());
    assert_eq!(
        retry(decide(&patient, &context)).after,
        Duration::from_secs(61)
    );
    let hasty = patient.with_max_retry_after(Duration::ZERO);
    assert_eq!(
        decide(&hasty, &context),
        Decision::GiveUp(GiveUpReason::WaitTooLong)
    );
}

#[test]
fn every_reason_to_give_up_is_said_in_words_of_its_own() {
    let texts = [
        GiveUpReason::MayHaveRun,
        GiveUpReason::Useless,
        GiveUpReason::OutOfAttempts,
        GiveUpReason::WaitTooLong,
        GiveUpReason::OutOfTime,
        GiveUpReason::OutOfTokens,
    ]
    .map(|reason| reason.to_string());
    assert_eq!(texts[0], "not sent again: the function may have run");
    for (at, text) in texts.iter().enumerate() {
        assert!(text.len() > 20 && !texts[..at].contains(text), "{text}");
    }
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
    // The call is not retried if the function certainly ran.
    context.failure = Failure::IncompleteResponse;
    assert_eq!(
        decide(&policy, &context),
        Decision::GiveUp(GiveUpReason::MayHaveRun)
    );
}
