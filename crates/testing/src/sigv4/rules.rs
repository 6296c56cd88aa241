//! Breaks one or several rules of the verifier, which must report the first of them in its
//! documented order.

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_sigv4::{
    Credentials, PayloadHash, SessionTokenMode, Signer, SigningSettings, Timestamp, Verifier,
    VerifyError,
};

use super::requests::{EXPIRES, Request, SECRET, TOKEN};

/// The default tolerance of a verifier, as in the service.
const TOLERANCE: u64 = 300;
/// 2016-09-28T17:47:24Z.
const SIGNED: u64 = 1_475_084_844;
/// A covered header, which can be dropped.
const COVERED: &str = "x-amz-log-type";
/// A header that the settings leave unsigned.
const EXEMPT: &str = "x-amz-cf-id";

/// Headers that a request may get after it was signed, and whether the signature must cover them.
const ADDED: [(&str, bool); 12] = [
    ("x-amz-acl", true),
    ("X-Amz-Meta-Note", true),
    ("x-amz-", true),
    ("x-amz-zzz", true),
    ("X-AMZ-TENANT-ID", true),
    ("x-amz-user-agent", false),
    ("x-amz-checksum-mode", false),
    ("X-Amz-Cf-Id", false),
    ("x-amzn-trace-id", false),
    ("x-am", false),
    ("content-language", false),
    ("via", false),
];

/// A request, how it is changed, and what the verifier expects instead.
#[derive(Debug, Arbitrary)]
struct Broken {
    presigned: bool,
    has_token: bool,
    appended: bool,
    sends_hash: bool,
    /// The tolerance of the verifier, unless it is the default.
    tolerance: Option<u16>,
    /// The verifier's clock, relative to a limit.
    clock: Clock,
    beyond: i8,
    added: Option<u8>,
    drops: bool,
    host: bool,
    region: bool,
    service: bool,
    terminator: bool,
    day: bool,
    key: Key,
    other_body: bool,
    other_token: bool,
    /// Headers that do not count if others are present: `date`, and a token if the query has one.
    beside: bool,
}

#[derive(Clone, Copy, Debug, Arbitrary)]
enum Clock {
    Right,
    Late,
    Early,
}

#[derive(Clone, Copy, Debug, PartialEq, Arbitrary)]
enum Key {
    Right,
    Unknown,
    Expired,
    Other,
}

/// What is expected, in the order in which the verifier checks.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Rule {
    Expired,
    NotYetCurrent,
    Host,
    Scope,
    Key,
    KeyExpired,
    Missing,
    Uncovered,
    Payload,
    Signature,
    Token,
}

fn broken(error: &VerifyError) -> Option<Rule> {
    Some(match error {
        VerifyError::Expired { .. } => Rule::Expired,
        VerifyError::NotYetCurrent { .. } => Rule::NotYetCurrent,
        VerifyError::HostNotSigned => Rule::Host,
        VerifyError::WrongScope(_) => Rule::Scope,
        VerifyError::UnknownKey => Rule::Key,
        VerifyError::CredentialsExpired => Rule::KeyExpired,
        VerifyError::SignedHeaderMissing(_) => Rule::Missing,
        VerifyError::HeaderNotSigned(_) => Rule::Uncovered,
        VerifyError::PayloadMismatch => Rule::Payload,
        VerifyError::SignatureMismatch(_) => Rule::Signature,
        VerifyError::InvalidSessionToken => Rule::Token,
        _ => return None,
    })
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(seconds).expect("in range")
}

impl Broken {
    fn settings(&self) -> SigningSettings {
        let mut settings = SigningSettings::default();
        settings.content_sha256_header = self.sends_hash;
        if self.appended {
            settings.session_token = SessionTokenMode::Appended;
        }
        let exempt = http::HeaderName::from_static(EXEMPT);
        settings.unsigned_headers.push(exempt);
        settings
    }

    fn tolerance(&self) -> u64 {
        self.tolerance.map_or(TOLERANCE, u64::from)
    }

    /// How long ago the request may have been signed.
    fn allowance(&self) -> u64 {
        match self.presigned {
            true => EXPIRES.as_secs(),
            false => self.tolerance(),
        }
    }

    /// The verifier's clock, in seconds after the signer's.
    fn clock(&self) -> i64 {
        let from = match self.clock {
            Clock::Right => 0,
            Clock::Late => self.allowance() as i64,
            Clock::Early => -(self.tolerance() as i64),
        };
        from + i64::from(self.beyond)
    }

    fn signed(&self) -> Request {
        let mut credentials = Credentials::new("AKIDEXAMPLE", SECRET).expect("a key");
        if self.has_token {
            credentials = credentials.with_session_token(TOKEN).expect("a token");
        }
        let signer = Signer::new(credentials, "us-east-1", "lambda").expect("a scope");
        let signer = signer.with_settings(self.settings());
        let header =
            |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let mut request = Request {
            method: b"POST".to_vec(),
            path: b"/2015-03-31/functions/f/invocations".to_vec(),
            query: b"Qualifier=1".to_vec(),
            headers: vec![
                header("Host", "localhost:9001"),
                header("Content-Type", "application/json"),
                header(COVERED, "Tail"),
            ],
        };
        let (payload, time) = (PayloadHash::of("{}"), at(SIGNED));
        if self.presigned {
            let presigned = request.with(|raw| signer.presign_raw(raw, &payload, time, EXPIRES));
            let presigned = presigned.expect("a request").expect("it can be presigned");
            request.query = presigned.query().as_bytes().to_vec();
        } else {
            let added = request.with(|raw| signer.sign_raw(raw, &payload, time));
            for (name, value) in added.expect("a request").expect("it can be signed").iter() {
                request.put(name, value.as_bytes());
            }
        }
        request
    }

    /// Changes the parts of the request that hold the claims of the signature.
    fn edit(&self, request: &mut Request, from: &str, to: &str) {
        let claims = if self.presigned {
            &mut request.query
        } else {
            let mut headers = request.headers.iter_mut();
            let found = headers.find(|(name, _)| name.eq_ignore_ascii_case(b"authorization"));
            &mut found.expect("it is signed").1
        };
        let text = String::from_utf8_lossy(claims);
        let separator = if self.presigned {
            ("%2F", "%3B")
        } else {
            ("/", ";")
        };
        let written = |text: &str| text.replace('/', separator.0).replace(';', separator.1);
        let changed = text.replacen(&written(from), &written(to), 1);
        assert_ne!(changed, text, "{from} is not there");
        *claims = changed.into_bytes();
    }

    /// Breaks the rules, and returns those that are broken now, in the verifier's order.
    fn apply(&self, request: &mut Request) -> Vec<Rule> {
        let mut rules = Vec::new();
        let clock = self.clock();
        if clock > self.allowance() as i64 {
            rules.push(Rule::Expired);
        } else if -clock > self.tolerance() as i64 {
            rules.push(Rule::NotYetCurrent);
        }
        if self.host {
            self.edit(request, ";host;", ";");
            rules.push(Rule::Host);
        }
        let mut scope = ["20160928", "us-east-1", "lambda", "aws4_request"];
        let wrong = [
            (self.day, 0, "20160929"),
            (self.region, 1, "us-east-2"),
            (self.service, 2, "lambd"),
            (self.terminator, 3, "aws4"),
        ];
        for (_, part, other) in wrong.iter().filter(|(is_wrong, ..)| *is_wrong) {
            scope[*part] = other;
        }
        if wrong.iter().any(|(is_wrong, ..)| *is_wrong) {
            self.edit(
                request,
                "/20160928/us-east-1/lambda/aws4_request",
                &format!("/{}", scope.join("/")),
            );
            rules.push(Rule::Scope);
        }
        match self.key {
            Key::Unknown => rules.push(Rule::Key),
            Key::Expired => rules.push(Rule::KeyExpired),
            Key::Right | Key::Other => {}
        }
        if self.drops {
            request
                .headers
                .retain(|(name, _)| name != COVERED.as_bytes());
            rules.push(Rule::Missing);
        }
        if let Some(added) = self.added {
            let (name, must) = ADDED[usize::from(added) % ADDED.len()];
            request
                .headers
                .push((name.as_bytes().to_vec(), b"1".to_vec()));
            if must {
                rules.push(Rule::Uncovered);
            }
        }
        if self.other_body && self.sends_hash && !self.presigned {
            rules.push(Rule::Payload);
        }
        if self.other_body || self.host || self.key == Key::Other {
            rules.push(Rule::Signature);
        }
        if self.other_token {
            rules.push(Rule::Token);
        }
        if self.beside {
            let mut add = |name: &str, value: &str| request.put(name, value.as_bytes());
            if self.presigned && self.has_token {
                // The token of the query counts.
                add("x-amz-security-token", "another");
            } else if self.presigned {
                // It counts like any other header of Amazon's that is not covered.
                add("x-amz-date", "20000101T000000Z");
                let before = rules.iter().take_while(|rule| **rule < Rule::Uncovered);
                rules.insert(before.count(), Rule::Uncovered);
            } else {
                add("date", "Sat, 01 Jan 2000 00:00:00 GMT");
            }
        }
        rules
    }
}

impl PartialOrd for Rule {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        (*self as u8).partial_cmp(&(*other as u8))
    }
}

/// A request that breaks some rules is rejected for the first of them in the verifier's order, and one
/// that breaks none is accepted: the time and the scope, `host` and Amazon's headers, the body, the key
/// and its token.
///
/// A header that must be covered and a hash of another body are checked in the order of their
/// names, so either may be reported first.
pub fn rules(data: &[u8]) {
    let Ok(case) = Broken::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let mut request = case.signed();
    let rules = case.apply(&mut request);
    let mut verifier = Verifier::new("us-east-1", "lambda")
        .expect("a scope")
        .with_settings(case.settings());
    if let Some(tolerance) = case.tolerance {
        verifier = verifier.with_tolerance(Duration::from_secs(tolerance.into()));
    }
    let now = at(SIGNED.checked_add_signed(case.clock()).expect("in range"));
    let id = if case.key == Key::Unknown {
        "AKIDOTHER"
    } else {
        "AKIDEXAMPLE"
    };
    let secret = if case.key == Key::Other {
        "other"
    } else {
        SECRET
    };
    let mut keys = Credentials::new(id, secret).expect("a key");
    let token = match (case.has_token, case.other_token) {
        (true, false) => Some(TOKEN),
        (true, true) => None,
        (false, other) => other.then_some("an-own-token"),
    };
    if let Some(token) = token {
        keys = keys.with_session_token(token).expect("a token");
    }
    // A key that expires one second later is still valid.
    keys = match case.key {
        Key::Expired => keys.with_expiry(now),
        _ => keys.with_expiry(at(now.as_secs() + 1)),
    };
    let payload = PayloadHash::of(if case.other_body { "[]" } else { "{}" });
    let verified = request
        .with(|raw| verifier.verify_raw(raw, &payload, &keys, now).map(drop))
        .expect("a request");
    let Some(first) = rules.first() else {
        assert_eq!(verified, Ok(()), "{case:?}");
        return;
    };
    let error = verified.expect_err("it breaks a rule");
    let found = broken(&error).unwrap_or_else(|| panic!("{error:?}, expected {first:?}"));
    let either = [Rule::Uncovered, Rule::Payload];
    let same_place = either.contains(first) && either.contains(&found) && rules.contains(&found);
    assert!(
        found == *first || same_place,
        "{found:?}, expected {first:?} of {rules:?}"
    );
    case.assert_details(&error, now);
}

impl Broken {
    /// The error reports what was broken.
    fn assert_details(&self, error: &VerifyError, at_verifier: Timestamp) {
        match error {
            VerifyError::Expired {
                signed,
                now,
                allowance,
            } => {
                let said = (signed.as_secs(), *now, allowance.as_secs());
                assert_eq!(said, (SIGNED, at_verifier, self.allowance()));
            }
            VerifyError::NotYetCurrent {
                signed,
                now,
                tolerance,
            } => {
                let said = (signed.as_secs(), *now, tolerance.as_secs());
                assert_eq!(said, (SIGNED, at_verifier, self.tolerance()));
            }
            VerifyError::WrongScope(scope) => {
                assert_eq!(scope.region.as_deref(), self.region.then_some("us-east-1"));
                assert_eq!(scope.service.as_deref(), self.service.then_some("lambda"));
                assert_eq!(scope.terminator, self.terminator);
                assert_eq!(scope.date, self.day.then(|| at(SIGNED)));
            }
            VerifyError::SignedHeaderMissing(name) => assert_eq!(&**name, COVERED),
            VerifyError::HeaderNotSigned(name) => {
                let mut must = ADDED.iter().filter(|(_, must)| *must);
                let known = must.any(|(added, _)| added.eq_ignore_ascii_case(name));
                assert!(known || self.beside && &**name == "x-amz-date", "{name}");
            }
            _ => {}
        }
    }
}
