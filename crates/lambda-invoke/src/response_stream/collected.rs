//! A response stream that was read to its end.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, Bytes, BytesMut};
use lambda_invoke_error::Execution;
use lambda_invoke_event_stream::Payload;
use lambda_invoke_protocol::StreamHead;
use serde_core::de::DeserializeOwned;
use serde_core::ser::{Serialize, SerializeSeq as _, SerializeStruct as _, Serializer};

use crate::{Completion, Error};

/// The whole of a response stream: see
/// [`ResponseStream::collect_all`](crate::ResponseStream::collect_all).
///
/// It serializes with the names of the service's model, and binary members in base64:
///
/// ```json
/// {
///   "StatusCode": 200,
///   "ExecutedVersion": "$LATEST",
///   "EventStream": [
///     {"PayloadChunk": {"Payload": "aGVsbG8="}},
///     {"InvokeComplete": {"LogResult": "U1RBUlQ="}}
///   ],
///   "ResponseStreamContentType": "application/vnd.amazon.eventstream"
/// }
/// ```
///
/// `InvokeComplete` is present only if it was received. Members that are absent from the response
/// are left out.
///
/// The chunks are in one buffer. Only their bytes and their lengths are kept in memory, not the
/// connection's buffers.
///
/// # Example
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use lambda_invoke_endpoint::Endpoint;
/// # let server = Endpoint::builder().builtins().bind_local().await?;
/// # let client = lambda_invoke::Client::local(server.url())?;
/// use lambda_invoke::Collected;
///
/// let response: Collected = client.stream("hello").send().await?.collect_all().await?;
/// assert_eq!(response.head().status, 200);
/// assert_eq!(response.chunks().map(|chunk| chunk.len()).sum::<usize>(), response.to_bytes().len());
/// assert!(response.completion().is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Collected {
    head: StreamHead,
    attempts: u32,
    execution: Execution,
    bytes: Bytes,
    lengths: Bytes,
    completion: Option<Completion>,
    /// Whether the stream ended without an error.
    complete: bool,
}

/// The chunks of a stream, copied into one buffer.
#[derive(Debug, Default)]
pub(crate) struct Pieces {
    bytes: BytesMut,
    /// In LEB128: one byte for a length of up to 127, so that the lengths never take more memory
    /// than the chunks.
    lengths: BytesMut,
}

impl Pieces {
    /// Adds a chunk, which is not empty.
    pub(crate) fn push(&mut self, piece: &Payload) {
        for slice in piece.slices() {
            self.bytes.extend_from_slice(slice);
        }
        let mut length = piece.len();
        while length > 0x7f {
            self.lengths.put_u8((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        self.lengths.put_u8(length as u8);
    }
}

/// Splits the first length off.
fn next_length(lengths: &mut &[u8]) -> Option<usize> {
    let mut length = 0;
    let mut shift = 0;
    loop {
        let (byte, rest) = lengths.split_first()?;
        *lengths = rest;
        length |= usize::from(byte & 0x7f).checked_shl(shift)?;
        shift += 7;
        if byte & 0x80 == 0 {
            return Some(length);
        }
    }
}

impl Collected {
    pub(crate) fn new(
        head: StreamHead,
        attempts: u32,
        execution: Execution,
        pieces: Pieces,
        completion: Option<Completion>,
        complete: bool,
    ) -> Self {
        Self {
            head,
            attempts,
            execution,
            bytes: pieces.bytes.freeze(),
            lengths: pieces.lengths.freeze(),
            completion,
            complete,
        }
    }

    /// Returns status, version and content types.
    #[must_use]
    pub fn head(&self) -> &StreamHead {
        &self.head
    }

    /// Returns the function's output in chunks, as the service sent them: slices of
    /// [`to_bytes`](Self::to_bytes).
    pub fn chunks(&self) -> impl Iterator<Item = Bytes> + '_ {
        let mut lengths = &self.lengths[..];
        let mut rest = self.bytes.clone();
        std::iter::from_fn(move || {
            let length = next_length(&mut lengths)?;
            Some(rest.split_to(length.min(rest.len())))
        })
    }

    /// Returns how the execution ended; `None` if the stream was truncated before that.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// Returns everything that the function wrote, without copying it.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        self.bytes.clone()
    }

    /// Deserializes the function's output from JSON.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Json`](crate::ErrorKind::Json) if it is not JSON of this type; the error says
    /// where. [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) if this is only the part before
    /// an error ([`Error::collected`]).
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        self.check_complete()?;
        serde_json::from_slice(&self.bytes).map_err(|error| self.failed(Error::json, error))
    }

    /// Returns the function's output as text.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Text`](crate::ErrorKind::Text) if it is not UTF-8; the error says where.
    /// [`ErrorKind::Truncated`](crate::ErrorKind::Truncated) as for [`json`](Self::json).
    pub fn text(&self) -> Result<&str, Error> {
        self.check_complete()?;
        std::str::from_utf8(&self.bytes).map_err(|error| self.failed(Error::text, error))
    }

    fn check_complete(&self) -> Result<(), Error> {
        match self.complete {
            true => Ok(()),
            false => Err(self.failed(Error::truncated, "the stream ended with an error")),
        }
    }

    fn failed<S>(&self, error: impl FnOnce(S, u64) -> Error, source: S) -> Error {
        error(source, self.bytes.len() as u64)
            .with_proof(self.execution)
            .with_request_id(self.head.request_id.as_deref())
            .with_attempts(self.attempts)
    }
}

/// Without the function's output, which the service's model marks as sensitive: only its length.
impl fmt::Debug for Collected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected")
            .field("head", &self.head)
            .field("attempts", &self.attempts)
            .field("bytes", &self.bytes.len())
            .field("completion", &self.completion)
            .field("complete", &self.complete)
            .finish_non_exhaustive()
    }
}

impl Serialize for Collected {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut whole = serializer.serialize_struct("Collected", 4)?;
        whole.serialize_field("StatusCode", &self.head.status.as_u16())?;
        match &self.head.executed_version {
            Some(version) => whole.serialize_field("ExecutedVersion", version.as_str())?,
            None => whole.skip_field("ExecutedVersion")?,
        }
        whole.serialize_field("EventStream", &Events(self))?;
        match self
            .head
            .content_type
            .as_ref()
            .map(|found| String::from_utf8_lossy(found.as_bytes()))
        {
            Some(found) => whole.serialize_field("ResponseStreamContentType", &*found)?,
            None => whole.skip_field("ResponseStreamContentType")?,
        }
        whole.end()
    }
}

struct Events<'c>(&'c Collected);

impl Serialize for Events<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ends = |byte: &&u8| **byte & 0x80 == 0;
        let count = self.0.lengths.iter().filter(ends).count();
        let count = count + usize::from(self.0.completion.is_some());
        let mut events = serializer.serialize_seq(Some(count))?;
        for chunk in self.0.chunks() {
            events.serialize_element(&Named("PayloadChunk", Chunk(&chunk)))?;
        }
        if let Some(completion) = &self.0.completion {
            events.serialize_element(&Named("InvokeComplete", Complete(completion)))?;
        }
        events.end()
    }
}

/// An object with one member, as the model's unions are written.
struct Named<T>(&'static str, T);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut event = serializer.serialize_struct("Event", 1)?;
        event.serialize_field(self.0, &self.1)?;
        event.end()
    }
}

struct Chunk<'c>(&'c [u8]);

impl Serialize for Chunk<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut chunk = serializer.serialize_struct("PayloadChunk", 1)?;
        chunk.serialize_field("Payload", &STANDARD.encode(self.0))?;
        chunk.end()
    }
}

struct Complete<'c>(&'c Completion);

impl Serialize for Complete<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let log = self.0.log().map(|log| log.to_base64());
        let members = [
            ("ErrorCode", self.0.error_code()),
            ("ErrorDetails", self.0.error_details()),
            ("LogResult", log.as_deref()),
        ];
        let mut complete = serializer.serialize_struct("InvokeComplete", members.len())?;
        for (name, value) in members {
            match value {
                Some(value) => complete.serialize_field(name, value)?,
                None => complete.skip_field(name)?,
            }
        }
        complete.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_of_every_size_come_back_unchanged() {
        let sizes = [
            1, 2, 126, 127, 128, 129, 16_383, 16_384, 70_000, 1, 2_097_152,
        ];
        let mut pieces = Pieces::default();
        for (at, size) in sizes.into_iter().enumerate() {
            pieces.push(&Payload::from(vec![at as u8; size]));
        }
        let all: usize = sizes.iter().sum();
        let collected =
            Collected::new(StreamHead::new(), 1, Execution::Started, pieces, None, true);
        assert_eq!(collected.to_bytes().len(), all);
        let chunks: Vec<Bytes> = collected.chunks().collect();
        assert_eq!(chunks.len(), sizes.len());
        for (at, (chunk, size)) in chunks.iter().zip(sizes).enumerate() {
            assert_eq!(chunk, &vec![at as u8; size]);
        }
    }

    #[test]
    fn a_chunk_of_a_byte_costs_a_byte_more() {
        let mut pieces = Pieces::default();
        for _ in 0..100_000 {
            pieces.push(&Payload::from("x"));
        }
        assert_eq!(
            (pieces.bytes.len(), pieces.lengths.len()),
            (100_000, 100_000)
        );
        assert!(pieces.bytes.capacity() + pieces.lengths.capacity() <= 400_000);
    }
}
