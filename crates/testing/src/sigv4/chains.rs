//! Chains of signatures: chunks of a body, and messages of an event stream.

use std::fmt::Write as _;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_sigv4::{
    ChunkSigner, ChunkVerifier, Credentials, PayloadHash, Signature, Signer, SigningKey, Timestamp,
    Verifier,
};

use super::requests::SECRET;

const REGION: &str = "us-east-1";
const SERVICE: &str = "s3";

/// A seed, the pieces of a body, and a change of one of them.
#[derive(Debug, Arbitrary)]
struct Made {
    seed: [u8; 32],
    time: u32,
    pieces: Vec<Piece>,
    /// Which piece is changed, where, and how.
    at: u8,
    place: u16,
    flip: u8,
}

#[derive(Debug, Arbitrary)]
struct Piece {
    headers: Vec<u8>,
    data: Vec<u8>,
    /// Seconds after the previous piece; a step may lead to another day.
    later: u16,
}

fn time(seconds: u32) -> Timestamp {
    Timestamp::from_secs(seconds.into()).expect("in range")
}

fn key(time: Timestamp) -> SigningKey {
    SigningKey::derive(SECRET, time, REGION, SERVICE)
}

/// The string to sign, as in the reference.
fn string_to_sign(suffix: &str, time: Timestamp, prior: Signature, parts: &[&[u8]]) -> String {
    let stamp = time.to_string();
    let mut text = format!(
        "AWS4-HMAC-SHA256-{suffix}\n{stamp}\n{}/{REGION}/{SERVICE}/aws4_request\n{prior}",
        &stamp[..8]
    );
    for part in parts {
        write!(text, "\n{}", PayloadHash::of(part)).expect("a string takes all");
    }
    text
}

/// The bytes with one of them changed, if there are any and the value differs.
fn changed(bytes: &[u8], place: u16, flip: u8) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    *bytes.get_mut(usize::from(place) % length.max(1))? ^= flip;
    (flip != 0).then_some(bytes)
}

/// Chunks are signed as in the reference, and verify in their order; a changed chunk does not
/// verify, and leaves the chain unchanged.
pub fn chunks(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let (time, seed) = (time(made.time), Signature::from_bytes(made.seed));
    let mut signer = ChunkSigner::new(key(time), time, seed);
    let mut verifier = ChunkVerifier::new(key(time), time, seed);
    let mut prior = seed;
    for (index, piece) in made.pieces.iter().enumerate() {
        let signature = signer.sign_chunk(&piece.data);
        let text = string_to_sign("PAYLOAD", time, prior, &[b"", &piece.data]);
        assert_eq!(signature, key(time).sign(text.as_bytes()));
        if index == usize::from(made.at) {
            if let Some(data) = changed(&piece.data, made.place, made.flip) {
                let rejected = verifier.verify_chunk(data, signature);
                assert_eq!(rejected.expect_err("changed").verified, index as u64);
            }
            if let Some(bytes) = changed(signature.as_bytes(), made.place, made.flip) {
                let bytes = bytes.try_into().expect("as long as before");
                let rejected = verifier.verify_chunk(&piece.data, Signature::from_bytes(bytes));
                assert!(rejected.is_err());
            }
        }
        let verified = verifier.verify_chunk(&piece.data, signature);
        assert_eq!(verified, Ok(()));
        // The same piece again is at another place in the chain.
        assert!(verifier.verify_chunk(&piece.data, signature).is_err());
        prior = signature;
    }
}

/// The same as [`chunks`] for messages, whose chain may last for days.
pub fn messages(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let credentials = Credentials::new("AKIDEXAMPLE", SECRET).expect("a key");
    let signer = Signer::new(credentials.clone(), REGION, SERVICE).expect("a scope");
    let verifier = Verifier::new(REGION, SERVICE).expect("a scope");
    let mut now = time(made.time);
    let mut head = http::Request::get("http://h/").body(()).expect("a request");
    let payload = PayloadHash::StreamingEvents;
    let seed = signer.sign_request(&mut head, &payload, now);
    let seed = seed.expect("it has a host");
    let verified = verifier
        .verify(&head, &payload, &credentials, now)
        .expect("its own signature");
    let mut signing = signer.message_signer(now, seed);
    let mut verifying = verifier.message_verifier(&credentials, &verified);
    let mut prior = seed;
    for (index, piece) in made.pieces.iter().enumerate() {
        now = now.saturating_add(std::time::Duration::from_secs(piece.later.into()));
        let (headers, data) = (&piece.headers, &piece.data);
        let signature = signing.sign(now, headers, data);
        let text = string_to_sign("PAYLOAD", now, prior, &[headers, data]);
        assert_eq!(signature, key(now).sign(text.as_bytes()));
        if index == usize::from(made.at) {
            if let Some(data) = changed(data, made.place, made.flip) {
                let rejected = verifying.verify(now, headers, &data, signature);
                assert_eq!(rejected.expect_err("changed").verified, index as u64);
            }
            if let Some(headers) = changed(headers, made.place, made.flip) {
                assert!(verifying.verify(now, &headers, data, signature).is_err());
            }
        }
        let verified = verifying.verify(now, headers, data, signature);
        assert_eq!(verified, Ok(()));
        prior = signature;
    }
}
