//! Codecs of `application/vnd.amazon.eventstream`: the trait to implement for a codec that is
//! tested and compared, and the properties that every codec must have.
//!
//! [`differential`] compares a codec with [a naive one](naive) that shares no code with it.

mod differential;
mod generate;
pub mod naive;
mod ours;
mod plain;

use core::fmt::Display;

use bytes::{Buf, Bytes};

pub use differential::{differential, differential_stream};
pub use generate::{hostile, near_miss, well_formed};
pub use ours::LambdaInvoke;
pub use plain::{PlainMessage, PlainValue, Rule};

/// A codec of event streams, in the state between two pieces of a stream.
pub trait Codec: Sized {
    /// The name in reports, which is the name of the crate.
    const NAME: &'static str;
    /// The codec's type for messages.
    type Message;
    /// Why bytes are rejected, or a message cannot be encoded.
    type Error: Display;

    /// Creates a codec at the start of a stream.
    fn new() -> Self;

    /// Decodes the next piece of the stream and passes on each message that is complete by then.
    ///
    /// # Errors
    ///
    /// The stream is invalid; nothing after that is decoded.
    fn decode(&mut self, piece: Bytes, each: impl FnMut(Self::Message)) -> Result<(), Self::Error>;

    /// Ends the stream.
    ///
    /// # Errors
    ///
    /// The stream ends within a message.
    fn finish(&mut self) -> Result<(), Self::Error>;

    /// Encodes a message.
    ///
    /// # Errors
    ///
    /// The message does not fit the format.
    fn encode(&mut self, message: &Self::Message) -> Result<impl Buf, Self::Error>;

    /// Converts a message to neutral types.
    fn to_plain(message: &Self::Message) -> PlainMessage;

    /// Converts a message from neutral types.
    ///
    /// # Errors
    ///
    /// The codec cannot express the message.
    fn from_plain(message: &PlainMessage) -> Result<Self::Message, Self::Error>;

    /// Whether the codec rejects input that breaks this rule. If it says here that it does not, a
    /// stream that breaks the rule is compared only up to that place.
    #[must_use]
    fn enforces(rule: Rule) -> bool {
        let _ = rule;
        true
    }
}
