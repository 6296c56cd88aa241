//! Signs a request with both the project's signer and `aws-sigv4`.

use std::time::{Duration, SystemTime};

use aws_sigv4::http_request as theirs;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use http::HeaderValue;
use http::request::Parts;
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, NEVER_SIGNED, PathEncoding, PayloadHash, SessionTokenMode,
    Signature, Signer, SigningSettings, Timestamp, Verified, Verifier, VerifyError,
};

pub(crate) const ID: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
pub(crate) const TOKEN: &str =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqw==";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const SERVICE: &str = "lambda";
pub(crate) const EXPIRES: Duration = Duration::from_secs(900);

/// How to sign, in a form that both signers are configured from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct How {
    pub(crate) once: bool,
    pub(crate) normalize: bool,
    pub(crate) token: Option<SessionTokenMode>,
    pub(crate) sends_hash: bool,
    pub(crate) time: Timestamp,
}

impl How {
    pub(crate) fn default_at(time: &str) -> Self {
        Self {
            once: false,
            normalize: true,
            token: None,
            sends_hash: false,
            time: time.parse().unwrap(),
        }
    }

    pub(crate) fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        settings.path_encoding = if self.once {
            PathEncoding::Single
        } else {
            PathEncoding::Double
        };
        settings.normalize_path = self.normalize;
        settings.content_sha256_header = self.sends_hash;
        settings.session_token = self.token.unwrap_or(SessionTokenMode::Signed);
        settings
    }

    pub(crate) fn credentials(&self) -> Credentials {
        let credentials = Credentials::new(ID, SECRET).unwrap();
        match self.token {
            Some(_) => credentials.with_session_token(TOKEN).unwrap(),
            None => credentials,
        }
    }

    pub(crate) fn signer(&self) -> Signer {
        Signer::new(self.credentials(), REGION, SERVICE)
            .unwrap()
            .with_settings(self.settings())
    }

    pub(crate) fn verify<'a>(
        &self,
        parts: &'a Parts,
        body: &[u8],
    ) -> Result<Verified<'a>, VerifyError> {
        Verifier::new(REGION, SERVICE)
            .unwrap()
            .with_settings(self.settings())
            .verify(
                parts,
                &PayloadHash::of(body),
                &self.credentials(),
                self.time,
            )
    }

    /// Signs with `aws-sigv4`, and returns the request and the digits of the signature.
    pub(crate) fn theirs(&self, parts: &Parts, body: &[u8], presign: bool) -> (Parts, String) {
        let mut settings = theirs::SigningSettings::default();
        settings.percent_encoding_mode = if self.once {
            PercentEncodingMode::Single
        } else {
            PercentEncodingMode::Double
        };
        settings.uri_path_normalization_mode = UriPathNormalizationMode::from(self.normalize);
        if self.token == Some(SessionTokenMode::Appended) {
            settings.session_token_mode = theirs::SessionTokenMode::Exclude;
        }
        if self.sends_hash {
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        // The project's signer leaves out two more headers, which are about connections.
        settings.excluded_headers = Some(NEVER_SIGNED.iter().map(|name| (*name).into()).collect());
        if presign {
            settings.signature_location = SignatureLocation::QueryParams;
            settings.expires_in = Some(EXPIRES);
        }
        let token = self.token.map(|_| TOKEN.to_owned());
        let identity = aws_credential_types::Credentials::from_keys(ID, SECRET, token).into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(REGION)
            .name(SERVICE)
            .time(SystemTime::from(self.time))
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let headers = parts.headers.iter();
        let signable = SignableRequest::new(
            parts.method.as_str(),
            parts.uri.to_string(),
            headers.map(|(name, value)| {
                (
                    name.as_str(),
                    std::str::from_utf8(value.as_bytes()).unwrap(),
                )
            }),
            SignableBody::Bytes(body),
        )
        .unwrap();
        let (instructions, signature) = sign(signable, &params).unwrap().into_parts();
        let mut request = http::Request::from_parts(parts.clone(), ());
        instructions.apply_to_request_http1x(&mut request);
        (request.into_parts().0, signature)
    }

    /// Signs the same request with the project's signer.
    pub(crate) fn ours(&self, parts: &Parts, body: &[u8], presign: bool) -> (Parts, Signature) {
        let (mut parts, payload) = (parts.clone(), PayloadHash::of(body));
        let signature = if presign {
            self.signer()
                .presign(&mut parts, &payload, self.time, EXPIRES)
        } else {
            self.signer().sign(&mut parts, &payload, self.time)
        };
        (parts, signature.unwrap())
    }

    /// Checks that both signers agree, and that the verifier accepts the request that `aws-sigv4`
    /// signed.
    pub(crate) fn assert_same(&self, parts: &Parts, body: &[u8]) {
        for presign in [false, true] {
            let (theirs, signature) = self.theirs(parts, body, presign);
            let (ours, our_signature) = self.ours(parts, body, presign);
            let shown =
                CanonicalRequest::of(&(&ours).into(), &PayloadHash::of(body), &self.settings());
            assert_eq!(
                our_signature.to_string(),
                signature,
                "{self:?} {parts:?}\n{shown}"
            );
            if !presign {
                for name in ["authorization", "x-amz-date", "x-amz-security-token"] {
                    assert_eq!(theirs.headers.get(name), ours.headers.get(name), "{name}");
                }
            }
            for signed in [&theirs, &ours] {
                let verified = self.verify(signed, body);
                assert_eq!(
                    verified.map(|verified| verified.access_key_id() == ID),
                    Ok(true)
                );
            }
        }
    }
}

pub(crate) fn parts(uri: &str, headers: &[(String, Vec<u8>)]) -> Option<Parts> {
    let mut builder = http::Request::post(uri);
    for (name, value) in headers {
        builder = builder.header(name, HeaderValue::from_bytes(value).ok()?);
    }
    Some(builder.body(()).ok()?.into_parts().0)
}

pub(crate) fn function_names() -> Vec<&'static str> {
    vec![
        "f",
        "my_Function-1",
        "f:prod",
        "f:$LATEST",
        "f:1",
        "123456789012:f",
        "123456789012:function:f:prod",
        "function:f",
        "eu-west-1:123456789012:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "arn:aws:lambda:eu-west-1:123456789012:function:f:prod",
        "arn:aws:lambda:eu-west-1:123456789012:function:f:$LATEST",
        "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:$LATEST.PUBLISHED",
        "arn:aws-cn:lambda:cn-north-1:123456789012:function:my.function_name-1:1",
    ]
}

/// Encodes a function's name as clients do: everything but the unreserved characters.
pub(crate) fn encoded(name: &str) -> String {
    name.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
