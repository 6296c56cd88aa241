//! `lambda-invoke-event-stream`, compared with `aws-smithy-eventstream` and the limit, one CRC pass.
//!
//! Every frame has the three headers that the Lambda service sends with a chunk of a function's
//! response. Sizes are those of the payload.

use std::convert::Infallible;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};

use aws_smithy_eventstream::error::Error as SmithyError;
use aws_smithy_eventstream::frame::{
    DecodedFrame, MessageFrameDecoder, UnmarshallMessage, UnmarshalledMessage, write_message_to,
};
use aws_smithy_eventstream::message_size_hint::MessageSizeHint;
use aws_smithy_http::event_stream::Receiver;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::event_stream as smithy;
use bytes::{Buf, Bytes, BytesMut};
use criterion::measurement::WallTime;
use criterion::{
    BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main,
};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use lambda_invoke_event_stream::{
    Decoder, HeaderBlock, HeaderValue, Limits, Message, Status, decode, encode, encode_vectored,
};

const CHUNK_HEADERS: [(&str, &str); 3] = [
    (":event-type", "PayloadChunk"),
    (":content-type", "application/octet-stream"),
    (":message-type", "event"),
];

/// Payload sizes of the frames, in bytes.
const SIZES: [usize; 4] = [64, 1024, 16 * 1024, 64 * 1024];

fn headers() -> HeaderBlock {
    HeaderBlock::from_headers(CHUNK_HEADERS.map(|(n, v)| (n, HeaderValue::String(v)))).unwrap()
}

fn payload(size: usize) -> Bytes {
    (0..size).map(|i| (i.wrapping_mul(31) >> 3) as u8).collect()
}

fn smithy_message(size: usize) -> smithy::Message {
    CHUNK_HEADERS.into_iter().fold(
        smithy::Message::new(payload(size)),
        |message, (name, value)| {
            message.add_header(smithy::Header::new(
                name,
                smithy::HeaderValue::String(value.into()),
            ))
        },
    )
}

/// As many frames as fit into `length` bytes, at least one.
fn frames(size: usize, length: usize) -> (Bytes, usize) {
    let frame = Message::new(headers(), payload(size)).to_bytes().unwrap();
    let count = (length / frame.len()).max(1);
    (frame.repeat(count).into(), count)
}

fn pieces(stream: &Bytes, size: usize) -> Vec<Bytes> {
    stream.chunks(size).map(Bytes::copy_from_slice).collect()
}

fn per_frame<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    count: usize,
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Elements(count as u64));
    group
}

fn decode_contiguous(criterion: &mut Criterion) {
    for size in SIZES {
        // Like data that was just read from a socket, this is in the processor's cache.
        let (stream, count) = frames(size, 64 * 1024);
        let frame = stream.slice(..stream.len() / count);
        let mut group = per_frame(criterion, "event_stream/decode", count);
        group.bench_function(BenchmarkId::new("crc32fast, one pass", size), |b| {
            b.iter(|| {
                for frame in black_box(&stream).chunks_exact(frame.len()) {
                    black_box(crc32fast::hash(frame));
                }
            });
        });
        group.bench_function(BenchmarkId::new("ours", size), |b| {
            let mut decoder = Decoder::new();
            b.iter(|| {
                decoder.push(black_box(&stream).clone());
                while let Some(message) = decoder.next_message().unwrap() {
                    black_box(message);
                }
            });
        });
        group.bench_function(BenchmarkId::new("ours, one-shot", size), |b| {
            b.iter(|| {
                let mut rest = &black_box(&stream)[..];
                while let Ok(Status::Complete(message)) = decode(rest, &Limits::new()) {
                    rest = &rest[message.encoded_len()..];
                    black_box(message);
                }
            });
        });
        group.bench_function(BenchmarkId::new("ours, event type read", size), |b| {
            let mut decoder = Decoder::new();
            b.iter(|| {
                decoder.push(black_box(&stream).clone());
                while let Some(message) = decoder.next_message().unwrap() {
                    black_box(message.headers().get(":event-type"));
                    black_box(message);
                }
            });
        });
        group.bench_function(BenchmarkId::new("aws-smithy-eventstream", size), |b| {
            let mut decoder = MessageFrameDecoder::new();
            b.iter(|| {
                let mut rest = black_box(&stream).clone();
                while rest.has_remaining() {
                    match decoder.decode_frame(&mut rest).unwrap() {
                        DecodedFrame::Complete(message) => black_box(message),
                        DecodedFrame::Incomplete => unreachable!("the stream holds whole frames"),
                    };
                }
            });
        });
        group.finish();
    }
}

fn decode_pushed(criterion: &mut Criterion) {
    for piece in [8 * 1024, 16 * 1024] {
        for size in SIZES {
            let (stream, count) = frames(size, 256 * 1024);
            let pieces = pieces(&stream, piece);
            let name = format!("event_stream/decode_in_{}_kib_pieces", piece / 1024);
            let mut group = per_frame(criterion, &name, count);
            group.bench_function(BenchmarkId::new("ours", size), |b| {
                b.iter(|| {
                    let mut body = Body(black_box(&pieces).clone().into_iter());
                    let mut decoder = Decoder::new();
                    while let Some(frame) = body.frame().now_or_never().unwrap() {
                        decoder.push(frame.unwrap().into_data().unwrap());
                        while let Some(message) = decoder.next_message().unwrap() {
                            black_box(message);
                        }
                    }
                    decoder.finish().unwrap();
                });
            });
            group.bench_function(BenchmarkId::new("the SDK's receiver", size), |b| {
                b.iter(|| {
                    let body = Body(black_box(&pieces).clone().into_iter());
                    let body = SdkBody::from_body_1_x(body);
                    let mut receiver = Receiver::new(Keep, body);
                    while let Some(message) = receiver.recv().now_or_never().unwrap().unwrap() {
                        black_box(message);
                    }
                });
            });
            group.finish();
        }
    }
}

fn encode_one(criterion: &mut Criterion) {
    for size in SIZES {
        let (headers, payload) = (headers(), payload(size));
        let mut group = per_frame(criterion, "event_stream/encode", 1);
        group.bench_function(BenchmarkId::new("crc32fast, one pass", size), |b| {
            let frame = Message::new(headers.clone(), payload.clone())
                .to_bytes()
                .unwrap();
            b.iter(|| crc32fast::hash(black_box(&frame)));
        });
        group.bench_function(BenchmarkId::new("ours, vectored", size), |b| {
            b.iter(|| encode_vectored(black_box(&headers).headers(), payload.clone()).unwrap());
        });
        group.bench_function(BenchmarkId::new("ours, into a buffer", size), |b| {
            let mut out = BytesMut::new();
            b.iter(|| {
                out.clear();
                encode(black_box(&headers).headers(), &payload[..], &mut out).unwrap();
                black_box(&out);
            });
        });
        group.bench_function(
            BenchmarkId::new("aws-smithy-eventstream, as the SDK", size),
            |b| {
                let message = smithy_message(size);
                b.iter(|| {
                    let mut out = Vec::with_capacity(message.size_hint());
                    write_message_to(black_box(&message), &mut out).unwrap();
                    Bytes::from(out)
                });
            },
        );
        group.bench_function(BenchmarkId::new("aws-smithy-eventstream", size), |b| {
            let message = smithy_message(size);
            let mut out = Vec::new();
            b.iter(|| {
                out.clear();
                write_message_to(black_box(&message), &mut out).unwrap();
                black_box(&out);
            });
        });
        group.finish();
    }
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

criterion_group!(benches, decode_contiguous, decode_pushed, encode_one);
criterion_main!(benches);
