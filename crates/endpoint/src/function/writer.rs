//! The writer of a function's response.

use std::future::poll_fn;

use bytes::Bytes;

use crate::function::channel::Channel;
use crate::function::write_error::WriteError;

/// The writer of a streaming function's response.
///
/// [`write`](Self::write) completes only when the chunk is on the wire (passed to the operating
/// system as its own frame). The function therefore produces the next chunk only after the caller
/// could have read this one, and a caller that reads slowly slows the function down. When the
/// caller of a stream has disconnected, the next write fails. Chunks for a disconnected caller of
/// `Invoke` and chunks for an event are discarded.
///
/// To report a failure, return an error from the function.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Function, FunctionError};
///
/// let words = Function::streaming("words", |_invocation, mut writer| async move {
///     writer.content_type("text/plain");
///     writer.write("one ").await?;
///     writer.write("two").await?;
///     Ok::<_, FunctionError>(())
/// });
/// # assert_eq!(words.name(), "words");
/// ```
#[derive(Debug)]
pub struct ResponseWriter {
    channel: Channel,
}

impl ResponseWriter {
    pub(crate) fn new(channel: &Channel) -> Self {
        Self {
            channel: channel.clone(),
        }
    }

    /// Sets the content type of the response, which the caller finds in
    /// `x-amzn-remapped-content-type`. The default is `application/octet-stream`.
    ///
    /// Has no effect once the response head is sent, that is, after [`start`](Self::start) or the
    /// first [`write`](Self::write). Text that is not a valid header value is ignored.
    pub fn content_type(&mut self, content_type: &str) {
        if http::HeaderValue::from_str(content_type).is_ok() {
            self.channel.set_content_type(content_type);
        }
    }

    /// Sends the response head before the first chunk.
    pub fn start(&mut self) {
        self.channel.start();
    }

    /// Writes one chunk and waits until it is on the wire. An empty chunk writes nothing.
    ///
    /// If the future is dropped before it completes, the chunk may still be sent.
    ///
    /// # Errors
    ///
    /// [`WriteError::CallerGone`] if the caller has disconnected, [`WriteError::TooLarge`] if the
    /// response would exceed the endpoint's limit.
    pub async fn write(&mut self, chunk: impl Into<Bytes> + Send) -> Result<(), WriteError> {
        let mut chunk = Some(chunk.into()).filter(|chunk| !chunk.is_empty());
        let mut placed = None;
        poll_fn(|cx| self.channel.poll_write(cx, &mut chunk, &mut placed)).await
    }

    /// Makes the response a streaming one, before it has started.
    #[cfg(feature = "runtime")]
    pub(crate) fn stream(&mut self) {
        self.channel.set_streaming();
    }

    /// Passes on the whole response of a buffered function, without waiting for the wire.
    ///
    /// # Errors
    ///
    /// [`WriteError::TooLarge`] if the response exceeds the endpoint's limit.
    pub(crate) fn finish(self, response: Bytes) -> Result<(), WriteError> {
        self.channel.place_whole(response)
    }

    /// Whether the caller has disconnected.
    #[must_use]
    pub fn is_caller_gone(&self) -> bool {
        self.channel.is_gone()
    }
}

impl Drop for ResponseWriter {
    fn drop(&mut self) {
        // The body may be waiting for a chunk from the task that has just dropped the writer.
        self.channel.wake_reader();
    }
}
