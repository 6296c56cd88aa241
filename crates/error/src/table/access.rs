//! Who the caller is, and what the caller may do.

use super::UNMODELLED;
use crate::{Origin, RetryClass, Row, Topic};

const CREDENTIALS: Row = Row {
    status: 403,
    topic: Topic::Credentials,
    reason: "the signature is checked before anything runs, and the same key fails the same way",
    ..UNMODELLED
};

const PERMISSION: Row = Row {
    status: 403,
    topic: Topic::Permission,
    reason: "permission is checked before anything runs, and does not change by itself",
    ..UNMODELLED
};

pub(super) const ROWS: [Row; 10] = [
    Row {
        code: "UnrecognizedClientException",
        aliases: &["UnrecognizedClient"],
        meaning: "The service does not know the access key id or the session token.",
        advice: "Check the key id, and send the session token that belongs to it; a new key needs \
                 some seconds.",
        ..CREDENTIALS
    },
    Row {
        code: "InvalidClientTokenId",
        aliases: &["InvalidClientTokenIdException"],
        meaning: "The service does not know the access key id.",
        advice: "Check the key id, and that it belongs to this partition (China and GovCloud have \
                 their own).",
        ..CREDENTIALS
    },
    Row {
        code: "InvalidSignatureException",
        aliases: &["InvalidSignature", "SignatureDoesNotMatch"],
        origin: Origin::Observed,
        meaning: "The signature is not the one that the service calculates, or its date is more \
                  than five minutes off.",
        advice: "Check the secret key, the region and the clock; check that nothing between \
                 changes the request.",
        reason: "the signature is checked before anything runs; a message that says \"Signature \
                 expired\" or \"Signature not yet current\" makes it clock skew, else the same \
                 secret fails the same way",
        ..CREDENTIALS
    },
    Row {
        code: "IncompleteSignatureException",
        aliases: &["IncompleteSignature"],
        meaning: "The authorization header lacks a part or is malformed.",
        advice: "Check what signs the request, and that nothing between changes the header.",
        ..CREDENTIALS
    },
    Row {
        code: "MissingAuthenticationTokenException",
        aliases: &["MissingAuthenticationToken"],
        meaning: "The request is not signed.",
        advice: "Sign it; check that nothing between removes the authorization header.",
        ..CREDENTIALS
    },
    Row {
        code: "ExpiredTokenException",
        aliases: &["ExpiredToken"],
        class: RetryClass::ExpiredCredentials,
        meaning: "The session token has expired.",
        advice: "Fetch new credentials, such as by signing in again.",
        reason: "the token is checked before anything runs; with fresh credentials the same \
                 request can succeed",
        ..CREDENTIALS
    },
    Row {
        code: "RequestExpired",
        aliases: &[
            "RequestExpiredException",
            "RequestTimeTooSkewed",
            "RequestInTheFuture",
        ],
        status: 400,
        class: RetryClass::ClockSkew,
        meaning: "The request's date is too far from the service's, or a presigned address has \
                  expired.",
        advice: "Set this machine's clock, or sign a new address.",
        reason: "the date is checked before anything runs; signed with the right time, the same \
                 request can succeed",
        ..CREDENTIALS
    },
    Row {
        code: "AccessDeniedException",
        aliases: &["AccessDenied"],
        message_member: "Message",
        meaning: "The caller may not invoke this function.",
        advice: "Allow lambda:InvokeFunction to the caller, by its own policy or the function's.",
        ..PERMISSION
    },
    Row {
        code: "NotAuthorized",
        aliases: &["NotAuthorizedException"],
        status: 401,
        meaning: "The caller may not do this.",
        advice: "Allow lambda:InvokeFunction to the caller, by its own policy or the function's.",
        ..PERMISSION
    },
    Row {
        code: "OptInRequired",
        meaning: "The account has no subscription to the service, or the region is not enabled.",
        advice: "Enable the service or the region for the account.",
        ..PERMISSION
    },
];
