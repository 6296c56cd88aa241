//! The endpoint's own errors, as the service words them.

use lambda_invoke_error::{RetryAfter, ServiceError, ThrottleReason, lookup};

/// An error of the table with a message.
pub(crate) fn known(code: &str, message: &str) -> ServiceError {
    match lookup(code) {
        Some(row) => row.error(message),
        // Every code used here is in the table, which a test holds.
        None => ServiceError::parse(500, |_| None, b"").with_message(message),
    }
}

/// 404, with the ARN that was looked for.
pub(crate) fn not_found(arn: &str) -> ServiceError {
    known(
        "ResourceNotFoundException",
        &format!("Function not found: {arn}"),
    )
}

/// 404, for a function of another region.
pub(crate) fn other_region(region: &str, here: &str) -> ServiceError {
    let message = format!("Functions from '{region}' are not reachable in this region ('{here}')");
    known("ResourceNotFoundException", &message)
}

/// 403, for a function of another account: no policy of that account lets anybody in here.
pub(crate) fn other_account(caller: &str, arn: &str) -> ServiceError {
    let message = format!(
        "User: arn:aws:iam::{caller}:root is not authorized to perform: lambda:InvokeFunction on \
         resource: {arn} because no resource-based policy allows the lambda:InvokeFunction action"
    );
    known("AccessDeniedException", &message)
}

/// 429.
pub(crate) fn throttled(reason: ThrottleReason) -> ServiceError {
    known("TooManyRequestsException", "Rate Exceeded.")
        .with_reason(reason)
        .with_retry_after(RetryAfter::seconds(1))
}

/// 400, for a body that broke off: nobody is likely to read it.
pub(crate) fn broken() -> ServiceError {
    known(
        "InvalidRequestContentException",
        "The request's body broke off.",
    )
}

/// 500, for what cannot happen: an answer that no header can hold.
pub(crate) fn internal(what: &str) -> ServiceError {
    known("ServiceException", what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_an_error_of_the_table() {
        for (error, status) in [
            (not_found("arn"), 404),
            (other_region("a", "b"), 404),
            (other_account("1", "arn"), 403),
            (
                throttled(ThrottleReason::ConcurrentInvocationLimitExceeded),
                429,
            ),
            (broken(), 400),
            (internal("x"), 500),
        ] {
            assert!(error.row().is_some(), "{error}");
            assert_eq!(error.status(), status);
        }
    }
}
