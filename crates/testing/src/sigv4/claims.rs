//! Claims of a signature, made without the secret.

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_sigv4::{Credentials, PayloadHash, Timestamp, Verifier};

use super::requests::{Request, SECRET, SPECIAL, TOKEN};

/// Claims of a signature, composed of pieces that are nearly correct.
#[derive(Debug, Arbitrary)]
struct Claims {
    authorization: Option<Vec<Claim>>,
    query: Vec<Claim>,
    date: Option<Claim>,
    token: Option<Claim>,
    time: u32,
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Claim {
    Known(u8),
    Special(u8),
    Any(u8),
}

const KNOWN: [&[u8]; 24] = [
    b"AWS4-HMAC-SHA256 ",
    b"AWS4-HMAC-SHA256",
    b"Credential=",
    b"AKIDEXAMPLE/19700101/us-east-1/lambda/aws4_request",
    b"AKIDEXAMPLE%2F19700101%2Fus-east-1%2Flambda%2Faws4_request",
    b", ",
    b"SignedHeaders=",
    b"host",
    b"host;x-amz-date",
    b";",
    b"Signature=",
    b"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    b"X-Amz-Algorithm=",
    b"X-Amz-Credential=",
    b"X-Amz-Date=",
    b"X-Amz-Expires=",
    b"X-Amz-SignedHeaders=",
    b"X-Amz-Signature=",
    b"X-Amz-Security-Token=",
    b"19700101T000000Z",
    b"Thu, 01 Jan 1970 00:00:00 GMT",
    b"3600",
    b"&",
    b"/",
];

fn claim(claims: &[Claim]) -> Vec<u8> {
    let mut text = Vec::new();
    for claim in claims {
        match claim {
            Claim::Known(index) => {
                text.extend_from_slice(KNOWN[usize::from(*index) % KNOWN.len()]);
            }
            Claim::Special(index) => {
                text.extend_from_slice(SPECIAL[usize::from(*index) % SPECIAL.len()]);
            }
            Claim::Any(byte) => text.push(*byte),
        }
    }
    text
}

/// No claim of a signature makes the verifier panic, none is accepted without the secret, and the
/// errors contain neither the secret nor the token.
pub fn verify_any(data: &[u8]) {
    let Ok(claims) = Claims::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let mut headers = vec![(b"host".to_vec(), b"h".to_vec())];
    let named = [
        ("authorization", claims.authorization.as_deref().map(claim)),
        ("x-amz-date", claims.date.map(|date| claim(&[date]))),
        (
            "x-amz-security-token",
            claims.token.map(|token| claim(&[token])),
        ),
    ];
    for (name, value) in named {
        if let Some(mut value) = value {
            value.retain(|byte| !matches!(byte, 0 | b'\r' | b'\n'));
            headers.push((name.as_bytes().to_vec(), value));
        }
    }
    let request = Request {
        method: b"GET".to_vec(),
        path: b"/".to_vec(),
        query: claim(&claims.query),
        headers,
    };
    let keys = Credentials::new("AKIDEXAMPLE", SECRET)
        .and_then(|keys| keys.with_session_token(TOKEN))
        .expect("a key");
    let verifier = Verifier::new("us-east-1", "lambda").expect("a scope");
    // Mostly within the window of the known date.
    let now = Timestamp::from_secs(u64::from(claims.time % 500)).expect("in range");
    let rejection = request
        .with(|raw| {
            verifier
                .verify_raw(raw, &PayloadHash::EMPTY, &keys, now)
                .map(drop)
        })
        .expect("a request")
        .expect_err("nobody has the secret");
    for shown in [
        rejection.to_string(),
        rejection.service_message(),
        format!("{rejection:?}"),
    ] {
        assert!(!shown.is_empty());
        assert!(
            !shown.contains("hunter2") && !shown.contains("sess10n"),
            "{shown}"
        );
    }
    assert!(rejection.code().ends_with("Exception"));
}
