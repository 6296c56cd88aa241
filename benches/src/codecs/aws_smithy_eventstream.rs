//! `aws-smithy-eventstream`, the SDK's codec.

use aws_smithy_eventstream::frame::{DecodedFrame, MessageFrameDecoder, write_message_to};
use aws_smithy_types::DateTime;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use bytes::{Buf, Bytes};
use bytes_utils::SegmentedBuf;
use lambda_invoke_testing::codec::{Codec, PlainMessage, PlainValue, Rule};

pub struct Contender {
    decoder: MessageFrameDecoder,
    /// The bytes of an incomplete message that have arrived, in pieces as in the SDK's receiver.
    rest: SegmentedBuf<Bytes>,
    /// Whether a part of a message has arrived: the decoder removes the prelude from the buffer.
    waits: bool,
    out: Vec<u8>,
}

impl Codec for Contender {
    const NAME: &'static str = "aws-smithy-eventstream";
    type Message = Message;
    type Error = String;

    fn new() -> Self {
        Self {
            decoder: MessageFrameDecoder::new(),
            rest: SegmentedBuf::new(),
            waits: false,
            out: Vec::new(),
        }
    }

    fn decode(&mut self, mut piece: Bytes, mut each: impl FnMut(Message)) -> Result<(), String> {
        if self.rest.has_remaining() {
            self.rest.push(piece);
            return frames(&mut self.decoder, &mut self.rest, &mut self.waits, each);
        }
        frames(&mut self.decoder, &mut piece, &mut self.waits, &mut each)?;
        if !piece.is_empty() {
            self.rest.push(piece);
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), String> {
        (!self.waits).then_some(()).ok_or("incomplete".to_owned())
    }

    fn encode(&mut self, message: &Message) -> Result<impl Buf, String> {
        self.out.clear();
        write_message_to(message, &mut self.out).map_err(|error| error.to_string())?;
        Ok(&self.out[..])
    }

    fn to_plain(message: &Message) -> PlainMessage {
        let headers = message.headers().iter();
        PlainMessage {
            headers: headers
                .map(|header| (header.name().as_str().to_owned(), to_plain(header.value())))
                .collect(),
            payload: message.payload().to_vec(),
        }
    }

    fn from_plain(message: &PlainMessage) -> Result<Message, String> {
        let headers = message.headers.iter();
        let empty = Message::new(message.payload.clone());
        Ok(headers.fold(empty, |message, (name, value)| {
            message.add_header(Header::new(name.clone(), from_plain(value)))
        }))
    }

    fn enforces(rule: Rule) -> bool {
        // This codec has no limits, and accepts headers without a name.
        ![
            Rule::NonEmptyName,
            Rule::MaxMessageLength,
            Rule::MaxHeadersLength,
            Rule::MaxValueLength,
        ]
        .contains(&rule)
    }
}

fn frames(
    decoder: &mut MessageFrameDecoder,
    buffer: &mut impl Buf,
    waits: &mut bool,
    mut each: impl FnMut(Message),
) -> Result<(), String> {
    while buffer.has_remaining() {
        let frame = decoder.decode_frame(&mut *buffer);
        match frame.map_err(|error| error.to_string())? {
            DecodedFrame::Complete(message) => {
                *waits = false;
                each(message);
            }
            DecodedFrame::Incomplete => {
                *waits = true;
                break;
            }
        }
    }
    Ok(())
}

fn to_plain(value: &HeaderValue) -> PlainValue {
    match value {
        HeaderValue::Bool(v) => PlainValue::Bool(*v),
        HeaderValue::Byte(v) => PlainValue::Byte(*v),
        HeaderValue::Int16(v) => PlainValue::Short(*v),
        HeaderValue::Int32(v) => PlainValue::Integer(*v),
        HeaderValue::Int64(v) => PlainValue::Long(*v),
        HeaderValue::ByteArray(v) => PlainValue::ByteArray(v.to_vec()),
        HeaderValue::String(v) => PlainValue::String(v.as_str().to_owned()),
        HeaderValue::Timestamp(v) => PlainValue::Timestamp(v.to_millis().unwrap()),
        HeaderValue::Uuid(v) => PlainValue::Uuid(v.to_be_bytes()),
        other => panic!("unknown header type: {other:?}"),
    }
}

fn from_plain(value: &PlainValue) -> HeaderValue {
    match value {
        PlainValue::Bool(v) => HeaderValue::Bool(*v),
        PlainValue::Byte(v) => HeaderValue::Byte(*v),
        PlainValue::Short(v) => HeaderValue::Int16(*v),
        PlainValue::Integer(v) => HeaderValue::Int32(*v),
        PlainValue::Long(v) => HeaderValue::Int64(*v),
        PlainValue::ByteArray(v) => HeaderValue::ByteArray(v.clone().into()),
        PlainValue::String(v) => HeaderValue::String(v.clone().into()),
        PlainValue::Timestamp(v) => HeaderValue::Timestamp(DateTime::from_millis(*v)),
        PlainValue::Uuid(v) => HeaderValue::Uuid(u128::from_be_bytes(*v)),
    }
}
