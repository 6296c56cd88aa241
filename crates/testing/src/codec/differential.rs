//! Compares a codec with the naive one.

use arbitrary::Unstructured;
use bytes::{Buf, Bytes};

use super::{Codec, PlainMessage, hostile, naive, near_miss, well_formed};

/// Streams up to this length are divided in two at every byte.
const EVERY_SPLIT: usize = 512;

/// Compares a codec with the naive one over the stream that the bytes generate: a valid one, an
/// almost valid one, or a hostile one, in pieces of any lengths.
///
/// The first byte chooses the kind of stream, and the next ones the lengths of its pieces. Any fuzzer
/// can call it:
///
/// ```
/// use lambda_invoke_testing::codec::{LambdaInvoke, differential};
///
/// differential::<LambdaInvoke>(b"whatever the fuzzer sends");
/// ```
///
/// # Panics
///
/// If a valid message is not encoded to the bytes of the specification or not decoded from them, if
/// the result depends on how the stream is divided, or if the codec and the naive one disagree about
/// which messages a stream has and whether it is valid.
pub fn differential<C: Codec>(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok((kind, lengths)) = u.arbitrary::<(u8, [u8; 3])>() else {
        return;
    };
    let stream = match kind % 3 {
        0 => well_formed(&mut u).map(|messages| {
            messages.iter().for_each(encodes_as_specified::<C>);
            messages.iter().flat_map(naive::encode).collect()
        }),
        1 => near_miss(&mut u),
        _ => hostile(&mut u),
    };
    if let Ok(stream) = stream {
        differential_stream::<C>(&stream, &lengths);
    }
}

/// The bytes of a message are those of the specification.
fn encodes_as_specified<C: Codec>(message: &PlainMessage) {
    let name = C::NAME;
    let native = C::from_plain(message)
        .unwrap_or_else(|error| panic!("{name} cannot express {message:?}: {error}"));
    assert_eq!(C::to_plain(&native), *message, "{name} changes a message");
    let mut codec = C::new();
    let mut encoded = codec
        .encode(&native)
        .unwrap_or_else(|error| panic!("{name} does not encode {message:?}: {error}"));
    let length = encoded.remaining();
    let encoded = encoded.copy_to_bytes(length);
    assert_eq!(
        encoded,
        naive::encode(message),
        "{name} encodes {message:?}"
    );
}

/// Compares a codec with the naive one over one stream, which is divided into pieces of these lengths,
/// repeated as needed, and in other ways.
///
/// # Panics
///
/// As [`differential`].
pub fn differential_stream<C: Codec>(stream: &[u8], lengths: &[u8]) {
    let name = C::NAME;
    let whole = Bytes::copy_from_slice(stream);
    let (expected, verdict) = naive::decode(stream);
    let first = decoded::<C>([whole.clone()]);
    match verdict {
        Err(rule) if !C::enforces(rule) => {
            assert!(first.0.starts_with(&expected), "{name} before {rule:?}");
        }
        verdict => {
            assert_eq!(first.0, expected, "messages of {name}; {verdict:?}");
            let agree = first.1.is_ok() == verdict.is_ok();
            assert!(
                agree,
                "{name}: {:?}; the specification: {verdict:?}",
                first.1
            );
        }
    }
    let same = |pieces: Vec<Bytes>| {
        let divided = decoded::<C>(pieces);
        assert_eq!(divided.0, first.0, "messages of {name} in pieces");
        assert_eq!(divided.1.is_ok(), first.1.is_ok(), "{name} in pieces");
    };
    same(pieces(&whole, lengths));
    if stream.len() <= EVERY_SPLIT {
        same(stream.chunks(1).map(Bytes::copy_from_slice).collect());
        for at in 0..=stream.len() {
            same(vec![whole.slice(..at), whole.slice(at..)]);
        }
    }
}

/// The messages of a stream that comes in these pieces, and its end.
fn decoded<C: Codec>(
    pieces: impl IntoIterator<Item = Bytes>,
) -> (Vec<PlainMessage>, Result<(), String>) {
    let (mut codec, mut messages) = (C::new(), Vec::new());
    let mut end = Ok(());
    for piece in pieces {
        end = codec.decode(piece, |message| messages.push(C::to_plain(&message)));
        if end.is_err() {
            break;
        }
    }
    let end = end.and_then(|()| codec.finish());
    (messages, end.map_err(|error| error.to_string()))
}

/// Divides a stream into pieces of these lengths, repeated as needed.
fn pieces(stream: &Bytes, lengths: &[u8]) -> Vec<Bytes> {
    let mut rest = stream.clone();
    let mut pieces = Vec::new();
    // If every length is 0, the loop would not end.
    if lengths.iter().any(|length| *length > 0) {
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            pieces.push(rest.split_to(rest.len().min((*length).into())));
        }
    }
    pieces.push(rest);
    pieces
}
