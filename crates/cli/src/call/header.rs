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

/// Parses `NAME: VALUE`.
///
/// # Errors
///
/// If there is no colon, or either part is not allowed in a header.
fn parse(text: &str) -> Result<Header, String> {
    let parts = text.split_once(':').ok_or(
        "there is no colon between name and value; expected a header such as 'X-Trace: abc'",
    )?;
    let (name, value) = (parts.0.trim(), parts.1.trim());
    let name = name.parse().map_err(|_| {
        "the name is not one that a header can have; expected a header such as 'X-Trace: abc'"
            .to_owned()
    })?;
    let value = value
        .parse()
        .map_err(|_| "the value has a control character, which no header may have".to_owned())?;
    Ok(Header { name, value })
}
