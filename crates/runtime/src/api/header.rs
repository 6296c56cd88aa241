//! The names of the APIs' headers. They are statics, since creating a name from text parses and
//! hashes it.

use http::HeaderName;

macro_rules! names {
    ($($name:ident = $text:expr),* $(,)?) => {
        $(pub(crate) static $name: HeaderName = HeaderName::from_static($text);)*
    };
}

// Headers that a runtime receives with an event.
names! {
    REQUEST_ID = "lambda-runtime-aws-request-id",
    FUNCTION_ARN = "lambda-runtime-invoked-function-arn",
    CLIENT_CONTEXT = "lambda-runtime-client-context",
    TENANT_ID = "lambda-runtime-aws-tenant-id",
    TRACE_ID = "lambda-runtime-trace-id",
    DEADLINE = "lambda-runtime-deadline-ms",
    // The runtime may send this one back.
    INVOCATION_ID = "lambda-runtime-invocation-id",
}

// Headers that a runtime or an extension sends.
names! {
    RESPONSE_MODE = "lambda-runtime-function-response-mode",
    ERROR_TYPE = super::lines::TYPE,
    EXTENSION_NAME = "lambda-extension-name",
    EXTENSION_ID = "lambda-extension-identifier",
    EXTENSION_ERROR_TYPE = "lambda-extension-function-error-type",
}

// Headers that only browsers send, for a page.
names! {
    ORIGIN = "origin",
    FETCH_SITE = "sec-fetch-site",
}
