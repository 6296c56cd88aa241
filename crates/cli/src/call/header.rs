//! Headers on the command line: `NAME: VALUE`.

use std::ffi::OsStr;

use clap::builder::TypedValueParser;
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use http::{HeaderName, HeaderValue};

/// A header to add to a request.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// Parses the option's value. Its errors do not quote the value, which is often a secret, as those of
/// clap do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parser;

impl TypedValueParser for Parser {
    type Value = Header;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Header, Error> {
        let text = value.to_str().ok_or_else(|| "it is not UTF-8".to_owned());
        text.and_then(parse).map_err(|why| {
            let option = argument.map(ToString::to_string).unwrap_or_default();
            let message = format!("invalid value for '{option}': {why}\n");
            Error::raw(ErrorKind::ValueValidation, message).with_cmd(command)
        })
    }
}

/// The headers that options set, and what to do instead.
const OPTIONS: [(&str, &str); 6] = [
    (
        "content-type",
        "payloads are always sent as application/json",
    ),
    ("x-amz-client-context", "use --client-context"),
    (
        "x-amz-durable-execution-name",
        "use --durable-execution-name",
    ),
    ("x-amz-invocation-type", "use --event or --dry-run"),
    ("x-amz-log-type", "use --log-tail"),
    ("x-amz-tenant-id", "use --tenant-id"),
];

/// Parses `NAME: VALUE`.
///
/// # Errors
///
/// If there is no colon, either part is not allowed in a header, or an option sets this header.
fn parse(text: &str) -> Result<Header, String> {
    let parts = text.split_once(':').ok_or(
        "there is no colon between name and value; expected a header such as 'X-Trace: abc'",
    )?;
    let (name, value) = (parts.0.trim(), parts.1.trim());
    let name: HeaderName = name.parse().map_err(|_| {
        "the name is not one that a header can have; expected a header such as 'X-Trace: abc'"
            .to_owned()
    })?;
    if let Some((_, instead)) = OPTIONS.iter().find(|(own, _)| name == *own) {
        return Err(format!("the header {name} is not set here; {instead}"));
    }
    let value = value
        .parse()
        .map_err(|_| "the value has a control character, which no header may have".to_owned())?;
    Ok(Header { name, value })
}
