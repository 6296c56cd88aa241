//! Codecs: decoding streams that are in memory as a whole or arrive in pieces, and encoding.

use std::hint::black_box;

use bytes::Bytes;
use lambda_invoke_protocol::StreamReader;
use lambda_invoke_testing::codec::{Codec, PlainMessage, PlainValue};

use super::{Contender, Group};
use crate::fixture::{CHUNK_HEADERS, frames, payload};
use crate::receiver::SdkReceiver;
use crate::{VisitCodecs, each_codec};

/// Payload sizes of the frames, in bytes.
const SIZES: [usize; 4] = [64, 1024, 16 * 1024, 64 * 1024];
/// Lengths of the pieces in which a stream arrives, in bytes.
const PIECES: [usize; 2] = [8 * 1024, 16 * 1024];

pub(super) fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    for size in SIZES {
        // This fits into the processor's cache, like data that was just read from a socket.
        let (stream, count) = frames(size, 64 * 1024);
        groups.push(decode(format!("decode/{size}"), &stream, count));
    }
    for piece in PIECES {
        for size in SIZES {
            groups.push(pushed(piece, size));
        }
    }
    groups.extend(SIZES.map(encode));
    groups
}

/// The limit: one checksum over each frame.
fn crc_pass(stream: &Bytes, count: usize) -> impl FnMut() + 'static {
    let (stream, frame) = (stream.clone(), stream.len() / count);
    move || {
        for frame in black_box(&stream).chunks_exact(frame) {
            black_box(crc32fast::hash(frame));
        }
    }
}

/// Decodes a stream that is in memory, with this many frames of the same length.
pub(super) fn decode(name: String, stream: &Bytes, count: usize) -> Group {
    struct Visitor<'a>(&'a Bytes, Vec<Contender>);
    impl VisitCodecs for Visitor<'_> {
        fn codec<C: Codec + 'static>(&mut self) {
            let (mut codec, stream) = (C::new(), self.0.clone());
            self.1.push(Contender::new(C::NAME, move || {
                let decoded = codec.decode(black_box(&stream).clone(), |message| {
                    black_box(message);
                });
                assert!(decoded.is_ok(), "{} rejects the stream", C::NAME);
            }));
        }
    }
    let stream = stream.clone();
    Group::new(name, count, move || {
        let mut visitor = Visitor(
            &stream,
            vec![Contender::new("limit", crc_pass(&stream, count))],
        );
        each_codec(&mut visitor);
        let (stream, frame) = (stream.clone(), stream.len() / count);
        // The work of any decoder that checks both checksums and returns slices.
        visitor
            .1
            .push(Contender::new("two CRC passes and a slice", move || {
                let mut at = 0;
                while at < stream.len() {
                    let message = black_box(&stream).slice(at..at + frame);
                    black_box(crc32fast::hash(&message[..8]));
                    black_box(crc32fast::hash(&message[..frame - 4]));
                    black_box(message);
                    at += frame;
                }
            }));
        visitor.1
    })
}

/// Decodes a stream that arrives in pieces. The handles to the pieces are made in advance.
fn pushed(piece: usize, size: usize) -> Group {
    struct Visitor<'a>(&'a [Bytes], Vec<Contender>);
    impl VisitCodecs for Visitor<'_> {
        fn codec<C: Codec + 'static>(&mut self) {
            let pieces = self.0.to_vec();
            let prepare = move || (C::new(), pieces.clone());
            self.1
                .push(Contender::prepared(C::NAME, prepare, |(codec, pieces)| {
                    for piece in pieces.drain(..) {
                        let decoded = codec.decode(piece, |message| {
                            black_box(message);
                        });
                        assert!(decoded.is_ok(), "{} rejects the stream", C::NAME);
                    }
                    assert!(codec.finish().is_ok(), "{} waits for more", C::NAME);
                }));
        }
    }
    let (stream, count) = frames(size, 256 * 1024);
    let pieces: Vec<Bytes> = stream.chunks(piece).map(Bytes::copy_from_slice).collect();
    let name = format!("pushed-{}k/{size}", piece / 1024);
    Group::new(name, count, move || {
        let mut visitor = Visitor(&pieces, Vec::new());
        each_codec(&mut visitor);
        let mut contenders = visitor.1;
        let (own, theirs) = (pieces.clone(), pieces.clone());
        contenders.push(Contender::prepared(
            "ours, as events",
            move || (StreamReader::new(), own.clone()),
            |(reader, pieces)| {
                for piece in pieces.drain(..) {
                    reader.push(piece);
                    while let Some(event) = reader.next_event().unwrap() {
                        black_box(event);
                    }
                }
            },
        ));
        contenders.push(Contender::prepared(
            "the SDK's receiver",
            move || SdkReceiver::new(theirs.clone()),
            SdkReceiver::drain,
        ));
        // The checksums over the same data: one per frame, computed piece by piece.
        let (pieces, frame) = (pieces.clone(), stream.len() / count);
        contenders.push(Contender::new("limit", move || {
            let (mut hasher, mut left) = (crc32fast::Hasher::new(), frame);
            for piece in black_box(&pieces) {
                let mut rest = &piece[..];
                while rest.len() >= left {
                    let (end, next) = rest.split_at(left);
                    hasher.update(end);
                    black_box(std::mem::take(&mut hasher).finalize());
                    (rest, left) = (next, frame);
                }
                hasher.update(rest);
                left -= rest.len();
            }
        }));
        contenders
    })
}

fn encode(size: usize) -> Group {
    struct Visitor(PlainMessage, Vec<Contender>);
    impl VisitCodecs for Visitor {
        fn codec<C: Codec + 'static>(&mut self) {
            let (mut codec, message) = (C::new(), C::from_plain(&self.0));
            let Ok(message) = message else {
                panic!("{} cannot express a chunk", C::NAME);
            };
            self.1.push(Contender::new(C::NAME, move || {
                let encoded = codec.encode(black_box(&message));
                assert!(encoded.is_ok(), "{} does not encode a chunk", C::NAME);
                drop(black_box(encoded));
            }));
        }
    }
    Group::new(format!("encode/{size}"), 1, move || {
        let headers = CHUNK_HEADERS
            .map(|(name, value)| (name.to_owned(), PlainValue::String(value.to_owned())));
        let message = PlainMessage {
            headers: headers.to_vec(),
            payload: payload(size).to_vec(),
        };
        let (frame, count) = frames(size, 0);
        let limit = Contender::new("limit", crc_pass(&frame, count));
        let mut visitor = Visitor(message, vec![limit]);
        each_codec(&mut visitor);
        visitor.1
    })
}
