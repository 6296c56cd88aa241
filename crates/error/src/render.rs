//! Renders an error as an HTTP response.

use serde_json::{Map, Value};

use crate::{ServiceError, header};

/// An error as an HTTP response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rendered {
    /// The HTTP status.
    pub status: u16,
    /// The headers, without `content-length`. Names are in lower case; values are ASCII without
    /// control characters, which every HTTP library accepts.
    pub headers: Vec<(&'static str, String)>,
    /// The body, a JSON object.
    pub body: Vec<u8>,
}

impl ServiceError {
    /// Renders this error as the service would return it: the AWS SDKs can parse it, and
    /// [`ServiceError::parse`] returns an equal error.
    ///
    /// The code goes into `x-amzn-errortype`, the request id into `x-amzn-requestid`, the requested
    /// delay into `retry-after` (or `x-amz-retry-after` if it is in milliseconds). Message, type,
    /// throttle reason and EC2's code go into the body, the message under the name that the service
    /// uses for it in this error.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_error::{RetryAfter, ServiceError, ThrottleReason, lookup};
    ///
    /// let error = lookup("TooManyRequestsException")
    ///     .unwrap()
    ///     .error("Rate Exceeded.")
    ///     .with_reason(ThrottleReason::ConcurrentInvocationLimitExceeded)
    ///     .with_retry_after(RetryAfter::seconds(1));
    /// let response = error.render();
    /// assert_eq!(response.status, 429);
    /// assert!(response.headers.contains(&("retry-after", "1".to_owned())));
    ///
    /// let find = |name: &str| {
    ///     response.headers.iter().find(|(n, _)| *n == name).map(|(_, value)| value.as_str())
    /// };
    /// assert_eq!(ServiceError::parse(response.status, find, &response.body), error);
    /// ```
    #[must_use]
    pub fn render(&self) -> Rendered {
        let mut headers = vec![(header::CONTENT_TYPE, "application/json".to_owned())];
        if let Some(code) = self.code() {
            headers.push((header::ERROR_TYPE, code.to_owned()));
        }
        if let Some(id) = self.request_id() {
            headers.push((header::REQUEST_ID, id.to_owned()));
        }
        headers.extend(self.retry_after().map(|delay| delay.to_header()));

        let message_member = self
            .known_error()
            .map_or("message", |known| known.message_member);
        let members = [
            (message_member, self.message()),
            ("Type", self.error_type().map(|kind| kind.as_str())),
            ("Reason", self.reason().map(|reason| reason.as_str())),
            ("EC2ErrorCode", self.ec2_error_code()),
        ];
        let body: Map<String, Value> = members
            .into_iter()
            .filter_map(|(name, value)| Some((name.to_owned(), Value::from(value?))))
            .collect();
        let body = Value::Object(body).to_string().into_bytes();
        Rendered {
            status: self.status(),
            headers,
            body,
        }
    }
}
