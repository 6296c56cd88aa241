//! Headers on the command line: `NAME: VALUE`.

use http::{HeaderName, HeaderValue};

/// A header to add to a request.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    pub(crate) name: HeaderName,
    pub(crate) value: HeaderValue,
}

/// Parses `NAME: VALUE`.
///
/// # Errors
///
/// If there is no colon, or either part is not allowed in a header.
pub(crate) fn parse(text: &str) -> Result<Header, String> {
    let parts = text.split_once(':').ok_or(
        "there is no colon between name and value; expected a header such as 'X-Trace: abc'",
    )?;
    let (name, value) = (parts.0.trim(), parts.1.trim());
    let name = name.parse().map_err(|_| {
        format!("'{name}' is not the name of a header; expected one such as 'X-Trace: abc'")
    })?;
    let value = value
        .parse()
        .map_err(|_| "the value has a control character, which no header may have".to_owned())?;
    Ok(Header { name, value })
}
