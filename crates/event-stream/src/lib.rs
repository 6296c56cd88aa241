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
//! A zero-copy codec for application/vnd.amazon.eventstream

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
