//! Which value counts if an error response says the same thing in several places.

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_error::{ErrorType, RetryAfter, ServiceError, ThrottleReason};

/// Values, none of which is the code, message, type or reason of another.
const VALUES: [&str; 8] = [
    "ResourceNotFoundException",
    "TooManyRequestsException",
    "ServiceException",
    "KMSDisabledException",
    "User",
    "CallerRateLimitExceeded",
    "",
    "not a token",
];

/// The members of a body that describe an error, and one that does not.
const MEMBERS: [&str; 9] = [
    "code",
    "Code",
    "__type",
    "message",
    "Message",
    "Type",
    "Reason",
    "EC2ErrorCode",
    "Codes",
];

const HEADERS: [&str; 6] = [
    "x-amzn-errortype",
    "retry-after",
    "x-amz-retry-after",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-amzn-request-id",
];

/// Values of the headers that state a delay or an id.
const HEADER_VALUES: [&str; 6] = ["7", "11", "soon", "", "id-1", "id-2"];

#[derive(Debug, Arbitrary)]
struct Response {
    status: u16,
    /// For each header, whether it is present, and its value.
    headers: [Option<u8>; 6],
    members: Vec<(u8, u8)>,
}

impl Response {
    fn header(&self, name: &str) -> Option<&'static str> {
        let at = HEADERS.iter().position(|known| *known == name)?;
        let value = usize::from(self.headers[at]?);
        Some(match at {
            0 => VALUES[value % VALUES.len()],
            _ => HEADER_VALUES[value % HEADER_VALUES.len()],
        })
    }

    /// The members in their order; a name may be repeated.
    fn members(&self) -> Vec<(&'static str, &'static str)> {
        let members = self.members.iter().take(32);
        members
            .map(|(name, value)| {
                let name = MEMBERS[usize::from(*name) % MEMBERS.len()];
                (name, VALUES[usize::from(*value) % VALUES.len()])
            })
            .collect()
    }
}

/// A code that is found in the header, `code`, `Code` and `__type`, in this order; a message in
/// `message` and then `Message`; a delay in milliseconds before one in seconds; an id under the
/// name that Lambda uses before the others. A value that is empty or not a token counts as absent,
/// and if a member is repeated, the last value counts.
pub fn precedence(data: &[u8]) {
    let Ok(response) = Response::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let members = response.members();
    let written: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":\"{value}\""))
        .collect();
    let body = format!("{{{}}}", written.join(","));
    let error = ServiceError::parse(
        response.status,
        |name| response.header(name),
        body.as_bytes(),
    );

    let member = |name: &str| {
        let mut last = members.iter().rev().filter(|(other, _)| *other == name);
        last.next().map(|(_, value)| *value)
    };
    let is_token = |text: &&str| !text.is_empty() && !text.contains(' ');
    let header = |name: &str| response.header(name);
    let first = |places: &[Option<&'static str>]| {
        places.iter().copied().flatten().find(|text| is_token(text))
    };
    let codes = [
        header("x-amzn-errortype"),
        member("code"),
        member("Code"),
        member("__type"),
    ];
    assert_eq!(error.code(), first(&codes), "{response:?}");
    let message = member("message").or(member("Message"));
    let message = message.filter(|text| !text.is_empty());
    assert_eq!(error.message(), message, "{response:?}");
    let ids = [
        header("x-amzn-requestid"),
        header("x-amz-request-id"),
        header("x-amzn-request-id"),
    ];
    assert_eq!(error.request_id(), first(&ids), "{response:?}");
    let number = |text: &str| text.parse::<u64>().ok();
    let millis = header("x-amz-retry-after").and_then(number);
    let seconds = header("retry-after").and_then(number);
    let delay = millis.map(RetryAfter::millis);
    let delay = delay.or(seconds.map(RetryAfter::seconds));
    assert_eq!(error.retry_after(), delay, "{response:?}");
    assert_eq!(
        error.error_type(),
        member("Type").map(ErrorType::from).as_ref()
    );
    assert_eq!(
        error.reason(),
        member("Reason").map(ThrottleReason::from).as_ref()
    );
}
