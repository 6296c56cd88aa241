//! The event that a function is called with.

use bytes::Bytes;

/// One call of a function.
///
/// # Example
///
/// ```
/// use lambda_invoke_runtime::Event;
///
/// let event = Event::new("8d3f0c1e-5a1f-4e0a-9a51-6f1f0a5b7c11", r#"{"n":1}"#)
///     .with_tenant_id("blue")
///     .with_client_context(r#"{"custom":{"k":"v"}}"#);
/// assert_eq!(event.request_id, "8d3f0c1e-5a1f-4e0a-9a51-6f1f0a5b7c11");
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Event {
    /// The id that the function sees, unique among the calls that run: 1 to 128 letters, digits,
    /// `-` and `_`.
    pub request_id: String,
    /// The payload, which is passed on unchanged.
    pub payload: Bytes,
    /// The ARN that the function was invoked by. Without it, the program's own ARN is used.
    pub arn: Option<String>,
    /// The client context as JSON (not in base64).
    pub client_context: Option<String>,
    /// The tenant. Each tenant has its own instances.
    pub tenant_id: Option<String>,
    /// The version of the function that runs. Without it, the program's own version runs. Each version has its
    /// own instances, which see it in `AWS_LAMBDA_FUNCTION_VERSION`.
    pub version: Option<String>,
    /// The X-Ray trace header.
    pub trace_id: Option<String>,
    /// Whether the report omits the memory. Reading it from `/proc` at the end of the invocation
    /// may take longer than everything else that the host does for the invocation.
    pub without_memory: bool,
}

impl Event {
    /// Creates an event from a request id and a payload.
    #[must_use]
    pub fn new(request_id: impl Into<String>, payload: impl Into<Bytes>) -> Self {
        Self {
            request_id: request_id.into(),
            payload: payload.into(),
            ..Self::default()
        }
    }

    /// Sets the ARN that the function was invoked by.
    #[must_use]
    pub fn with_arn(mut self, arn: impl Into<String>) -> Self {
        self.arn = Some(arn.into());
        self
    }

    /// Sets the client context, as JSON.
    #[must_use]
    pub fn with_client_context(mut self, json: impl Into<String>) -> Self {
        self.client_context = Some(json.into());
        self
    }

    /// Sets the tenant.
    #[must_use]
    pub fn with_tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the version that runs.
    #[must_use]
    pub fn with_version(mut self, version: impl Into<String>) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Sets the X-Ray trace header.
    #[must_use]
    pub fn with_trace_id(mut self, trace: impl Into<String>) -> Self {
        self.trace_id = Some(trace.into());
        self
    }

    /// Omits the memory from the report.
    #[must_use]
    pub const fn without_memory(mut self) -> Self {
        self.without_memory = true;
        self
    }
}
