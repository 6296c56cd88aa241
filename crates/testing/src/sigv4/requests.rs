//! Requests to sign, composed of characters that are special in some part of a request, and of
//! arbitrary bytes.

use std::time::Duration;

use arbitrary::Arbitrary;
use lambda_invoke_sigv4::{
    Credentials, PathEncoding, PayloadHash, RawRequest, SessionTokenMode, Signer, SigningSettings,
    Timestamp, Verified, Verifier, VerifyError,
};

pub(super) const SECRET: &str = "hunter2/SECRET";
pub(super) const TOKEN: &str = "sess10n/TOKEN==";
pub(super) const EXPIRES: Duration = Duration::from_secs(3600);

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
    pub(super) fn case(&self) -> Option<Case> {
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
        let mut credentials = Credentials::new("AKIDEXAMPLE", SECRET).ok()?;
        if self.has_token {
            credentials = credentials.with_session_token(TOKEN).ok()?;
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
        let signer = Signer::new(credentials, "us-east-1", "lambda").ok()?;
        let verifier = Verifier::new("us-east-1", "lambda")
            .ok()?
            .with_settings(settings.clone());
        Some(Case {
            request,
            signer: signer.with_settings(settings),
            verifier,
            payload: PayloadHash::of(&self.body),
            time: Timestamp::from_secs(self.time.into()).ok()?,
        })
    }
}

impl Case {
    /// The request signed by headers; `None` if the query has parameters that signing owns.
    pub(super) fn signed(&self) -> Option<Request> {
        let added = self
            .request
            .with(|raw| self.signer.sign_raw(raw, &self.payload, self.time));
        let added = added.expect("it was made of valid pieces").ok()?;
        let mut signed = self.request.clone();
        for (name, value) in added.iter() {
            signed.put(name, value.as_bytes());
        }
        Some(signed)
    }

    /// The presigned request.
    pub(super) fn presigned(&self) -> Option<Request> {
        let presigned = self
            .request
            .with(|raw| {
                self.signer
                    .presign_raw(raw, &self.payload, self.time, EXPIRES)
            })
            .expect("it was made of valid pieces")
            .ok()?;
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
