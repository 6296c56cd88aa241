//! Signatures of event-stream messages: the official cases, and what a verifier must reject.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::Path;

use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, PayloadHash, Signature, Signer, SigningKey, SigningSettings,
    StringToSign, Timestamp, Verifier,
};
use lambda_invoke_vectors::{json, suite};
use serde_json::Value;

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

fn signature(value: &Value) -> Signature {
    text(value).parse().unwrap()
}

/// A string to sign contains the time of its message.
fn time_of(string_to_sign: &str) -> Timestamp {
    string_to_sign.lines().nth(1).unwrap().parse().unwrap()
}

/// Checks one message of a file, which may have several.
fn check(file: &Value, message: &Value, payload: &[u8]) {
    let to_sign = text(&message["string_to_sign"]);
    let time = time_of(to_sign);
    let (region, service) = (text(&file["region"]), text(&file["service"]));
    let secret = text(&file["credentials"]["secret_access_key"]);
    let key = SigningKey::derive(secret, time, region, service);
    let expected = message
        .get("signature")
        .unwrap_or(&message["signature_computed_not_upstream"]);
    let (prior, headers) = (
        signature(&message["prior_signature"]),
        bytes(&message["signed_header_bytes_hex"]),
    );
    // The source's own string to sign, signed with the key alone.
    assert_eq!(key.sign(to_sign.as_bytes()), signature(expected));
    let made = key.sign_message(prior, time, &headers, payload);
    assert_eq!(made, signature(expected));
    assert!(key.verify_message(prior, time, &headers, payload, made));
}

/// Checks the request that seeds the chain of aws-c-auth's messages, and the chain itself.
fn check_seed(file: &Value) {
    let (region, service) = (text(&file["region"]), text(&file["service"]));
    let keys = &file["credentials"];
    let credentials = Credentials::new(
        text(&keys["access_key_id"]),
        text(&keys["secret_access_key"]),
    )
    .unwrap();
    let seed = &file["seed_request"];
    let mut settings = SigningSettings::default();
    settings.content_sha256_header = true;
    let signer = Signer::new(credentials.clone(), region, service)
        .unwrap()
        .with_settings(settings.clone());
    let mut builder = http::Request::builder()
        .method(text(&seed["method"]))
        .uri(text(&seed["path"]));
    for (name, value) in seed["headers"].as_object().unwrap() {
        builder = builder.header(name, text(value));
    }
    let mut request = builder.body(()).unwrap();
    let time = text(&seed["amz_date"]).parse().unwrap();
    let payload = PayloadHash::StreamingEvents;
    let made = signer.sign_request(&mut request, &payload, time).unwrap();
    let canonical = CanonicalRequest::of(&(&request).into(), &payload, &settings);
    assert_eq!(canonical.to_string(), text(&seed["canonical_request"]));
    let to_sign = StringToSign::new(time, region, service, canonical.hash());
    assert_eq!(to_sign.to_string(), text(&seed["string_to_sign"]));
    assert_eq!(made, signature(&seed["signature"]));
    assert_eq!(
        request.headers()["authorization"],
        text(&seed["authorization"])
    );

    let verifier = Verifier::new(region, service)
        .unwrap()
        .with_settings(settings);
    let verified = verifier
        .verify(&request, &payload, &credentials, time)
        .unwrap();
    let mut signing = signer.message_signer(time, made);
    let mut verifying = verifier.message_verifier(&credentials, &verified);
    for event in file["events"].as_array().unwrap() {
        let time = text(&event["amz_date"]).parse().unwrap();
        let (headers, payload) = (
            bytes(&event["signed_header_bytes_hex"]),
            bytes(&event["payload_hex"]),
        );
        let made = signing.sign(time, &headers, &payload);
        assert_eq!(made, signature(&event["signature"]));
        verifying.verify(time, &headers, &payload, made).unwrap();
    }
}

fn run(path: &Path) -> usize {
    let file = json(path);
    let mut cases = 0;
    for event in file["events"].as_array().into_iter().flatten() {
        check(&file, event, &bytes(&event["payload_hex"]));
        cases += 1;
    }
    if file.get("string_to_sign").is_some() {
        check(&file, &file, &bytes(&file["inner_message"]["encoded_hex"]));
        cases += 1;
    }
    if file.get("seed_request").is_some() {
        check_seed(&file);
        cases += 1;
    }
    cases
}

#[test]
fn signs_messages_as_the_other_signers_do() {
    suite("sigv4/event-stream-signing", |data| {
        let files = fs::read_dir(data.join("eventstream/signing")).unwrap();
        files.map(|file| run(&file.unwrap().path())).sum()
    });
}

fn signer() -> Signer {
    let credentials = Credentials::new("AKIDEXAMPLE", "secret").unwrap();
    Signer::new(credentials, "us-east-1", "transcribe").unwrap()
}

fn request(signer: &Signer, time: Timestamp) -> (http::Request<()>, Signature) {
    let mut request = http::Request::post("http://localhost/").body(()).unwrap();
    let seed = signer.sign_request(&mut request, &PayloadHash::StreamingEvents, time);
    (request, seed.unwrap())
}

/// If a stream continues after midnight, each message is signed with the key of its own day.
#[test]
fn a_chain_continues_on_the_next_day() {
    let signer = signer();
    let days = ["20150830T235959Z", "20150831T000000Z", "20150830T235959Z"];
    let days = days.map(|time| time.parse::<Timestamp>().unwrap());
    let (request, seed) = request(&signer, days[0]);
    let verifier = Verifier::new("us-east-1", "transcribe").unwrap();
    let payload = PayloadHash::StreamingEvents;
    let verified = verifier
        .verify(&request, &payload, signer.credentials(), days[0])
        .unwrap();
    let mut signing = signer.message_signer(days[0], seed);
    let mut verifying = verifier.message_verifier(signer.credentials(), &verified);
    let mut prior = seed;
    for time in days {
        let made = signing.sign(time, b"date", b"message");
        let key = SigningKey::derive("secret", time, "us-east-1", "transcribe");
        assert_eq!(made, key.sign_message(prior, time, b"date", b"message"));
        verifying.verify(time, b"date", b"message", made).unwrap();
        prior = made;
    }
}

#[test]
fn rejects_a_changed_message_and_leaves_the_chain_where_it_was() {
    let signer = signer();
    let time: Timestamp = "20150830T123600Z".parse().unwrap();
    let later = "20150830T123601Z".parse().unwrap();
    let (request, seed) = request(&signer, time);
    let verifier = Verifier::new("us-east-1", "transcribe").unwrap();
    let payload = PayloadHash::StreamingEvents;
    let verified = verifier
        .verify(&request, &payload, signer.credentials(), time)
        .unwrap();
    let mut signing = signer.message_signer(time, seed);
    let first = signing.sign(time, b"date", b"message");
    let end = signing.sign(time, b"date", b"");

    let mut verifying = verifier.message_verifier(signer.credentials(), &verified);
    for (time, headers, payload, signature) in [
        (later, b"date".as_slice(), b"message".as_slice(), first),
        (time, b"", b"message", first),
        (time, b"dat", b"emessage", first),
        (time, b"date", b"messages", first),
        (time, b"date", b"", first),
        (time, b"date", b"message", end),
        // The final message, too early.
        (time, b"date", b"", end),
    ] {
        let rejected = verifying.verify(time, headers, payload, signature);
        assert_eq!(rejected.unwrap_err().verified, 0);
    }
    verifying.verify(time, b"date", b"message", first).unwrap();
    let again = verifying.verify(time, b"date", b"message", first);
    assert_eq!(again.unwrap_err().verified, 1);
    verifying.verify(time, b"date", b"", end).unwrap();
}
