//! The prelude's JSON object, in both directions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_core::de::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::{PreludeError, SEPARATOR};
use crate::{hop_by_hop, json};

/// The status, headers and cookies of a function's HTTP response.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::prelude::HttpPrelude;
///
/// let prelude = HttpPrelude::try_from(
///     &br#"{"statusCode": 201, "headers": {"content-type": "text/plain"}, "cookies": ["a=1"]}"#[..],
/// )?;
/// assert_eq!(prelude.status_code, 201);
/// assert_eq!(prelude.headers["content-type"], "text/plain");
/// assert_eq!(prelude.cookies, ["a=1"]);
/// assert!(prelude.to_bytes().ends_with(&[0; 8]));
/// # Ok::<(), lambda_invoke_protocol::prelude::PreludeError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpPrelude {
    /// `statusCode`, 100 to 999; 200 if it is absent.
    pub status_code: u16,
    /// `headers`, and `multiValueHeaders` after them; at most [`MAX_HEADERS`](Self::MAX_HEADERS) values.
    pub headers: HeaderMap,
    /// `cookies`: the values of the `Set-Cookie` headers.
    pub cookies: Vec<String>,
}

impl Default for HttpPrelude {
    fn default() -> Self {
        Self {
            status_code: 200,
            headers: HeaderMap::new(),
            cookies: Vec::new(),
        }
    }
}

impl HttpPrelude {
    /// The maximum number of header values that are read: 4,096, which is more than most clients accept.
    ///
    /// A [`HeaderMap`] panics if a header is inserted while it is full. It can be full with 6,554 names,
    /// if they are made to collide, so that a map of this size always has room for the headers that a
    /// server adds.
    pub const MAX_HEADERS: usize = 4096;

    /// Creates a prelude without headers and cookies.
    #[must_use]
    pub fn new(status_code: u16) -> Self {
        Self {
            status_code,
            ..Self::default()
        }
    }

    /// Reads the members of an object that [`json::members`] returns, in this order.
    pub(crate) fn from_members(
        [status_code, headers, cookies]: [Option<&RawValue>; 3],
        multi_value_headers: Option<&RawValue>,
    ) -> Result<Self, PreludeError> {
        let mut prelude = Self::default();
        if let Some(value) = status_code {
            let value = read(value, PreludeError::StatusCode)?;
            prelude.status_code = value.map_or(Ok(prelude.status_code), |value| status(&value))?;
        }
        if let Some(headers) = headers {
            let headers: Option<BTreeMap<_, _>> = read(headers, PreludeError::Headers)?;
            for (name, value) in headers.unwrap_or_default() {
                prelude.add_header(name, value)?;
            }
        }
        if let Some(headers) = multi_value_headers {
            let headers: Option<BTreeMap<_, Vec<_>>> =
                read(headers, PreludeError::MultiValueHeaders)?;
            for (name, values) in headers.unwrap_or_default() {
                for value in values {
                    prelude.add_header(name, value)?;
                }
            }
        }
        if let Some(cookies) = cookies {
            let cookies: Option<_> = read(cookies, PreludeError::Cookies)?;
            prelude.cookies = cookies.unwrap_or_default();
        }
        Ok(prelude)
    }

    fn add_header(&mut self, name: &str, value: &RawValue) -> Result<(), PreludeError> {
        let error = || PreludeError::Header {
            name: name.to_owned(),
        };
        let text = match value.get() {
            "null" => return Ok(()),
            json if json.starts_with('"') => serde_json::from_str(json).map_err(|_| error())?,
            json if json.starts_with(['[', '{']) => return Err(error()),
            // A number or a boolean.
            json => Cow::Borrowed(json),
        };
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| error())?;
        let value = HeaderValue::from_str(&text).map_err(|_| error())?;
        if self.headers.len() >= Self::MAX_HEADERS {
            return Err(PreludeError::too_many_headers());
        }
        self.headers.append(name, value);
        Ok(())
    }

    /// Removes `Content-Length`, and `Connection` and the other headers that belong to one connection (RFC
    /// 9110, section 7.6.1). A function cannot know them: a server that sent its `Content-Length` with a
    /// longer body would truncate the body, and no client would notice.
    pub fn remove_connection_headers(&mut self) {
        hop_by_hop::remove(&mut self.headers);
        self.headers.remove(CONTENT_LENGTH);
    }

    /// Encodes the JSON object and the separator: what a function writes before its body.
    ///
    /// Bytes of a header value that are not UTF-8 are written as U+FFFD, since JSON cannot express
    /// them.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        let text = |value: &HeaderValue| crate::header::text(value).into_owned();
        let mut single = Map::new();
        let mut multiple = Map::new();
        for name in self.headers.keys() {
            let mut values: Vec<Value> = self
                .headers
                .get_all(name)
                .iter()
                .map(|value| text(value).into())
                .collect();
            if let (1, Some(value)) = (values.len(), values.pop()) {
                single.insert(name.as_str().to_owned(), value);
            } else {
                let values = self.headers.get_all(name).iter().map(text).collect();
                multiple.insert(name.as_str().to_owned(), values);
            }
        }
        let mut object = Map::new();
        object.insert("statusCode".to_owned(), self.status_code.into());
        object.insert("headers".to_owned(), single.into());
        if !multiple.is_empty() {
            object.insert("multiValueHeaders".to_owned(), multiple.into());
        }
        if !self.cookies.is_empty() {
            object.insert("cookies".to_owned(), self.cookies.clone().into());
        }
        let mut bytes = Value::Object(object).to_string().into_bytes();
        bytes.extend(SEPARATOR);
        bytes.into()
    }
}

/// Reads the JSON object, without the separator. Unknown members are ignored; `null` counts as absent;
/// a header's value may be a string, a number or a boolean. Fails if the bytes are not a JSON object,
/// or a known member is invalid.
impl TryFrom<&[u8]> for HttpPrelude {
    type Error = PreludeError;

    fn try_from(json: &[u8]) -> Result<Self, PreludeError> {
        let whole = json::whole(json);
        let names = ["statusCode", "headers", "cookies", "multiValueHeaders"];
        let [members @ .., multi_value_headers] =
            json::members(&whole, names).map_err(|error| PreludeError::NotObject {
                line: error.line(),
                column: error.column(),
            })?;
        Self::from_members(members, multi_value_headers)
    }
}

/// Reads the value of a member; `null` counts as absent.
fn read<'j, T: Deserialize<'j>>(
    value: &'j RawValue,
    error: PreludeError,
) -> Result<Option<T>, PreludeError> {
    serde_json::from_str(value.get()).map_err(|_| error)
}

fn status(value: &Value) -> Result<u16, PreludeError> {
    // A number, or a string with a number: frameworks write both.
    let number = match value {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number
        .and_then(|number| u16::try_from(number).ok())
        .filter(|status| (100..1000).contains(status))
        .ok_or(PreludeError::StatusCode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prelude_is_read_as_it_was_written() {
        let mut prelude = HttpPrelude::new(302);
        prelude.headers.append("location", "/é".parse().unwrap());
        prelude.headers.append("vary", "a".parse().unwrap());
        prelude.headers.append("vary", "b".parse().unwrap());
        prelude.cookies.push("id=1; Secure".to_owned());
        let bytes = prelude.to_bytes();
        let json = &bytes[..bytes.len() - SEPARATOR.len()];
        assert_eq!(HttpPrelude::try_from(json).unwrap(), prelude);
    }

    #[test]
    fn rejects_members_of_another_type() {
        let header = |name: &str| PreludeError::Header {
            name: name.to_owned(),
        };
        for (json, error) in [
            (r#"{"statusCode":99}"#, PreludeError::StatusCode),
            (r#"{"statusCode":1000}"#, PreludeError::StatusCode),
            (r#"{"statusCode":"ok"}"#, PreludeError::StatusCode),
            (r#"{"statusCode":[]}"#, PreludeError::StatusCode),
            (r#"{"headers":[]}"#, PreludeError::Headers),
            (r#"{"headers":{"x":[]}}"#, header("x")),
            (r#"{"headers":{"x y":"1"}}"#, header("x y")),
            (r#"{"headers":{"x":"a\nb"}}"#, header("x")),
            (
                r#"{"multiValueHeaders":[]}"#,
                PreludeError::MultiValueHeaders,
            ),
            (
                r#"{"multiValueHeaders":{"x":"1"}}"#,
                PreludeError::MultiValueHeaders,
            ),
            (r#"{"multiValueHeaders":{"x":[{}]}}"#, header("x")),
            (r#"{"cookies":"a=b"}"#, PreludeError::Cookies),
            (r#"{"cookies":[1]}"#, PreludeError::Cookies),
        ] {
            assert_eq!(HttpPrelude::try_from(json.as_bytes()), Err(error), "{json}");
        }
    }

    /// With `serde_json/preserve_order`, which any crate in a program can enable, the members of an
    /// object are in the order in which they were sent.
    #[test]
    fn multi_value_headers_come_after_headers_in_whichever_order_they_are_sent() {
        for json in [
            r#"{"headers":{"a":"1","b":"1"},"multiValueHeaders":{"a":["2","3"],"B":["2"]}}"#,
            r#"{"multiValueHeaders":{"a":["2","3"],"B":["2"]},"headers":{"a":"1","b":"1"}}"#,
        ] {
            let prelude = HttpPrelude::try_from(json.as_bytes()).unwrap();
            let values = |name| prelude.headers.get_all(name).iter().collect::<Vec<_>>();
            assert_eq!(values("a"), ["1", "2", "3"], "{json}");
            assert_eq!(values("b"), ["1", "2"], "{json}");
        }
        for json in [
            r#"{"statusCode":0,"headers":0,"multiValueHeaders":0,"cookies":0}"#,
            r#"{"cookies":0,"multiValueHeaders":0,"headers":0,"statusCode":0}"#,
        ] {
            let error = HttpPrelude::try_from(json.as_bytes()).unwrap_err();
            assert_eq!(error, PreludeError::StatusCode, "{json}");
        }
    }

    #[test]
    fn lenient_where_frameworks_are() {
        let prelude = HttpPrelude::try_from(
            &br#"{"statusCode":"204","headers":{"Content-Length":5,"x":true,"y":null},"cookies":null,"body":1}"#[..],
        )
        .unwrap();
        assert_eq!(prelude.status_code, 204);
        assert_eq!(prelude.headers["content-length"], "5");
        assert_eq!(prelude.headers["x"], "true");
        assert_eq!(prelude.headers.len(), 2);
        assert_eq!(
            HttpPrelude::try_from(&b"{}"[..]).unwrap(),
            HttpPrelude::new(200)
        );
    }
}
