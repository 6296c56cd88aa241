//! Signers, for one function and for many in turn, and our verifier.

use std::hint::black_box;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use lambda_invoke_sigv4::{
    CanonicalRequest, PayloadHash, SigningSettings, StringToSign, Timestamp, Verifier,
};
use lambda_invoke_testing::signer::Signer;
use ring::{digest, hmac};

use super::{Contender, Group, OURS};
use crate::fixture::{
    REGION, SERVICE, credentials, keys, request, request_without_query, requests, signer,
};
use crate::{VisitSigners, each_signer};

/// The time of all signatures, so that all runs do the same work.
pub(super) const TIME: Duration = Duration::from_secs(1_795_262_400);

pub(super) fn timestamp() -> Timestamp {
    Timestamp::from_secs(TIME.as_secs()).unwrap()
}

pub(super) fn groups() -> Vec<Group> {
    let mut groups = Vec::new();
    for size in [0, 1024] {
        let plain = request_without_query();
        groups.push(sign(format!("sign/{size}"), vec![request()], size));
        groups.push(sign(format!("sign-plain/{size}"), vec![plain], size));
        for functions in [8, 100, 1000] {
            groups.push(turns(format!("sign-{functions}/{size}"), functions, size));
        }
        groups.push(verify(format!("verify/{size}"), request(), size));
        let plain = request_without_query();
        groups.push(verify(format!("verify-plain/{size}"), plain, size));
    }
    groups
}

/// Signs for this many functions in turn, without a query.
pub(super) fn turns(name: String, functions: usize, size: usize) -> Group {
    sign(name, requests(functions), size)
}

/// What is hashed and signed for a request, computed in advance.
struct Work {
    canonical: Vec<u8>,
    string_to_sign: StringToSign,
}

/// The limit: only the hashes and HMACs.
struct Limit {
    body: Vec<u8>,
    work: Vec<Work>,
    next: usize,
    key: hmac::Key,
}

impl Limit {
    fn new(requests: &[Parts], size: usize) -> Self {
        let body = vec![b'x'; size];
        let payload = PayloadHash::of(&body);
        let work = requests.iter().map(|request| {
            let mut signed = request.clone();
            signer().sign(&mut signed, &payload, timestamp()).unwrap();
            let settings = SigningSettings::default();
            let canonical = CanonicalRequest::of(&(&signed).into(), &payload, &settings);
            let canonical = canonical.to_bytes().to_vec();
            let length = canonical.len();
            assert!((1300..1550).contains(&length), "{length}");
            let string_to_sign = StringToSign::new(timestamp(), REGION, SERVICE, [0; 32]);
            Work {
                canonical,
                string_to_sign,
            }
        });
        Self {
            body,
            work: work.collect(),
            next: 0,
            key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]),
        }
    }

    fn run(&mut self) {
        let work = &self.work[self.next];
        self.next = (self.next + 1) % self.work.len();
        black_box(digest::digest(&digest::SHA256, black_box(&self.body)));
        black_box(digest::digest(&digest::SHA256, black_box(&work.canonical)));
        let text = work.string_to_sign.as_bytes();
        black_box(hmac::sign(&self.key, black_box(text)));
    }
}

/// Signs these requests in turn.
pub(super) fn sign(name: String, requests: Vec<Parts>, size: usize) -> Group {
    struct Visitor<'a>(&'a [Parts], usize, Vec<Contender>);
    impl VisitSigners for Visitor<'_> {
        fn signer<S: Signer + 'static>(&mut self) {
            let (requests, mut next, body) = (self.0.to_vec(), 0, vec![b'x'; self.1]);
            let signer = std::rc::Rc::new(S::new(&keys(), TIME));
            let preparing = std::rc::Rc::clone(&signer);
            let prepare = move || {
                next = (next + 1) % requests.len();
                preparing.prepare(requests[next].clone())
            };
            let sign = move |request: &mut S::Request| {
                let signed = signer.sign(request, black_box(&body));
                assert!(signed.is_ok(), "{} does not sign", S::NAME);
            };
            self.2.push(Contender::prepared(S::NAME, prepare, sign));
        }
    }
    Group::new(name, 1, move || {
        let mut limit = Limit::new(&requests, size);
        let limit = Contender::new("limit", move || limit.run());
        let mut visitor = Visitor(&requests, size, vec![limit]);
        each_signer(&mut visitor);
        if let [request] = &requests[..] {
            visitor.2.push(least(request, size));
        }
        visitor.2
    })
}

const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");

/// The minimum for signing a request: the work of the limit, with each hash where the next one
/// needs it, and the new headers. The canonical request is computed in advance.
fn least(request: &Parts, size: usize) -> Contender {
    let limit = Limit::new(std::slice::from_ref(request), size);
    let mut signed = request.clone();
    let payload = PayloadHash::of(&limit.body);
    signer().sign(&mut signed, &payload, timestamp()).unwrap();
    let text = |name: &str| signed.headers[name].to_str().unwrap().to_owned();
    let (authorization, date) = (text("authorization"), text("x-amz-date"));
    let before = authorization[..authorization.len() - 64].to_owned();
    let (token, request) = (signed.headers[SECURITY_TOKEN].clone(), request.clone());
    let work = move |parts: &mut Parts| {
        let work = &limit.work[0];
        let (mut canonical, length) = ([0; 2048], work.canonical.len());
        canonical[..length].copy_from_slice(black_box(&work.canonical));
        black_box(PayloadHash::of(black_box(&limit.body)));
        let hash = digest::digest(&digest::SHA256, &canonical[..length]);
        let template = black_box(work.string_to_sign.as_bytes());
        let (mut text, length) = ([0; 224], template.len());
        text[..length].copy_from_slice(template);
        hex::encode_to_slice(hash, &mut text[length - 64..length]).unwrap();
        let signature = hmac::sign(&limit.key, &text[..length]);
        let mut value = Vec::with_capacity(before.len() + 64);
        value.extend_from_slice(black_box(&before).as_bytes());
        value.resize(before.len() + 64, 0);
        hex::encode_to_slice(signature, &mut value[before.len()..]).unwrap();
        let date = black_box(&date).parse().unwrap();
        let headers = &mut parts.headers;
        headers.reserve(3);
        headers.insert(SECURITY_TOKEN, token.clone());
        headers.insert(DATE, date);
        headers.insert(AUTHORIZATION, HeaderValue::try_from(value).unwrap());
    };
    Contender::prepared("the minimum", move || request.clone(), work)
}

/// Verifies a request, which no peer does. The limit is that of signing.
fn verify(name: String, request: Parts, size: usize) -> Group {
    Group::new(name, 1, move || {
        let mut limit = Limit::new(std::slice::from_ref(&request), size);
        let (mut parts, body) = (request.clone(), vec![b'x'; size]);
        let payload = PayloadHash::of(&body);
        signer().sign(&mut parts, &payload, timestamp()).unwrap();
        let (verifier, keys) = (Verifier::new(REGION, SERVICE).unwrap(), credentials());
        vec![
            Contender::new("limit", move || limit.run()),
            Contender::new(OURS, move || {
                let payload = PayloadHash::of(black_box(&body));
                let verified = verifier.verify(&parts, &payload, &keys, timestamp());
                black_box(verified.unwrap());
            }),
        ]
    })
}
