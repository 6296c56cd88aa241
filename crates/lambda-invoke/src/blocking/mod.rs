//! The client for blocking callers.
//!
//! A [`blocking::Client`](Client) has the settings and the calls of a
//! [`lambda_invoke::Client`](crate::Client); `send` waits. A [`ResponseStream`] is an iterator of
//! `Bytes`; [`into_text`](ResponseStream::into_text) makes it one of text, and
//! [`into_reader`](ResponseStream::into_reader) a [`std::io::Read`].
//!
//! A separate thread drives the client's connections, also between calls; the data of a stream is
//! processed on the caller's thread. The client can be used anywhere, even within an async runtime,
//! where it blocks the thread that it is called on.
//!
//! # Example
//!
//! ```no_run
//! use std::io::Write;
//!
//! use lambda_invoke::{Credentials, blocking};
//!
//! let client = blocking::Client::builder()
//!     .region("eu-central-1")
//!     .credentials(Credentials::new("AKIDEXAMPLE", "secret")?)
//!     .build()?;
//! let stream = client.stream("hello").payload(r#"{"name":"Zoë"}"#).send()?;
//! for piece in stream.into_text() {
//!     print!("{}", piece?);
//!     std::io::stdout().flush()?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod runtime;
mod stream;

pub use crate::{Reader, TextStream};
pub use stream::{HttpStream, ResponseStream};

use std::sync::Arc;

use lambda_invoke_input::FunctionName;
use lambda_invoke_protocol::StreamHead;
use lambda_invoke_protocol::operation::InvokeOperation;

use self::runtime::Runtime;
use crate::{BoxError, Call, ClientBuilder, Error, InvokeCall, Reply, StreamCall, StreamDryRun};

/// Calls functions and waits for their responses: see the [module](self).
///
/// Cheap to clone; the clones share everything, including the thread.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// Returns a builder with the default settings.
    pub fn builder() -> ClientBuilder<Self> {
        ClientBuilder::default()
    }

    /// Makes a client for a local endpoint: see [`lambda_invoke::Client::local`](crate::Client::local).
    ///
    /// # Errors
    ///
    /// If `url` is not an address, or the client's thread cannot be started.
    pub fn local(url: impl Into<String>) -> Result<Self, Error> {
        ClientBuilder::<Self>::local(url)?.build()
    }

    /// Wraps an asynchronous client.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the system cannot start a
    /// thread.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let runtime = Runtime::start().map_err(|error| {
            Error::configuration("the system cannot start a thread for the connections")
                .with_source(error)
        })?;
        Ok(Self {
            client,
            runtime: Arc::new(runtime),
        })
    }

    /// Returns the asynchronous client, which has the region and the address.
    #[must_use]
    pub fn get_ref(&self) -> &crate::Client {
        &self.client
    }

    /// As [`lambda_invoke::Client::invoke`](crate::Client::invoke).
    pub fn invoke<'a>(
        &self,
        name: impl TryInto<FunctionName<'a>, Error: Into<BoxError>>,
    ) -> InvokeCall<'a, Self> {
        InvokeCall::new(self.clone(), name)
    }

    /// As [`lambda_invoke::Client::stream`](crate::Client::stream).
    pub fn stream<'a>(
        &self,
        name: impl TryInto<FunctionName<'a>, Error: Into<BoxError>>,
    ) -> StreamCall<'a, Self> {
        StreamCall::new(self.clone(), name).log_tail()
    }
}

impl<'a, Op: InvokeOperation> Call<'a, Op, Client> {
    /// Splits this call into the asynchronous call and the runtime that waits for it.
    fn split(self) -> (Call<'a, Op>, Arc<Runtime>) {
        let Client { client, runtime } = self.client;
        let call = Call {
            client,
            request: self.request,
            options: self.options,
        };
        (call, runtime)
    }
}

impl InvokeCall<'_, Client> {
    /// Makes the call and waits for the response.
    ///
    /// # Errors
    ///
    /// As the asynchronous [`send`](InvokeCall::send).
    pub fn send(self) -> Result<Reply, Error> {
        let (call, runtime) = self.split();
        runtime.wait(call.send())
    }
}

impl StreamCall<'_, Client> {
    /// Makes the call and waits for the head of the response.
    ///
    /// # Errors
    ///
    /// As the asynchronous [`send`](StreamCall::send).
    pub fn send(self) -> Result<ResponseStream, Error> {
        let (call, runtime) = self.split();
        let stream = runtime.wait(call.send())?;
        Ok(ResponseStream::new(stream, runtime))
    }
}

impl StreamDryRun<'_, Client> {
    /// Makes the call and waits for the head of the response.
    ///
    /// # Errors
    ///
    /// As the asynchronous [`send`](StreamDryRun::send).
    pub fn send(self) -> Result<StreamHead, Error> {
        let (call, runtime) = self.0.split();
        runtime.wait(StreamDryRun(call).send())
    }
}
