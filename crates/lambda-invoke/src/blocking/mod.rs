//! The same calls for callers without async.
//!
//! A [`blocking::Client`](Client) is made from a [`lambda_invoke::Client`](crate::Client), and its
//! calls are built in the same way; `send` waits. A [`ResponseStream`] is an iterator of `Bytes`;
//! [`into_text`](ResponseStream::into_text) makes it one of text, and
//! [`into_reader`](ResponseStream::into_reader) a [`std::io::Read`].
//!
//! Connections live on a thread of the client's own, so that they are looked after between calls
//! too; what is read from a stream is handled on the caller's thread. It can be used anywhere, also
//! within an async runtime, where it holds up the thread that it is called on.
//!
//! # Example
//!
//! ```no_run
//! use std::io::Write;
//!
//! use lambda_invoke::{Client, Credentials, blocking};
//!
//! let client = Client::builder()
//!     .region("eu-central-1")
//!     .credentials(Credentials::new("AKIDEXAMPLE", "secret")?)
//!     .build()?;
//! let client = blocking::Client::new(client)?;
//! let stream = client.stream("hello").payload(r#"{"name":"Zoë"}"#).send()?;
//! for piece in stream.into_text() {
//!     print!("{}", piece?);
//!     std::io::stdout().flush()?;
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod runtime;
mod stream;

pub use stream::{HttpStream, Reader, ResponseStream, TextStream};

use std::sync::Arc;

use lambda_invoke_input::FunctionName;
use lambda_invoke_protocol::StreamHead;
use lambda_invoke_protocol::operation::InvokeOperation;

use self::runtime::Runtime;
use crate::{BoxError, Call, Error, InvokeCall, Reply, StreamCall, StreamDryRun};

/// Calls functions and waits for them: see the [module](self).
///
/// Cheap to clone; the clones share everything, its thread included.
#[derive(Clone, Debug)]
pub struct Client {
    client: crate::Client,
    runtime: Arc<Runtime>,
}

impl Client {
    /// A client that waits.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if the system gives no thread.
    pub fn new(client: crate::Client) -> Result<Self, Error> {
        let runtime = Runtime::start().map_err(|error| {
            Error::configuration("the system gives no thread for the connections")
                .with_source(error)
        })?;
        Ok(Self {
            client,
            runtime: Arc::new(runtime),
        })
    }

    /// The client under it: for its region and address.
    #[must_use]
    pub fn get_ref(&self) -> &crate::Client {
        &self.client
    }

    /// As [`lambda_invoke::Client::invoke`](crate::Client::invoke).
    pub fn invoke<'a, N>(&self, name: N) -> InvokeCall<'a, Self>
    where
        N: TryInto<FunctionName<'a>>,
        N::Error: Into<BoxError>,
    {
        InvokeCall::new(self.clone(), name)
    }

    /// As [`lambda_invoke::Client::stream`](crate::Client::stream).
    pub fn stream<'a, N>(&self, name: N) -> StreamCall<'a, Self>
    where
        N: TryInto<FunctionName<'a>>,
        N::Error: Into<BoxError>,
    {
        StreamCall::new(self.clone(), name).log_tail()
    }
}

impl<'a, Op: InvokeOperation> Call<'a, Op, Client> {
    /// The asynchronous call, and what waits for it.
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
