//! Many requests through one signer and one verifier, compared with new ones: their caches do not
//! change their results.

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_sigv4::{
    Credentials, PayloadHash, Signer, Timestamp, Verified, Verifier, VerifyError,
};

use super::requests::{EXPIRES, Request, SECRET, TOKEN};

/// The access keys. The first three have the same id: a secret that was replaced, and a token.
const KEYS: [(&str, &str, Option<&str>); 4] = [
    ("AKIDEXAMPLE", SECRET, None),
    ("AKIDEXAMPLE", "another secret", None),
    ("AKIDEXAMPLE", SECRET, Some(TOKEN)),
    ("AKIDOTHER", SECRET, None),
];

/// Steps of the clock, in seconds: within a second, a minute and a day, to the next and to the last day.
const STEPS: [i64; 8] = [0, 0, 1, 59, 3_600, 86_400, -1, -86_400];

/// A request that differs from the previous one in one respect.
#[derive(Clone, Copy, Debug, Arbitrary)]
struct Step {
    key: u8,
    clock: u8,
    change: Change,
    presigned: bool,
    /// Also verified with the next of the four keys.
    verified_by: u8,
    /// The time until it is verified.
    delay: u8,
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Change {
    Nothing,
    Method,
    Path(u8),
    Query(u8),
    /// The value of a header that is present.
    Value(u8),
    /// Adds a header, or removes it again.
    Header(u8),
    Body(u8),
}

/// The maximum number of requests.
const MOST: usize = 96;

struct Requests {
    request: Request,
    body: Vec<u8>,
}

impl Requests {
    fn apply(&mut self, change: Change) {
        let Self { request, body } = self;
        match change {
            Change::Nothing => {}
            Change::Method => {
                let next: &[u8] = if request.method == b"GET" {
                    b"POST"
                } else {
                    b"GET"
                };
                request.method = next.to_vec();
            }
            Change::Path(number) => request.path = format!("/f{}", number % 4).into_bytes(),
            Change::Query(number) => {
                request.query = match number % 3 {
                    0 => Vec::new(),
                    number => format!("a={number}").into_bytes(),
                };
            }
            Change::Value(number) => {
                request.put("x-amz-log-type", format!("{}", number % 4).as_bytes());
            }
            Change::Header(number) => {
                let name = format!("x-amz-meta-{}", number % 4).into_bytes();
                let before = request.headers.len();
                request.headers.retain(|(other, _)| *other != name);
                if request.headers.len() == before {
                    request.headers.push((name, b"1".to_vec()));
                }
            }
            Change::Body(number) => *body = vec![b'x'; usize::from(number % 4)],
        }
    }
}

fn keys() -> Vec<Credentials> {
    let keys = KEYS.iter().map(|(id, secret, token)| {
        let key = Credentials::new(*id, *secret).expect("a key");
        match token {
            Some(token) => key.with_session_token(token).expect("a token"),
            None => key,
        }
    });
    keys.collect()
}

fn signer(key: &Credentials) -> Signer {
    Signer::new(key.clone(), "us-east-1", "lambda").expect("a scope")
}

fn verifier() -> Verifier {
    Verifier::new("us-east-1", "lambda").expect("a scope")
}

fn sign(signer: &Signer, step: &Step, requests: &Requests, time: Timestamp) -> Request {
    let mut signed = requests.request.clone();
    let payload = PayloadHash::of(&requests.body);
    if step.presigned {
        let presigned = signed.with(|raw| signer.presign_raw(raw, &payload, time, EXPIRES));
        let presigned = presigned.expect("a request").expect("it can be presigned");
        signed.query = presigned.query().as_bytes().to_vec();
    } else {
        let added = signed.with(|raw| signer.sign_raw(raw, &payload, time));
        for (name, value) in added.expect("a request").expect("it can be signed").iter() {
            signed.put(name, value.as_bytes());
        }
    }
    signed
}

/// One signer for each of four keys and one verifier of them all sign and verify many requests that
/// differ a little, at times that move forward and back over days. Each signature is that of a new
/// signer, each verdict that of a new verifier, and a request is accepted exactly with its own key.
pub fn sequence(data: &[u8]) {
    let Ok((start, steps)) = <(u32, Vec<Step>)>::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let header = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
    let mut requests = Requests {
        request: Request {
            method: b"POST".to_vec(),
            path: b"/f0".to_vec(),
            query: Vec::new(),
            headers: vec![header("host", "localhost"), header("x-amz-log-type", "0")],
        },
        body: Vec::new(),
    };
    let keys = keys();
    let signers: Vec<Signer> = keys.iter().map(signer).collect();
    let shared = verifier();
    // A day after the start of the calendar, so that the clock can be set back.
    let mut seconds = i64::from(start) + 86_400;
    for step in steps.iter().take(MOST) {
        requests.apply(step.change);
        seconds = (seconds + STEPS[usize::from(step.clock) % STEPS.len()]).max(86_400);
        let at = |seconds: i64| Timestamp::from_secs(seconds.unsigned_abs()).expect("in range");
        let key = usize::from(step.key) % keys.len();
        let signed = sign(&signers[key], step, &requests, at(seconds));
        let fresh = sign(&signer(&keys[key]), step, &requests, at(seconds));
        assert_eq!(signed, fresh, "signed by what the signer kept");

        let now = at(seconds + i64::from(step.delay));
        let payload = PayloadHash::of(&requests.body);
        let verify = |verifier: &Verifier, key: &Credentials| {
            let verdict = signed.with(|raw| {
                let verified = verifier.verify_raw(raw, &payload, key, now);
                verified.map(Verified::into_owned)
            });
            verdict.expect("a request")
        };
        for other in [key, usize::from(step.verified_by) % keys.len()] {
            let verdict = verify(&shared, &keys[other]);
            // A separate key, not a clone: nothing is cached for it.
            let again = verify(&verifier(), &self::keys()[other]);
            assert_eq!(verdict, again, "verified by what the verifier kept");
            if other == key {
                assert_eq!(verdict.map(drop), Ok(()));
                continue;
            }
            let error = verdict.expect_err("another key");
            let (ours, theirs) = (KEYS[key], KEYS[other]);
            let expected = match error {
                VerifyError::UnknownKey => ours.0 != theirs.0,
                VerifyError::SignatureMismatch(_) => ours.0 == theirs.0 && ours.1 != theirs.1,
                VerifyError::InvalidSessionToken => (ours.0, ours.1) == (theirs.0, theirs.1),
                _ => false,
            };
            assert!(expected, "{error:?}");
        }
    }
}
