use core::fmt;

use bytes::{Buf, Bytes};
use crc32fast::Hasher;

use super::partial::{PartialMessage, take_into};
use super::pieces::Pieces;
use crate::error::{DecodeError, DecodeErrorKind};
use crate::headers::HeaderCache;
use crate::limits::Limits;
use crate::message::Message;
use crate::prelude::{self, PRELUDE, Prelude};

/// Decodes a stream that arrives in pieces.
///
/// [`push`](Self::push) each piece, then call [`next_message`](Self::next_message) until it returns
/// `None`, which means that it needs more input. When the stream has ended, call
/// [`finish`](Self::finish). How the stream is divided into pieces makes no difference, nor how many
/// messages are taken between them.
///
/// A decoder holds at most [`Limits::max_message_len`] bytes, and the bytes that were pushed since
/// `next_message` last returned `None`. Messages share the pushed bytes; the [crate's page](crate)
/// says when a piece is copied, and how much memory the shared buffers can take.
///
/// Errors are sticky: a stream cannot be resumed after one.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_event_stream::Decoder;
///
/// let mut decoder = Decoder::new();
/// // Two empty messages of 16 bytes each, the second of which is incomplete.
/// let empty = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
/// decoder.push(Bytes::from([&empty[..], &empty[..7]].concat()));
/// assert!(decoder.next_message()?.is_some());
/// assert!(decoder.next_message()?.is_none());
///
/// let error = decoder.clone().finish().unwrap_err();
/// assert!(error.is_unexpected_eof());
/// assert_eq!(error.offset(), 23);
///
/// decoder.push(Bytes::from_static(&empty[7..]));
/// assert!(decoder.next_message()?.is_some());
/// decoder.finish()?;
/// # Ok::<(), lambda_invoke_event_stream::DecodeError>(())
/// ```
#[derive(Clone)]
pub struct Decoder {
    limits: Limits,
    /// The byte of the stream at which the current message begins.
    offset: u64,
    /// The piece that is being read, perhaps to its end.
    current: Bytes,
    /// The pieces after `current`, which wait even if `current` has been read.
    queue: Pieces,
    state: State,
    cache: HeaderCache,
    failed: Option<DecodeError>,
}

/// How much of the current message has been taken out of the pieces.
#[derive(Clone, Debug)]
enum State {
    /// None of it.
    Start,
    /// Some of its first 12 bytes.
    Prelude { bytes: [u8; PRELUDE], len: usize },
    /// All of its first 12 bytes, and perhaps more.
    Body(PartialMessage),
}

impl Decoder {
    /// A decoder with the default [`Limits`].
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(Limits::new())
    }

    /// A decoder with these limits.
    #[must_use]
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            offset: 0,
            current: Bytes::new(),
            queue: Pieces::default(),
            state: State::Start,
            cache: HeaderCache::default(),
            failed: None,
        }
    }

    /// Adds the next piece of the stream, which may be empty. After an error it is dropped.
    pub fn push(&mut self, piece: Bytes) {
        if self.failed.is_some() {
            return;
        }
        if self.current.is_empty() && self.queue.len() == 0 {
            self.current = piece;
        } else {
            self.queue.push(piece);
        }
    }

    /// Returns the next message, or `None` if more input is needed.
    ///
    /// `None` is not the end of the stream: [`push`](Self::push) the next piece and call again, or,
    /// if there is none, [`finish`](Self::finish).
    ///
    /// # Errors
    ///
    /// The first fault in the stream, and the same error again at every later call. A wrong length
    /// or checksum in the first 12 bytes of a message is reported as soon as these have arrived. A
    /// message is returned only after its checksum has been verified.
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<Message>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        // Here rather than in `read`, so that a complete message is not moved out of a call that is
        // not inlined; that move takes a seventh of the time of decoding a short message.
        if let (State::Start, Some(&first)) = (&self.state, self.current.first_chunk()) {
            match self.begin(&first) {
                Ok(None) => {}
                Ok(message) => return Ok(message),
                Err(error) => return Err(self.fail(error)),
            }
        }
        self.read().map_err(|error| self.fail(error))
    }

    /// Checks that the stream has ended after a whole message.
    ///
    /// # Errors
    ///
    /// - [`DecodeErrorKind::UnexpectedEof`] if the stream has ended in the middle of a message; the
    ///   offset is the length of the stream.
    /// - The error that [`next_message`](Self::next_message) returned before, if any.
    /// - [`DecodeErrorKind::UnreadInput`], which is not sticky, if `next_message` was not called
    ///   until it returned `None`.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let unread = self.current.len().saturating_add(self.queue.len());
        if unread > 0 {
            let kind = DecodeErrorKind::UnreadInput {
                remaining: unread as u64,
            };
            return Err(DecodeError::new(self.position(), kind));
        }
        let (received, total) = self.state.received();
        if received == 0 {
            return Ok(());
        }
        Err(self.fail(prelude::unexpected_eof(self.offset, received, total)))
    }

    /// How many bytes of the stream have been read: all that were pushed, once
    /// [`next_message`](Self::next_message) has returned `None`.
    pub fn position(&self) -> u64 {
        self.offset.saturating_add(self.state.received().0 as u64)
    }

    /// How many more bytes the current message needs, at least, or `None` between messages.
    ///
    /// Before the 12th byte of a message its length is unknown, and the length of an empty message
    /// is assumed.
    pub fn missing(&self) -> Option<usize> {
        match self.state.received() {
            (0, _) => None,
            (received, total) => Some(prelude::missing(received, total)),
        }
    }

    /// Stores the error and drops everything else.
    #[cold]
    fn fail(&mut self, error: DecodeError) -> DecodeError {
        self.failed = Some(error);
        self.current = Bytes::new();
        self.queue = Pieces::default();
        self.state = State::Start;
        error
    }

    fn read(&mut self) -> Result<Option<Message>, DecodeError> {
        loop {
            if self.current.is_empty() {
                // Even an empty handle keeps the whole buffer in memory that it belongs to.
                self.current = match self.queue.pop() {
                    Some(piece) => piece,
                    None => {
                        self.current = Bytes::new();
                        return Ok(None);
                    }
                };
            }
            match &mut self.state {
                State::Start => match self.current.first_chunk() {
                    Some(&first) => {
                        if let Some(message) = self.begin(&first)? {
                            return Ok(Some(message));
                        }
                    }
                    None => {
                        self.state = State::Prelude {
                            bytes: [0; PRELUDE],
                            len: 0,
                        }
                    }
                },
                State::Prelude { bytes, len } => {
                    take_into(bytes, len, &mut self.current);
                    if *len == PRELUDE {
                        let (prelude, hasher) = Prelude::read(bytes, self.limits, self.offset)?;
                        self.state = State::Body(PartialMessage::new(prelude, hasher, bytes));
                    }
                }
                State::Body(body) => {
                    if body.take(&mut self.current) {
                        let State::Body(body) = core::mem::replace(&mut self.state, State::Start)
                        else {
                            continue;
                        };
                        let total = body.total();
                        let message = body.finish(self.offset, &mut self.cache)?;
                        self.offset = self.offset.saturating_add(total as u64);
                        return Ok(Some(message));
                    }
                }
            }
        }
    }

    /// Begins the message at the start of the current piece, which contains at least its prelude,
    /// and returns the message if the piece contains all of it.
    #[inline]
    fn begin(&mut self, first: &[u8; PRELUDE]) -> Result<Option<Message>, DecodeError> {
        let (prelude, hasher) = Prelude::read(first, self.limits, self.offset)?;
        if self.current.len() >= prelude.total {
            return self.whole(prelude, hasher).map(Some);
        }
        self.state = State::Body(PartialMessage::new(prelude, hasher, first));
        self.current.advance(PRELUDE);
        Ok(None)
    }

    /// Returns the message at the start of the current piece, which contains all of it.
    #[inline]
    fn whole(&mut self, prelude: Prelude, hasher: Hasher) -> Result<Message, DecodeError> {
        let message = self.current.get(..prelude.total).unwrap_or_default();
        let body = prelude.check_whole(message, hasher, self.offset)?;
        let headers = body.get(..prelude.headers).unwrap_or_default();
        self.cache
            .validate(headers, self.offset.saturating_add(PRELUDE as u64))?;

        let end = PRELUDE.saturating_add(prelude.body());
        let body = self.current.slice(PRELUDE..end);
        self.current.advance(prelude.total);
        self.offset = self.offset.saturating_add(prelude.total as u64);
        Ok(Message::contiguous(body, prelude.headers))
    }
}

impl State {
    /// How many bytes of the message have been received, and its length, if that is known.
    fn received(&self) -> (usize, Option<usize>) {
        match self {
            Self::Start => (0, None),
            Self::Prelude { len, .. } => (*len, None),
            Self::Body(body) => (body.received(), Some(body.total())),
        }
    }
}

impl fmt::Debug for Decoder {
    // Without the bytes: they are user data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoder")
            .field("limits", &self.limits)
            .field("position", &self.position())
            .field("missing", &self.missing())
            .field("failed", &self.failed)
            .finish()
    }
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}
