//! The errors of the endpoint, in the service's words.

use lambda_invoke_error::{KnownError, RetryAfter, ServiceError, ThrottleReason, lookup};

const ACCESS_DENIED: &KnownError = lookup("AccessDeniedException").unwrap();
const INVALID_CONTENT: &KnownError = lookup("InvalidRequestContentException").unwrap();
const INVALID_PARAMETER: &KnownError = lookup("InvalidParameterValueException").unwrap();
const NOT_FOUND: &KnownError = lookup("ResourceNotFoundException").unwrap();
const SERVICE: &KnownError = lookup("ServiceException").unwrap();
const TOO_MANY_REQUESTS: &KnownError = lookup("TooManyRequestsException").unwrap();

/// 403, for a missing or invalid signature, with a code of the signature's verifier.
pub(crate) fn authentication(code: &str, message: &str) -> ServiceError {
    lookup(code).unwrap_or(ACCESS_DENIED).error(message)
}

/// 403, for a caller who is not allowed to invoke the function.
pub(crate) fn access_denied(message: &str) -> ServiceError {
    ACCESS_DENIED.error(message)
}

/// 404, with the ARN of the unknown function.
pub(crate) fn not_found(arn: &str) -> ServiceError {
    NOT_FOUND.error(&format!("Function not found: {arn}"))
}

/// 404, for a function without a URL.
pub(crate) fn no_url(arn: &str) -> ServiceError {
    NOT_FOUND.error(&format!("The function has no function URL: {arn}"))
}

/// 404, for the path of a function URL without a name.
pub(crate) fn no_name() -> ServiceError {
    NOT_FOUND.error("A function URL has the name of its function: /url/NAME/")
}

/// 404, for a function of another region.
pub(crate) fn other_region(region: &str, here: &str) -> ServiceError {
    let message = format!("Functions from '{region}' are not reachable in this region ('{here}')");
    NOT_FOUND.error(&message)
}

/// 403, for a function of another account, whose policies never allow a call.
pub(crate) fn other_account(user: &str, action: &str, arn: &str) -> ServiceError {
    let message = format!(
        "User: {user} is not authorized to perform: {action} on resource: {arn} \
         because no resource-based policy allows the {action} action"
    );
    access_denied(&message)
}

/// 429.
pub(crate) fn throttled(reason: ThrottleReason) -> ServiceError {
    TOO_MANY_REQUESTS
        .error("Rate Exceeded.")
        .with_reason(reason)
        .with_retry_after(RetryAfter::seconds(1))
}

/// 400, for an invalid parameter of an operation that describes functions.
pub(crate) fn invalid_parameter(message: &str) -> ServiceError {
    INVALID_PARAMETER.error(message)
}

/// 501, for an operation that only the service has. The code is the endpoint's own.
pub(crate) fn not_implemented(operation: &str) -> ServiceError {
    let message = format!("{operation} is not implemented by this local endpoint");
    match ServiceError::unmodelled("NotImplementedException", 501) {
        Ok(error) => error.with_message(&message),
        Err(error) => internal(&error.to_string()),
    }
}

/// 400, for a truncated body. The caller has most likely disconnected.
pub(crate) fn truncated() -> ServiceError {
    INVALID_CONTENT.error("The request's body is truncated.")
}

/// 500, for a response with a value that is not a valid header, which should not happen.
pub(crate) fn internal(what: &str) -> ServiceError {
    SERVICE.error(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_in_the_table() {
        for (error, status) in [
            (not_found("arn"), 404),
            (other_region("a", "b"), 404),
            (other_account("user", "lambda:InvokeFunction", "arn"), 403),
            (
                throttled(ThrottleReason::ConcurrentInvocationLimitExceeded),
                429,
            ),
            (truncated(), 400),
            (internal("x"), 500),
        ] {
            assert!(error.known_error().is_some(), "{error}");
            assert_eq!(error.status(), status);
        }
    }
}
