//! The head of a response stream.

use http::response::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::encode::{insert, insert_version};
use super::error::is_service_error;
use super::headers::{Fields, is_content_type, text};
use super::{
    EVENT_STREAM_CONTENT_TYPE, EncodeResponseError, Expected, ReportedVersion, ResponseError,
    service_error,
};
use crate::header;
use crate::invocation_type::StreamInvocationType;
use crate::prelude::HTTP_INTEGRATION_CONTENT_TYPE;

/// The head of a response stream: everything that is known before the first event.
///
/// # Example
///
/// ```
/// use lambda_invoke_protocol::{StreamHead, StreamInvocationType};
///
/// let (parts, ()) = http::Response::builder()
///     .header("content-type", "application/vnd.amazon.eventstream")
///     .header("x-amzn-remapped-content-type", "text/plain")
///     .header("x-amz-executed-version", "7")
///     .body(())?
///     .into_parts();
/// let head = StreamHead::from_parts(StreamInvocationType::RequestResponse, &parts)?;
/// assert_eq!(head.remapped_content_type.unwrap(), "text/plain");
/// assert_eq!(head.executed_version.unwrap().as_str(), "7");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamHead {
    /// 200 for a stream, 204 for a dry run.
    pub status: StatusCode,
    /// The version that runs.
    pub executed_version: Option<ReportedVersion>,
    /// The response's own content type, `ResponseStreamContentType` in the model: for a stream
    /// always [`EVENT_STREAM_CONTENT_TYPE`].
    pub content_type: Option<HeaderValue>,
    /// The content type that the function set.
    pub remapped_content_type: Option<HeaderValue>,
    /// The request's id.
    pub request_id: Option<String>,
}

impl StreamHead {
    /// Creates the head of a stream; set the other members as needed.
    #[must_use]
    pub fn new() -> Self {
        Self {
            status: StatusCode::OK,
            executed_version: None,
            content_type: Some(HeaderValue::from_static(EVENT_STREAM_CONTENT_TYPE)),
            remapped_content_type: None,
            request_id: None,
        }
    }

    /// Reads the head of the response to a request of this invocation type.
    ///
    /// # Errors
    ///
    /// If the response is a service error, or not the head that was requested: see [`Expected`].
    /// For a status of 400 to 599 the error is [`ResponseError::Service`] without the details in
    /// the body, which counts as [partial](lambda_invoke_error::ServiceError::with_partial_body). To
    /// include them, check [`is_service_error`](Self::is_service_error) first, and read head and body
    /// with [`service_error`].
    pub fn from_parts(
        invocation_type: StreamInvocationType,
        parts: &Parts,
    ) -> Result<Self, ResponseError> {
        if is_service_error(parts) {
            let error = service_error(parts, b"").with_partial_body();
            return Err(ResponseError::Service(error));
        }
        let fields = Fields::of(&parts.headers);
        Expected::from(invocation_type).check_fields(parts, &fields)?;
        Ok(Self {
            status: parts.status,
            executed_version: fields.executed_version.map(ReportedVersion::from_header),
            content_type: fields.content_type.cloned(),
            remapped_content_type: fields.remapped_content_type.cloned(),
            request_id: text(fields.request_id),
        })
    }

    /// Returns whether the response is a service error, whose body [`service_error`] reads.
    #[must_use]
    pub fn is_service_error(parts: &Parts) -> bool {
        is_service_error(parts)
    }

    /// Encodes the head as an endpoint sends it. The server adds `Date`.
    ///
    /// # Errors
    ///
    /// If a value cannot be sent in a header, or the version is neither `$LATEST` nor a number.
    pub fn to_http(&self) -> Result<http::Response<()>, EncodeResponseError> {
        let mut headers = HeaderMap::with_capacity(4);
        if let Some(content_type) = &self.content_type {
            headers.insert(http::header::CONTENT_TYPE, content_type.clone());
        }
        insert(
            &mut headers,
            header::X_AMZN_REQUEST_ID,
            self.request_id.as_deref(),
        )?;
        insert_version(&mut headers, self.executed_version.as_ref())?;
        if let Some(remapped) = &self.remapped_content_type {
            headers.insert(header::X_AMZN_REMAPPED_CONTENT_TYPE, remapped.clone());
        }
        let mut response = http::Response::new(());
        *response.status_mut() = self.status;
        *response.headers_mut() = headers;
        Ok(response)
    }

    /// Returns whether the function declares that its stream begins with an HTTP prelude.
    #[must_use]
    pub fn has_http_prelude(&self) -> bool {
        let remapped = self.remapped_content_type.as_ref();
        is_content_type(remapped, &[HTTP_INTEGRATION_CONTENT_TYPE])
    }

    /// Returns whether a stream follows: true unless this is the response to a dry run.
    #[must_use]
    pub fn has_stream(&self) -> bool {
        self.status != StatusCode::NO_CONTENT
    }
}

impl Default for StreamHead {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use lambda_invoke_error::Execution;

    use super::*;
    use crate::Mismatch;

    fn read(status: u16, headers: &[(&str, &str)]) -> Result<StreamHead, ResponseError> {
        let mut response = http::Response::builder().status(status);
        for (name, value) in headers {
            response = response.header(*name, *value);
        }
        let parts = response.body(()).unwrap().into_parts().0;
        StreamHead::from_parts(type_of(&parts), &parts)
    }

    /// The invocation type whose response has this status.
    fn type_of(parts: &Parts) -> StreamInvocationType {
        match parts.status {
            StatusCode::NO_CONTENT => StreamInvocationType::DryRun,
            _ => StreamInvocationType::RequestResponse,
        }
    }

    #[test]
    fn a_head_is_read_as_it_was_written() {
        let dry_run = StreamHead {
            status: StatusCode::NO_CONTENT,
            content_type: None,
            ..StreamHead::new()
        };
        for mut head in [StreamHead::new(), dry_run] {
            head.executed_version = Some("12".to_owned().into());
            head.remapped_content_type = Some(HeaderValue::from_bytes(b"text/\xff").unwrap());
            head.request_id = Some("4d34".to_owned());
            let (parts, ()) = head.to_http().unwrap().into_parts();
            assert_eq!(StreamHead::from_parts(type_of(&parts), &parts), Ok(head));
        }
    }

    #[test]
    fn rejects_a_success_that_is_not_an_event_stream() {
        for headers in [&[("content-type", "application/json")][..], &[]] {
            let Err(ResponseError::Unexpected(unexpected)) = read(200, headers) else {
                panic!("taken for a stream: {headers:?}")
            };
            assert_eq!(unexpected.mismatch(), Mismatch::NotEventStream);
        }
        let with_parameter = "Application/vnd.amazon.EventStream; x=y";
        assert!(
            read(200, &[("content-type", with_parameter)])
                .unwrap()
                .has_stream()
        );
        let id = ("x-amzn-requestid", "4d34");
        assert!(!read(204, &[id]).unwrap().has_stream());
    }

    #[test]
    fn rejects_errors_and_redirects() {
        let rejected = read(404, &[("x-amzn-errortype", "ResourceNotFoundException")]);
        let Err(ResponseError::Service(error)) = rejected else {
            panic!("{rejected:?}")
        };
        assert!(error.is_not_found());
        let Err(ResponseError::Unexpected(unexpected)) = read(302, &[]) else {
            panic!("a redirect is a head")
        };
        assert_eq!(unexpected.status(), StatusCode::FOUND);
    }

    #[test]
    fn an_error_without_its_body_proves_only_what_the_head_says() {
        for (headers, execution) in [
            // The code may be in the body: that of RequestAbortedException, after which the function
            // may have run.
            (&[][..], Execution::Unknown),
            (
                &[("x-amzn-errortype", "InvalidRequestContentException")],
                Execution::NotStarted,
            ),
        ] {
            let Err(ResponseError::Service(error)) = read(400, headers) else {
                panic!("not an error: {headers:?}")
            };
            assert_eq!(error.execution(), execution, "{headers:?}");
        }
    }

    #[test]
    fn knows_the_type_that_announces_a_prelude() {
        let types = [
            ("application/vnd.awslambda.http-integration-response", true),
            (
                "application/vnd.awslambda.http-integration-response; charset=utf-8",
                true,
            ),
            ("text/html", false),
        ];
        for (remapped, announced) in types {
            let mut head = StreamHead::new();
            head.remapped_content_type = Some(HeaderValue::from_static(remapped));
            assert_eq!(head.has_http_prelude(), announced, "{remapped}");
        }
    }

    #[test]
    fn an_unrecognized_version_is_kept_and_never_sent() {
        let event_stream = ("content-type", EVENT_STREAM_CONTENT_TYPE);
        let head = read(200, &[event_stream, ("x-amz-executed-version", "live")]).unwrap();
        let version = head.executed_version.as_ref().unwrap();
        assert!(version.is_unrecognized());
        assert_eq!(version.as_str(), "live");
        assert_eq!(
            head.to_http().unwrap_err(),
            EncodeResponseError::UnrecognizedVersion
        );
    }
}
