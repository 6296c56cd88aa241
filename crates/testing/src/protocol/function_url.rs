//! Function URLs: any request as an event, any result as a response.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use bytes::Bytes;
use http::{Method, Request};
use lambda_invoke_protocol::function_url::{IamCaller, UrlEvent, UrlHead, UrlResponse, UrlRoute};
use lambda_invoke_protocol::json;
use lambda_invoke_protocol::prelude::HttpPrelude;
use serde_json::Value;

/// The event of any request is JSON from which the request can be read again: its path and query as
/// they were sent, its body, every header and cookie.
///
/// The input is a request as text: method and target in the first line, then headers, an empty line
/// and the body.
pub fn function_url_event(data: &[u8]) {
    let (head, body) = super::head_and_body(data);
    let Some((first, lines)) = head.split_first() else {
        return;
    };
    let first = String::from_utf8_lossy(first);
    let (method, target) = first.split_once(' ').unwrap_or(("GET", &first));
    let Ok(method) = Method::from_bytes(method.as_bytes()) else {
        return;
    };
    let Ok(mut request) = Request::builder().method(method).uri(target).body(()) else {
        return;
    };
    for (name, value) in lines.iter().filter_map(|line| super::header(line)) {
        request.headers_mut().append(name, value);
    }
    let (parts, ()) = request.into_parts();
    let host = parts
        .headers
        .get("host")
        .and_then(|host| host.to_str().ok());
    let route = UrlRoute::find(host, parts.uri.path());
    let mut event = UrlEvent::new(&parts, body);
    if let Some(route) = &route {
        assert!(parts.uri.path().ends_with(route.path) || route.path == "/");
        event.path = route.path;
        event.url_id = &route.function_name;
    }
    event.time = SystemTime::UNIX_EPOCH + Duration::from_secs(data.len() as u64);
    if data.len() % 2 == 0 {
        event.caller = Some(IamCaller::new("key", "123456789012", "arn", "id"));
    }
    let (path, is_signed) = (event.path, event.caller.is_some());
    let json: Value = serde_json::from_slice(&event.to_json()).expect("the event is JSON");
    assert_eq!(json["rawPath"], path);
    assert_eq!(
        json["rawQueryString"],
        parts.uri.query().unwrap_or_default()
    );
    assert_eq!(
        json["requestContext"]["http"]["method"],
        parts.method.as_str()
    );
    assert_eq!(
        json["requestContext"]["accountId"] == "anonymous",
        !is_signed
    );

    let text = json["body"].as_str().unwrap_or_default();
    match json["isBase64Encoded"].as_bool() {
        Some(true) => assert_eq!(STANDARD.decode(text).expect("base64"), body),
        _ => assert_eq!(text.as_bytes(), body),
    }
    let headers = json["headers"].as_object().expect("headers");
    for (name, value) in headers {
        assert_eq!(*name, name.to_ascii_lowercase());
        let sent = parts.headers.get_all(name.as_str()).iter();
        let all = sent.map(|value| String::from_utf8_lossy(value.as_bytes()));
        let value = value.as_str().expect("text");
        assert!(all.into_iter().all(|sent| value.contains(&*sent)));
    }
    for cookie in json["cookies"].as_array().into_iter().flatten() {
        let cookie = cookie.as_str().expect("text");
        assert!(!cookie.is_empty() && headers["cookie"].as_str().expect("text").contains(cookie));
    }
    // Every value of the map is in the decoded query.
    let pairs = parts.uri.query().unwrap_or_default().split('&');
    let pairs = pairs.filter(|pair| !pair.is_empty()).count();
    let values = json["queryStringParameters"]
        .as_object()
        .map_or(0, |map| map.len());
    assert!(values <= pairs && (values > 0) == (pairs > 0));
}

/// Any result of a function is a valid response or a typed error, and a response never has a header
/// of the connection. A stream's prelude and a buffered result give the same head.
pub fn function_url_response(data: &[u8]) {
    let buffered = UrlResponse::try_from(Bytes::copy_from_slice(data));
    let prelude = HttpPrelude::try_from(data).map(UrlHead::try_from);
    for head in [
        buffered.as_ref().ok().map(|response| &response.head),
        prelude.as_ref().ok().and_then(|head| head.as_ref().ok()),
    ]
    .into_iter()
    .flatten()
    {
        assert!((200..600).contains(&head.status.as_u16()));
        assert!(head.headers.contains_key("content-type"));
        for dropped in [
            "connection",
            "content-length",
            "transfer-encoding",
            "upgrade",
        ] {
            assert!(!head.headers.contains_key(dropped), "{dropped}");
        }
    }
    let parsed = json::check(data).ok();
    let parsed = parsed.and_then(|()| serde_json::from_slice::<Value>(&unescaped(data)).ok());
    match buffered {
        Ok(response) => {
            // This reader takes neither 1e400 nor what is nested deeper than 128 levels.
            let Some(json) = parsed else { return };
            if json["statusCode"].is_null() {
                assert_eq!(response.body, data);
                assert_eq!(response.head.status, 200);
                return;
            }
            match (json["body"].as_str(), json["isBase64Encoded"] == true) {
                (Some(body), false) => assert_eq!(response.body, body),
                // With or without padding.
                (Some(body), true) => {
                    let encoded = STANDARD_NO_PAD.encode(&response.body);
                    assert_eq!(encoded, body.trim_end_matches('='));
                }
                (None, _) => {}
            }
            // The cookies follow those among the headers.
            if let Some(cookies) = json["cookies"].as_array() {
                let sent = response.head.headers.get_all("set-cookie").iter();
                let sent: Vec<_> = sent.map(|cookie| cookie.as_bytes()).collect();
                let named = cookies.iter().filter_map(|cookie| cookie.as_str());
                let named: Vec<_> = named.map(str::as_bytes).collect();
                assert!(
                    named.len() < cookies.len() || sent.ends_with(&named),
                    "{sent:?}"
                );
            }
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            // Without a status, any JSON is a response.
            assert!(parsed.is_none_or(|json| !json["statusCode"].is_null()));
        }
    }
}

/// Replaces the `\u` escapes of a JSON text by what they stand for, as escapes of whole characters. Half a
/// surrogate pair, which a text has that was cut within a character, becomes U+FFFD.
fn unescaped(json: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let mut rest = json;
    loop {
        let mut units = Vec::new();
        while let Some((unit, after)) = escape(rest) {
            units.push(unit);
            rest = after;
        }
        for character in char::decode_utf16(units) {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            let quoted = Value::from(character.to_string()).to_string();
            text.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
        }
        let escaped = rest.len() > 1 && rest[0] == b'\\';
        let (next, after) = rest.split_at(rest.len().min(1 + usize::from(escaped)));
        text.extend_from_slice(next);
        rest = after;
        if rest.is_empty() {
            return text;
        }
    }
}

fn escape(json: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = json.strip_prefix(b"\\u")?.split_first_chunk::<4>()?;
    let digits = digits.map(|digit| char::from(digit).to_digit(16));
    let unit = digits
        .into_iter()
        .try_fold(0, |unit, digit| Some(unit * 16 + digit?))?;
    Some((u16::try_from(unit).ok()?, rest))
}
