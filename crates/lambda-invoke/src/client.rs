//! The client.

use std::fmt;
use std::sync::Arc;

use lambda_invoke_input::FunctionName;
use lambda_invoke_protocol::retry::RetryPolicy;

use crate::exchange::Core;
use crate::{BoxError, ClientBuilder, Error, InvokeCall, StreamCall};

/// Calls functions.
///
/// Cheap to clone; the clones share connections, credentials, retry tokens and the measured offset
/// of the service's clock. It is `Send` and `Sync`, and not generic, whichever service sends the
/// requests.
///
/// It needs a Tokio runtime with I/O and time enabled; `blocking::Client` (feature `blocking`) does
/// not. Several runtimes can share a client; each has connections of its own.
///
/// # Example
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use lambda_invoke::{Client, Credentials};
///
/// let client = Client::builder()
///     .region("eu-central-1")
///     .credentials(Credentials::new("AKIDEXAMPLE", "secret")?)
///     .build()?;
/// let reply = client.invoke("hello").payload(r#"{"name":"Ada"}"#).await?;
/// println!("{}", reply.text()?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Client {
    core: Arc<Core>,
}

impl Client {
    /// Returns a builder with the default settings.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// Creates a client for a local endpoint, with the region `us-east-1`, the access key ID
    /// `local` and the secret `local`. These are the defaults of `lambda-invoke serve` and of
    /// `lambda_invoke_endpoint`.
    ///
    /// # Errors
    ///
    /// If `url` is not an address: see [`ClientBuilder::endpoint_url`].
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke::Client;
    /// use lambda_invoke_endpoint::Endpoint;
    ///
    /// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let server = Endpoint::builder().builtins().bind_local().await?;
    /// let client = Client::local(server.url())?;
    /// let reply = client.invoke("echo").payload("[1]").send().await?.into_result()?;
    /// assert_eq!(reply.payload(), "[1]");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn local(url: impl Into<String>) -> Result<Self, Error> {
        ClientBuilder::<Self>::local(url)?.build()
    }

    /// Invoke: runs a function and returns its whole response, or queues an event for it.
    ///
    /// The name is a function's name, its ARN or a partial ARN, with or without a version or alias
    /// at its end. An invalid name is reported by [`InvokeCall::send`](crate::InvokeCall::send),
    /// before anything is sent.
    pub fn invoke<'a>(
        &self,
        name: impl TryInto<FunctionName<'a>, Error: Into<BoxError>>,
    ) -> InvokeCall<'a> {
        InvokeCall::new(self.clone(), name)
    }

    /// InvokeWithResponseStream: runs a function and returns its response while it is being written.
    ///
    /// The name is as in [`invoke`](Self::invoke).
    pub fn stream<'a>(
        &self,
        name: impl TryInto<FunctionName<'a>, Error: Into<BoxError>>,
    ) -> StreamCall<'a> {
        // Some failures after the first byte have been seen to be reported only in the log.
        StreamCall::new(self.clone(), name).log_tail()
    }

    /// Returns the region that requests are signed for.
    #[must_use]
    pub fn region(&self) -> &str {
        self.core.credentials.region()
    }

    /// Returns the address that requests are sent to.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        self.core.endpoint.uri().to_string()
    }

    /// Returns the retry policy of calls that do not set one.
    #[must_use]
    pub fn retry_policy(&self) -> RetryPolicy {
        self.core.retry
    }

    pub(crate) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("endpoint", &self.core.endpoint)
            .field("credentials", &self.core.credentials)
            .field("retry", &self.core.retry)
            .field("timeouts", &self.core.timeouts)
            .field("http_service", &self.core.http_service)
            .finish_non_exhaustive()
    }
}
