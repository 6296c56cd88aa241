//! `aws-sigv4`, the SDK's signer.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use aws_smithy_runtime_api::client::identity::Identity;
use http::Request;
use http::request::Parts;
use lambda_invoke_testing::signer::{Keys, Signer};

pub struct Contender {
    identity: Identity,
    region: String,
    service: String,
    time: SystemTime,
}

impl Signer for Contender {
    const NAME: &'static str = "aws-sigv4";
    type Request = Request<()>;
    type Error = String;

    fn new(keys: &Keys, time: Duration) -> Self {
        let (id, secret) = (&*keys.access_key_id, &*keys.secret);
        let token = keys.session_token.clone();
        let credentials = aws_credential_types::Credentials::from_keys(id, secret, token);
        Self {
            identity: credentials.into(),
            region: keys.region.clone(),
            service: keys.service.clone(),
            time: SystemTime::UNIX_EPOCH + time,
        }
    }

    fn prepare(&self, request: Parts) -> Request<()> {
        Request::from_parts(request, ())
    }

    fn sign(&self, request: &mut Request<()>, body: &[u8]) -> Result<(), String> {
        let params = SigningParams::builder()
            .identity(&self.identity)
            .region(&self.region)
            .name(&self.service)
            .time(self.time)
            .settings(SigningSettings::default())
            .build()
            .map_err(|error| error.to_string())?
            .into();
        let mut headers = Vec::with_capacity(request.headers().len());
        for (name, value) in request.headers() {
            let value = value.to_str().map_err(|error| error.to_string())?;
            headers.push((name.as_str(), value));
        }
        let signable = SignableRequest::new(
            request.method().as_str(),
            request.uri().to_string(),
            headers.into_iter(),
            SignableBody::Bytes(body),
        );
        let signable = signable.map_err(|error| error.to_string())?;
        let output = sign(signable, &params).map_err(|error| error.to_string())?;
        let (instructions, _) = output.into_parts();
        instructions.apply_to_request_http1x(request);
        Ok(())
    }

    fn signed(request: Request<()>) -> Parts {
        request.into_parts().0
    }

    fn claims(request: &Parts) -> bool {
        // `aws-sigv4` reads `+` as a space, replaces bytes that are not UTF-8, escaped ones as well, and
        // covers a presigned request's signature, although it is not part of what is signed.
        let query = request.uri.query().unwrap_or_default();
        let is_ascii = request.uri.path().is_ascii() && query.is_ascii();
        let text = String::from_utf8(unescaped(query));
        let is_plain = text.is_ok_and(|text| !text.contains("X-Amz-Signature"));
        !query.contains('+') && is_ascii && is_plain
    }
}

/// Decodes the percent-encoded bytes of a text.
fn unescaped(text: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = digits.and_then(|digits| {
            let digits = std::str::from_utf8(digits).ok()?;
            u8::from_str_radix(digits, 16).ok()
        });
        bytes.push(escaped.unwrap_or(*first));
        rest = if escaped.is_some() {
            &after[2..]
        } else {
            after
        };
    }
    bytes
}
