//! From a request to the event.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, USER_AGENT};
use http::request::Parts;
use serde_json::{Map, Value, json};

use super::{query, text_type};
use crate::header::text;
use crate::hop_by_hop;

/// A placeholder that the service sets where function URLs have no value of their own.
const DEFAULT: &str = "$default";

/// A request to a function URL, with everything that its event contains.
///
/// # Example
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use lambda_invoke_protocol::function_url::UrlEvent;
///
/// let (parts, ()) = http::Request::get("/url/chat/a%20b?x=1&x=2")
///     .header("Cookie", "id=7; theme=dark")
///     .body(())?
///     .into_parts();
/// let mut event = UrlEvent::new(&parts, b"");
/// event.path = "/a%20b";
/// event.url_id = "chat";
/// event.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_583_348_638_390);
/// let event: serde_json::Value = serde_json::from_slice(&event.to_json())?;
/// assert_eq!(event["rawPath"], "/a%20b");
/// assert_eq!(event["rawQueryString"], "x=1&x=2");
/// assert_eq!(event["queryStringParameters"]["x"], "1,2");
/// assert_eq!(event["cookies"][1], "theme=dark");
/// assert_eq!(event["requestContext"]["accountId"], "anonymous");
/// assert_eq!(event["requestContext"]["time"], "04/Mar/2020:19:03:58 +0000");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UrlEvent<'a> {
    /// The request's head.
    pub parts: &'a Parts,
    /// The request's body.
    pub body: &'a [u8],
    /// `rawPath`: the path as it was sent, which begins with `/`. The path of the head, unless the
    /// URL has a prefix.
    pub path: &'a str,
    /// `apiId` and `domainPrefix`: the id of the function's URL.
    pub url_id: &'a str,
    /// `domainName`: the host of the URL, without a port.
    pub domain_name: &'a str,
    /// `sourceIp`: the address of the connection.
    pub source_ip: IpAddr,
    /// The port that the client connected to, for `x-forwarded-port`.
    pub port: Option<u16>,
    /// `requestId`: the id of the invocation.
    pub request_id: &'a str,
    /// The `x-amzn-trace-id` for a request that arrived without one.
    pub trace_id: Option<&'a str>,
    /// `time` and `timeEpoch`.
    pub time: SystemTime,
    /// The caller, if the URL verifies signatures (`AWS_IAM`); `None` for `NONE`.
    pub caller: Option<IamCaller<'a>>,
}

/// A caller with a valid signature: the members of `requestContext.authorizer.iam`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct IamCaller<'a> {
    /// `accessKey`: the id of the access key.
    pub access_key: &'a str,
    /// `accountId`: the caller's account.
    pub account_id: &'a str,
    /// `userArn`: the ARN of the user or of the assumed role.
    pub user_arn: &'a str,
    /// `userId` and `callerId`: the unique id of the user.
    pub user_id: &'a str,
}

impl<'a> IamCaller<'a> {
    /// Creates a caller.
    #[must_use]
    pub const fn new(
        access_key: &'a str,
        account_id: &'a str,
        user_arn: &'a str,
        user_id: &'a str,
    ) -> Self {
        Self {
            access_key,
            account_id,
            user_arn,
            user_id,
        }
    }
}

impl<'a> UrlEvent<'a> {
    /// Creates the event of a request, without the members that only the platform knows: id, time
    /// and source.
    #[must_use]
    pub fn new(parts: &'a Parts, body: &'a [u8]) -> Self {
        Self {
            parts,
            body,
            path: parts.uri.path(),
            url_id: "",
            domain_name: "",
            source_ip: IpAddr::from([127, 0, 0, 1]),
            port: None,
            request_id: "",
            trace_id: None,
            time: SystemTime::UNIX_EPOCH,
            caller: None,
        }
    }

    /// Encodes the event. Members that function URLs do not use (`pathParameters`,
    /// `stageVariables`) are left out, and so are `cookies`, `queryStringParameters`, `body`, and,
    /// without a caller, `authentication` and `authorizer`, as recorded from the service.
    ///
    /// Bytes of a header's value that are not UTF-8 become U+FFFD, since JSON cannot express them. The
    /// vector takes no more memory than its length.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let raw_query = self.parts.uri.query().unwrap_or_default();
        let mut event = Map::new();
        event.insert("version".to_owned(), "2.0".into());
        event.insert("routeKey".to_owned(), DEFAULT.into());
        event.insert("rawPath".to_owned(), self.path.into());
        event.insert("rawQueryString".to_owned(), raw_query.into());
        let cookies = cookies(&self.parts.headers);
        if !cookies.is_empty() {
            event.insert("cookies".to_owned(), cookies.into());
        }
        event.insert("headers".to_owned(), self.headers().into());
        let parameters = query::parameters(raw_query);
        if !parameters.is_empty() {
            event.insert("queryStringParameters".to_owned(), parameters.into());
        }
        event.insert("requestContext".to_owned(), self.context());
        let text = text_type::text(&self.parts.headers, self.body);
        if !self.body.is_empty() {
            let body = match text {
                Some(text) => text.to_owned(),
                None => base64::engine::general_purpose::STANDARD.encode(self.body),
            };
            event.insert("body".to_owned(), body.into());
        }
        let is_base64 = text.is_none() && !self.body.is_empty();
        event.insert("isBase64Encoded".to_owned(), is_base64.into());
        let json = Value::Object(event).to_string().into_boxed_str();
        json.into_boxed_bytes().into_vec()
    }

    /// The headers, with lower-case names and the values of a name joined by commas.
    fn headers(&self) -> Map<String, Value> {
        let headers = &self.parts.headers;
        let of_connection = hop_by_hop::names(headers);
        let mut map = Map::new();
        for name in headers.keys() {
            // Recorded: with `AWS_IAM`, the signature does not reach the function.
            let is_signature = *name == AUTHORIZATION && self.caller.is_some();
            if is_signature || of_connection.contains(name) {
                continue;
            }
            // RFC 9113, section 8.2.3: the parts of a cookie header are joined by semicolons.
            let separator = if *name == COOKIE { "; " } else { "," };
            map.insert(
                name.as_str().to_owned(),
                joined(headers, name, separator).into(),
            );
        }
        let mut add = |name: &str, value: String| {
            map.entry(name).or_insert_with(|| value.into());
        };
        // Recorded from the service, which terminates the connection. Values that a proxy in front
        // has set are kept.
        add("x-forwarded-for", self.source_ip.to_string());
        add("x-forwarded-proto", "http".to_owned());
        if let Some(port) = self.port {
            add("x-forwarded-port", port.to_string());
        }
        if let Some(trace_id) = self.trace_id {
            add("x-amzn-trace-id", trace_id.to_owned());
        }
        map
    }

    fn context(&self) -> Value {
        let millis = self.time.duration_since(SystemTime::UNIX_EPOCH);
        let millis = millis.map_or(0, |since| since.as_millis());
        let mut context = json!({
            "accountId": self.caller.map_or("anonymous", |caller| caller.account_id),
            "apiId": self.url_id,
            "domainName": self.domain_name,
            "domainPrefix": self.url_id,
            "http": {
                "method": self.parts.method.as_str(),
                "path": self.path,
                "protocol": format!("{:?}", self.parts.version),
                "sourceIp": self.source_ip.to_string(),
                "userAgent": joined(&self.parts.headers, &USER_AGENT, ","),
            },
            "requestId": self.request_id,
            "routeKey": DEFAULT,
            "stage": DEFAULT,
            "time": printed(self.time),
            "timeEpoch": u64::try_from(millis).unwrap_or(u64::MAX),
        });
        if let (Some(caller), Value::Object(context)) = (&self.caller, &mut context) {
            let iam = json!({
                "accessKey": caller.access_key,
                "accountId": caller.account_id,
                "callerId": caller.user_id,
                "cognitoIdentity": null,
                "principalOrgId": null,
                "userArn": caller.user_arn,
                "userId": caller.user_id,
            });
            context.insert("authentication".to_owned(), Value::Null);
            context.insert("authorizer".to_owned(), json!({ "iam": iam }));
        }
        context
    }
}

fn joined(headers: &HeaderMap, name: &HeaderName, separator: &str) -> String {
    let values: Vec<_> = headers.get_all(name).iter().map(text).collect();
    values.join(separator)
}

/// Splits the cookie headers into cookies.
fn cookies(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(COOKIE).iter().map(text);
    values
        .flat_map(|value| {
            value
                .split(';')
                .map(|cookie| cookie.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Prints a time as `12/Mar/2020:19:03:58 +0000`. Times before 1970 or after 9999 become the
/// nearest time between.
fn printed(time: SystemTime) -> String {
    /// 9999-12-31T23:59:59Z, in seconds since 1970.
    const LAST: u64 = 253_402_300_799;
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let seconds = since.map_or(0, |since| since.as_secs()).min(LAST);
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
    // Thu, 12 Mar 2020 19:03:58 GMT
    let date = httpdate::fmt_http_date(time);
    let mut words = date.split(' ').skip(1);
    let mut word = || words.next().unwrap_or_default();
    let (day, month, year, clock) = (word(), word(), word(), word());
    format!("{day}/{month}/{year}:{clock} +0000")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn event(request: Request<&[u8]>, edit: impl FnOnce(&mut UrlEvent<'_>)) -> Value {
        let (parts, body) = request.into_parts();
        let mut event = UrlEvent::new(&parts, body);
        edit(&mut event);
        serde_json::from_slice(&event.to_json()).unwrap()
    }

    /// The example of the developer guide, with the members that the service leaves out.
    #[test]
    fn is_the_published_event() {
        let request =
            Request::post("/my/path?parameter1=value1&parameter1=value2&parameter2=value")
                .header("Header1", "value1")
                .header("Header2", "value1")
                .header("Header2", "value2")
                .header("Cookie", "cookie1; cookie2")
                .header("Content-Type", "text/plain")
                .header("User-Agent", "agent")
                .body(&b"Hello from client!"[..])
                .unwrap();
        let event = event(request, |event| {
            event.url_id = "url-id";
            event.domain_name = "url-id.lambda-url.us-west-2.on.aws";
            event.source_ip = "123.123.123.123".parse().unwrap();
            event.port = Some(443);
            event.request_id = "id";
            event.trace_id = Some("Root=1-5e6a87de-000000000000000000000001");
            event.time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_584_039_838_390);
            event.caller = Some(IamCaller::new(
                "AKIA...",
                "111122223333",
                "arn:aws:iam::111122223333:user/example-user",
                "AIDA...",
            ));
        });
        assert_eq!(
            event,
            json!({
                "version": "2.0",
                "routeKey": "$default",
                "rawPath": "/my/path",
                "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
                "cookies": ["cookie1", "cookie2"],
                "headers": {
                    "header1": "value1",
                    "header2": "value1,value2",
                    "cookie": "cookie1; cookie2",
                    "content-type": "text/plain",
                    "user-agent": "agent",
                    "x-forwarded-for": "123.123.123.123",
                    "x-forwarded-proto": "http",
                    "x-forwarded-port": "443",
                    "x-amzn-trace-id": "Root=1-5e6a87de-000000000000000000000001",
                },
                "queryStringParameters": {
                    "parameter1": "value1,value2",
                    "parameter2": "value",
                },
                "requestContext": {
                    "accountId": "111122223333",
                    "apiId": "url-id",
                    "authentication": null,
                    "authorizer": {
                        "iam": {
                            "accessKey": "AKIA...",
                            "accountId": "111122223333",
                            "callerId": "AIDA...",
                            "cognitoIdentity": null,
                            "principalOrgId": null,
                            "userArn": "arn:aws:iam::111122223333:user/example-user",
                            "userId": "AIDA...",
                        }
                    },
                    "domainName": "url-id.lambda-url.us-west-2.on.aws",
                    "domainPrefix": "url-id",
                    "http": {
                        "method": "POST",
                        "path": "/my/path",
                        "protocol": "HTTP/1.1",
                        "sourceIp": "123.123.123.123",
                        "userAgent": "agent",
                    },
                    "requestId": "id",
                    "routeKey": "$default",
                    "stage": "$default",
                    "time": "12/Mar/2020:19:03:58 +0000",
                    "timeEpoch": 1_584_039_838_390_u64,
                },
                "body": "Hello from client!",
                "isBase64Encoded": false,
            })
        );
    }

    #[test]
    fn a_plain_request_has_no_optional_members() {
        let event = event(Request::get("/").body(&b""[..]).unwrap(), |_| {});
        let mut members: Vec<_> = event.as_object().unwrap().keys().cloned().collect();
        members.sort_unstable();
        assert_eq!(
            members,
            [
                "headers",
                "isBase64Encoded",
                "rawPath",
                "rawQueryString",
                "requestContext",
                "routeKey",
                "version"
            ]
        );
        assert_eq!(event["requestContext"]["accountId"], "anonymous");
        for of_caller in ["authentication", "authorizer"] {
            assert_eq!(event["requestContext"].get(of_caller), None);
        }
    }

    #[test]
    fn forms_and_binary_bodies_are_base64() {
        for (content_type, body, expected, is_base64) in [
            (
                "application/x-www-form-urlencoded",
                &b"a=1"[..],
                "YT0x",
                true,
            ),
            ("image/png", b"\x89PNG", "iVBORw==", true),
            ("text/plain", b"\xff", "/w==", true),
            ("application/json", b"{\"\xc3\xbc\":1}", "{\"ü\":1}", false),
        ] {
            let request = Request::post("/").header("content-type", content_type);
            let event = event(request.body(body).unwrap(), |_| {});
            assert_eq!(event["body"], expected, "{content_type}");
            assert_eq!(event["isBase64Encoded"], is_base64, "{content_type}");
        }
    }

    #[test]
    fn the_connection_s_headers_and_a_verified_signature_do_not_reach_the_function() {
        let request = || {
            Request::get("/")
                .header("Connection", "x-hop")
                .header("X-Hop", "1")
                .header("Authorization", "Bearer abc")
                .header("X-Forwarded-Proto", "https")
                .header("X-Amzn-Trace-Id", "Root=1-a-b;Self=1-c-d")
                .body(&b""[..])
                .unwrap()
        };
        let plain = event(request(), |_| {});
        assert_eq!(plain["headers"]["authorization"], "Bearer abc");
        assert_eq!(plain["headers"]["x-forwarded-proto"], "https");
        let trace = event(request(), |event| event.trace_id = Some("Root=1-e-f"));
        assert_eq!(trace["headers"]["x-amzn-trace-id"], "Root=1-a-b;Self=1-c-d");
        assert!(plain["headers"].get("connection").is_none());
        assert!(plain["headers"].get("x-hop").is_none());
        let signed = event(request(), |event| {
            event.caller = Some(IamCaller::new("AKIA", "1", "arn", "id"));
        });
        assert!(signed["headers"].get("authorization").is_none());
    }

    #[test]
    fn cookies_of_several_headers_are_one_list() {
        let request = Request::get("/")
            .header("cookie", "a=1; b=2;")
            .header("cookie", "c=\"x\"")
            .body(&b""[..])
            .unwrap();
        let event = event(request, |_| {});
        assert_eq!(event["cookies"], json!(["a=1", "b=2", "c=\"x\""]));
        assert_eq!(event["headers"]["cookie"], "a=1; b=2;; c=\"x\"");
    }

    #[test]
    fn takes_no_more_memory_than_its_length() {
        let (parts, ()) = Request::post("/").body(()).unwrap().into_parts();
        for length in [0, 1, 1_000, 70_000] {
            let json = UrlEvent::new(&parts, &vec![b'x'; length]).to_json();
            assert_eq!(json.capacity(), json.len(), "{length}");
        }
    }

    #[test]
    fn prints_every_time() {
        let at = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        assert_eq!(printed(at(1_631_055_022)), "07/Sep/2021:22:50:22 +0000");
        assert_eq!(printed(at(0)), "01/Jan/1970:00:00:00 +0000");
        assert_eq!(printed(at(1 << 40)), "31/Dec/9999:23:59:59 +0000");
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(printed(before), "01/Jan/1970:00:00:00 +0000");
    }
}
