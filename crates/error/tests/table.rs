//! The table, compared with lists that were copied from the published references by hand.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::HashSet;

use lambda_invoke_error::{
    Category, Execution, Fault, KnownError, Operation, Origin, RetryClass, ThrottleReason,
    known_errors, lookup,
};

/// The errors of the API reference's pages on Invoke and InvokeWithResponseStream, with their
/// documented statuses.
const PUBLISHED: [(&str, u16); 30] = [
    ("EC2AccessDeniedException", 502),
    ("EC2ThrottledException", 502),
    ("EC2UnexpectedException", 502),
    ("EFSIOException", 410),
    ("EFSMountConnectivityException", 408),
    ("EFSMountFailureException", 403),
    ("EFSMountTimeoutException", 408),
    ("ENILimitReachedException", 502),
    ("InvalidParameterValueException", 400),
    ("InvalidRequestContentException", 400),
    ("InvalidRuntimeException", 502),
    ("InvalidSecurityGroupIDException", 502),
    ("InvalidSubnetIDException", 502),
    ("InvalidZipFileException", 502),
    ("KMSAccessDeniedException", 502),
    ("KMSDisabledException", 502),
    ("KMSInvalidStateException", 502),
    ("KMSNotFoundException", 502),
    ("RecursiveInvocationException", 400),
    ("RequestTooLargeException", 413),
    ("ResourceConflictException", 409),
    ("ResourceNotFoundException", 404),
    ("ResourceNotReadyException", 502),
    ("ServiceException", 500),
    ("SnapStartException", 400),
    ("SnapStartNotReadyException", 409),
    ("SnapStartTimeoutException", 408),
    ("SubnetIPAddressLimitReachedException", 502),
    ("TooManyRequestsException", 429),
    ("UnsupportedMediaTypeException", 415),
];

/// The page "Common Errors" of the Lambda API reference, as of 2025.
const COMMON: [(&str, u16); 16] = [
    ("AccessDeniedException", 403),
    ("ExpiredTokenException", 403),
    ("IncompleteSignature", 403),
    ("InternalFailure", 500),
    ("MalformedHttpRequestException", 400),
    ("NotAuthorized", 401),
    ("OptInRequired", 403),
    ("RequestAbortedException", 400),
    ("RequestEntityTooLargeException", 413),
    ("RequestExpired", 400),
    ("RequestTimeoutException", 408),
    ("ServiceUnavailable", 503),
    ("ThrottlingException", 400),
    ("UnrecognizedClientException", 403),
    ("UnknownOperationException", 404),
    ("ValidationError", 400),
];

/// The same page until 2024. Three of its statuses (AccessDeniedException, IncompleteSignature and
/// NotAuthorized: 400) are superseded by the list above, and by what the service returns.
const COMMON_BEFORE: [(&str, u16); 18] = [
    ("AccessDeniedException", 403),
    ("IncompleteSignature", 403),
    ("InternalFailure", 500),
    ("InvalidAction", 400),
    ("InvalidClientTokenId", 403),
    ("InvalidParameterCombination", 400),
    ("InvalidParameterValue", 400),
    ("InvalidQueryParameter", 400),
    ("MalformedQueryString", 404),
    ("MissingAction", 400),
    ("MissingAuthenticationToken", 403),
    ("MissingParameter", 400),
    ("NotAuthorized", 401),
    ("OptInRequired", 403),
    ("RequestExpired", 400),
    ("ServiceUnavailable", 503),
    ("ThrottlingException", 400),
    ("ValidationError", 400),
];

/// Codes that were observed in the service's responses, and are in no published list.
const OBSERVED: [(&str, u16); 8] = [
    ("InvalidSignatureException", 403),
    ("IncompleteSignatureException", 403),
    ("MissingAuthenticationTokenException", 403),
    ("ValidationException", 400),
    ("AccessDeniedException", 403),
    ("UnrecognizedClientException", 403),
    ("RequestEntityTooLargeException", 413),
    ("ServiceUnavailableException", 503),
];

#[test]
fn every_published_error_is_there_with_its_documented_status() {
    for (code, status) in PUBLISHED {
        let known = lookup(code).unwrap_or_else(|| panic!("{code} is missing"));
        assert_eq!(
            (known.code, known.status, known.origin),
            (code, status, Origin::Modelled)
        );
        assert!(known.applies_to(Operation::Invoke), "{code}");
        assert!(
            known.applies_to(Operation::InvokeWithResponseStream),
            "{code}"
        );
    }
    for (code, status) in COMMON.into_iter().chain(COMMON_BEFORE).chain(OBSERVED) {
        let known = lookup(code).unwrap_or_else(|| panic!("{code} is missing"));
        assert_eq!(known.status, status, "{code}");
    }
}

#[test]
fn every_known_error_that_is_said_to_be_common_is_on_one_of_the_pages() {
    let pages: Vec<&str> = COMMON
        .into_iter()
        .chain(COMMON_BEFORE)
        .map(|(code, _)| code)
        .collect();
    for known in known_errors()
        .iter()
        .filter(|known| known.origin == Origin::Common)
    {
        assert!(
            pages.iter().any(|code| known.has_code(code)),
            "{}",
            known.code
        );
    }
}

#[test]
fn every_spelling_leads_to_one_known_error_only() {
    let mut seen = HashSet::new();
    for known in known_errors() {
        for spelling in known.aliases.iter().chain([&known.code]) {
            assert!(seen.insert(*spelling), "{spelling} twice");
            assert_eq!(lookup(spelling).unwrap().code, known.code);
        }
    }
    assert_eq!(known_errors().len(), 70);
    assert_eq!(seen.len(), 70 + 34);
}

#[test]
fn a_deleted_runtime_is_permanent_and_nothing_ran() {
    for code in [
        "RuntimeAliasDeletedException",
        "RuntimeVersionDeletedException",
    ] {
        let known = lookup(code).unwrap();
        assert_eq!((known.status, known.fault), (409, Fault::Sender), "{code}");
        assert_eq!(known.class, RetryClass::Permanent, "{code}");
        assert_eq!(known.execution, Execution::NotStarted, "{code}");
        assert!(
            known.applies_to(Operation::InvokeWithResponseStream),
            "{code}"
        );
        assert!(!known.applies_to(Operation::InvokeAsync), "{code}");
    }
}

#[test]
fn every_known_error_is_complete_and_consistent() {
    for known in known_errors() {
        let code = known.code;
        assert!(
            matches!(known.message_member, "message" | "Message"),
            "{code}"
        );
        assert_eq!(known.fault == Fault::Server, known.status >= 500, "{code}");
        assert!(!known.operations.is_empty(), "{code}");
        for text in [known.meaning, known.advice] {
            assert!(
                text.ends_with('.') && !text.contains("  "),
                "{code}: {text:?}"
            );
        }
        assert!(
            known.reason.len() > 20 && !known.reason.ends_with('.'),
            "{code}: {}",
            known.reason
        );
        assert_ne!(
            known.execution,
            Execution::Started,
            "{code}: a response that is an error"
        );
    }
}

#[test]
fn the_table_is_grouped_by_topic() {
    let mut topics: Vec<Category> = known_errors().iter().map(|known| known.category).collect();
    topics.dedup();
    let unique: HashSet<Category> = topics.iter().copied().collect();
    assert_eq!(topics.len(), unique.len(), "{topics:?}");
    assert_eq!(topics.len(), 13);
}

fn codes(filter: impl Fn(&KnownError) -> bool) -> Vec<&'static str> {
    let mut codes: Vec<_> = known_errors()
        .iter()
        .filter(|known| filter(known))
        .map(|known| known.code)
        .collect();
    codes.sort_unstable();
    codes
}

#[test]
fn only_these_leave_it_open_whether_the_function_ran() {
    assert_eq!(
        codes(|known| known.execution == Execution::Unknown),
        [
            "EFSIOException",
            "InternalFailure",
            "RequestAbortedException",
            "ServiceException",
            "ServiceUnavailableException",
        ]
    );
}

#[test]
fn these_502s_are_permanent_all_the_same() {
    assert_eq!(
        codes(|known| known.status == 502 && known.class == RetryClass::Permanent),
        [
            "EC2AccessDeniedException",
            "ENILimitReachedException",
            "InvalidRuntimeException",
            "InvalidSecurityGroupIDException",
            "InvalidSubnetIDException",
            "InvalidZipFileException",
            "KMSAccessDeniedException",
            "KMSDisabledException",
            "KMSInvalidStateException",
            "KMSNotFoundException",
            "SubnetIPAddressLimitReachedException",
        ]
    );
}

#[test]
fn the_classes_follow_the_meaning() {
    assert_eq!(
        codes(|known| known.class == RetryClass::Throttled),
        [
            "EC2ThrottledException",
            "ThrottlingException",
            "TooManyRequestsException"
        ]
    );
    assert_eq!(
        codes(|known| known.class == RetryClass::Pending),
        [
            "CodeArtifactUserDeletedException",
            "CodeArtifactUserPendingException",
            "ENINotReadyException",
            "ResourceConflictException",
            "ResourceNotReadyException",
            "SnapStartNotReadyException",
            "SnapStartRegenerationFailureException",
        ]
    );
    assert_eq!(
        codes(|known| known.class == RetryClass::ClockSkew),
        ["RequestExpired"]
    );
    assert_eq!(
        codes(|known| known.class == RetryClass::ExpiredCredentials),
        ["ExpiredTokenException"]
    );
}

#[test]
fn one_predicate_holds_for_every_code_that_means_too_large() {
    let too_large = codes(|known| known.error("x").is_too_large());
    assert_eq!(
        too_large,
        [
            "RequestEntityTooLargeException",
            "RequestTooLargeException",
            "SerializedRequestEntityTooLargeException",
        ]
    );
}

#[test]
fn predicates_agree_with_the_table() {
    for known in known_errors() {
        let error = known.error("a message");
        assert_eq!(error.known_error().unwrap().code, known.code);
        assert_eq!(error.retry_class(), known.class, "{}", known.code);
        assert_eq!(error.execution(), known.execution, "{}", known.code);
        assert_eq!(error.advice(), Some(known.advice));
        assert_eq!(
            error.is_throttle(),
            known.class == RetryClass::Throttled,
            "{}",
            known.code
        );
        assert_eq!(
            error.is_pending(),
            known.class == RetryClass::Pending,
            "{}",
            known.code
        );
        assert_eq!(
            error.is_permanent(),
            known.class == RetryClass::Permanent,
            "{}",
            known.code
        );
        assert_eq!(
            error.is_clock_skew(),
            known.class == RetryClass::ClockSkew,
            "{}",
            known.code
        );
        assert_eq!(
            error.is_not_found(),
            known.category == Category::NotFound,
            "{}",
            known.code
        );
        assert_eq!(
            error.is_credentials(),
            known.category == Category::Credentials,
            "{}",
            known.code
        );
        assert_eq!(
            error.is_access_denied(),
            known.category == Category::Permission,
            "{}",
            known.code
        );
    }
}

/// The modelled exceptions whose message is in `message` according to the service's model; the
/// others have it in `Message`.
const LOWER_CASE_MESSAGE: [&str; 14] = [
    "CodeArtifactUserDeletedException",
    "CodeArtifactUserFailedException",
    "CodeArtifactUserPendingException",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "ModeNotSupportedException",
    "RequestTooLargeException",
    "ResourceConflictException",
    "ResourceNotReadyException",
    "RuntimeAliasDeletedException",
    "RuntimeVersionDeletedException",
    "SerializedRequestEntityTooLargeException",
    "TooManyRequestsException",
    "UnsupportedMediaTypeException",
];

/// Every modelled exception has a `Type`. An unmodelled error has no `Type`, and its message is in
/// `message`; these are the exceptions that were recorded.
#[test]
fn the_bodies_are_those_of_the_model_and_of_the_recordings() {
    for known in known_errors() {
        let code = known.code;
        let modelled = known.origin == Origin::Modelled;
        let has_type = modelled || code == "RequestEntityTooLargeException";
        assert_eq!(known.has_type, has_type, "{code}");
        let upper = if modelled {
            !LOWER_CASE_MESSAGE.contains(&code)
        } else {
            code == "AccessDeniedException"
        };
        let member = if upper { "Message" } else { "message" };
        assert_eq!(known.message_member, member, "{code}");
    }
}

#[test]
fn the_six_throttle_reasons_are_typed() {
    let published = [
        "ConcurrentInvocationLimitExceeded",
        "FunctionInvocationRateLimitExceeded",
        "ReservedFunctionConcurrentInvocationLimitExceeded",
        "ReservedFunctionInvocationRateLimitExceeded",
        "CallerRateLimitExceeded",
        "ConcurrentSnapshotCreateLimitExceeded",
    ];
    assert_eq!(ThrottleReason::KNOWN.len(), published.len());
    for (known, published) in ThrottleReason::KNOWN.into_iter().zip(published) {
        assert_eq!(known.as_str(), published);
        assert_eq!(ThrottleReason::from(published), known);
        assert!(!matches!(known, ThrottleReason::Other(_)));
    }
    assert!(matches!(
        ThrottleReason::from("callerratelimitexceeded"),
        ThrottleReason::Other(_)
    ));
}
