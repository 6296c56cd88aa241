//! The event-stream codec, compared with aws-smithy-eventstream and one CRC pass.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_eventstream::error::Error as SmithyError;
use aws_smithy_eventstream::frame::{
    DecodedFrame, MessageFrameDecoder, UnmarshallMessage, UnmarshalledMessage, write_message_to,
};
use aws_smithy_http::event_stream::Receiver;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::event_stream as smithy;
use bytes::{Buf, Bytes};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use lambda_invoke_benches::fixture::{CHUNK_HEADERS, chunk_headers, frames, payload};
use lambda_invoke_event_stream::{Decoder, encode_vectored};

use crate::contest::{Contender, Contest};

/// Payload sizes of the frames, in bytes.
const SIZES: [usize; 4] = [64, 1024, 16 * 1024, 64 * 1024];

pub fn crc_pass(stream: &Bytes, frame: usize) {
    for frame in black_box(stream).chunks_exact(frame) {
        black_box(crc32fast::hash(frame));
    }
}

pub fn ours(decoder: &mut Decoder, stream: &Bytes) {
    decoder.push(black_box(stream).clone());
    while let Some(message) = decoder.next_message().unwrap() {
        black_box(message);
    }
}

pub fn theirs(decoder: &mut MessageFrameDecoder, stream: &Bytes) {
    let mut rest = black_box(stream).clone();
    while rest.has_remaining() {
        match decoder.decode_frame(&mut rest).unwrap() {
            DecodedFrame::Complete(message) => black_box(message),
            DecodedFrame::Incomplete => unreachable!("the stream holds whole frames"),
        };
    }
}

pub fn decode(contest: &Contest) {
    for size in SIZES {
        // Like data that was just read from a socket, this is in the processor's cache.
        let (stream, count) = frames(size, 64 * 1024);
        let length = stream.len() / count;
        let (mut decoder, mut smithy) = (Decoder::new(), MessageFrameDecoder::new());
        let contenders = vec![
            Contender::new("limit", || crc_pass(&stream, length)),
            Contender::new("ours", || ours(&mut decoder, &stream)),
            Contender::new("aws-smithy-eventstream", || theirs(&mut smithy, &stream)),
        ];
        contest.group(&format!("decode/{size}"), count, contenders);
    }
}

pub fn decode_pushed(contest: &Contest) {
    for piece in [8 * 1024, 16 * 1024] {
        for size in SIZES {
            let (stream, count) = frames(size, 256 * 1024);
            let length = stream.len() / count;
            let pieces: &Vec<Bytes> = &stream.chunks(piece).map(Bytes::copy_from_slice).collect();
            let mut contenders = vec![
                Contender::new("limit", || crc_pass(&stream, length)),
                Contender::new("ours", || {
                    let mut body = Body(black_box(pieces).clone().into_iter());
                    let mut decoder = Decoder::new();
                    while let Some(frame) = body.frame().now_or_never().unwrap() {
                        decoder.push(frame.unwrap().into_data().unwrap());
                        while let Some(message) = decoder.next_message().unwrap() {
                            black_box(message);
                        }
                    }
                    decoder.finish().unwrap();
                }),
                Contender::new("the SDK's receiver", || {
                    let body = SdkBody::from_body_1_x(Body(black_box(pieces).clone().into_iter()));
                    let mut receiver = Receiver::new(Keep, body);
                    while let Some(message) = receiver.recv().now_or_never().unwrap().unwrap() {
                        black_box(message);
                    }
                }),
            ];
            if size > piece {
                // The cost of a checksum that is computed piece by piece, as a stream arrives.
                contenders.push(Contender::new("limit in pieces", || {
                    let mut hasher = crc32fast::Hasher::new();
                    for piece in black_box(pieces) {
                        hasher.update(piece);
                    }
                    black_box(hasher.finalize());
                }));
            }
            contest.group(
                &format!("pushed-{}k/{size}", piece / 1024),
                count,
                contenders,
            );
        }
    }
}

pub fn encode(contest: &Contest) {
    for size in SIZES {
        let (headers, payload) = (chunk_headers(), payload(size));
        let frame = frames(size, 0).0;
        let message = smithy_message(payload.clone());
        let mut out = Vec::new();
        let contenders = vec![
            Contender::new("limit", || crc_pass(&frame, frame.len())),
            Contender::new("ours", || {
                let headers = black_box(&headers).headers();
                black_box(encode_vectored(headers, payload.clone()).unwrap());
            }),
            Contender::new("aws-smithy-eventstream", || {
                out.clear();
                write_message_to(black_box(&message), &mut out).unwrap();
                black_box(&out);
            }),
        ];
        contest.group(&format!("encode/{size}"), 1, contenders);
    }
}

fn smithy_message(payload: Bytes) -> smithy::Message {
    CHUNK_HEADERS
        .into_iter()
        .fold(smithy::Message::new(payload), |message, (name, value)| {
            let value = smithy::HeaderValue::String(value.into());
            message.add_header(smithy::Header::new(name, value))
        })
}

/// A body with all of its pieces at hand.
struct Body(std::vec::IntoIter<Bytes>);

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(http_body::Frame::data(piece))))
    }
}

/// Returns the message itself, so that only the receiver's own cost is measured.
#[derive(Debug)]
struct Keep;

impl UnmarshallMessage for Keep {
    type Output = smithy::Message;
    type Error = Infallible;

    fn unmarshall(
        &self,
        message: &smithy::Message,
    ) -> Result<UnmarshalledMessage<smithy::Message, Infallible>, SmithyError> {
        Ok(UnmarshalledMessage::Event(message.clone()))
    }
}
