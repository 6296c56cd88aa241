//! The settings of an endpoint.

use lambda_invoke_input::limits;
use lambda_invoke_sigv4::region::Partition;

use super::cors::Origins;
use crate::wire::bandwidth::Bandwidth;

/// The error for a payload that is too large.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "as recorded or as documented")]
pub enum TooLargeStyle {
    /// `RequestEntityTooLargeException`, as recorded from the service.
    #[default]
    Service,
    /// `RequestTooLargeException`, as in the published reference.
    Documented,
}

/// Settings other than functions, keys, events and faults.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) region: String,
    pub(crate) account: String,
    pub(crate) any_content_type: bool,
    pub(crate) too_large: TooLargeStyle,
    pub(crate) error_code_in_stream: bool,
    pub(crate) max_request_bytes: usize,
    pub(crate) max_buffered_bytes: u64,
    /// `None` means no limit.
    pub(crate) max_stream_bytes: Option<u64>,
    /// `None` means no limit.
    pub(crate) stream_bandwidth: Option<Bandwidth>,
    pub(crate) clock_offset: i64,
    pub(crate) origins: Origins,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            region: "us-east-1".to_owned(),
            account: "123456789012".to_owned(),
            any_content_type: false,
            too_large: TooLargeStyle::default(),
            error_code_in_stream: false,
            max_request_bytes: limits::REQUEST_PAYLOAD,
            max_buffered_bytes: limits::RESPONSE_PAYLOAD as u64,
            max_stream_bytes: Some(limits::STREAM_PAYLOAD),
            stream_bandwidth: None,
            clock_offset: 0,
            origins: Origins::default(),
        }
    }
}

impl Settings {
    /// Returns the partition that the region belongs to, for ARNs.
    pub(crate) fn partition(&self) -> &'static str {
        Partition::of(&self.region).id()
    }

    /// Returns the ARN of an identity of the account, such as `user/local`.
    pub(crate) fn iam_arn(&self, identity: &str) -> String {
        format!("arn:{}:iam::{}:{identity}", self.partition(), self.account)
    }

    /// Returns the ARN of a function, up to its name.
    pub(crate) fn arn_prefix(&self) -> String {
        format!(
            "arn:{}:lambda:{}:{}:function:",
            self.partition(),
            self.region,
            self.account
        )
    }
}
