#![forbid(unsafe_code)]
#![cfg_attr(not(feature = "std"), no_std)]
#![cfg_attr(
    not(test),
    deny(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation
    )
)]
//! A zero-copy codec for `application/vnd.amazon.eventstream`, the framing in which AWS services
//! stream: each message has typed headers, a payload and two checksums.
//!
//! ```text
//!                        ┌───────── Decoder ─────────┐
//!   Bytes ──push──▶ pieces ─▶ prelude, limits, CRC ──┼─▶ Message ─▶ Headers<'_> (lazy, borrowed)
//!   (any split)          └── sticky DecodeError ─────┘           └▶ Payload (slices of the pieces)
//!
//!   &[u8] ──decode──▶ Status<MessageRef<'_>>                       complete, or how much is missing
//!
//!   HeaderBlock + Payload ──encode──▶ any BufMut
//!                         ──encode_vectored──▶ head, payload, trailer   (the payload is not copied)
//! ```
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use lambda_invoke_event_stream::{Decoder, HeaderBlock, HeaderValue, Message};
//!
//! let headers = HeaderBlock::from_headers([
//!     (":event-type", HeaderValue::String("PayloadChunk")),
//!     (":message-type", HeaderValue::String("event")),
//! ])?;
//! let wire = Message::new(headers, "hello").to_bytes()?;
//!
//! let mut decoder = Decoder::new();
//! for piece in wire.chunks(10) {
//!     decoder.push(Bytes::copy_from_slice(piece));
//!     while let Some(message) = decoder.next_message()? {
//!         let event = message.headers().get(":event-type").and_then(HeaderValue::as_str);
//!         assert_eq!(event, Some("PayloadChunk"));
//!         assert_eq!(message.payload(), b"hello");
//!     }
//! }
//! // Without this, a stream that is cut off passes for one that has ended.
//! decoder.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is copied
//!
//! A payload is slices of the [`Bytes`](bytes::Bytes) that were pushed. There is one exception: a
//! payload in more pieces than one for every 512 bytes, and 16 more, has its further pieces of less
//! than 512 bytes gathered in buffers of 4 KiB, each copied once; handles to single bytes would
//! cost many times what the bytes do. Pieces of 512 bytes and more are never copied. The same goes
//! for pieces that wait in the decoder to be read. A header block is copied only if it spans
//! several pieces.
//!
//! A message in one piece costs no allocation. Its bytes are looked at once for the checksum, and
//! the header block once for its form, unless it is the same as that of the message before.
//!
//! Since messages share the pieces, a message that is kept keeps its pieces in memory, and with
//! them the whole buffers that these are slices of.
//!
//! # What is accepted
//!
//! Exactly the specification's format, save for these, on which implementations differ:
//!
//! - A name that comes more than once is kept, in order. [`Headers::get`] gives the first.
//! - A string or byte array may be empty; the specification's grammar wants one byte.
//! - Names have 1 to 255 bytes of UTF-8; strings and byte arrays at most 32,767, although their two
//!   bytes of length could say more.
//! - The [`Limits`] of 24 MiB and 128 KiB are the specification's for what a service takes. They
//!   hold here for what is read, can be set, and do not hold for what is written.
//!
//! # What it does not do
//!
//! It gives no meaning to headers: `:event-type`, exceptions and the end of an operation are the
//! caller's, in this project the crate `lambda-invoke-protocol`. It neither signs messages nor
//! verifies signatures. It does no I/O.
//!
//! # Features
//!
//! - `std`, on by default: the fastest checksum that the processor has, chosen at run time, and
//!   vectored reads of [`Payload`] and [`EncodedMessage`]. Without it the crate is `no_std` with
//!   `alloc`, and several times slower on long messages.
//! - `tokio-util`: `EventStreamCodec`, for `tokio_util::codec::Framed`.
//!
//! # Source
//!
//! The [specification](https://smithy.io/2.0/aws/amazon-eventstream.html) of Smithy. The tests hold
//! the crate to the published test data of nine implementations, and to recorded streams.

extern crate alloc;

mod body;
#[cfg(feature = "tokio-util")]
mod codec;
mod decode;
mod decoder;
mod encode;
mod error;
mod grammar;
mod headers;
mod known;
mod limits;
mod message;
mod payload;
mod pieces;
mod prelude;
mod value;

// The public interface.
#[cfg(feature = "tokio-util")]
pub use crate::codec::{CodecError, EventStreamCodec};
pub use crate::decode::{MessageRef, Status, decode};
pub use crate::decoder::Decoder;
pub use crate::encode::{EncodedIter, EncodedMessage, encode, encode_vectored, encoded_len};
pub use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
pub use crate::headers::{HeaderBlock, HeaderIter, Headers};
pub use crate::limits::Limits;
pub use crate::message::Message;
pub use crate::payload::{Payload, PayloadIter};
pub use crate::value::{HeaderType, HeaderValue};

// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
