//! The service's regular expressions, as it publishes them.
//!
//! They are anchored at both ends, and `\d` means `[0-9]`. Property tests compare this crate's parsers
//! with them. The constants serve as documentation and for the service's error messages, which quote
//! them.

/// A function name, in the published API reference.
///
/// Length 1 to 170; a bare name 1 to 64.
pub const FUNCTION_NAME_PUBLISHED: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}(-gov)?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?";

/// A function name, in the newest API model (published in June 2026). The service quotes the same
/// pattern when it rejects a name (recorded in November 2025). It accepts every name that an older
/// generation accepts.
///
/// Length 1 to 256 in the model.
pub const FUNCTION_NAME_NEWEST: &str = r"(arn:(aws[a-zA-Z-]*)?:lambda:)?((eusc-)?[a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?([a-zA-Z0-9-_\.]+)(:(\$LATEST(\.PUBLISHED)?|[a-zA-Z0-9-_]+))?";

/// A qualifier, in the published API reference. Length 1 to 128, so the empty alternative never
/// applies.
pub const QUALIFIER_PUBLISHED: &str = r"(|[a-zA-Z0-9$_-]+)";

/// A qualifier, in the newest API model (since December 2025), and as the service quotes the pattern
/// (recorded in November 2025). Length 1 to 128.
pub const QUALIFIER_NEWEST: &str = r"\$(LATEST(\.PUBLISHED)?)|[a-zA-Z0-9-_$]+";

/// A tenant id. Length 1 to 256.
pub const TENANT_ID: &str = r"[a-zA-Z0-9\._:\/=+\-@ ]+";

/// The name of a durable execution. Length 1 to 64.
pub const DURABLE_EXECUTION_NAME: &str = r"[a-zA-Z0-9-_]+";

/// The ARN of a durable execution. Length 1 to 1,024.
pub const DURABLE_EXECUTION_ARN: &str = r"arn:([a-zA-Z0-9-]+):lambda:([a-zA-Z0-9-]+):(\d{12}):function:([a-zA-Z0-9_-]+):(\$LATEST(?:\.PUBLISHED)?|[0-9]+)/durable-execution/([a-zA-Z0-9_-]+)/([a-zA-Z0-9_-]+)";

/// The version that ran, in a response. Length 1 to 1,024.
pub const EXECUTED_VERSION: &str = r"(\$LATEST|[0-9]+)";
