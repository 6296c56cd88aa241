//! The request itself, its size, and functions that do not exist.

use super::{BOTH, MODELLED, UNMODELLED};
use crate::{Execution, Operation, Origin, RetryClass, Row, Topic};

const SIZE: Row = Row {
    status: 413,
    topic: Topic::Size,
    operations: BOTH,
    message_member: "message",
    reason: "the same payload has the same size every time; it is measured before anything runs",
    ..MODELLED
};

const REFUSED: &str = "the request is checked before anything runs, and is as wrong the next time";

pub(super) const ROWS: [Row; 21] = [
    Row {
        code: "InvalidParameterValueException",
        aliases: &["InvalidParameterValue"],
        operations: BOTH,
        message_member: "message",
        meaning: "A parameter has a value that the service does not accept.",
        advice: "Correct the parameter that the message names; a qualifier inside the name must \
                 equal the Qualifier parameter.",
        reason: REFUSED,
        ..MODELLED
    },
    Row {
        code: "InvalidRequestContentException",
        message_member: "message",
        meaning: "The payload is not JSON, or a header is malformed.",
        advice: "Send JSON, in UTF-8; the message says at which line and column it breaks.",
        reason: REFUSED,
        ..MODELLED
    },
    Row {
        code: "UnsupportedMediaTypeException",
        status: 415,
        operations: BOTH,
        message_member: "message",
        meaning: "The payload's content type is not one that the service takes.",
        advice: "Send application/json, or no content type.",
        reason: REFUSED,
        ..MODELLED
    },
    Row {
        code: "ModeNotSupportedException",
        operations: &[Operation::Invoke, Operation::InvokeAsync],
        message_member: "message",
        meaning: "The function cannot be invoked in this way, such as synchronously when it is \
                  set up for asynchronous calls only.",
        advice: "Use the invocation type that the function is set up for.",
        reason: "the function's mode does not change by itself",
        ..MODELLED
    },
    Row {
        code: "RecursiveInvocationException",
        operations: BOTH,
        meaning: "The service noticed the function in a loop with other services and stopped \
                  this call.",
        advice: "Break the loop, or allow it in the function's recursive loop setting.",
        reason: "the call is stopped before the function runs; another one would feed the loop",
        ..MODELLED
    },
    Row {
        code: "ValidationException",
        aliases: &["ValidationError"],
        meaning: "One or several parameters do not have the form that the service demands.",
        advice: "Correct the values that the message lists, each with its constraint.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "MalformedHttpRequestException",
        meaning: "The request is broken as HTTP, such as a body that does not decompress.",
        advice: "Check what builds or rewrites the request; a proxy may be in between.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "UnknownOperationException",
        aliases: &["UnknownOperation"],
        status: 404,
        meaning: "The service has no operation at this path and method.",
        advice: "Check the endpoint's address and the region: the operation may not exist there.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "InvalidAction",
        meaning: "The service knows no such action.",
        advice: "Check the endpoint's address: it may be another service's.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "MissingAction",
        meaning: "The request names no action.",
        advice: "Check the endpoint's address: it may be another service's.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "MissingParameter",
        meaning: "A required parameter is missing.",
        advice: "Add the parameter that the message names.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "InvalidParameterCombination",
        meaning: "Two parameters exclude each other.",
        advice: "Leave out one of the parameters that the message names.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "InvalidQueryParameter",
        meaning: "The query string is malformed.",
        advice: "Check what builds or rewrites the address; a proxy may be in between.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "MalformedQueryString",
        status: 404,
        meaning: "The query string has a syntax error.",
        advice: "Check what builds or rewrites the address; a proxy may be in between.",
        reason: REFUSED,
        ..UNMODELLED
    },
    Row {
        code: "RequestTimeoutException",
        aliases: &["RequestTimeout"],
        status: 408,
        class: RetryClass::Transient,
        meaning: "The service waited for the whole request and did not get it.",
        advice: "Send again; if it happens often, look at the network's upload speed.",
        reason: "only a request that was read to its end runs a function; the network may be \
                 better the next time",
        ..UNMODELLED
    },
    Row {
        code: "RequestAbortedException",
        class: RetryClass::Transient,
        execution: Execution::Unknown,
        meaning: "The connection was closed before the answer was ready.",
        advice: "Find out who closed it: a time limit of the client or of a proxy; the function \
                 may have run.",
        reason: "the answer was missing, not the request: the function may have run",
        ..UNMODELLED
    },
    Row {
        code: "RequestTooLargeException",
        meaning: "The payload is larger than the operation takes.",
        advice: "Send at most 6,291,456 bytes (1 MiB for Event), or a reference to the data \
                 instead of the data.",
        ..SIZE
    },
    Row {
        code: "SerializedRequestEntityTooLargeException",
        meaning: "The request is larger than the service takes once it is serialized.",
        advice: "Make the payload smaller; headers and escapes count too.",
        ..SIZE
    },
    Row {
        code: "RequestEntityTooLargeException",
        aliases: &["RequestEntityTooLarge"],
        origin: Origin::Common,
        operations: UNMODELLED.operations,
        meaning: "The payload is larger than the operation takes; the code that the service \
                  really sends.",
        advice: "Send at most what the message says, or a reference to the data instead of the \
                 data.",
        ..SIZE
    },
    Row {
        code: "ResourceNotFoundException",
        status: 404,
        topic: Topic::NotFound,
        meaning: "There is no such function, version or alias in this account and region.",
        advice: "Check name, qualifier, region and account.",
        reason: "there was nothing to run, and it does not come to be by itself",
        ..MODELLED
    },
    Row {
        code: "NoPublishedVersionException",
        topic: Topic::NotFound,
        operations: BOTH,
        meaning: "The function has no published version.",
        advice: "Publish a version, or invoke $LATEST.",
        reason: "there was nothing to run, and it does not come to be by itself",
        ..MODELLED
    },
];
