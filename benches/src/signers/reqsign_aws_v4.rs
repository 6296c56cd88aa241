//! `reqsign-aws-v4`.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;
use lambda_invoke_testing::signer::{Keys, Signer};
use reqsign_aws_v4::{Credential, RequestSigner};
use reqsign_core::SignRequest;

pub struct Contender {
    signer: RequestSigner,
    credential: Credential,
    context: reqsign_core::Context,
}

impl Signer for Contender {
    const NAME: &'static str = "reqsign-aws-v4";
    const READS_CLOCK: bool = true;
    type Request = Parts;
    type Error = String;

    fn new(keys: &Keys, _: Duration) -> Self {
        Self {
            signer: RequestSigner::new(&keys.service, &keys.region),
            credential: Credential {
                access_key_id: keys.access_key_id.clone(),
                secret_access_key: keys.secret.clone(),
                session_token: keys.session_token.clone(),
                expires_in: None,
            },
            context: reqsign_core::Context::new(),
        }
    }

    fn prepare(&self, request: Parts) -> Parts {
        request
    }

    fn sign(&self, request: &mut Parts, body: &[u8]) -> Result<(), String> {
        // The signature covers the body only if its hash is sent as a header.
        let hash = hex::encode(ring::digest::digest(&ring::digest::SHA256, body));
        let hash = HeaderValue::from_str(&hash).map_err(|error| error.to_string())?;
        request.headers.insert("x-amz-content-sha256", hash);
        let signing =
            self.signer
                .sign_request(&self.context, request, Some(&self.credential), None);
        ready(signing).map_err(|error| error.to_string())
    }

    fn signed(request: Parts) -> Parts {
        request
    }

    fn claims(request: &Parts) -> bool {
        // This signer encodes the path once, as S3 requires, signs only one of several headers with
        // the same name, and does not collapse spaces.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let path = request.uri.path();
        let dots = path
            .split('/')
            .skip(1)
            .any(|part| ["", ".", ".."].contains(&part));
        let query = request.uri.query().unwrap_or_default();
        let headers = &request.headers;
        path.bytes().all(plain)
            && !dots
            && query.bytes().all(|byte| plain(byte) || b"=&".contains(&byte))
            && headers.keys_len() == headers.len()
            && headers.values().all(|value| value.as_bytes().iter().all(u8::is_ascii_graphic))
    }
}

/// Runs a future that never waits.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("signing waited"),
    }
}
