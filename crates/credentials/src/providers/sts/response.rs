//! The responses of STS, which are XML.

use bytes::Bytes;
use http::Response;
use lambda_invoke_sigv4::Timestamp;
use quick_xml::Reader;
use quick_xml::events::Event;
use zeroize::Zeroizing;

use crate::{exchange, time};

/// The keys in a response.
pub(super) struct Session {
    pub(super) id: String,
    pub(super) secret: Zeroizing<String>,
    pub(super) token: String,
    pub(super) expiry: Timestamp,
}

/// Reads the `Credentials` of a response.
pub(super) fn session(body: &[u8]) -> Option<Session> {
    let text = |name| text_of(body, &["Credentials", name]);
    Some(Session {
        id: text("AccessKeyId")?,
        secret: Zeroizing::new(text("SecretAccessKey")?),
        token: text("SessionToken")?,
        expiry: time::parse(&text("Expiration")?)?,
    })
}

/// Whether the same request may succeed a moment later. This includes that STS could not reach the
/// identity provider.
pub(super) fn is_retryable(response: &Response<Bytes>) -> bool {
    const CODES: [&str; 4] = [
        "Throttling",
        "ThrottlingException",
        "RequestLimitExceeded",
        "IDPCommunicationError",
    ];
    exchange::is_overloaded(response)
        || (!response.status().is_success()
            && code(response.body()).is_some_and(|code| CODES.contains(&code.as_str())))
}

/// Describes an error: its code and message, or the status.
pub(super) fn rejection(response: &Response<Bytes>) -> String {
    let message = text_of(response.body(), &["Error", "Message"]);
    match (code(response.body()), message) {
        (Some(code), Some(message)) => {
            format!(
                "{}: {}",
                exchange::excerpt(&code),
                exchange::excerpt(&message)
            )
        }
        (Some(code), None) => exchange::excerpt(&code),
        _ => format!("status {}", response.status()),
    }
}

fn code(body: &[u8]) -> Option<String> {
    text_of(body, &["Error", "Code"])
}

/// The text of the first element for which `path` matches its own name and those of its ancestors.
fn text_of(xml: &[u8], path: &[&str]) -> Option<String> {
    let mut reader = Reader::from_reader(xml);
    let mut open: Vec<Vec<u8>> = Vec::new();
    let mut text: Option<String> = None;
    // Each iteration consumes at least one byte, and the body's length is bounded.
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                open.push(start.local_name().as_ref().to_vec());
                let is_at = open.len() >= path.len()
                    && open[open.len() - path.len()..]
                        .iter()
                        .zip(path)
                        .all(|(found, expected)| found == expected.as_bytes());
                text = is_at.then(String::new);
            }
            Event::Text(part) => {
                if let Some(text) = &mut text {
                    text.push_str(&part.unescape().ok()?);
                }
            }
            Event::CData(part) => {
                if let Some(text) = &mut text {
                    text.push_str(std::str::from_utf8(&part).ok()?);
                }
            }
            Event::End(_) => {
                open.pop();
                if let Some(text) = text.take() {
                    return Some(text.trim().to_owned());
                }
            }
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "<?xml version=\"1.0\"?>\n<AssumeRoleResponse \
        xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
        <Arn>a</Arn></AssumedRoleUser><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
        <SecretAccessKey>a/b+c&amp;=</SecretAccessKey><SessionToken>\n tok== </SessionToken>\
        <Expiration>2030-01-02T03:04:05Z</Expiration></Credentials></AssumeRoleResult>\
        </AssumeRoleResponse>";

    #[test]
    fn reads_the_keys_and_nothing_of_an_incomplete_response() {
        let session = session(GOOD.as_bytes()).unwrap();
        assert_eq!(session.id, "ASIA1");
        assert_eq!(*session.secret, "a/b+c&=");
        assert_eq!(session.token, "tok==");
        assert_eq!(time::rfc3339(session.expiry), "2030-01-02T03:04:05Z");
        let end = GOOD.find("Z</Expiration>").unwrap();
        for length in 0..=end {
            assert!(
                super::session(&GOOD.as_bytes()[..length]).is_none(),
                "{length}"
            );
        }
    }

    #[test]
    fn an_error_is_described_by_its_code_and_message() {
        let response = |status, body: &'static str| {
            let response = Response::builder().status(status);
            response.body(Bytes::from(body)).unwrap()
        };
        let denied = response(
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not \
             &lt;you&gt;\n</Message></Error></ErrorResponse>",
        );
        assert_eq!(rejection(&denied), "AccessDenied: not <you>");
        assert!(!is_retryable(&denied));
        let page = response(404, "<html><body>what<br></body>");
        assert_eq!(rejection(&page), "status 404 Not Found");
        assert!(is_retryable(&response(500, "")));
        let identity = "<ErrorResponse><Error><Code>IDPCommunicationError</Code></Error>";
        assert!(is_retryable(&response(400, identity)));
    }
}
