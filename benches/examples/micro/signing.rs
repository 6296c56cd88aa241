//! Signing and verifying, compared with the peers and the limit: SHA-256 of body and canonical
//! request, and one HMAC, with the key kept.

use std::future::Future;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::SystemTime;

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as aws_sign};
use aws_sigv4::sign::v4::SigningParams;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::request::Parts;
use lambda_invoke_benches::fixture::{KEY_ID, REGION, SECRET, SERVICE, request, requests, token};
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, PayloadHash, Signer, StringToSign, Timestamp, Verifier,
};
use reqsign_core::SignRequest;
use ring::{digest, hmac};

use crate::contest::{Contender, Contest};

/// The limit: hashes and HMAC over bytes at hand.
pub struct Limit {
    canonical: Vec<u8>,
    string_to_sign: StringToSign,
    key: hmac::Key,
}

impl Limit {
    pub fn new(body: &[u8], time: Timestamp) -> Self {
        let (mut parts, payload) = (request(), PayloadHash::of(body));
        signer().sign(&mut parts, &payload, time).unwrap();
        let canonical = CanonicalRequest::of(
            &(&parts).into(),
            &payload,
            &lambda_invoke_sigv4::SigningSettings::default(),
        );
        let canonical = canonical.to_bytes().to_vec();
        assert!(
            (1350..1550).contains(&canonical.len()),
            "{}",
            canonical.len()
        );
        Self {
            canonical,
            string_to_sign: StringToSign::new(time, REGION, SERVICE, [0; 32]),
            key: hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]),
        }
    }

    pub fn run(&self, body: &[u8]) {
        black_box(digest::digest(&digest::SHA256, black_box(body)));
        black_box(digest::digest(&digest::SHA256, black_box(&self.canonical)));
        black_box(hmac::sign(
            &self.key,
            black_box(self.string_to_sign.as_bytes()),
        ));
    }
}

/// The minimum of signing a request: the limit's work, with each hash where the next one needs it,
/// and the new headers. The canonical request is at hand.
pub struct Least {
    limit: Limit,
    /// The value of `authorization` up to the signature.
    before: String,
    token: HeaderValue,
    date: String,
}

impl Least {
    pub fn new(body: &[u8], time: Timestamp) -> Self {
        let mut parts = request();
        signer()
            .sign(&mut parts, &PayloadHash::of(body), time)
            .unwrap();
        let text = |name: &str| parts.headers[name].to_str().unwrap().to_owned();
        let (authorization, date) = (text("authorization"), text("x-amz-date"));
        Self {
            limit: Limit::new(body, time),
            before: authorization[..authorization.len() - 64].to_owned(),
            token: parts.headers["x-amz-security-token"].clone(),
            date,
        }
    }

    pub fn run(&self, body: &[u8], parts: &mut Parts) {
        let limit = &self.limit;
        let (mut canonical, length) = ([0; 2048], limit.canonical.len());
        canonical[..length].copy_from_slice(black_box(&limit.canonical));
        black_box(PayloadHash::of(black_box(body)));
        let hash = digest::digest(&digest::SHA256, &canonical[..length]);
        let template = black_box(limit.string_to_sign.as_bytes());
        let (mut text, length) = ([0; 224], template.len());
        text[..length].copy_from_slice(template);
        hex::encode_to_slice(hash, &mut text[length - 64..length]).unwrap();
        let signature = hmac::sign(&limit.key, &text[..length]);
        let mut value = Vec::with_capacity(self.before.len() + 64);
        value.extend_from_slice(black_box(&self.before).as_bytes());
        value.resize(self.before.len() + 64, 0);
        hex::encode_to_slice(signature, &mut value[self.before.len()..]).unwrap();
        let date = black_box(&self.date).parse().unwrap();
        let headers = &mut parts.headers;
        headers.insert(SECURITY_TOKEN, self.token.clone());
        headers.insert(DATE, date);
        headers.insert(AUTHORIZATION, HeaderValue::try_from(value).unwrap());
    }
}

const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const DATE: HeaderName = HeaderName::from_static("x-amz-date");

pub fn credentials() -> Credentials {
    Credentials::new(KEY_ID, SECRET)
        .unwrap()
        .with_session_token(token())
        .unwrap()
}

pub fn signer() -> Signer {
    Signer::new(credentials(), REGION, SERVICE).unwrap()
}

pub fn now() -> Timestamp {
    Timestamp::try_from(SystemTime::now()).unwrap()
}

pub fn sign(contest: &Contest) {
    for size in [0, 1024] {
        let body = &vec![b'x'; size][..];
        let time = now();
        let limit = Limit::new(body, time);

        let identity = aws_credential_types::Credentials::from_keys(KEY_ID, SECRET, Some(token()));
        let identity = identity.into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(SERVICE)
            .time(time.into())
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();

        let reqsign = reqsign_aws_v4::RequestSigner::new(SERVICE, REGION);
        let credential = reqsign_aws_v4::Credential {
            access_key_id: KEY_ID.to_owned(),
            secret_access_key: SECRET.to_owned(),
            session_token: Some(token()),
            expires_in: None,
        };
        let context = reqsign_core::Context::new();

        let least = Least::new(body, time);
        let with = |signer: Signer| {
            move |parts: &mut _| {
                signer
                    .sign(parts, &PayloadHash::of(black_box(body)), time)
                    .unwrap();
            }
        };
        let contenders = vec![
            Contender::new("limit", || limit.run(body)),
            Contender::prepared("ours", request, with(signer())),
            Contender::prepared("the minimum", request, |parts| least.run(body, parts)),
            Contender::prepared("100 functions in turn", requests(100), with(signer())),
            Contender::prepared(
                "aws-sigv4",
                || http::Request::from_parts(request(), ()),
                |request| {
                    let headers = request.headers().iter();
                    let signable = SignableRequest::new(
                        request.method().as_str(),
                        request.uri().to_string(),
                        headers.map(|(name, value)| (name.as_str(), value.to_str().unwrap())),
                        SignableBody::Bytes(black_box(body)),
                    )
                    .unwrap();
                    let (instructions, _) = aws_sign(signable, &params).unwrap().into_parts();
                    instructions.apply_to_request_http1x(request);
                },
            ),
            Contender::prepared("reqsign-aws-v4", request, |parts| {
                // The signature covers the body only if its hash is a header.
                let hash = hex::encode(digest::digest(&digest::SHA256, black_box(body)));
                parts
                    .headers
                    .insert("x-amz-content-sha256", hash.parse().unwrap());
                ready(reqsign.sign_request(&context, parts, Some(&credential), None)).unwrap();
            }),
        ];
        contest.group(&format!("sign/{size}"), 1, contenders);
    }
}

/// No peer verifies. The limit is that of signing.
pub fn verify(contest: &Contest) {
    for size in [0, 1024] {
        let body = &vec![b'x'; size][..];
        let (mut parts, time, credentials) = (request(), now(), credentials());
        signer()
            .sign(&mut parts, &PayloadHash::of(body), time)
            .unwrap();
        let limit = Limit::new(body, time);
        let verifier = Verifier::new(REGION, SERVICE).unwrap();
        let contenders = vec![
            Contender::new("limit", || limit.run(body)),
            Contender::new("ours", || {
                let payload = PayloadHash::of(black_box(body));
                verifier
                    .verify(&parts, &payload, &credentials, time)
                    .unwrap();
            }),
        ];
        contest.group(&format!("verify/{size}"), 1, contenders);
    }
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("signing waited"),
    }
}
