//! The project's own codec, behind the same trait as every other codec.

use core::fmt::Display;

use bytes::{Buf, Bytes};
use lambda_invoke_event_stream::{
    DecodeError, Decoder, EncodeError, HeaderBlock, HeaderValue, Message,
};

use super::{Codec, PlainMessage, PlainValue};

/// `lambda-invoke-event-stream`.
#[derive(Debug)]
pub struct LambdaInvoke(Decoder);

/// An error of the decoder or of the encoder.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The stream is invalid.
    Decode(DecodeError),
    /// The message cannot be encoded.
    Encode(EncodeError),
}

impl Display for Error {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Decode(error) => error.fmt(f),
            Self::Encode(error) => error.fmt(f),
        }
    }
}

impl Codec for LambdaInvoke {
    const NAME: &'static str = "lambda-invoke-event-stream";
    type Message = Message;
    type Error = Error;

    fn new() -> Self {
        Self(Decoder::new())
    }

    fn decode(&mut self, piece: Bytes, mut each: impl FnMut(Message)) -> Result<(), Error> {
        self.0.push(piece);
        while let Some(message) = self.0.next_message().map_err(Error::Decode)? {
            each(message);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), Error> {
        self.0.finish().map_err(Error::Decode)
    }

    fn encode(&mut self, message: &Message) -> Result<impl Buf, Error> {
        let payload = message.payload().clone();
        lambda_invoke_event_stream::encode_vectored(message.headers(), payload)
            .map_err(Error::Encode)
    }

    fn to_plain(message: &Message) -> PlainMessage {
        let headers = message.headers().iter();
        PlainMessage {
            headers: headers
                .map(|(name, value)| (name.to_owned(), plain(value)))
                .collect(),
            payload: message.payload().to_bytes().to_vec(),
        }
    }

    fn from_plain(message: &PlainMessage) -> Result<Message, Error> {
        let headers = message.headers.iter();
        let headers = headers.map(|(name, value)| (name.as_str(), HeaderValue::from(value)));
        let headers = HeaderBlock::from_headers(headers).map_err(Error::Encode)?;
        Ok(Message::new(headers, message.payload.clone()))
    }
}

fn plain(value: HeaderValue<'_>) -> PlainValue {
    match value {
        HeaderValue::Bool(v) => PlainValue::Bool(v),
        HeaderValue::Byte(v) => PlainValue::Byte(v),
        HeaderValue::Short(v) => PlainValue::Short(v),
        HeaderValue::Integer(v) => PlainValue::Integer(v),
        HeaderValue::Long(v) => PlainValue::Long(v),
        HeaderValue::ByteArray(v) => PlainValue::ByteArray(v.to_vec()),
        HeaderValue::String(v) => PlainValue::String(v.to_owned()),
        HeaderValue::Timestamp(v) => PlainValue::Timestamp(v),
        HeaderValue::Uuid(v) => PlainValue::Uuid(v),
        other => panic!("unknown header type: {other:?}"),
    }
}

impl<'a> From<&'a PlainValue> for HeaderValue<'a> {
    fn from(value: &'a PlainValue) -> Self {
        match value {
            PlainValue::Bool(v) => Self::Bool(*v),
            PlainValue::Byte(v) => Self::Byte(*v),
            PlainValue::Short(v) => Self::Short(*v),
            PlainValue::Integer(v) => Self::Integer(*v),
            PlainValue::Long(v) => Self::Long(*v),
            PlainValue::ByteArray(v) => Self::ByteArray(v),
            PlainValue::String(v) => Self::String(v),
            PlainValue::Timestamp(v) => Self::Timestamp(*v),
            PlainValue::Uuid(v) => Self::Uuid(*v),
        }
    }
}
