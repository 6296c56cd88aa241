use core::fmt;

use bytes::{Buf, Bytes};
use crc32fast::Hasher;

use crate::body::{Body, take_into};
use crate::error::{DecodeError, DecodeErrorKind};
use crate::known::Known;
use crate::limits::Limits;
use crate::message::Message;
use crate::pieces::Pieces;
use crate::prelude::{self, PRELUDE, Prelude};

/// Takes a stream's bytes in whatever pieces they come, and gives out its messages.
///
/// [`push`](Self::push) each piece, then call [`next_message`](Self::next_message) until it gives
/// `None`, and [`finish`](Self::finish) when the stream has ended. Nothing depends on where the
/// pieces are cut.
///
/// What it holds is bounded by [`Limits::message`] and what was pushed since `next_message` last
/// gave `None`. The messages share the pushed bytes; see the [crate's page](crate) for when a
/// piece is copied.
///
/// Errors are sticky: a stream cannot be picked up again behind one.
///
/// # Example
///
/// ```
/// use bytes::Bytes;
/// use lambda_invoke_event_stream::Decoder;
///
/// let mut decoder = Decoder::new();
/// // Two empty messages, of 16 bytes each, cut in the middle of the second.
/// let empty = b"\x00\x00\x00\x10\x00\x00\x00\x00\x05\xc2\x48\xeb\x7d\x98\xc8\xff";
/// decoder.push(Bytes::from([&empty[..], &empty[..7]].concat()));
/// assert!(decoder.next_message()?.is_some());
/// assert!(decoder.next_message()?.is_none());
///
/// let error = decoder.clone().finish().unwrap_err();
/// assert!(error.is_cut());
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
    /// Where in the stream the message begins that is being read.
    offset: u64,
    /// The piece that is being read; empty only if `queue` is too.
    current: Bytes,
    queue: Pieces,
    state: State,
    known: Known,
    failed: Option<DecodeError>,
}

/// How much of a message was taken out of the pieces already.
#[derive(Clone, Debug)]
enum State {
    /// Nothing.
    Start,
    /// Some of its first 12 bytes.
    Prelude { bytes: [u8; PRELUDE], len: usize },
    /// All of its first 12 bytes.
    Body(Body),
}

impl Decoder {
    /// A decoder with the default [`Limits`].
    pub fn new() -> Self {
        Self::with_limits(Limits::new())
    }

    /// A decoder with these limits.
    pub fn with_limits(limits: Limits) -> Self {
        Self {
            limits,
            offset: 0,
            current: Bytes::new(),
            queue: Pieces::default(),
            state: State::Start,
            known: Known::default(),
            failed: None,
        }
    }

    /// Takes the next piece of the stream, which may be empty.
    ///
    /// After an error it is dropped.
    pub fn push(&mut self, piece: Bytes) {
        if self.failed.is_some() {
            return;
        }
        if self.current.is_empty() {
            self.current = piece;
        } else {
            self.queue.push(piece);
        }
    }

    /// The next message, or `None` if what was pushed has no further whole one.
    ///
    /// # Errors
    ///
    /// What is wrong with the stream, and the same again at every later call. A wrong length or
    /// checksum in a message's first 12 bytes is found as soon as these are there; its other bytes
    /// are given out only after the checksum of all of them was found to be right.
    pub fn next_message(&mut self) -> Result<Option<Message>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        self.read().map_err(|error| self.fail(error))
    }

    /// Says that the stream has ended.
    ///
    /// # Errors
    ///
    /// [`DecodeErrorKind::Cut`] if it ended in the middle of a message, at the offset where it
    /// did, or the error that [`next_message`](Self::next_message) gave before.
    /// [`DecodeErrorKind::Unread`], which is not sticky, if that was not called until it gave
    /// `None`.
    pub fn finish(&mut self) -> Result<(), DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let unread = self.current.len().saturating_add(self.queue.len());
        if unread > 0 {
            let kind = DecodeErrorKind::Unread {
                actual: unread as u64,
            };
            return Err(DecodeError::new(self.position(), kind));
        }
        let (received, total) = self.state.received();
        if received == 0 {
            return Ok(());
        }
        Err(self.fail(prelude::cut(self.offset, received, total)))
    }

    /// How many bytes of the stream were read: all that were pushed, once
    /// [`next_message`](Self::next_message) has given `None`.
    pub fn position(&self) -> u64 {
        self.offset.saturating_add(self.state.received().0 as u64)
    }

    /// How many bytes at the least the message that is being read still needs, or `None` if none
    /// has begun.
    pub fn missing(&self) -> Option<usize> {
        match self.state.received() {
            (0, _) => None,
            (received, total) => Some(prelude::missing(received, total)),
        }
    }

    /// Keeps the error and lets go of everything else.
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
                // An empty handle, too, would keep the memory that it was cut from.
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
                    Some(bytes) => {
                        let (prelude, hasher) = Prelude::read(bytes, self.limits, self.offset)?;
                        if self.current.len() >= prelude.total {
                            return self.whole(prelude, hasher).map(Some);
                        }
                        self.state = State::Body(Body::new(prelude, hasher, bytes));
                        self.current.advance(PRELUDE);
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
                        self.state = State::Body(Body::new(prelude, hasher, bytes));
                    }
                }
                State::Body(body) => {
                    if body.take(&mut self.current) {
                        let State::Body(body) = core::mem::replace(&mut self.state, State::Start)
                        else {
                            continue;
                        };
                        let total = body.total();
                        let message = body.finish(self.offset, &mut self.known)?;
                        self.offset = self.offset.saturating_add(total as u64);
                        return Ok(Some(message));
                    }
                }
            }
        }
    }
}

impl Decoder {
    /// Gives out the message that the current piece begins with, all of which is in it.
    #[inline]
    fn whole(&mut self, prelude: Prelude, hasher: Hasher) -> Result<Message, DecodeError> {
        let message = self.current.get(..prelude.total).unwrap_or_default();
        let body = prelude.check_whole(message, hasher, self.offset)?;
        let headers = body.get(..prelude.headers).unwrap_or_default();
        self.known
            .check(headers, self.offset.saturating_add(PRELUDE as u64))?;

        let end = PRELUDE.saturating_add(prelude.body());
        let head = self.current.slice(PRELUDE..end);
        self.current.advance(prelude.total);
        self.offset = self.offset.saturating_add(prelude.total as u64);
        Ok(Message::contiguous(head, prelude.headers))
    }
}

impl State {
    /// How many bytes of the message came, and how many it has, if that is known.
    fn received(&self) -> (usize, Option<usize>) {
        match self {
            Self::Start => (0, None),
            Self::Prelude { len, .. } => (*len, None),
            Self::Body(body) => (body.received(), Some(body.total())),
        }
    }
}

impl fmt::Debug for Decoder {
    // Not the bytes that it holds: they are someone's data.
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
