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
//! stream events: each message has typed headers, a payload and two checksums.
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
//!     (":event-type", "PayloadChunk"),
//!     (":message-type", "event"),
//! ])?;
//! let wire = Message::new(headers, "hello").to_bytes()?;
//!
//! let mut decoder = Decoder::new();
//! for piece in wire.chunks(10) {
//!     decoder.push(Bytes::copy_from_slice(piece));
//!     // `None` means that more input is needed.
//!     while let Some(message) = decoder.next_message()? {
//!         let event = message.headers().get(":event-type").and_then(HeaderValue::as_str);
//!         assert_eq!(event, Some("PayloadChunk"));
//!         assert_eq!(message.payload(), b"hello");
//!     }
//! }
//! // Without this, a truncated stream would pass for a complete one.
//! decoder.finish()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is copied
//!
//! A payload consists of slices of the [`Bytes`](bytes::Bytes) that were pushed, with one
//! exception. A payload may span 16 pieces, and one more for every 4 KiB of its length; beyond
//! that, further pieces of fewer than 4 KiB are copied, once, into buffers of the decoder's own.
//! The same applies to pieces that were pushed but not read yet. A header block is copied only if
//! it spans several pieces.
//!
//! Decoding a message that lies in one piece allocates nothing. Its bytes are hashed once, and its
//! header block is validated once, or not at all if it equals the previous message's.
//!
//! # What is kept in memory
//!
//! A slice keeps the whole buffer in memory that it is a part of. If a piece is small and its
//! buffer large, that is much more than the length of the piece:
//!
//! - An incomplete message keeps at most 18 buffers in memory, and one more for every 4 KiB
//!   received. Input that has not been read keeps as many again.
//! - A decoded message keeps the buffers of its slices. Programs that store messages should call
//!   [`Message::compact`] or [`Payload::compact`], which copy small slices, and
//!   [`Headers::to_block`] for headers.
//!
//! # What is accepted
//!
//! The decoder accepts exactly the format of the specification, except in these points, on which
//! implementations differ:
//!
//! - A name may occur more than once. All its values are kept, in order; [`Headers::get`] returns
//!   the first.
//! - A string or byte array may be empty; the grammar of the specification demands one byte.
//! - Names have 1 to 255 bytes of UTF-8. Strings and byte arrays have at most 32,767 bytes, which
//!   is less than their two bytes of length could express.
//! - The default [`Limits`] of 24 MiB for a message and 128 KiB for its headers are the maxima of
//!   the specification. They apply to decoding and can be changed; encoding does not check them.
//!
//! # What it does not do
//!
//! It does not interpret headers: `:event-type`, exceptions and the end of an operation are up to
//! the caller, which in this project is the crate `lambda-invoke-protocol`. It does not sign
//! messages or verify signatures, and it does no I/O.
//!
//! # Features
//!
//! - `std`, on by default: the fastest checksum of the processor, chosen at run time, vectored
//!   reads of [`Payload`] and [`EncodedMessage`], and `HeaderValue::from(SystemTime)`. Without it
//!   the crate is `no_std` with `alloc`, and several times slower on long messages.
//! - `tokio-util`: `EventStreamCodec`, for `tokio_util::codec::Framed`.
//! - `arbitrary`: valid messages and headers for property tests and fuzzers.
//!
//! The last two need `std`.
//!
//! # Specification
//!
//! [Amazon Event Stream](https://smithy.io/2.0/aws/amazon-eventstream.html), in Smithy 2.0. The
//! crate is tested against the published test data of nine implementations and against recorded
//! streams.

extern crate alloc;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod decode;
mod encode;
mod error;
mod headers;
mod limits;
mod message;
mod payload;
mod prelude;
#[cfg(feature = "tokio-util")]
mod tokio_codec;

// The public interface.
pub use crate::decode::{Decoder, MessageRef, Status, decode};
pub use crate::encode::{EncodedIter, EncodedMessage, encode, encode_vectored, encoded_len};
pub use crate::error::{DecodeError, DecodeErrorKind, EncodeError};
pub use crate::headers::{HeaderBlock, HeaderIter, HeaderType, HeaderValue, Headers};
pub use crate::limits::Limits;
pub use crate::message::Message;
pub use crate::payload::{Payload, PayloadIter};
#[cfg(feature = "tokio-util")]
pub use crate::tokio_codec::{CodecError, EventStreamCodec};

// Compiles and runs the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
