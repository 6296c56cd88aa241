//! A response stream that has been read to its end.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use lambda_invoke_protocol::StreamHead;
use serde_core::ser::{Serialize, SerializeSeq as _, SerializeStruct as _, Serializer};

use crate::Completion;

/// The whole of a response stream: see [`ResponseStream::collect`](crate::ResponseStream::collect).
///
/// As JSON it has the names of the service's model, its binary members in base64:
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
/// `InvokeComplete` is there only if it came. Members that are absent from the answer are left
/// out.
#[derive(Clone, Debug)]
pub struct Collected {
    head: StreamHead,
    chunks: Vec<Bytes>,
    completion: Option<Completion>,
}

impl Collected {
    pub(crate) fn new(
        head: StreamHead,
        chunks: Vec<Bytes>,
        completion: Option<Completion>,
    ) -> Self {
        Self {
            head,
            chunks,
            completion,
        }
    }

    /// Status, version and content types.
    #[must_use]
    pub fn head(&self) -> &StreamHead {
        &self.head
    }

    /// What the function wrote, a piece a write of its own.
    #[must_use]
    pub fn chunks(&self) -> &[Bytes] {
        &self.chunks
    }

    /// How the execution ended; `None` if the stream was cut before.
    #[must_use]
    pub fn completion(&self) -> Option<&Completion> {
        self.completion.as_ref()
    }

    /// All that the function wrote, in one piece.
    #[must_use]
    pub fn to_bytes(&self) -> Bytes {
        if let [chunk] = &self.chunks[..] {
            return chunk.clone();
        }
        let mut all = BytesMut::with_capacity(self.chunks.iter().map(Bytes::len).sum());
        for chunk in &self.chunks {
            all.extend_from_slice(chunk);
        }
        all.freeze()
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
        let count = self.0.chunks.len() + usize::from(self.0.completion.is_some());
        let mut events = serializer.serialize_seq(Some(count))?;
        for chunk in &self.0.chunks {
            events.serialize_element(&Named("PayloadChunk", Chunk(chunk)))?;
        }
        if let Some(completion) = &self.0.completion {
            events.serialize_element(&Named("InvokeComplete", Complete(completion)))?;
        }
        events.end()
    }
}

/// An object with one member: how the model's unions are written.
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
