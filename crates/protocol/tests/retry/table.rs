//! The table in docs/retry-safety.md, and the rule that it shows.

use std::fmt::Write as _;

use lambda_invoke_error::{Execution, RetryClass, ServiceError, known_errors};
use lambda_invoke_protocol::retry::{
    ClockOffset, Decision, Failure, Recovery, Retry, RetryPolicy, decide,
};

use super::first;

/// Each kind of failure, with its name in the table.
fn failures() -> Vec<(String, Failure<'static>)> {
    let mut failures: Vec<(String, Failure<'static>)> = vec![
        (
            "an invalid request; no credentials".to_owned(),
            Failure::Local,
        ),
        (
            "no connection; closed before the request was written".to_owned(),
            Failure::NotSent,
        ),
        (
            "reset, closed or timed out, without a response".to_owned(),
            Failure::NoResponse,
        ),
        (
            "a response that is not the operation's".to_owned(),
            Failure::UnexpectedResponse,
        ),
        (
            "a response that broke off after its head".to_owned(),
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

/// Leaks the error, since the rows of the table borrow it and the test process is short-lived.
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
        }) => "again, with the clock corrected".to_owned(),
        Decision::Retry(Retry {
            recovery: Recovery::RefreshCredentials,
            ..
        }) => "again, with new credentials".to_owned(),
        Decision::Retry(retry) => format!("again, after up to {:?}", retry.after),
        Decision::GiveUp(_) => "no".to_owned(),
    }
}

fn rendered_table() -> String {
    let mut text = String::from(
        "| failure | execution | class | default | `at_least_once()` | durable name | `none()` |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let (default, at_least_once, none) = (
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
            cell(&at_least_once, failure, false),
            cell(&default, failure, true),
            cell(&none, failure, false),
        )
        .unwrap();
    }
    text
}

/// `UPDATE_DOCS=1 cargo test -p lambda-invoke-protocol --test retry` rewrites the table.
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
            "docs/retry-safety.md is out of date; UPDATE_DOCS=1 updates it"
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
        let default = matches!(
            decide(&RetryPolicy::default(), &context),
            Decision::Retry(_)
        );
        let at_least_once = matches!(
            decide(&RetryPolicy::at_least_once(), &context),
            Decision::Retry(_)
        );
        let permanent = failure.class() == RetryClass::Permanent;
        match failure.execution() {
            Execution::NotStarted => {
                seen[0] += 1;
                assert_eq!((default, at_least_once), (!permanent, !permanent), "{name}");
            }
            Execution::Unknown => {
                seen[1] += 1;
                assert_eq!((default, at_least_once), (false, !permanent), "{name}");
            }
            _ => {
                seen[2] += 1;
                assert_eq!((default, at_least_once), (false, false), "{name}");
            }
        }
    }
    assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
}
