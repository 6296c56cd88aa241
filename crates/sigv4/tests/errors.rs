//! What the errors say, and the small value types of the interface.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::error::Error as _;
use std::sync::Arc;

use lambda_invoke_sigv4::region::RegionError;
use lambda_invoke_sigv4::{
    Credentials, CredentialsFuture, Incomplete, InvalidRequest, InvalidScope, ProvideCredentials,
    SignError, Timestamp, TimestampError, VerifyError,
};

#[test]
fn errors_say_what_is_wrong_and_what_would_be_right() {
    let parameter = SignError::OwnedParameter("X-Amz-Date");
    for (error, text) in [
        (
            SignError::MissingHost.to_string(),
            "the request has neither a host header nor a host in its URI",
        ),
        (
            parameter.to_string(),
            "the query has the parameter X-Amz-Date, which only signing may set",
        ),
        (
            SignError::ExpiresOutOfRange.to_string(),
            "a presigned request must expire after 1 to 604800 whole seconds",
        ),
        (
            SignError::TargetTooLong.to_string(),
            "the presigned target is too long for a URI",
        ),
        (
            SignError::MissingScheme.to_string(),
            "the URI of the request is only a host, expected one with a scheme, such as \
             https://host/path",
        ),
        (
            SignError::InvalidHeader.to_string(),
            "a value that signing adds is not valid in a header",
        ),
        (
            SignError::TooManyHeaders.to_string(),
            "the request has more than 4096 names of headers",
        ),
        (
            InvalidScope::Region.to_string(),
            "the region must be visible ASCII without '/' and ',', and not empty",
        ),
        (
            InvalidScope::Service.to_string(),
            "the service must be visible ASCII without '/' and ',', and not empty",
        ),
        (
            TimestampError::Malformed.to_string(),
            "the date must be written like 20150830T123600Z",
        ),
        (
            TimestampError::OutOfRange.to_string(),
            "the date is not in the years 1970 to 9999",
        ),
        (
            InvalidRequest::Method.to_string(),
            "the method is not a token (RFC 9110, section 5.6.2)",
        ),
        (
            InvalidRequest::HeaderName { index: 3 }.to_string(),
            "the name of header 3 is not a token (RFC 9110, section 5.6.2)",
        ),
        (
            InvalidRequest::HeaderValue {
                index: 3,
                offset: 7,
            }
            .to_string(),
            "the value of header 3 has a line end or a NUL at offset 7",
        ),
    ] {
        assert_eq!(error, text);
    }
}

#[test]
fn an_unreadable_signature_has_its_cause_as_source() {
    for (cause, text) in [
        (
            Incomplete::NotKeyValue,
            "a piece of the authorization header is not name=value",
        ),
        (Incomplete::Repeated("X-Amz-Date"), "X-Amz-Date is repeated"),
        (
            Incomplete::Date,
            "the date is not written like 20150830T123600Z",
        ),
        (
            Incomplete::Signature,
            "the signature is not 64 lower-case hexadecimal digits",
        ),
    ] {
        assert_eq!(cause.to_string(), text);
        let error = VerifyError::from(cause);
        assert_eq!(error.source().unwrap().to_string(), text);
        assert!(!error.to_string().contains(text), "{error}");
    }
    assert!(VerifyError::HostNotSigned.source().is_none());
}

#[derive(Debug)]
struct Fetched(Credentials);

impl ProvideCredentials for Fetched {
    fn provide(&self) -> CredentialsFuture<'_> {
        self.0.provide()
    }
}

#[test]
fn only_fixed_credentials_are_not_fetched_again() {
    let fixed = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    assert!(!fixed.can_refresh());
    assert!(!Arc::new(fixed.clone()).can_refresh());
    let fetched = Fetched(fixed);
    assert!(fetched.can_refresh());
    let shared: Arc<dyn ProvideCredentials> = Arc::new(fetched);
    assert!(shared.can_refresh());
}

#[test]
fn a_timestamp_is_the_number_of_seconds_since_1970() {
    let timestamp: Timestamp = "20150830T123600Z".parse().unwrap();
    assert_eq!(timestamp.as_secs(), 1_440_938_160);
    assert_eq!(Timestamp::from_secs(1_440_938_160), Ok(timestamp));
}

#[test]
fn the_errors_of_a_region_say_what_is_allowed() {
    let cases = [
        (
            RegionError::Empty.to_string(),
            "the region is empty, expected the form eu-central-1",
        ),
        (
            RegionError::TooLong { length: 64 }.to_string(),
            "the region has 64 bytes, but at most 63 are allowed",
        ),
        (
            RegionError::Byte {
                offset: 2,
                byte: b'/',
            }
            .to_string(),
            "the region has '/' at byte 2; letters, digits and inner hyphens are allowed",
        ),
    ];
    for (message, expected) in cases {
        assert_eq!(message, expected);
    }
}
