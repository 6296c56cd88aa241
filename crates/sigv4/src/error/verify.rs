//! Why a request is rejected: for the operator, and in the service's words.

use core::fmt;
use core::time::Duration;

use crate::Timestamp;

/// Why a request is rejected.
///
/// `Display` is for the operator's log; [`code`](Self::code) and
/// [`service_message`](Self::service_message) are what AWS services return, with status 403.
/// Neither contains a secret, a session token or a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerifyError {
    /// The request has neither an `AWS4-` authorization nor a presigned query.
    MissingAuthenticationToken,
    /// The request has both an authorization and a presigned query.
    BothForms,
    /// The signature cannot be read.
    IncompleteSignature(Incomplete),
    /// The request was signed too long ago, or is presigned and has expired.
    Expired {
        /// The date of the signature.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// How long ago the request may have been signed: the tolerance, or the presigned request's
        /// own validity.
        allowance: Duration,
    },
    /// The request was signed in the future.
    NotYetCurrent {
        /// The date of the signature.
        signed: Timestamp,
        /// The verifier's time.
        now: Timestamp,
        /// How far ahead it may be.
        tolerance: Duration,
    },
    /// The signature does not cover `host`.
    HostNotSigned,
    /// The credential is for another region, service or day.
    WrongScope(Box<WrongScope>),
    /// There is no access key with this id.
    UnknownKey,
    /// The access key has expired.
    CredentialsExpired,
    /// The derived key given to the verifier is for another day, region or service.
    KeyOutOfScope,
    /// A header that the signature covers is absent.
    SignedHeaderMissing(Box<str>),
    /// The signature does not cover a header that it must cover.
    HeaderNotSigned(Box<str>),
    /// `x-amz-content-sha256` is not the hash of the body.
    PayloadMismatch,
    /// The signature does not match the request and the secret.
    SignatureMismatch(Box<Mismatch>),
    /// The session token is not the access key's own.
    InvalidSessionToken,
}

/// Why a signature cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incomplete {
    /// The authorization header lacks required parts (those that are `true`).
    HeaderRequires {
        /// `Credential`.
        credential: bool,
        /// `Signature`.
        signature: bool,
        /// `SignedHeaders`.
        signed_headers: bool,
        /// An `x-amz-date` or `date` header.
        date: bool,
    },
    /// The presigned query lacks required parameters (those that are `true`).
    QueryRequires {
        /// `X-Amz-Algorithm`.
        algorithm: bool,
        /// `X-Amz-Credential`.
        credential: bool,
        /// `X-Amz-Signature`.
        signature: bool,
        /// `X-Amz-SignedHeaders`.
        signed_headers: bool,
        /// `X-Amz-Date`.
        date: bool,
        /// `X-Amz-Expires`.
        expires: bool,
    },
    /// A piece of the authorization header is not `name=value`.
    NotKeyValue,
    /// The authorization header has a parameter other than the three.
    UnknownParameter,
    /// A header or parameter is repeated.
    Repeated(&'static str),
    /// A parameter of the presigned query is not UTF-8.
    NotUtf8,
    /// The algorithm is not `AWS4-HMAC-SHA256`.
    Algorithm,
    /// The date is malformed.
    Date,
    /// The validity of the presigned request is not 1 to 604,800 seconds.
    Expires,
    /// The credential does not have five elements.
    CredentialElements,
    /// The names of the covered headers are not sorted, in lower case and distinct.
    SignedHeaders,
    /// The signature is not 64 lower-case hexadecimal digits.
    Signature,
}

/// What is wrong with the scope of a credential: one or more of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct WrongScope {
    /// The expected region, if the credential has another one.
    pub region: Option<Box<str>>,
    /// The expected service, if the credential has another one.
    pub service: Option<Box<str>>,
    /// Whether the scope does not end in `aws4_request`.
    pub terminator: bool,
    /// The date whose day was expected, if the credential has another day.
    pub date: Option<Timestamp>,
}

/// What the verifier expected to be signed, to compare with what the client signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    canonical_request: Box<str>,
    string_to_sign: Box<str>,
}

impl Mismatch {
    pub(crate) fn new(canonical_request: String, string_to_sign: String) -> Self {
        Self {
            canonical_request: canonical_request.into(),
            string_to_sign: string_to_sign.into(),
        }
    }

    /// The canonical request, with `<redacted>` in place of a session token.
    #[must_use]
    pub fn canonical_request(&self) -> &str {
        &self.canonical_request
    }

    /// The string to sign.
    #[must_use]
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }
}

impl VerifyError {
    /// Returns the error code that services return.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature(_) => "IncompleteSignatureException",
            Self::UnknownKey | Self::InvalidSessionToken => "UnrecognizedClientException",
            Self::CredentialsExpired => "ExpiredTokenException",
            Self::BothForms
            | Self::Expired { .. }
            | Self::NotYetCurrent { .. }
            | Self::HostNotSigned
            | Self::WrongScope(_)
            | Self::SignedHeaderMissing(_)
            | Self::HeaderNotSigned(_)
            | Self::PayloadMismatch
            | Self::KeyOutOfScope
            | Self::SignatureMismatch(_) => "InvalidSignatureException",
        }
    }

    /// Returns the message that services return, if it is known. Some of them also quote the
    /// request's authorization header; this does not.
    #[must_use]
    pub fn service_message(&self) -> String {
        match self {
            Self::MissingAuthenticationToken => "Missing Authentication Token".to_owned(),
            Self::BothForms => "Found both 'X-Amz-Algorithm' as a query-string param and \
                'Authorization' as HTTP header."
                .to_owned(),
            Self::IncompleteSignature(incomplete) => incomplete.service_message(),
            Self::Expired {
                signed,
                now,
                allowance,
            } => format!(
                "Signature expired: {signed} is now earlier than {} ({now} - {})",
                now.saturating_sub(*allowance),
                Minutes(*allowance),
            ),
            Self::NotYetCurrent {
                signed,
                now,
                tolerance,
            } => format!(
                "Signature not yet current: {signed} is still later than {} ({now} + {})",
                now.saturating_add(*tolerance),
                Minutes(*tolerance),
            ),
            Self::HostNotSigned => "'Host' or ':authority' must be a 'SignedHeader' in the AWS \
                Authorization."
                .to_owned(),
            Self::WrongScope(scope) => scope.service_message(),
            Self::UnknownKey | Self::InvalidSessionToken => {
                "The security token included in the request is invalid.".to_owned()
            }
            Self::CredentialsExpired => {
                "The security token included in the request is expired".to_owned()
            }
            Self::SignedHeaderMissing(name) => {
                format!("SignedHeader '{name}' is not among the headers of the request.")
            }
            Self::HeaderNotSigned(name) => {
                format!("Header '{name}' must be a 'SignedHeader' in the AWS Authorization.")
            }
            Self::KeyOutOfScope => "The key of the verifier is for another scope.".to_owned(),
            Self::PayloadMismatch => "The value of 'X-Amz-Content-Sha256' does not match the hash \
                of the request body."
                .to_owned(),
            Self::SignatureMismatch(mismatch) => format!(
                "{}\n\nThe Canonical String for this request should have been\n'{}'\n\nThe \
                 String-to-Sign should have been\n'{}'\n",
                "The request signature we calculated does not match the signature you provided. \
                 Check your AWS Secret Access Key and signing method. Consult the service \
                 documentation for details.",
                mismatch.canonical_request,
                mismatch.string_to_sign,
            ),
        }
    }
}

impl WrongScope {
    fn service_message(&self) -> String {
        let mut said = Vec::new();
        if self.region.is_some() {
            said.push("Credential should be scoped to a valid region.".to_owned());
        }
        if let Some(service) = &self.service {
            said.push(format!(
                "Credential should be scoped to correct service: '{service}'."
            ));
        }
        if self.terminator {
            said.push(
                "Credential should be scoped with a valid terminator: 'aws4_request'.".to_owned(),
            );
        }
        if let Some(date) = self.date {
            said.push(format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP, '{date}'."
            ));
        }
        said.join(" ")
    }
}

impl Incomplete {
    fn service_message(self) -> String {
        let listed = |parts: &[(bool, &str)], before: &str, after: &str| {
            let missing = parts.iter().filter(|(missing, _)| *missing);
            missing
                .map(|(_, name)| format!("{before} '{name}'{after}. "))
                .collect::<String>()
        };
        match self {
            Self::HeaderRequires {
                credential,
                signature,
                signed_headers,
                date,
            } => {
                let parts = [
                    (credential, "Credential"),
                    (signature, "Signature"),
                    (signed_headers, "SignedHeaders"),
                ];
                let mut said = listed(&parts, "Authorization header requires", " parameter");
                if date {
                    said.push_str(
                        "Authorization header requires existence of either a 'X-Amz-Date' or a \
                         'Date' header. ",
                    );
                }
                said.trim_end().to_owned()
            }
            Self::QueryRequires {
                algorithm,
                credential,
                signature,
                signed_headers,
                date,
                expires,
            } => {
                let parts = [
                    (algorithm, "X-Amz-Algorithm"),
                    (credential, "X-Amz-Credential"),
                    (signature, "X-Amz-Signature"),
                    (signed_headers, "X-Amz-SignedHeaders"),
                    (date, "X-Amz-Date"),
                    (expires, "X-Amz-Expires"),
                ];
                let said = listed(&parts, "AWS query-string parameters must include", "");
                said + "Re-examine the query-string parameters."
            }
            Self::NotKeyValue => "The Authorization header has a piece that is not a valid \
                key=value pair (missing equal-sign)."
                .to_owned(),
            Self::Algorithm => {
                "Unsupported AWS 'algorithm' (only AWS4-HMAC-SHA256 for now).".into()
            }
            Self::Date => "Date must be in ISO-8601 'basic format'. \
                See http://en.wikipedia.org/wiki/ISO_8601"
                .to_owned(),
            Self::CredentialElements => "Credential must have exactly 5 slash-delimited elements, \
                e.g. keyid/date/region/service/term"
                .to_owned(),
            other => {
                let said = other.to_string();
                let mut letters = said.chars();
                letters.next().map_or(String::new(), |first| {
                    format!("{}{}.", first.to_ascii_uppercase(), letters.as_str())
                })
            }
        }
    }
}

impl fmt::Display for VerifyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingAuthenticationToken => f.write_str("the request is not signed"),
            Self::BothForms => {
                f.write_str("the request is signed both by its headers and by its query")
            }
            Self::IncompleteSignature(_) => {
                f.write_str("the signature of the request cannot be read")
            }
            Self::Expired {
                signed,
                now,
                allowance,
            } => write!(
                f,
                "the request was signed at {signed}, more than {} before {now}",
                Minutes(*allowance)
            ),
            Self::NotYetCurrent {
                signed,
                now,
                tolerance,
            } => write!(
                f,
                "the request was signed at {signed}, more than {} after {now}",
                Minutes(*tolerance)
            ),
            Self::HostNotSigned => f.write_str("the signature does not cover the host header"),
            Self::WrongScope(scope) => {
                let part = |wrong: bool, name| if wrong { name } else { "" };
                write!(
                    f,
                    "the credential is for another{}{}{}{}",
                    part(scope.region.is_some(), " region"),
                    part(scope.service.is_some(), " service"),
                    part(scope.terminator, " terminator"),
                    part(scope.date.is_some(), " day"),
                )
            }
            Self::UnknownKey => f.write_str("there is no access key with the id of the request"),
            Self::CredentialsExpired => f.write_str("the access key of the request has expired"),
            Self::SignedHeaderMissing(name) => {
                write!(
                    f,
                    "the signature covers the header {name}, which the request does not have"
                )
            }
            Self::HeaderNotSigned(name) => {
                write!(f, "the signature does not cover the header {name}")
            }
            Self::KeyOutOfScope => {
                f.write_str("the derived key is for another day, region or service")
            }
            Self::PayloadMismatch => {
                f.write_str("x-amz-content-sha256 is not the hash of the body")
            }
            Self::SignatureMismatch(mismatch) => write!(
                f,
                "the signature does not match; the verifier expected the canonical request\n{}\n\
                 and the string to sign\n{}",
                mismatch.canonical_request, mismatch.string_to_sign
            ),
            Self::InvalidSessionToken => {
                f.write_str("the session token does not belong to the access key")
            }
        }
    }
}

impl core::error::Error for VerifyError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match self {
            Self::IncompleteSignature(incomplete) => Some(incomplete),
            _ => None,
        }
    }
}

impl From<Incomplete> for VerifyError {
    fn from(incomplete: Incomplete) -> Self {
        Self::IncompleteSignature(incomplete)
    }
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderRequires { .. } | Self::QueryRequires { .. } => {
                f.write_str(&self.service_message())
            }
            Self::NotKeyValue => {
                f.write_str("a piece of the authorization header is not name=value")
            }
            Self::UnknownParameter => f.write_str(
                "the authorization header has a parameter other than Credential, SignedHeaders \
                 and Signature",
            ),
            Self::Repeated(name) => write!(f, "{name} is repeated"),
            Self::NotUtf8 => f.write_str("a parameter of the presigned query is not UTF-8"),
            Self::Algorithm => f.write_str("the algorithm is not AWS4-HMAC-SHA256"),
            Self::Date => f.write_str("the date is not written like 20150830T123600Z"),
            Self::Expires => f.write_str("X-Amz-Expires is not a number from 1 to 604800"),
            Self::CredentialElements => f.write_str(
                "the credential is not written like keyid/date/region/service/aws4_request",
            ),
            Self::SignedHeaders => {
                f.write_str("SignedHeaders is not a sorted list of names in lower case")
            }
            Self::Signature => f.write_str("the signature is not 64 lower-case hexadecimal digits"),
        }
    }
}

impl core::error::Error for Incomplete {}

/// Shown as `5 min.`, like the service; in seconds if it is not a whole number of minutes.
struct Minutes(Duration);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            seconds if seconds % 60 == 0 => write!(f, "{} min.", seconds / 60),
            seconds => write!(f, "{seconds} sec."),
        }
    }
}
