//! The SDK's receiver: that of `aws-smithy-http`, with the unmarshaller that `aws-sdk-lambda`
//! generates for the events of this operation and keeps private.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_eventstream::error::Error;
use aws_smithy_eventstream::frame::{UnmarshallMessage, UnmarshalledMessage};
use aws_smithy_eventstream::smithy::parse_response_headers;
use aws_smithy_http::event_stream::Receiver;
use aws_smithy_types::Blob;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::event_stream::Message;
use bytes::Bytes;
use futures_util::FutureExt;

/// A receiver of a stream whose pieces are already in memory.
pub struct SdkReceiver(Receiver<Blob, Infallible>);

impl SdkReceiver {
    pub fn new(pieces: Vec<Bytes>) -> Self {
        let body = SdkBody::from_body_1_x(Pieces(pieces.into_iter()));
        Self(Receiver::new(Unmarshaller, body))
    }

    /// Receives all events.
    pub fn drain(&mut self) {
        while let Some(event) = self.0.recv().now_or_never().unwrap().unwrap() {
            black_box(event);
        }
    }
}

/// Does what the generated unmarshaller does with a `PayloadChunk`.
#[derive(Debug)]
struct Unmarshaller;

impl UnmarshallMessage for Unmarshaller {
    type Output = Blob;
    type Error = Infallible;

    fn unmarshall(
        &self,
        message: &Message,
    ) -> Result<UnmarshalledMessage<Blob, Infallible>, Error> {
        let headers = parse_response_headers(message)?;
        let types = (headers.message_type.as_str(), headers.smithy_type.as_str());
        let content_type = headers.content_type().unwrap_or_default();
        if types != ("event", "PayloadChunk") || content_type != "application/octet-stream" {
            return Err(Error::unmarshalling("another event than a chunk"));
        }
        let payload = Blob::from_maybe_shared(message.payload().clone());
        Ok(UnmarshalledMessage::Event(payload))
    }
}

/// A body whose pieces are already in memory.
struct Pieces(std::vec::IntoIter<Bytes>);

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(http_body::Frame::data(piece))))
    }
}
