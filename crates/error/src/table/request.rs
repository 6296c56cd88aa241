//! The request itself, its size, and functions that do not exist.

use super::{BOTH, MODELLED, UNMODELLED};
use crate::{Category, Execution, KnownError, Operation, Origin, RetryClass};

const SIZE: KnownError = KnownError {
    status: 413,
    category: Category::Size,
    operations: BOTH,
    message_member: "message",
    reason: "the size is checked before anything runs, and the same payload is still too large",
    ..MODELLED
};

const REJECTED: &str = "the request is checked before anything runs, and the same request fails \
                        again";

pub(super) const ERRORS: [KnownError; 21] = [
    KnownError {
        code: "InvalidParameterValueException",
        aliases: &["InvalidParameterValue"],
        operations: BOTH,
        message_member: "message",
        meaning: "A parameter has a value that the service does not accept.",
        advice: "Correct the parameter that the message names; a qualifier inside the name must \
                 equal the Qualifier parameter.",
        reason: REJECTED,
        ..MODELLED
    },
    KnownError {
        code: "InvalidRequestContentException",
        message_member: "message",
        meaning: "The payload is not JSON, or a header is malformed.",
        advice: "Send JSON in UTF-8; the message says at which line and column the error is.",
        reason: REJECTED,
        ..MODELLED
    },
    KnownError {
        code: "UnsupportedMediaTypeException",
        status: 415,
        operations: BOTH,
        message_member: "message",
        meaning: "The service does not accept the payload's content type.",
        advice: "Send application/json, or no content type.",
        reason: REJECTED,
        ..MODELLED
    },
    KnownError {
        code: "ModeNotSupportedException",
        operations: &[Operation::Invoke, Operation::InvokeAsync],
        message_member: "message",
        meaning: "The function cannot be invoked in this way, such as synchronously when it is \
                  set up for asynchronous calls only.",
        advice: "Use the invocation type that the function is set up for.",
        reason: "the mode is checked before anything runs, and does not change on its own",
        ..MODELLED
    },
    KnownError {
        code: "RecursiveInvocationException",
        operations: BOTH,
        meaning: "The service detected a loop of the function and other services, and stopped this \
                  call.",
        advice: "Break the loop, or allow it in the function's recursive loop setting.",
        reason: "the call is stopped before the function runs; another one would continue the loop",
        ..MODELLED
    },
    KnownError {
        code: "ValidationException",
        aliases: &["ValidationError"],
        meaning: "One or more parameters do not satisfy their constraints.",
        advice: "Correct the values that the message lists with their constraints.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "MalformedHttpRequestException",
        meaning: "The request is malformed HTTP, such as a body that does not decompress.",
        advice: "Check what builds the request, and whether a proxy changes it.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "UnknownOperationException",
        aliases: &["UnknownOperation"],
        status: 404,
        meaning: "The service has no operation at this path and method.",
        advice: "Check the endpoint URL and the region: the operation may not exist there.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "InvalidAction",
        meaning: "The service knows no such action.",
        advice: "Check the endpoint URL: it may be another service's.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "MissingAction",
        meaning: "The request names no action.",
        advice: "Check the endpoint URL: it may be another service's.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "MissingParameter",
        meaning: "A required parameter is missing.",
        advice: "Add the parameter that the message names.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "InvalidParameterCombination",
        meaning: "Two parameters are mutually exclusive.",
        advice: "Omit one of the parameters that the message names.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "InvalidQueryParameter",
        meaning: "The query string is malformed.",
        advice: "Check what builds the URL, and whether a proxy changes it.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "MalformedQueryString",
        status: 404,
        meaning: "The query string has a syntax error.",
        advice: "Check what builds the URL, and whether a proxy changes it.",
        reason: REJECTED,
        ..UNMODELLED
    },
    KnownError {
        code: "RequestTimeoutException",
        aliases: &["RequestTimeout"],
        status: 408,
        class: RetryClass::Transient,
        meaning: "The service did not receive the whole request in time.",
        advice: "Send the request again; if it happens often, check the network's upload speed.",
        reason: "a function runs only after the whole request was received; the network may be \
                 better the next time",
        ..UNMODELLED
    },
    KnownError {
        code: "RequestAbortedException",
        class: RetryClass::Transient,
        execution: Execution::Unknown,
        meaning: "The connection was closed before the response was ready.",
        advice: "Find out what closed it, such as a timeout of the client or a proxy; the function \
                 may have run.",
        reason: "the response was missing, not the request: the function may have run",
        ..UNMODELLED
    },
    KnownError {
        code: "RequestTooLargeException",
        meaning: "The payload is larger than the operation accepts.",
        advice: "Send at most 6,291,456 bytes (1 MiB for Event), or a reference to the data \
                 instead of the data.",
        ..SIZE
    },
    KnownError {
        code: "SerializedRequestEntityTooLargeException",
        meaning: "The serialized request is larger than the service accepts.",
        advice: "Reduce the payload; headers and escapes count too.",
        ..SIZE
    },
    KnownError {
        code: "RequestEntityTooLargeException",
        aliases: &["RequestEntityTooLarge"],
        origin: Origin::Common,
        operations: UNMODELLED.operations,
        meaning: "The payload is larger than the operation accepts. This is the code that the \
                  service really sends.",
        advice: "Send at most what the message says, or a reference to the data instead of the \
                 data.",
        ..SIZE
    },
    KnownError {
        code: "ResourceNotFoundException",
        status: 404,
        category: Category::NotFound,
        meaning: "There is no such function, version or alias in this account and region.",
        advice: "Check the name, the qualifier, the region and the account.",
        reason: "there is nothing to run, and that does not change on its own",
        ..MODELLED
    },
    KnownError {
        code: "NoPublishedVersionException",
        category: Category::NotFound,
        operations: BOTH,
        meaning: "The function has no published version.",
        advice: "Publish a version, or invoke $LATEST.",
        reason: "there is nothing to run, and that does not change on its own",
        ..MODELLED
    },
];
