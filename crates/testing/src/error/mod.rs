//! Properties of `lambda-invoke-error`.

mod precedence;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_error::bounds::{MAX_MESSAGE, MAX_TOKEN};
use lambda_invoke_error::text::is_interpreted;
use lambda_invoke_error::{
    ErrorType, Execution, Rendered, RetryAfter, RetryClass, ServiceError, ThrottleReason,
    known_errors,
};

pub use precedence::precedence;

/// A received response: a status, headers and arbitrary bytes as the body.
#[derive(Debug, Arbitrary)]
struct Received<'a> {
    status: u16,
    error_type: Option<&'a str>,
    request_id: Option<&'a str>,
    retry_after: Option<&'a str>,
    retry_after_millis: Option<&'a str>,
    body: &'a [u8],
}

impl Received<'_> {
    fn parse(&self) -> ServiceError {
        let find = |name: &str| match name {
            "x-amzn-errortype" => self.error_type,
            "x-amzn-requestid" => self.request_id,
            "retry-after" => self.retry_after,
            "x-amz-retry-after" => self.retry_after_millis,
            _ => None,
        };
        ServiceError::parse(self.status, find, self.body)
    }
}

fn read(response: &Rendered) -> ServiceError {
    let find = |name: &str| {
        response
            .headers
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| value.as_str())
    };
    ServiceError::parse(response.status, find, &response.body)
}

/// A rendered error is parsed as the same error, also by another JSON parser, and its headers are
/// valid for every HTTP library.
fn assert_round_trip(error: &ServiceError) {
    let response = error.render();
    assert_eq!(&read(&response), error);
    for (name, value) in &response.headers {
        assert!(
            value.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
            "{name}: {value:?}"
        );
    }
    let json: serde_json::Value = serde_json::from_slice(&response.body).expect("a JSON body");
    let message = json.get("message").or_else(|| json.get("Message"));
    assert_eq!(message.and_then(serde_json::Value::as_str), error.message());
}

/// Any response is parsed into an error of bounded size that survives a round trip, is displayed on
/// one line, and claims no more about the execution than its status and code allow.
pub fn parse_any(data: &[u8]) {
    let Ok(response) = Received::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let error = response.parse();
    assert_eq!(error.status(), response.status);
    assert!(
        error
            .code()
            .is_none_or(|code| (1..=MAX_TOKEN).contains(&code.len()))
    );
    assert!(
        error
            .message()
            .is_none_or(|text| (1..=MAX_MESSAGE).contains(&text.len()))
    );
    assert!(!error.to_string().contains(is_interpreted), "{error}");
    assert_round_trip(&error);

    assert_ne!(error.execution(), Execution::Started);
    if error.execution() == Execution::NotStarted {
        let rejects = (400..500).contains(&error.status())
            && ![408, 409, 410, 425, 499].contains(&error.status());
        let believed = error.known_error().is_some_and(|row| {
            row.execution == Execution::NotStarted
                && (row.class == RetryClass::Throttled || row.status / 100 == error.status() / 100)
        });
        assert!(rejects || believed, "{error}");
    }
}

/// Truncating a body anywhere does not change the code and the delay in the headers, and the
/// members are those of the complete body, or taken from the remaining text.
pub fn truncated_body(data: &[u8]) {
    let Ok((length, error)) = <(u16, Made<'_>)>::arbitrary_take_rest(Unstructured::new(data))
    else {
        return;
    };
    let error = error.make();
    let mut response = error.render();
    let whole = response.body.len();
    response.body.truncate(usize::from(length) % (whole + 1));
    let read = read(&response);
    assert_eq!(read.code(), error.code());
    assert_eq!(read.retry_after(), error.retry_after());
    assert!(read.reason().is_none() || read.reason() == error.reason());
    assert!(read.error_type().is_none() || read.error_type() == error.error_type());
    let text = String::from_utf8_lossy(&response.body);
    let kept = read.message().is_none_or(|message| {
        Some(message) == error.message() || text.contains(message.trim_end_matches('\u{fffd}'))
    });
    assert!(kept, "{:?} of {text:?}", read.message());
}

/// An error as an endpoint builds it.
#[derive(Debug, Arbitrary)]
struct Made<'a> {
    row: u8,
    spelling: u8,
    message: &'a str,
    error_type: Option<&'a str>,
    reason: Option<&'a str>,
    known_reason: Option<u8>,
    ec2_error_code: Option<&'a str>,
    request_id: Option<&'a str>,
    seconds: Option<u64>,
    millis: Option<u64>,
}

impl Made<'_> {
    fn make(&self) -> ServiceError {
        let row = &known_errors()[usize::from(self.row) % known_errors().len()];
        let spellings: Vec<&str> = row.aliases.iter().copied().chain([row.code]).collect();
        let code = spellings[usize::from(self.spelling) % spellings.len()];
        let mut error = ServiceError::unmodelled(code, row.status)
            .expect("the codes of the table are valid")
            .with_message(self.message);
        if let Some(error_type) = self.error_type {
            error = error.with_type(ErrorType::from(error_type));
        }
        if let Some(reason) = self.reason {
            error = error.with_reason(ThrottleReason::from(reason));
        }
        if let Some(known) = self.known_reason {
            let known = usize::from(known) % ThrottleReason::KNOWN.len();
            error = error.with_reason(ThrottleReason::KNOWN[known].clone());
        }
        if let Some(code) = self.ec2_error_code {
            error = error.with_ec2_error_code(code);
        }
        if let Some(id) = self.request_id {
            error = error.with_request_id(id);
        }
        if let Some(seconds) = self.seconds {
            error = error.with_retry_after(RetryAfter::seconds(seconds));
        }
        if let Some(millis) = self.millis {
            error = error.with_retry_after(RetryAfter::millis(millis));
        }
        error
    }
}

/// Every error that an endpoint can render is parsed as the same error, with the class and execution
/// of its row.
pub fn render_made(data: &[u8]) {
    let Ok(made) = Made::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let error = made.make();
    assert_round_trip(&error);
    let row = error.known_error().expect("made from the table");
    assert_eq!(error.execution(), row.execution);
    assert!(error.retry_class() == row.class || error.is_clock_skew());
}

/// A code is found in the header, in `code` and in `__type`, with a namespace before it and a URI after
/// it.
pub fn code_places(data: &[u8]) {
    let Ok((code, namespace, uri)) =
        <(&str, &str, &str)>::arbitrary_take_rest(Unstructured::new(data))
    else {
        return;
    };
    // `parse_any` covers invalid codes.
    let Ok(expected) = ServiceError::unmodelled(code, 400) else {
        return;
    };
    let namespace: String = namespace.chars().filter(|c| !":,".contains(*c)).collect();
    let wrapped = format!("{namespace}#{code}:{uri}");
    let in_body = |name: &str| {
        let body = serde_json::json!({ name: wrapped.as_str() }).to_string();
        ServiceError::parse(400, |_| None, body.as_bytes())
    };
    let in_header = ServiceError::parse(
        400,
        |name| (name == "x-amzn-errortype").then_some(&*wrapped),
        b"{}",
    );
    // A body is parsed only up to a limit.
    if wrapped.len() < 4096 {
        assert_eq!(in_body("code"), expected);
        assert_eq!(in_body("__type"), expected);
    }
    assert_eq!(in_header, expected);
}
