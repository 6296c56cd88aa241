//! Paths and queries: which operation a path belongs to, and percent-encoding.
//!
//! A path's label is encoded once on the wire: every byte except `A-Z a-z 0-9 - . _ ~` becomes
//! `%XX`, as the REST-JSON protocol requires (`:` is `%3A`, `$` is `%24`). The signer encodes the
//! path once more for a signature's canonical request.

use std::borrow::Cow;
use std::fmt;

use http::Method;
use lambda_invoke_error::Operation;

/// An operation's path: the function's name between two constant parts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Template {
    operation: Operation,
    before: &'static str,
    after: &'static str,
}

pub(crate) const INVOKE: Template = Template {
    operation: Operation::Invoke,
    before: "/2015-03-31/functions/",
    after: "/invocations",
};

pub(crate) const STREAM: Template = Template {
    operation: Operation::InvokeWithResponseStream,
    before: "/2021-11-15/functions/",
    after: "/response-streaming-invocations",
};

/// Only endpoints need it. The model has the path without the last slash, the API reference with
/// it.
pub(crate) const INVOKE_ASYNC: Template = Template {
    operation: Operation::InvokeAsync,
    before: "/2014-11-13/functions/",
    after: "/invoke-async/",
};

impl Template {
    /// Writes the path for a function, whose name it encodes.
    pub(crate) fn write(self, to: &mut String, name: &str) {
        to.push_str(self.before);
        // Writing to a `String` does not fail.
        let _ = Encoded(name).write(to);
        to.push_str(self.after);
    }

    /// Returns the label in a path of this operation. A trailing slash is optional.
    fn label<'a>(&self, path: &'a str) -> Option<&'a str> {
        let rest = path.strip_prefix(self.before)?;
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let label = rest.strip_suffix(self.after.trim_end_matches('/'))?;
        (!label.contains('/')).then_some(label)
    }
}

/// The operation and the function that a request's path names.
///
/// # Example
///
/// ```
/// use http::Method;
/// use lambda_invoke_error::Operation;
/// use lambda_invoke_protocol::path::Route;
///
/// let route = Route::find(&Method::POST, "/2015-03-31/functions/hello%3Aprod/invocations")?;
/// assert_eq!(route.operation, Operation::Invoke);
/// assert_eq!(route.function_name, "hello:prod");
/// # Ok::<(), lambda_invoke_protocol::path::RouteError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Route<'a> {
    /// The operation.
    pub operation: Operation,
    /// The function's name, decoded but not validated.
    pub function_name: Cow<'a, str>,
}

impl<'a> Route<'a> {
    /// Finds the operation for a method and a raw path (without the query).
    ///
    /// # Errors
    ///
    /// If no operation has this path, or the method is not `POST`.
    pub fn find(method: &Method, path: &'a str) -> Result<Self, RouteError> {
        for template in [INVOKE, STREAM, INVOKE_ASYNC] {
            if let Some(label) = template.label(path) {
                if method != Method::POST {
                    return Err(RouteError::Method);
                }
                let function_name = decode(label, false);
                return Ok(Self {
                    operation: template.operation,
                    function_name,
                });
            }
        }
        Err(RouteError::Path)
    }
}

/// Why a request's method and path belong to no operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// No operation has the path.
    Path,
    /// The method is not `POST`, the only one that the operations have.
    Method,
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => "the request's path does not belong to any invoke operation",
            Self::Method => "the invoke operations accept only POST",
        })
    }
}

impl std::error::Error for RouteError {}

/// Displays a text as a path's label or a query's key or value: everything except the unreserved
/// characters of RFC 3986 is percent-encoded, with upper-case hex digits.
///
/// # Example
///
/// ```
/// assert_eq!(lambda_invoke_protocol::path::Encoded("a b:$LATEST").to_string(), "a%20b%3A%24LATEST");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Encoded<'a>(pub &'a str);

impl Encoded<'_> {
    /// Writes what `Display` writes, without the cost of a formatter.
    pub(crate) fn write(self, to: &mut impl fmt::Write) -> fmt::Result {
        let mut start = 0;
        for (at, byte) in self.0.bytes().enumerate() {
            if unreserved(byte) {
                continue;
            }
            // Empty between the bytes of one character.
            to.write_str(self.0.get(start..at).unwrap_or_default())?;
            for character in ['%', hex_digit(byte >> 4), hex_digit(byte & 15)] {
                to.write_char(character)?;
            }
            start = at + 1;
        }
        to.write_str(self.0.get(start..).unwrap_or_default())
    }
}

impl fmt::Display for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

const fn hex_digit(value: u8) -> char {
    (if value < 10 {
        b'0' + value
    } else {
        b'A' - 10 + value
    }) as char
}

/// Whether each byte is unreserved. A table, since every request's path is encoded.
const UNRESERVED: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        byte += 1;
    }
    table
};

fn unreserved(byte: u8) -> bool {
    UNRESERVED[usize::from(byte)]
}

/// Decodes percent-encoded text. With `plus`, as in a query, a `+` is a space.
///
/// A `%` without two hex digits is kept, and bytes that are not UTF-8 become U+FFFD. Neither is
/// allowed in a name, so validation rejects both and quotes them.
#[must_use]
pub fn decode(text: &str, plus: bool) -> Cow<'_, str> {
    if !text
        .bytes()
        .any(|byte| byte == b'%' || (plus && byte == b'+'))
    {
        return text.into();
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        let pair = match (byte, tail) {
            (b'%', [high, low, after @ ..]) => hex(*high).zip(hex(*low)).map(|pair| (pair, after)),
            _ => None,
        };
        match pair {
            Some(((high, low), after)) => {
                decoded.push(high << 4 | low);
                rest = after;
            }
            None if plus && byte == b'+' => decoded.push(b' '),
            None => decoded.push(byte),
        }
    }
    match String::from_utf8(decoded) {
        Ok(text) => text.into(),
        Err(error) => String::from_utf8_lossy(error.as_bytes())
            .into_owned()
            .into(),
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

/// Returns the first value of a key in a raw query. A key without `=` has an empty value.
#[must_use]
pub fn query_value<'a>(query: &'a str, key: &str) -> Option<Cow<'a, str>> {
    query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decode(name, true) == key).then(|| decode(value, true))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn finds_the_three_operations() {
        for (path, operation, name) in [
            (
                "/2015-03-31/functions/f/invocations",
                Operation::Invoke,
                "f",
            ),
            (
                "/2015-03-31/functions/f/invocations/",
                Operation::Invoke,
                "f",
            ),
            (
                "/2021-11-15/functions/arn%3Aaws%3Alambda/response-streaming-invocations",
                Operation::InvokeWithResponseStream,
                "arn:aws:lambda",
            ),
            (
                "/2014-11-13/functions/f/invoke-async/",
                Operation::InvokeAsync,
                "f",
            ),
            (
                "/2014-11-13/functions/f/invoke-async",
                Operation::InvokeAsync,
                "f",
            ),
            // Unencoded, as people type it.
            (
                "/2015-03-31/functions/f:$LATEST/invocations",
                Operation::Invoke,
                "f:$LATEST",
            ),
            // An encoded slash belongs to the name, which validation then rejects.
            (
                "/2015-03-31/functions/a%2Fb/invocations",
                Operation::Invoke,
                "a/b",
            ),
            ("/2015-03-31/functions//invocations", Operation::Invoke, ""),
        ] {
            let route = Route::find(&Method::POST, path).unwrap();
            assert_eq!(
                (route.operation, &*route.function_name),
                (operation, name),
                "{path}"
            );
        }
    }

    #[test]
    fn rejects_other_paths_and_methods() {
        for path in [
            "",
            "/",
            "/2015-03-31/functions/",
            "/2015-03-31/functions/f",
            "/2015-03-31/functions/a/b/invocations",
            "/2015-03-31/functions/f/invocations//",
            "/2015-03-31/functions/f/response-streaming-invocations",
            "/2021-11-15/functions/f/invocations",
            "2015-03-31/functions/f/invocations",
        ] {
            assert_eq!(
                Route::find(&Method::POST, path),
                Err(RouteError::Path),
                "{path}"
            );
        }
        let path = "/2015-03-31/functions/f/invocations";
        assert_eq!(Route::find(&Method::GET, path), Err(RouteError::Method));
    }

    #[test]
    fn malformed_encoding_is_kept() {
        assert_eq!(decode("100%", false), "100%");
        assert_eq!(decode("%zz%4", false), "%zz%4");
        assert_eq!(decode("%ff", false), "\u{fffd}");
        assert_eq!(decode("a+b", false), "a+b");
        assert_eq!(decode("a+b%2B", true), "a b+");
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        for (text, plus) in [("thumbnail", false), ("thumbnail", true), ("a+b", false)] {
            assert!(matches!(decode(text, plus), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn every_ascii_byte_is_unreserved_or_encoded_as_rfc_3986_says() {
        for byte in 0..=127u8 {
            let text = char::from(byte).to_string();
            let expected = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.clone(),
                other => format!("%{other:02X}"),
            };
            assert_eq!(Encoded(&text).to_string(), expected);
        }
    }

    #[test]
    fn finds_query_values() {
        let query = "a=1&Qualifier=%24LATEST&Qualifier=2&empty&q=a=b";
        assert_eq!(query_value(query, "Qualifier").as_deref(), Some("$LATEST"));
        assert_eq!(query_value(query, "empty").as_deref(), Some(""));
        assert_eq!(query_value(query, "q").as_deref(), Some("a=b"));
        assert_eq!(query_value(query, "qualifier"), None);
        assert_eq!(query_value("", "Qualifier"), None);
    }

    proptest! {
        #[test]
        fn decoding_undoes_encoding(text in any::<String>()) {
            let encoded = Encoded(&text).to_string();
            prop_assert!(encoded.bytes().all(|byte| unreserved(byte) || byte == b'%'));
            prop_assert_eq!(decode(&encoded, false), text.as_str());
            prop_assert_eq!(decode(&encoded, true), text.as_str());
        }
    }
}
