//! The chain of chunk signatures of an `aws-chunked` body: the official cases, and what a verifier
//! must reject.
#![allow(clippy::unwrap_used, clippy::panic)]

use http::{HeaderMap, HeaderName, HeaderValue};
use lambda_invoke_sigv4::{
    CanonicalRequest, ChainMismatch, ChunkSigner, ChunkVerifier, Credentials, PayloadHash,
    Signature, Signer, SigningKey, SigningSettings, StringToSign, Timestamp, Verifier,
};
use lambda_invoke_vectors::{json, suite};
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn trailer(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&str, &str)| {
        let name: HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

#[test]
fn signs_and_verifies_the_chunks_of_aws_c_auth() {
    suite("sigv4/aws-c-auth-chunked", |data| {
        let data = json(&data.join("sigv4/extracted/aws-c-auth-chunked.json"));
        let keys = &data["credentials"];
        let credentials = Credentials::new(
            text(&keys["access_key_id"]),
            text(&keys["secret_access_key"]),
        )
        .unwrap();
        let (region, service) = (text(&data["region"]), text(&data["service"]));
        let signer = Signer::new(credentials.clone(), region, service)
            .unwrap()
            .with_settings(SigningSettings::s3());
        let time: Timestamp = text(&data["amz_date"]).parse().unwrap();

        // The signature of the head seeds the chain.
        let seed = &data["seed_request"];
        let mut builder = http::Request::builder()
            .method(text(&seed["method"]))
            .uri(text(&seed["path"]));
        for header in seed["headers"].as_array().unwrap() {
            builder = builder.header(text(&header[0]), text(&header[1]));
        }
        let mut request = builder.body(()).unwrap();
        let payload = PayloadHash::StreamingSigned;
        let signature = signer.sign_request(&mut request, &payload, time).unwrap();
        let canonical = CanonicalRequest::of(&(&request).into(), &payload, signer.settings());
        assert_eq!(canonical.to_string(), text(&seed["canonical_request"]));
        let to_sign = StringToSign::new(time, region, service, canonical.hash());
        assert_eq!(to_sign.to_string(), text(&seed["string_to_sign"]));
        assert_eq!(signature.to_string(), text(&seed["signature"]));

        let verifier = Verifier::new(region, service)
            .unwrap()
            .with_settings(SigningSettings::s3());
        let verified = verifier
            .verify(&request, &payload, &credentials, time)
            .unwrap();
        let mut signing = signer.chunk_signer(time, signature);
        let mut verifying = verifier.chunk_verifier(&credentials, &verified);
        let chunks = data["chunks"].as_array().unwrap();
        for chunk in chunks {
            let count = chunk["data"]["count"].as_u64().unwrap();
            let body = text(&chunk["data"]["byte"]).repeat(count.try_into().unwrap());
            let signature = signing.sign_chunk(&body);
            assert_eq!(signature.to_string(), text(&chunk["signature"]));
            verifying.verify_chunk(&body, signature).unwrap();
        }

        let expected = &data["trailer"];
        let mut headers = HeaderMap::new();
        // The order of the headers differs from that of the canonical form.
        let pairs = expected["trailing_headers"].as_array().unwrap();
        for pair in pairs.iter().rev() {
            let name: HeaderName = text(&pair[0]).parse().unwrap();
            headers.insert(name, text(&pair[1]).parse().unwrap());
        }
        let signature = signing.sign_trailer(&headers);
        assert_eq!(signature.to_string(), text(&expected["signature"]));
        // The signature is sent in the trailer itself.
        let value = signature.to_string().parse().unwrap();
        headers.insert("x-amz-trailer-signature", value);
        verifying.verify_trailer(&headers, signature).unwrap();

        // The cases are the head, the chunks and the trailer.
        chunks.len() + 2
    });
}

/// The examples of the S3 reference: "Signature calculations for the Authorization header:
/// transferring payload in multiple chunks", and the same "including trailing headers".
#[test]
fn signs_the_chunks_of_the_published_examples() {
    let key = SigningKey::derive(
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        time(),
        "us-east-1",
        "s3",
    );
    let [first, second] = [65_536, 1024].map(|length| "a".repeat(length));
    for (seed, chunks, trailer) in [
        (
            "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
            [
                "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
                "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
                "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
            ],
            None,
        ),
        (
            "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
            [
                "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
                "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
                "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
            ],
            Some("d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"),
        ),
    ] {
        let seed = seed.parse().unwrap();
        let mut signer = ChunkSigner::new(key.clone(), time(), seed);
        for (data, expected) in [&*first, &*second, ""].iter().zip(chunks) {
            assert_eq!(signer.sign_chunk(data).to_string(), expected);
        }
        if let Some(expected) = trailer {
            let headers = self::trailer(&[("x-amz-checksum-crc32c", "sOO8/Q==")]);
            assert_eq!(signer.sign_trailer(&headers).to_string(), expected);
        }
    }
}

fn time() -> Timestamp {
    "20130524T000000Z".parse().unwrap()
}

fn key() -> SigningKey {
    SigningKey::derive("secret", time(), "us-east-1", "s3")
}

const SEED: [u8; 32] = [7; 32];

/// Three chunks, signed.
fn body() -> [(&'static str, Signature); 3] {
    let mut signer = ChunkSigner::new(key(), time(), Signature::from_bytes(SEED));
    ["first", "second", ""].map(|data| (data, signer.sign_chunk(data)))
}

fn verifier() -> ChunkVerifier {
    ChunkVerifier::new(key(), time(), Signature::from_bytes(SEED))
}

#[test]
fn rejects_chunks_that_are_left_out_repeated_or_out_of_order() {
    let body = body();
    for order in [[1, 0, 2], [0, 0, 1], [0, 2, 1], [2, 0, 1]] {
        let mut verifier = verifier();
        let verified = order
            .iter()
            .take_while(|&&index| verifier.verify_chunk(body[index].0, body[index].1).is_ok())
            .count();
        let in_order = order.iter().enumerate();
        let expected = in_order.take_while(|(index, at)| index == *at).count();
        assert_eq!(verified, expected, "{order:?}");
    }
}

#[test]
fn a_chunk_that_is_rejected_leaves_the_chain_where_it_was() {
    let [first, second, last] = body();
    let mut verifier = verifier();
    verifier.verify_chunk(first.0, first.1).unwrap();
    let rejected = verifier.verify_chunk("tampered", second.1);
    assert_eq!(rejected.unwrap_err().verified, 1);
    let error: ChainMismatch = verifier.verify_chunk(second.0, first.1).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the signature of piece 1 of the body does not match"
    );
    verifier.verify_chunk(second.0, second.1).unwrap();
    verifier.verify_chunk(last.0, last.1).unwrap();
}

#[test]
fn rejects_another_key_another_time_and_another_seed() {
    let (data, signature) = body()[0];
    let other_key = SigningKey::derive("other", time(), "us-east-1", "s3");
    let other_time = "20130524T000001Z".parse().unwrap();
    let seed = Signature::from_bytes(SEED);
    for mut verifier in [
        ChunkVerifier::new(other_key, time(), seed),
        ChunkVerifier::new(key(), other_time, seed),
        ChunkVerifier::new(key(), time(), Signature::from_bytes([8; 32])),
    ] {
        assert!(verifier.verify_chunk(data, signature).is_err());
    }
}

#[test]
fn every_bit_of_a_signature_counts() {
    let (data, signature) = body()[0];
    for bit in 0..256 {
        let mut bytes = *signature.as_bytes();
        bytes[bit / 8] ^= 1 << (bit % 8);
        let rejected = verifier().verify_chunk(data, Signature::from_bytes(bytes));
        assert!(rejected.is_err(), "{bit}");
    }
}

#[test]
fn a_trailer_is_covered_in_names_values_and_place() {
    let mut signer = ChunkSigner::new(key(), time(), Signature::from_bytes(SEED));
    let last = signer.sign_chunk("");
    let sent = trailer(&[("x-amz-checksum-crc32c", "sOO8/Q=="), ("x-note", "a  b")]);
    let signature = signer.sign_trailer(&sent);
    let verify = |trailer: &HeaderMap, with_last: bool| {
        let mut verifier = verifier();
        if with_last {
            verifier.verify_chunk("", last).unwrap();
        }
        verifier.verify_trailer(trailer, signature).is_ok()
    };
    assert!(verify(&sent, true));
    // Spaces are collapsed as in the headers of the head.
    let collapsed = trailer(&[("x-note", " a b "), ("x-amz-checksum-crc32c", "sOO8/Q==")]);
    assert!(verify(&collapsed, true));
    assert!(!verify(&sent, false), "after no chunk");
    for changed in [
        trailer(&[]),
        trailer(&[("x-amz-checksum-crc32c", "sOO8/Q==")]),
        trailer(&[("x-amz-checksum-crc32c", "sOO8/Q=A"), ("x-note", "a b")]),
        trailer(&[("x-amz-checksum-crc32", "sOO8/Q=="), ("x-note", "a b")]),
        trailer(&[
            ("x-amz-checksum-crc32c", "sOO8/Q=="),
            ("x-note", "a b"),
            ("x-note", "c"),
        ]),
    ] {
        assert!(!verify(&changed, true), "{changed:?}");
    }
}
