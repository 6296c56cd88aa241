//! Properties of `lambda-invoke-sigv4`.

use std::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, NEVER_SIGNED, PathEncoding, PayloadHash, RawRequest,
    SessionTokenMode, Signer, SigningSettings, Timestamp, Verified, Verifier, VerifyError,
};

const SECRET: &str = "hunter2/SECRET";
const TOKEN: &str = "sess10n/TOKEN==";
const EXPIRES: Duration = Duration::from_secs(3600);

/// Text of which paths, queries and values are made: what is special somewhere, and any byte.
#[derive(Clone, Copy, Debug, Arbitrary)]
enum Atom {
    Special(u8),
    Any(u8),
}

const SPECIAL: [&[u8]; 32] = [
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

fn text(atoms: &[Atom]) -> Vec<u8> {
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
struct Made {
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

/// A request of its own, so that it can be changed.
#[derive(Clone, Debug, PartialEq)]
struct Request {
    method: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    headers: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Request {
    /// The same borrowed, if it is one.
    fn with<T>(&self, run: impl FnOnce(&RawRequest<'_>) -> T) -> Option<T> {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let mut headers = Vec::new();
        for (name, value) in &self.headers {
            headers.push((text(name)?, value.as_slice()));
        }
        let query = Some(self.query.as_slice());
        let raw = RawRequest::new(text(&self.method)?, self.path.as_slice(), query, headers);
        Some(run(&raw.ok()?))
    }

    fn put(&mut self, name: &str, value: &[u8]) {
        self.headers
            .retain(|(old, _)| !old.eq_ignore_ascii_case(name.as_bytes()));
        self.headers
            .push((name.as_bytes().to_vec(), value.to_vec()));
    }
}

struct Case {
    request: Request,
    signer: Signer,
    verifier: Verifier,
    payload: PayloadHash,
    time: Timestamp,
}

impl Made {
    fn case(&self) -> Option<Case> {
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
    /// Signed by headers; nothing if the query has parameters that signing owns.
    fn signed(&self) -> Option<Request> {
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

    /// Presigned.
    fn presigned(&self) -> Option<Request> {
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

    fn verify(&self, request: &Request) -> Option<Result<Verified<'static>, VerifyError>> {
        let (keys, payload) = (self.signer.credentials(), &self.payload);
        request.with(|raw| {
            self.verifier
                .verify_raw(raw, payload, keys, self.time)
                .map(Verified::into_owned)
        })
    }
}

/// The naive twin: the canonical request as a string, step by step as the reference describes it.
/// `names` are the headers that it covers.
fn canonical(
    request: &Request,
    settings: &SigningSettings,
    payload: &PayloadHash,
    names: &str,
) -> Vec<u8> {
    canonical_with(request, settings, payload, names, BLANK[0])
}

/// What is blank in the value of a header: to the official vectors, to JavaScript now and before, and
/// to Python.
const BLANK: [fn(char) -> bool; 4] = [
    |letter| letter == ' ',
    |letter| matches!(letter, ' ' | '\t'),
    |letter| letter == '\u{feff}' || letter.is_whitespace() && letter != '\u{85}',
    |letter| letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter),
];

fn canonical_with(
    request: &Request,
    settings: &SigningSettings,
    payload: &PayloadHash,
    names: &str,
    blank: fn(char) -> bool,
) -> Vec<u8> {
    let mut built = request.method.clone();
    built.push(b'\n');
    built.extend(canonical_path(&request.path, settings));
    built.push(b'\n');
    built.extend(canonical_query(&request.query, settings));
    built.push(b'\n');
    for name in names.split(';') {
        let values: Vec<Vec<u8>> = request
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| trimmed(value, blank))
            .collect();
        built.extend_from_slice(name.as_bytes());
        built.push(b':');
        built.extend(values.join(&b','));
        built.push(b'\n');
    }
    built.push(b'\n');
    built.extend_from_slice(names.as_bytes());
    built.push(b'\n');
    built.extend_from_slice(payload.to_string().as_bytes());
    built
}

fn trimmed(value: &[u8], blank: fn(char) -> bool) -> Vec<u8> {
    let words: Vec<&[u8]> = match std::str::from_utf8(value) {
        Ok(text) => text.split(blank).map(str::as_bytes).collect(),
        Err(_) => value.split(|byte| blank(char::from(*byte))).collect(),
    };
    let words: Vec<&[u8]> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

fn percent(bytes: &[u8], stays: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut encoded = Vec::new();
    for &byte in bytes {
        if stays(byte) {
            encoded.push(byte);
        } else {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    encoded
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn canonical_path(path: &[u8], settings: &SigningSettings) -> Vec<u8> {
    let mut path = path.to_vec();
    if settings.normalize_path {
        let mut segments: Vec<&[u8]> = Vec::new();
        for segment in path.split(|byte| *byte == b'/') {
            match segment {
                b"" | b"." => {}
                b".." => drop(segments.pop()),
                other => segments.push(other),
            }
        }
        let folder = [&b"/"[..], b"/.", b"/.."]
            .iter()
            .any(|end| path.ends_with(end))
            || path == b"."
            || path == b"..";
        let mut normal: Vec<u8> = segments
            .iter()
            .flat_map(|name| [b"/", *name].concat())
            .collect();
        if folder || normal.is_empty() {
            normal.push(b'/');
        }
        path = normal;
    }
    if path.is_empty() {
        path.push(b'/');
    }
    match settings.path_encoding {
        PathEncoding::Double => percent(&path, |byte| is_unreserved(byte) || byte == b'/'),
        _ => percent(&path, |byte| byte.is_ascii_graphic()),
    }
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|digits| std::str::from_utf8(digits).ok()) {
            Some(digits) => {
                decoded.push(u8::from_str_radix(digits, 16).expect("two digits"));
                at += 3;
            }
            None => {
                decoded.push(text[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn canonical_query(query: &[u8], settings: &SigningSettings) -> Vec<u8> {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for piece in query
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
    {
        let mut halves = piece.splitn(2, |byte| *byte == b'=').map(percent_decoded);
        let (name, value) = (
            halves.next().unwrap_or_default(),
            halves.next().unwrap_or_default(),
        );
        let appended = settings.session_token == SessionTokenMode::Appended;
        if name != b"X-Amz-Signature" && !(appended && name == b"X-Amz-Security-Token") {
            pairs.push((
                percent(&name, is_unreserved),
                percent(&value, is_unreserved),
            ));
        }
    }
    pairs.sort();
    let pairs: Vec<Vec<u8>> = pairs
        .into_iter()
        .map(|(name, value)| [name, b"=".to_vec(), value].concat())
        .collect();
    pairs.join(&b'&')
}

/// The names that signing by headers covers, by the naive twin.
fn covered(request: &Request, settings: &SigningSettings) -> String {
    let mut names: Vec<String> = request
        .headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase())
        .filter(|name| !NEVER_SIGNED.contains(&name.as_str()))
        .filter(|name| {
            settings.session_token == SessionTokenMode::Signed || name != "x-amz-security-token"
        })
        .collect();
    names.sort();
    names.dedup();
    names.join(";")
}

/// What was signed verifies, by headers and by query, and says who signed it and when.
pub fn sign_verify(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let Some(case) = made.case() else { return };
    let signed = case.signed();
    // By what the signer remembers now.
    assert_eq!(case.signed(), signed);
    for (request, expires) in [(signed, None), (case.presigned(), Some(EXPIRES))] {
        let Some(request) = request else { continue };
        let verified = case
            .verify(&request)
            .expect("a request")
            .expect("its own signature");
        assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
        assert_eq!(
            (verified.timestamp(), verified.expires()),
            (case.time, expires)
        );
        // With another secret it does not.
        let other = Credentials::new("AKIDEXAMPLE", "other").expect("a key");
        let refused = request.with(|raw| {
            case.verifier
                .verify_raw(raw, &case.payload, &other, case.time)
                .map(drop)
        });
        assert!(matches!(
            refused,
            Some(Err(VerifyError::SignatureMismatch(_)))
        ));
    }
}

/// The canonical request is that of a naive twin, which builds it as a string.
pub fn canonical_twin(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let Some(case) = made.case() else { return };
    let settings = case.signer.settings();
    for request in [Some(case.request.clone()), case.signed()]
        .into_iter()
        .flatten()
    {
        let names = covered(&request, settings);
        let expected = canonical(&request, settings, &case.payload, &names);
        request.with(|raw| {
            let ours = CanonicalRequest::of(raw, &case.payload, settings);
            // A query that claims to be presigned leaves two more headers out; there are none here.
            assert_eq!(
                String::from_utf8_lossy(&ours.to_bytes()),
                String::from_utf8_lossy(&expected)
            );
            assert_eq!(ours.to_bytes(), expected);
            assert_eq!(ours.signed_headers(), names);
            let hash = PayloadHash::of(&expected);
            assert_eq!(PayloadHash::Sha256(ours.hash()), hash);
        });
    }
}

/// A change of one byte is refused, unless it changes nothing that is covered.
pub fn tampered(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((place, at, byte, presign)) = <(u8, u16, u8, bool)>::arbitrary(&mut input) else {
        return;
    };
    let Ok(made) = Made::arbitrary(&mut input) else {
        return;
    };
    let Some(case) = made.case() else { return };
    let original = if presign {
        case.presigned()
    } else {
        case.signed()
    };
    let Some(original) = original else { return };
    let verified = case
        .verify(&original)
        .expect("a request")
        .expect("its own signature");
    let names = verified.signed_headers().collect::<Vec<_>>().join(";");

    let mut changed = original.clone();
    let count = changed.headers.len();
    let bytes = match usize::from(place) % (3 + 2 * count) {
        0 => &mut changed.method,
        1 => &mut changed.path,
        2 => &mut changed.query,
        place if place % 2 == 1 => &mut changed.headers[(place - 3) / 2].0,
        place => &mut changed.headers[(place - 3) / 2].1,
    };
    if bytes.is_empty() {
        return;
    }
    let at = usize::from(at) % bytes.len();
    bytes[at] = byte;
    if !matches!(case.verify(&changed), Some(Ok(_))) {
        return;
    }
    let settings = case.signer.settings();
    let signed = canonical(&original, settings, &case.payload, &names);
    let same = BLANK
        .iter()
        .any(|blank| canonical_with(&changed, settings, &case.payload, &names, *blank) == signed);
    assert!(same, "{changed:?}");
    // Blanks and empty pieces apart, the authorization header is as it was; so is the token.
    let authorization = |request: &Request| {
        let mut value = header(request, "authorization").unwrap_or_default();
        value.retain(|byte| !matches!(byte, b' ' | b'\t' | b','));
        value
    };
    assert_eq!(authorization(&changed), authorization(&original));
    let token = "x-amz-security-token";
    assert_eq!(header(&changed, token), header(&original, token));
}

fn header(request: &Request, name: &str) -> Option<Vec<u8>> {
    let found = request
        .headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, value)| value.clone())
}

/// Claims of a signature, made of pieces that are nearly right.
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

/// No claim of a signature makes the verifier panic, none is believed without the secret, and what
/// it answers has neither the secret nor the token in it.
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
    let refused = request
        .with(|raw| {
            verifier
                .verify_raw(raw, &PayloadHash::EMPTY, &keys, now)
                .map(drop)
        })
        .expect("a request")
        .expect_err("nobody has the secret");
    for shown in [
        refused.to_string(),
        refused.service_message(),
        format!("{refused:?}"),
    ] {
        assert!(!shown.is_empty());
        assert!(
            !shown.contains("hunter2") && !shown.contains("sess10n"),
            "{shown}"
        );
    }
    assert!(refused.code().ends_with("Exception"));
}

/// A timestamp is read exactly if it is written so.
pub fn timestamp(data: &[u8]) {
    if let Some((seconds, _)) = data.split_first_chunk() {
        if let Ok(time) = Timestamp::from_secs(u64::from_be_bytes(*seconds) >> 24) {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string(), text);
        assert_eq!(Timestamp::from_secs(time.as_secs()), Ok(time));
    }
    if let Ok(time) = Timestamp::from_http_date(&text) {
        let written = time.to_string();
        // Day, year and time of day stand in both formats.
        assert_eq!(
            (&written[6..8], &written[..4]),
            (&text[5..7], &text[12..16])
        );
        assert_eq!(written[9..15], text[17..25].replace(':', ""));
    }
}
