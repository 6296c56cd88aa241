//! The settings of a function's URL.

use lambda_invoke_protocol::function_url::Cors;

/// The settings of a function's URL: `http://127.0.0.1:9001/url/NAME/` and
/// `http://NAME.localhost:9001/`.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Cors, Function, FunctionError, FunctionUrl, UrlAuth, UrlMode};
///
/// let chat = Function::streaming("chat", |_invocation, mut writer| async move {
///     writer.content_type("text/event-stream");
///     writer.write("data: hello\n\n").await?;
///     Ok::<_, FunctionError>(())
/// })
/// .url(
///     FunctionUrl::new()
///         .mode(UrlMode::ResponseStream)
///         .auth(UrlAuth::None)
///         .cors(Cors::new().allow_origin("http://localhost:3000")?),
/// );
/// # assert_eq!(chat.name(), "chat");
/// # Ok::<(), lambda_invoke_endpoint::CorsError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct FunctionUrl {
    /// `None` means the function's own mode.
    pub(crate) mode: Option<UrlMode>,
    pub(crate) auth: UrlAuth,
    pub(crate) cors: Option<Cors>,
}

/// How a URL sends the response: `InvokeMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the service has these two")]
pub enum UrlMode {
    /// `BUFFERED`: the response is collected, and a JSON result is converted to an HTTP response.
    Buffered,
    /// `RESPONSE_STREAM`: each chunk is sent when it is written. The JSON result of a function that
    /// does not stream is sent unconverted, as in the service.
    ResponseStream,
}

/// Who may call a URL: `AuthType`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the service has these two")]
pub enum UrlAuth {
    /// `NONE`: anybody. Web pages of other machines may not, unless [`FunctionUrl::cors`] or the
    /// endpoint's own setting allows them.
    #[default]
    None,
    /// `AWS_IAM`: callers whose requests are signed for the service `lambda` with one of the
    /// endpoint's access keys; or anybody, if the endpoint does not verify signatures.
    AwsIam,
}

impl FunctionUrl {
    /// Creates the settings of a URL that anybody may call, in the function's own mode: a streaming
    /// function streams, a buffered function does not.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets how the response is sent.
    pub fn mode(mut self, mode: UrlMode) -> Self {
        self.mode = Some(mode);
        self
    }

    /// Sets who may call the URL.
    pub fn auth(mut self, auth: UrlAuth) -> Self {
        self.auth = auth;
        self
    }

    /// Sets which web pages may call the URL and read its responses.
    ///
    /// The endpoint then responds to preflight requests itself and replaces the function's own
    /// `Access-Control-*` headers.
    pub fn cors(mut self, cors: Cors) -> Self {
        self.cors = Some(cors);
        self
    }
}
