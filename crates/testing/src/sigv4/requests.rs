//! Requests to sign, composed of characters that are special in some part of a request, and of
//! arbitrary bytes.

use std::time::Duration;

use arbitrary::Arbitrary;
use lambda_invoke_sigv4::{
    Credentials, PathEncoding, PayloadHash, RawRequest, SessionTokenMode, SignError, Signer,
    SigningSettings, Timestamp, Verified, Verifier, VerifyError,
};

use super::twin::percent_decoded;

pub(super) const SECRET: &str = "hunter2/SECRET";
pub(super) const TOKEN: &str = "sess10n/TOKEN==";
pub(super) const EXPIRES: Duration = Duration::from_secs(3600);

/// The parameters of a presigned request: a request that has one of them is not signed again.
const PRESIGNED: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
];

/// The text that paths, queries and values are composed of: characters that are special in some
/// part of a request, and arbitrary bytes.
#[derive(Clone, Copy, Debug, Arbitrary)]
pub(super) enum Atom {
    Special(u8),
    Any(u8),
}

pub(super) const SPECIAL: [&[u8]; 32] = [
    b"/",
    b"//",
    b"/./",
    b"/../",
    b".",
    b"..",
    b"%",
    b"%2F",
    b"%2f",
    b"%7E",
    b"%C3%A9",
    b"%FF",
    b"+",
    b"&",
    b"=",
    b"?",
    b" ",
    b"   ",
    b"\t",
    b"\xc3\xa9",
    b"{",
    b"}",
    b"*",
    b"~",
    b"a",
    b"Z9",
    b";",
    b",",
    b"X-Amz-Dat",
    b"arn%3Aaws%3Alambda",
    b"$LATEST",
    b"\xff",
];

const NAMES: [&str; 12] = [
    "My-Header1",
    "my-header1",
    "MY-HEADER10",
    "content-type",
    "X-Amz-Log-Type",
    "x-amz-tenant-id",
    "a",
    "User-Agent",
    "expect",
    "X-Amzn-Trace-Id",
    "z",
    "range",
];

pub(super) fn text(atoms: &[Atom]) -> Vec<u8> {
    let mut text = Vec::new();
    for atom in atoms {
        match atom {
            Atom::Special(index) => {
                text.extend_from_slice(SPECIAL[usize::from(*index) % SPECIAL.len()]);
            }
            Atom::Any(byte) => text.push(*byte),
        }
    }
    text
}

/// A request and how to sign it.
#[derive(Debug, Arbitrary)]
pub(super) struct Made {
    path: Vec<Atom>,
    query: Option<Vec<Atom>>,
    headers: Vec<(u8, Vec<Atom>)>,
    body: Vec<u8>,
    time: u32,
    once: bool,
    normalize: bool,
    appended: bool,
    sends_hash: bool,
    has_token: bool,
}

/// An owned request, so that it can be changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(super) method: Vec<u8>,
    pub(super) path: Vec<u8>,
    pub(super) query: Vec<u8>,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// Runs `run` with the borrowed request, if it is valid.
    pub(super) fn with<T>(&self, run: impl FnOnce(&RawRequest<'_>) -> T) -> Option<T> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.push((text(name)?, value.as_slice()));
        }
        let query = Some(self.query.as_slice());
        let raw = RawRequest::new(text(&self.method)?, self.path.as_slice(), query, headers);
        Some(run(&raw.ok()?))
    }

    /// The request with these parts.
    pub(crate) fn from_parts(parts: &http::request::Parts) -> Self {
        let headers = parts.headers.iter();
        Self {
            method: parts.method.as_str().as_bytes().to_vec(),
            path: parts.uri.path().as_bytes().to_vec(),
            query: parts.uri.query().unwrap_or_default().as_bytes().to_vec(),
            headers: headers
                .map(|(name, value)| (name.as_str().as_bytes().to_vec(), value.as_bytes().to_vec()))
                .collect(),
        }
    }

    pub(super) fn put(&mut self, name: &str, value: &[u8]) {
        self.headers
            .retain(|(old, _)| !old.eq_ignore_ascii_case(name.as_bytes()));
        self.headers
            .push((name.as_bytes().to_vec(), value.to_vec()));
    }
}

pub(super) struct Case {
    pub(super) request: Request,
    pub(super) signer: Signer,
    pub(super) verifier: Verifier,
    pub(super) payload: PayloadHash,
    pub(super) time: Timestamp,
}

impl Made {
    pub(super) fn case(&self) -> Case {
        let mut settings = SigningSettings::default();
        settings.path_encoding = if self.once {
            PathEncoding::Single
        } else {
            PathEncoding::Double
        };
        settings.normalize_path = self.normalize;
        settings.content_sha256_header = self.sends_hash;
        if self.appended {
            settings.session_token = SessionTokenMode::Appended;
        }
        let mut credentials = Credentials::new("AKIDEXAMPLE", SECRET).expect("a key");
        if self.has_token {
            credentials = credentials.with_session_token(TOKEN).expect("a token");
        }
        let mut headers = vec![(b"Host".to_vec(), b"example.com:8000".to_vec())];
        for (name, value) in &self.headers {
            let name = NAMES[usize::from(*name) % NAMES.len()];
            let mut value = text(value);
            value.retain(|byte| !matches!(byte, 0 | b'\r' | b'\n'));
            headers.push((name.as_bytes().to_vec(), value));
        }
        let request = Request {
            method: b"POST".to_vec(),
            path: text(&self.path),
            query: self.query.as_deref().map(text).unwrap_or_default(),
            headers,
        };
        let signer = Signer::new(credentials, "us-east-1", "lambda").expect("a scope");
        let verifier = Verifier::new("us-east-1", "lambda")
            .expect("a scope")
            .with_settings(settings.clone());
        Case {
            request,
            signer: signer.with_settings(settings),
            verifier,
            payload: PayloadHash::of(&self.body),
            time: Timestamp::from_secs(self.time.into()).expect("in range"),
        }
    }
}

impl Case {
    /// Runs `sign`, which must reject the request for a parameter of a presigned one, and for nothing
    /// else.
    fn unless_presigned<T>(
        &self,
        sign: impl FnOnce(&RawRequest<'_>) -> Result<T, SignError>,
    ) -> Option<T> {
        let pieces = self.request.query.split(|byte| *byte == b'&');
        let names = pieces.map(|piece| piece.split(|byte| *byte == b'=').next());
        let names: Vec<Vec<u8>> = names.flatten().map(percent_decoded).collect();
        let is_there = |parameter: &str| names.iter().any(|name| name == parameter.as_bytes());
        let is_presigned = PRESIGNED.into_iter().any(is_there);
        match self.request.with(sign).expect("made of valid pieces") {
            Ok(signed) => {
                assert!(!is_presigned, "signed twice: {:?}", self.request);
                Some(signed)
            }
            Err(SignError::OwnedParameter(name)) => {
                assert!(is_there(name), "{name} is not in {:?}", self.request);
                None
            }
            Err(error) => panic!("{:?} is not signed: {error}", self.request),
        }
    }

    /// The request signed by headers; `None` if its query is that of a presigned request.
    pub(super) fn signed(&self) -> Option<Request> {
        let added =
            self.unless_presigned(|raw| self.signer.sign_raw(raw, &self.payload, self.time))?;
        let mut signed = self.request.clone();
        for (name, value) in added.iter() {
            signed.put(name, value.as_bytes());
        }
        Some(signed)
    }

    /// The request signed by its query; `None` if it is that of a presigned request already.
    pub(super) fn presigned(&self) -> Option<Request> {
        let presigned = self.unless_presigned(|raw| {
            self.signer
                .presign_raw(raw, &self.payload, self.time, EXPIRES)
        })?;
        let mut request = self.request.clone();
        request.query = presigned.query().as_bytes().to_vec();
        Some(request)
    }

    pub(super) fn verify(
        &self,
        request: &Request,
    ) -> Option<Result<Verified<'static>, VerifyError>> {
        let (keys, payload) = (self.signer.credentials(), &self.payload);
        request.with(|raw| {
            self.verifier
                .verify_raw(raw, payload, keys, self.time)
                .map(Verified::into_owned)
        })
    }
}
