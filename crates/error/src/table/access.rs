//! Authentication and permission.

use super::UNMODELLED;
use crate::{Category, KnownError, Origin, RetryClass};

const CREDENTIALS: KnownError = KnownError {
    status: 403,
    category: Category::Credentials,
    reason: "the signature is checked before anything runs, and the same key fails again",
    ..UNMODELLED
};

const PERMISSION: KnownError = KnownError {
    status: 403,
    category: Category::Permission,
    reason: "permission is checked before anything runs, and does not change on its own",
    ..UNMODELLED
};

pub(super) const ERRORS: [KnownError; 10] = [
    KnownError {
        code: "UnrecognizedClientException",
        aliases: &["UnrecognizedClient"],
        meaning: "The service does not know the access key id or the session token.",
        advice: "Check the key id, and send the session token that belongs to it; a new key takes \
                 some seconds to become valid.",
        ..CREDENTIALS
    },
    KnownError {
        code: "InvalidClientTokenId",
        aliases: &["InvalidClientTokenIdException"],
        meaning: "The service does not know the access key id.",
        advice: "Check the key id, and that it belongs to this partition (China and GovCloud have \
                 their own).",
        ..CREDENTIALS
    },
    KnownError {
        code: "InvalidSignatureException",
        aliases: &["InvalidSignature", "SignatureDoesNotMatch"],
        origin: Origin::Observed,
        meaning: "The signature is not the one that the service calculates, or its date is more \
                  than five minutes off.",
        advice: "Check the secret key, the region and the clock; check that no proxy changes the \
                 request.",
        reason: "the signature is checked before anything runs; with a message that says \
                 \"Signature expired\" or \"Signature not yet current\" it is clock skew, \
                 otherwise the same secret fails again",
        ..CREDENTIALS
    },
    KnownError {
        code: "IncompleteSignatureException",
        aliases: &["IncompleteSignature"],
        meaning: "The Authorization header is malformed or lacks a part.",
        advice: "Check what signs the request, and that no proxy changes the header.",
        ..CREDENTIALS
    },
    KnownError {
        code: "MissingAuthenticationTokenException",
        aliases: &["MissingAuthenticationToken"],
        meaning: "The request is not signed.",
        advice: "Sign it; check that no proxy removes the Authorization header.",
        ..CREDENTIALS
    },
    KnownError {
        code: "ExpiredTokenException",
        aliases: &["ExpiredToken"],
        class: RetryClass::ExpiredCredentials,
        meaning: "The session token has expired.",
        advice: "Fetch new credentials, such as by signing in again.",
        reason: "the token is checked before anything runs; with new credentials the same request \
                 can succeed",
        ..CREDENTIALS
    },
    KnownError {
        code: "RequestExpired",
        aliases: &[
            "RequestExpiredException",
            "RequestTimeTooSkewed",
            "RequestInTheFuture",
        ],
        status: 400,
        class: RetryClass::ClockSkew,
        meaning: "The request's date is too far from the service's, or a presigned URL has \
                  expired.",
        advice: "Set this machine's clock, or sign a new URL.",
        reason: "the date is checked before anything runs; signed with the right time, the same \
                 request can succeed",
        ..CREDENTIALS
    },
    KnownError {
        code: "AccessDeniedException",
        aliases: &["AccessDenied"],
        message_member: "Message",
        meaning: "The caller is not allowed to invoke this function.",
        advice: "Allow lambda:InvokeFunction to the caller, by its own policy or the function's.",
        ..PERMISSION
    },
    KnownError {
        code: "NotAuthorized",
        aliases: &["NotAuthorizedException"],
        status: 401,
        meaning: "The caller is not allowed to do this.",
        advice: "Allow lambda:InvokeFunction to the caller, by its own policy or the function's.",
        ..PERMISSION
    },
    KnownError {
        code: "OptInRequired",
        meaning: "The account has no subscription to the service, or the region is not enabled.",
        advice: "Enable the service or the region for the account.",
        ..PERMISSION
    },
];
