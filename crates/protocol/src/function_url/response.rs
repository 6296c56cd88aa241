//! From a function's result to the response.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde_json::value::RawValue;

use super::UrlResponseError;
use crate::json;
use crate::prelude::{HttpPrelude, PreludeError};

/// The standard alphabet; padding is not required.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

const JSON: HeaderValue = HeaderValue::from_static("application/json");
const BYTES: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// The status and headers of a function's response.
///
/// `Content-Length`, `Connection` and other headers of the connection, which a function cannot
/// know, are dropped; each cookie becomes its own `Set-Cookie` header.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlHead {
    /// From 200 to 599.
    pub status: StatusCode,
    /// With a `Content-Type`.
    pub headers: HeaderMap,
}

impl UrlHead {
    /// Returns the head of a stream without a prelude, with the content type that the function set,
    /// if any.
    #[must_use]
    pub fn without_prelude(content_type: Option<&str>) -> Self {
        let content_type = content_type.and_then(|text| HeaderValue::from_str(text).ok());
        Self {
            status: StatusCode::OK,
            headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type.unwrap_or(BYTES))]),
        }
    }

    fn new(mut prelude: HttpPrelude, content_type: HeaderValue) -> Result<Self, UrlResponseError> {
        let status = prelude.status_code;
        let status = StatusCode::from_u16(status)
            .ok()
            .filter(|_| (200..600).contains(&status))
            .ok_or(UrlResponseError::Status { status })?;
        prelude.remove_connection_headers();
        let mut headers = prelude.headers;
        if headers.len() > HttpPrelude::MAX_HEADERS {
            return Err(PreludeError::too_many_headers().into());
        }
        for (index, cookie) in prelude.cookies.iter().enumerate() {
            let cookie = HeaderValue::from_str(cookie).ok();
            let added = cookie.and_then(|cookie| headers.try_append(SET_COOKIE, cookie).ok());
            if added.is_none() {
                return Err(UrlResponseError::Cookie { index });
            }
        }
        if !headers.contains_key(CONTENT_TYPE) {
            // There is room: see `MAX_HEADERS`.
            headers.insert(CONTENT_TYPE, content_type);
        }
        Ok(Self { status, headers })
    }

    /// Returns the response with this head.
    #[must_use]
    pub fn into_response<B>(self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Converts the prelude of a stream. A stream without a content type is `application/octet-stream`.
/// Fails if the status is informational or not an HTTP status, or a cookie is not valid in a
/// header.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::function_url::UrlHead;
/// use lambda_invoke_protocol::prelude::HttpPrelude;
///
/// let prelude = HttpPrelude::try_from(
///     &br#"{"statusCode": 201, "headers": {"content-length": "9"}, "cookies": ["a=1", "b=2"]}"#[..],
/// )?;
/// let head = UrlHead::try_from(prelude)?;
/// assert_eq!(head.status, 201);
/// assert_eq!(head.headers.get_all("set-cookie").iter().count(), 2);
/// assert_eq!(head.headers["content-type"], "application/octet-stream");
/// assert!(!head.headers.contains_key("content-length"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl TryFrom<HttpPrelude> for UrlHead {
    type Error = UrlResponseError;

    fn try_from(prelude: HttpPrelude) -> Result<Self, UrlResponseError> {
        Self::new(prelude, BYTES)
    }
}

/// The response of a buffered function.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UrlResponse {
    /// The status and headers.
    pub head: UrlHead,
    /// The body, decoded if it was base64.
    pub body: Bytes,
}

impl UrlResponse {
    /// Creates a response.
    #[must_use]
    pub const fn new(head: UrlHead, body: Bytes) -> Self {
        Self { head, body }
    }

    /// Returns the HTTP response.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        self.head.into_response(self.body)
    }
}

/// Converts the JSON that a function returned.
///
/// An object with a `statusCode` is read as a response: `headers`, `cookies`, `body` and
/// `isBase64Encoded`; other members, such as `multiValueHeaders` of the older format, are ignored.
/// Any other JSON is the body of a 200 with `application/json`, unchanged. A `body` that is not
/// a string is sent as its JSON text, unchanged as well.
/// Fails if the payload is not JSON or a member is invalid.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_protocol::function_url::UrlResponse;
///
/// let inferred = UrlResponse::try_from(Bytes::from(r#""Hello, world!""#))?;
/// assert_eq!((inferred.head.status.as_u16(), inferred.body.len()), (200, 15));
/// assert_eq!(inferred.head.headers["content-type"], "application/json");
/// let custom = UrlResponse::try_from(Bytes::from(
///     r#"{"statusCode": 404, "headers": {"Content-Type": "text/plain"}, "body": "no"}"#,
/// ))?;
/// assert_eq!((custom.head.status.as_u16(), &*custom.body), (404, &b"no"[..]));
/// # Ok::<(), lambda_invoke_protocol::function_url::UrlResponseError>(())
/// ```
impl TryFrom<Bytes> for UrlResponse {
    type Error = UrlResponseError;

    fn try_from(payload: Bytes) -> Result<Self, UrlResponseError> {
        json::check(&payload).map_err(UrlResponseError::NotJson)?;
        let whole = match json::whole(&payload) {
            Cow::Borrowed(_) => payload.clone(),
            Cow::Owned(whole) => whole.into(),
        };
        let names = [
            "statusCode",
            "headers",
            "cookies",
            "body",
            "isBase64Encoded",
        ];
        // Fails for anything but an object.
        let members = json::members(&whole, names).ok();
        let Some([status @ Some(_), headers, cookies, body, is_base64]) =
            members.filter(|[status, ..]| status.is_some_and(|status| status.get() != "null"))
        else {
            // A `statusCode` of `null` counts as absent.
            return Ok(Self {
                head: UrlHead::new(HttpPrelude::default(), JSON)?,
                body: payload,
            });
        };
        let is_base64 = is_base64.is_some_and(|flag| flag.get() == "true");
        let body = body.map_or("null", RawValue::get);
        let body: Bytes = match serde_json::from_str::<String>(body) {
            Ok(text) if is_base64 => BASE64
                .decode(&text)
                .map_err(|error| invalid(&error, &text))?
                .into(),
            Ok(text) => text.into(),
            Err(_) if body == "null" => Bytes::new(),
            Err(_) => whole.slice_ref(body.as_bytes()),
        };
        let prelude = HttpPrelude::from_members([status, headers, cookies], None)?;
        let head = UrlHead::new(prelude, JSON)?;
        Ok(Self { head, body })
    }
}

fn invalid(error: &base64::DecodeError, text: &str) -> UrlResponseError {
    let offset = match error {
        base64::DecodeError::InvalidByte(offset, _)
        | base64::DecodeError::InvalidLastSymbol { offset, .. } => *offset,
        _ => text.len(),
    };
    UrlResponseError::Base64 { offset }
}

/// Returns the response when a function failed or its result is not a response: 502 without any
/// detail of the failure, as recorded from the service.
#[must_use]
pub fn failure() -> Response<Bytes> {
    let head = UrlHead {
        status: StatusCode::BAD_GATEWAY,
        headers: HeaderMap::from_iter([(CONTENT_TYPE, JSON)]),
    };
    head.into_response(Bytes::from_static(b"Internal Server Error"))
}

/// Returns the 403 response to a request that a URL with `AWS_IAM` does not allow, as recorded from
/// the service.
#[must_use]
pub fn forbidden() -> Response<Bytes> {
    let denied = HeaderValue::from_static("AccessDeniedException");
    let head = UrlHead {
        status: StatusCode::FORBIDDEN,
        headers: HeaderMap::from_iter([
            (CONTENT_TYPE, JSON),
            (
                HeaderName::from_static(lambda_invoke_error::header::ERROR_TYPE),
                denied,
            ),
        ]),
    };
    head.into_response(Bytes::from_static(
        b"{\"Message\":\"Forbidden. For troubleshooting Function URL authorization issues, see: \
          https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html\"}",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<UrlResponse, UrlResponseError> {
        UrlResponse::try_from(Bytes::copy_from_slice(json.as_bytes()))
    }

    #[test]
    fn a_body_that_was_cut_within_a_character_is_a_body() {
        let payload =
            br#"{"statusCode":201,"headers":{"content-type":"text/plain"},"body":"hi \ud83d"}"#;
        let response = UrlResponse::try_from(Bytes::from_static(payload)).unwrap();
        assert_eq!(response.head.status.as_u16(), 201);
        assert_eq!(response.body, "hi \u{fffd}");
    }

    #[test]
    fn a_body_that_is_not_a_string_is_sent_as_it_is_written() {
        let deep = format!("{}{}", "[".repeat(1_000), "]".repeat(1_000));
        for body in [
            r#"{"b": 12345678901234567890123, "a": [1.10, 1e400]}"#,
            &deep,
            "7",
            "false",
        ] {
            let response = read(&format!(r#"{{"body": {body} , "statusCode": 201}}"#)).unwrap();
            assert_eq!(response.head.status.as_u16(), 201);
            assert_eq!(response.body, body);
        }
        for body in ["null", r#""""#] {
            let response = read(&format!(r#"{{"statusCode": 201, "body": {body}}}"#)).unwrap();
            assert_eq!(response.body, "");
        }
    }

    #[test]
    fn the_responses_of_the_service_itself_are_those_recorded() {
        let failed = failure();
        assert_eq!(failed.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(failed.headers()[CONTENT_TYPE], JSON);
        assert_eq!(failed.body(), "Internal Server Error");
        let denied = forbidden();
        assert_eq!(denied.status(), StatusCode::FORBIDDEN);
        assert_eq!(
            denied.headers()["x-amzn-errortype"],
            "AccessDeniedException"
        );
        assert!(denied.body().starts_with(b"{\"Message\":\"Forbidden. "));
    }

    /// The examples of the developer guide.
    #[test]
    fn responds_as_published() {
        let response = read(
            r#"{"statusCode": 201,
                "headers": {"Content-Type": "application/json", "My-Custom-Header": "Custom Value"},
                "body": "{ \"message\": \"Hello, world!\" }",
                "cookies": ["Cookie_1=Value1; Expires=21 Oct 2021 07:48 GMT",
                            "Cookie_2=Value2; Max-Age=78000"],
                "isBase64Encoded": false}"#,
        )
        .unwrap();
        assert_eq!(response.head.status, 201);
        assert_eq!(response.head.headers["my-custom-header"], "Custom Value");
        assert_eq!(response.head.headers["content-type"], "application/json");
        let cookies = response.head.headers.get_all(SET_COOKIE);
        assert_eq!(
            cookies.iter().collect::<Vec<_>>(),
            [
                "Cookie_1=Value1; Expires=21 Oct 2021 07:48 GMT",
                "Cookie_2=Value2; Max-Age=78000"
            ]
        );
        assert_eq!(response.body, r#"{ "message": "Hello, world!" }"#);
    }

    #[test]
    fn the_http_response_has_the_status_the_headers_and_the_body() {
        let json = r#"{"statusCode":201,"headers":{"x-a":"1"},"body":"made"}"#;
        let response = read(json).unwrap().into_response();
        assert_eq!(response.status(), 201);
        assert_eq!(response.headers()["x-a"], "1");
        assert_eq!(response.body(), "made");
    }

    #[test]
    fn an_error_names_its_cause() {
        use std::error::Error as _;
        let error = read("{").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the function's HTTP response is not JSON"
        );
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("unexpected end of input"), "{cause}");
        let error = read(r#"{"statusCode":"x"}"#).unwrap_err();
        assert!(error.source().is_some(), "{error}");
    }

    #[test]
    fn infers_a_response_from_any_json_without_a_status() {
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for json in [
            "\"Hello, world!\"",
            "{\n  \"message\": \"Hello, world!\"\n}",
            "null",
            "\"\"",
            "[1]",
            "{\"body\":\"x\"}",
            "{\"statusCode\":null,\"headers\":5}",
            &deep,
        ] {
            let response = read(json).unwrap();
            assert_eq!(response.head.status, 200);
            assert_eq!(response.head.headers["content-type"], "application/json");
            assert_eq!(response.body, json, "{json}");
        }
    }

    /// As numbers of 64 bits they would be 12345678901234567000, 1.1 and 1000.0; 1e400 is none.
    #[test]
    fn a_header_keeps_the_digits_of_a_number() {
        let numbers = ["12345678901234567891234", "1.10", "1e3", "1e400", "-0"];
        for number in numbers {
            let json = format!(r#"{{"statusCode":200,"headers":{{"x-a": {number} }}}}"#);
            let response = read(&json).unwrap();
            assert_eq!(response.head.headers["x-a"], number);
            let json = format!(r#"{{"multiValueHeaders":{{"x-a":[{number},{number}]}}}}"#);
            let prelude = HttpPrelude::try_from(json.as_bytes()).unwrap();
            let values = prelude.headers.get_all("x-a").iter();
            assert_eq!(values.collect::<Vec<_>>(), [number, number]);
        }
    }

    #[test]
    fn decodes_a_base64_body_and_writes_other_values_as_json() {
        for (json, body) in [
            (
                r#"{"statusCode":200,"body":"iVBORw==","isBase64Encoded":true}"#,
                &b"\x89PNG"[..],
            ),
            (
                r#"{"statusCode":200,"body":"iVBORw","isBase64Encoded":true}"#,
                b"\x89PNG",
            ),
            (
                r#"{"statusCode":200,"body":"iVBORw==","isBase64Encoded":false}"#,
                b"iVBORw==",
            ),
            (r#"{"statusCode":200,"body":{"a":1}}"#, b"{\"a\":1}"),
            (r#"{"statusCode":200,"body":7}"#, b"7"),
            (r#"{"statusCode":"204","body":null}"#, b""),
            (r#"{"statusCode":200}"#, b""),
        ] {
            assert_eq!(read(json).unwrap().body, body, "{json}");
        }
    }

    #[test]
    fn rejects_what_is_not_a_response_and_says_why() {
        for (json, expected) in [
            ("<html>", "is not JSON"),
            ("", "is not JSON"),
            (r#"{"statusCode":"ok"}"#, "has an invalid member"),
            (r#"{"statusCode":99}"#, "has an invalid member"),
            (
                r#"{"statusCode":101}"#,
                "has the statusCode 101, expected 200 to 599",
            ),
            (
                r#"{"statusCode":999}"#,
                "has the statusCode 999, expected 200 to 599",
            ),
            (
                r#"{"statusCode":200,"headers":{"a":"b\r\nset-cookie: x"}}"#,
                "has an invalid member",
            ),
            (
                r#"{"statusCode":200,"headers":{"a b":""}}"#,
                "has an invalid member",
            ),
            (
                r#"{"statusCode":200,"cookies":["a=1","b\n"]}"#,
                "has a cookie (number 1) that is not valid in HTTP",
            ),
            (
                r#"{"statusCode":200,"body":"ab*d","isBase64Encoded":true}"#,
                "has a body that is not base64 at byte 2, but isBase64Encoded",
            ),
        ] {
            let error = read(json).unwrap_err().to_string();
            assert_eq!(
                error,
                format!("the function's HTTP response {expected}"),
                "{json}"
            );
        }
    }

    #[test]
    fn headers_of_the_connection_are_dropped() {
        let response = read(
            r#"{"statusCode":200,"headers":{"Connection":"close, x-a","X-A":"1","Content-Length":9,
                "Transfer-Encoding":"chunked","Keep-Alive":"1","X-B":"2","Set-Cookie":"c=1"},
                "multiValueHeaders":{"x-c":["1"]},"cookies":["d=2"],"body":"x"}"#,
        )
        .unwrap();
        let mut names: Vec<_> = response
            .head
            .headers
            .keys()
            .map(|name| name.as_str())
            .collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "set-cookie", "x-b"]);
        let cookies = response.head.headers.get_all(SET_COOKIE);
        assert_eq!(cookies.iter().collect::<Vec<_>>(), ["c=1", "d=2"]);
    }

    /// `http` panics if a header is inserted into a full map, which has 24,576 names; names that
    /// collide fill one earlier.
    #[test]
    fn no_number_of_headers_leaves_a_map_without_room_for_a_server_s_own() {
        let object = |count: usize, value: &str| {
            let headers: Vec<_> = (0..count)
                .map(|number| format!(r#""h{number}":{value}"#))
                .collect();
            format!("{{{}}}", headers.join(","))
        };
        let cors = super::super::Cors::default();
        let most = HttpPrelude::MAX_HEADERS;
        for count in [most - 1, most, most + 1]
            .into_iter()
            .chain(24_570..=24_580)
        {
            let buffered = format!(
                r#"{{"statusCode":200,"headers":{}}}"#,
                object(count, "\"\"")
            );
            let several = format!(
                r#"{{"multiValueHeaders":{}}}"#,
                object(count / 2, r#"["",""]"#)
            );
            let buffered = read(&buffered).map(|response| response.head);
            let streamed = HttpPrelude::try_from(several.as_bytes())
                .map_err(UrlResponseError::from)
                .and_then(UrlHead::try_from);
            for (head, count) in [(buffered, count), (streamed, count / 2 * 2)] {
                let mut head = match head {
                    Ok(head) => head,
                    Err(error) => {
                        assert_eq!(error, PreludeError::too_many_headers().into());
                        assert!(count > most, "{count}");
                        continue;
                    }
                };
                assert!(count <= most, "{count}");
                assert_eq!(head.headers.len(), count + 1);
                cors.apply(&HeaderMap::new(), &mut head.headers);
                for name in ["date", "x-amzn-requestid", "connection", "a", "b"] {
                    head.headers.insert(name, JSON);
                }
            }
        }
    }

    #[test]
    fn headers_that_were_not_read_are_counted_as_well() {
        use std::error::Error as _;
        let mut prelude = HttpPrelude::new(200);
        for number in 0..24_576 {
            let name = HeaderName::try_from(format!("h{number}")).unwrap();
            prelude.headers.insert(name, JSON);
        }
        let error = UrlHead::try_from(prelude).unwrap_err();
        assert_eq!(error, PreludeError::too_many_headers().into());
        assert!(
            error
                .source()
                .unwrap()
                .to_string()
                .ends_with("has more than 4096 headers")
        );
    }

    #[test]
    fn a_stream_without_a_prelude_has_the_function_s_content_type() {
        let content_type = |set| UrlHead::without_prelude(set).headers[CONTENT_TYPE].clone();
        assert_eq!(content_type(Some("text/event-stream")), "text/event-stream");
        assert_eq!(content_type(Some("a\nb")), "application/octet-stream");
        assert_eq!(content_type(None), "application/octet-stream");
    }
}
