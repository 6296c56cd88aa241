//! Properties of `lambda-invoke-event-stream`.

mod sequence;

use arbitrary::{Result, Unstructured};
use bytes::{Buf, Bytes};
use lambda_invoke_event_stream::{
    DecodeError, DecodeErrorKind, Decoder, HeaderBlock, HeaderValue, Headers, Limits, Message,
    Status, decode as decode_one, encode, encode_vectored,
};

use crate::codec::{Codec as _, LambdaInvoke, naive};

pub use sequence::sequence;

/// For any bytes, the decoder returns the same messages and the same end under any split as the
/// one-shot decoder, and every message encodes to the bytes that it was decoded from.
pub fn decode(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok(lengths) = lengths(&mut u) else { return };
    drop(same_under_any_split(u.take_rest(), &lengths));
}

/// Streams up to this length are split in two at every byte.
const EVERY_SPLIT: usize = 512;

/// Messages with any headers and payloads encode to the same bytes in one piece, vectored, and by
/// an independent encoder. The bytes decode to the same messages under any split, and every prefix
/// of a message is incomplete.
pub fn round_trip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok((lengths, messages)) =
        lengths(&mut u).and_then(|lengths| Ok((lengths, messages(&mut u)?)))
    else {
        return;
    };
    let mut stream = Vec::new();
    for message in &messages {
        let wire = message.to_bytes().expect("the message is short");
        assert_eq!(message.encoded_len(), Ok(wire.len()));
        let payload = message.payload().to_bytes();
        assert_eq!(wire, naive::encode(&LambdaInvoke::to_plain(message)));
        let mut out = Vec::new();
        encode(message.headers(), &payload[..], &mut out).expect("a Vec has room");
        assert_eq!(wire, out);
        let vectored = encode_vectored(message.headers(), message.payload().clone());
        let mut vectored = vectored.expect("the message is short");
        assert_eq!(vectored.remaining(), wire.len());
        assert_eq!(vectored.copy_to_bytes(wire.len()), wire);
        for length in 0..wire.len() {
            let prefix = &wire[..length];
            let total = if prefix.len() < 12 { 16 } else { wire.len() };
            let missing = total - prefix.len();
            assert_eq!(
                decode_one(prefix, &Limits::new()),
                Ok(Status::Incomplete { missing })
            );
        }
        stream.extend_from_slice(&wire);
    }
    let decoded = same_under_any_split(&stream, &lengths);
    if stream.len() <= EVERY_SPLIT {
        let whole = Bytes::from(stream);
        for at in 0..=whole.len() {
            let halves = [whole.slice(..at), whole.slice(at..)];
            assert_eq!(pushed(&halves, &[ALL]), decoded, "split at {at}");
        }
    }
    assert_eq!(decoded, (messages, Ok(())));
}

/// In a stream with one flipped bit, the messages before that bit are decoded, the message with it
/// is rejected, and nothing is decoded after it.
pub fn flip(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let parsed = u
        .arbitrary::<u32>()
        .and_then(|bit| Ok((bit, lengths(&mut u)?, messages(&mut u)?)));
    let Ok((bit, lengths, messages)) = parsed else {
        return;
    };
    let wires: Vec<Bytes> = messages
        .iter()
        .map(|m| m.to_bytes().expect("short"))
        .collect();
    let mut stream = wires.concat();
    if stream.is_empty() {
        return;
    }
    let bit = bit as usize % (stream.len() * 8);
    stream[bit / 8] ^= 1 << (bit % 8);
    let mut end = 0;
    let intact = wires.iter().take_while(|wire| {
        end += wire.len();
        end <= bit / 8
    });
    let intact = intact.count();
    let (read, end) = same_under_any_split(&stream, &lengths);
    assert_eq!(read, messages[..intact]);
    let error = end.expect_err("a flipped bit is rejected");
    assert!(!error.is_unexpected_eof(), "{error}");
}

/// Any header block, in a message with correct checksums, is accepted exactly if an independent
/// decoder accepts it, with the same headers, and these encode to the same bytes.
pub fn headers(data: &[u8]) {
    let expected = naive::headers(data);
    let wire = naive::seal(data, b"payload");
    let (read, end) = same_under_any_split(&wire, &[7, 200, 1]);
    let alone = Headers::try_from(data);
    let Ok(expected) = expected else {
        let (error, alone) = (
            end.expect_err("bad headers"),
            alone.expect_err("bad headers"),
        );
        assert_eq!(alone.kind(), error.kind());
        assert_eq!(alone.offset() + 12, error.offset());
        assert!(alone.offset() <= data.len() as u64);
        return;
    };
    assert_eq!(end, Ok(()));
    let headers = alone.expect("good headers");
    let expected: Vec<(&str, HeaderValue<'_>)> = expected
        .iter()
        .map(|(name, value)| (name.as_str(), value.into()))
        .collect();
    assert!(headers.iter().eq(expected.iter().copied()));
    assert_eq!(read[0].headers(), headers);
    for (name, _) in &expected {
        let all = expected
            .iter()
            .filter(|(other, _)| other == name)
            .map(|(_, value)| *value);
        assert!(headers.get_all(name).eq(all));
    }
    let written = HeaderBlock::from_headers(expected).expect("what was read can be written");
    assert_eq!(written.as_bytes(), data);
}

/// For any two lengths under any limits, with a correct or wrong checksum, the result at byte 12 is
/// the one that the specification and the limits require, and before that byte the message is
/// incomplete. The default limits are the specification's.
pub fn limits(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok([total, headers, most, most_headers, xor]) = u.arbitrary::<[u32; 5]>() else {
        return;
    };
    default_limits(total as i8, headers as i8);
    let limits = Limits::new()
        .with_max_message_len(most)
        .with_max_headers_len(most_headers);
    let mut prelude = [total.to_be_bytes(), headers.to_be_bytes()].concat();
    prelude.extend((naive::crc32(&prelude) ^ xor).to_be_bytes());
    let good = xor == 0
        && (16..=most).contains(&total)
        && headers <= most_headers
        && u64::from(headers) + 16 <= u64::from(total);

    let mut decoder = Decoder::with_limits(limits);
    for (at, byte) in prelude.iter().enumerate() {
        let missing = 16 - at;
        let status = decode_one(&prelude[..at], &limits);
        assert_eq!(status, Ok(Status::Incomplete { missing }));
        assert_eq!(decoder.next_message(), Ok(None));
        decoder.push(Bytes::copy_from_slice(&[*byte]));
    }
    let status = decode_one(&prelude, &limits);
    let next = decoder.next_message();
    if good {
        let missing = total as usize - 12;
        assert_eq!(status, Ok(Status::Incomplete { missing }));
        assert_eq!((next, decoder.missing()), (Ok(None), Some(missing)));
    } else {
        let error = status.expect_err("the prelude is bad");
        assert_eq!(next, Err(error));
        assert!(error.offset() <= 8);
    }
}

/// A message and headers that are about as long as the specification allows.
fn default_limits(total: i8, headers: i8) {
    let most = 24 * 1024 * 1024_u32;
    let most_headers = 128 * 1024_u32;
    let total = most.saturating_add_signed(total.into());
    for headers in [0, most_headers.saturating_add_signed(headers.into())] {
        let mut prelude = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        prelude.extend(naive::crc32(&prelude).to_be_bytes());
        let good = total <= most && headers <= most_headers;
        let status = decode_one(&prelude, &Limits::new());
        let mut decoder = Decoder::new();
        decoder.push(Bytes::copy_from_slice(&prelude));
        let next = decoder.next_message();
        assert_eq!(
            (status.is_ok(), next.is_ok()),
            (good, good),
            "{total} {headers}"
        );
    }
}

/// The messages of a stream, and its end.
type Decoded = (Vec<Message>, core::result::Result<(), DecodeError>);

/// Takes every message that there is.
const ALL: usize = usize::MAX;

/// How many messages are taken after each piece, repeated: all; none before the last piece; and too
/// few, so that the decoder still has messages when the next piece comes.
const TAKES: [&[usize]; 5] = [&[ALL], &[0], &[1], &[0, 1], &[0, 2, 1]];

fn same_under_any_split(stream: &[u8], lengths: &[u8]) -> Decoded {
    let whole = Bytes::copy_from_slice(stream);
    let at_once = pushed(std::slice::from_ref(&whole), &[ALL]);
    for pieces in [pieces(&whole, lengths), whole_messages(&whole, &at_once.0)] {
        for takes in TAKES {
            assert_eq!(pushed(&pieces, takes), at_once, "{takes:?} taken");
        }
    }
    same_as_one_shot(stream, &at_once);
    at_once
}

/// Divides the stream between its messages; the rest is the last piece.
fn whole_messages(stream: &Bytes, messages: &[Message]) -> Vec<Bytes> {
    let mut rest = stream.clone();
    let mut pieces: Vec<Bytes> = messages
        .iter()
        .map(|message| rest.split_to(message.encoded_len().expect("it fits")))
        .collect();
    pieces.push(rest);
    pieces
}

/// The one-shot decoder, called again after each message, returns the same.
fn same_as_one_shot(stream: &[u8], (messages, end): &Decoded) {
    let mut at = 0;
    for message in messages {
        let Ok(Status::Complete(read)) = decode_one(&stream[at..], &Limits::new()) else {
            panic!("no message at {at}");
        };
        assert_eq!(read.to_message(), *message);
        let after = at + read.encoded_len();
        assert_eq!(message.to_bytes().expect("it fits"), stream[at..after]);
        at = after;
    }
    match (decode_one(&stream[at..], &Limits::new()), end) {
        (Ok(Status::Incomplete { .. }), Ok(())) => assert_eq!(at, stream.len()),
        (Ok(Status::Incomplete { missing }), Err(error)) => {
            let received = (stream.len() - at) as u64;
            let incomplete = DecodeErrorKind::UnexpectedEof {
                received,
                missing: missing as u64,
            };
            assert_eq!(
                (error.kind(), error.offset()),
                (incomplete, stream.len() as u64)
            );
        }
        (Err(alone), Err(error)) => {
            assert_eq!(alone.kind(), error.kind());
            assert_eq!(alone.offset() + at as u64, error.offset());
        }
        other => panic!("the two decoders differ at {at}: {other:?}"),
    }
}

/// The results of the decoder if this many messages at most are taken after each piece, and all of
/// them after the last one.
fn pushed(pieces: &[Bytes], takes: &[usize]) -> Decoded {
    let mut decoder = Decoder::new();
    let mut messages = Vec::new();
    let mut sent = 0;
    for (index, (piece, take)) in pieces.iter().zip(takes.iter().cycle()).enumerate() {
        sent += piece.len() as u64;
        decoder.push(piece.clone());
        let last = index + 1 == pieces.len();
        let mut left = if last { ALL } else { *take };
        while left > 0 {
            left -= 1;
            match decoder.next_message() {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => {
                    assert_eq!(decoder.position(), sent);
                    break;
                }
                Err(error) => {
                    assert!(error.offset() < sent, "an error beyond the received bytes");
                    assert_eq!(decoder.next_message(), Err(error));
                    assert_eq!(decoder.finish(), Err(error));
                    return (messages, Err(error));
                }
            }
        }
    }
    let end = decoder.finish();
    (messages, end)
}

/// Parses lengths of pieces: their number in one byte, then one byte for each.
fn lengths(u: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let count = usize::from(u.arbitrary::<u8>()?).min(u.len());
    Ok(u.bytes(count)?.to_vec())
}

/// Divides the stream into pieces of these lengths, repeated as needed.
fn pieces(stream: &Bytes, lengths: &[u8]) -> Vec<Bytes> {
    if lengths.iter().all(|length| *length == 0) {
        return vec![stream.clone()];
    }
    let mut rest = stream.clone();
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle() {
        pieces.push(rest.split_to(rest.len().min((*length).into())));
        if rest.is_empty() {
            return pieces;
        }
    }
    pieces
}

/// Messages until the bytes are used up.
fn messages(u: &mut Unstructured<'_>) -> Result<Vec<Message>> {
    let mut messages = Vec::new();
    while !u.is_empty() {
        messages.push(u.arbitrary()?);
    }
    Ok(messages)
}
