//! Which headers a signature covers. Every rule about the name of a header is here.

use http::HeaderName;

use crate::names::{self, is_header};
use crate::{SessionTokenMode, SigningSettings};

/// Headers that a [`Signer`](crate::Signer) never covers: the signature itself, and those that
/// proxies, tracing and connection handling rewrite on the way.
///
/// Those besides `authorization` and `expect` are the headers that the IAM user guide says not to
/// sign ("Create a canonical request").
pub const NEVER_SIGNED: [&str; 12] = [
    names::AUTHORIZATION,
    "user-agent",
    "x-amzn-trace-id",
    "transfer-encoding",
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "upgrade",
];

/// The role of a header in a signature, which its name determines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Host,
    /// `x-amz-date`.
    Date,
    /// `x-amz-security-token`.
    Token,
    /// `x-amz-content-sha256`.
    ContentHash,
    /// One of [`NEVER_SIGNED`].
    Never,
    /// Left out of a presigned request, because its later sender cannot know the value.
    NotPresigned,
    /// Any other.
    Ordinary,
}

impl Kind {
    /// The kind of the header `name`, in any case.
    #[inline]
    pub(crate) fn of(name: &str) -> Self {
        known(name.len())
            .iter()
            .find(|(known, _)| is_header(name, known))
            .map_or(Self::Ordinary, |&(_, kind)| kind)
    }
}

/// Returns the special names of this length. They are few, so most names need no comparison.
#[inline]
fn known(length: usize) -> &'static [(&'static str, Kind)] {
    match length {
        2 => &[("te", Kind::Never)],
        4 => &[(names::HOST, Kind::Host)],
        6 => &[("expect", Kind::Never)],
        7 => &[("trailer", Kind::Never), ("upgrade", Kind::Never)],
        10 => &[
            (names::DATE, Kind::Date),
            ("user-agent", Kind::Never),
            ("connection", Kind::Never),
            ("keep-alive", Kind::Never),
        ],
        13 => &[(names::AUTHORIZATION, Kind::Never)],
        15 => &[("x-amzn-trace-id", Kind::Never)],
        16 => &[("x-amz-user-agent", Kind::NotPresigned)],
        17 => &[("transfer-encoding", Kind::Never)],
        18 => &[("proxy-authenticate", Kind::Never)],
        19 => &[
            ("x-amz-checksum-mode", Kind::NotPresigned),
            ("proxy-authorization", Kind::Never),
        ],
        20 => &[
            (names::SECURITY_TOKEN, Kind::Token),
            (names::CONTENT_SHA256, Kind::ContentHash),
        ],
        _ => &[],
    }
}

impl SigningSettings {
    /// How signing by headers treats the header `name`.
    #[inline]
    pub(crate) fn when_signing(&self, name: &str) -> WhenSigning {
        match Kind::of(name) {
            Kind::Host => WhenSigning::Host,
            Kind::ContentHash => WhenSigning::ContentHash,
            Kind::Date | Kind::Token | Kind::Never => WhenSigning::Uncovered,
            Kind::NotPresigned | Kind::Ordinary if self.is_unsigned(name) => WhenSigning::Uncovered,
            Kind::NotPresigned | Kind::Ordinary => WhenSigning::Covered,
        }
    }

    /// Whether presigning covers the header `name`. It does not cover headers that signing by
    /// headers adds.
    pub(crate) fn covers_when_presigning(&self, name: &str) -> bool {
        match Kind::of(name) {
            Kind::Host => true,
            Kind::Ordinary => !self.is_unsigned(name),
            Kind::Date | Kind::Token | Kind::ContentHash | Kind::Never | Kind::NotPresigned => {
                false
            }
        }
    }

    /// Whether the header `name` of a request that is signed, or `presigned`, is covered.
    pub(crate) fn covers_when_signed(&self, name: &str, presigned: bool) -> bool {
        match Kind::of(name) {
            // Signing adds these, and covers what it adds.
            Kind::Host | Kind::Date | Kind::ContentHash => true,
            Kind::Token => self.session_token == SessionTokenMode::Signed,
            Kind::Never => false,
            Kind::NotPresigned if presigned => false,
            Kind::NotPresigned | Kind::Ordinary => !self.is_unsigned(name),
        }
    }

    /// Whether a verifier rejects a request whose signature does not cover the header `name`.
    pub(crate) fn must_cover(&self, name: &str) -> bool {
        const PREFIX: &[u8] = b"x-amz-";
        let prefix = name.as_bytes().get(..PREFIX.len());
        prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX))
            && !matches!(Kind::of(name), Kind::Token | Kind::NotPresigned)
            && !self.is_unsigned(name)
    }

    /// Whether the header `name` is among those that these settings leave unsigned.
    fn is_unsigned(&self, name: &str) -> bool {
        let same = |unsigned: &HeaderName| is_header(name, unsigned.as_str());
        self.unsigned_headers.iter().any(same)
    }
}

/// How signing by headers treats a header of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WhenSigning {
    /// Covered unchanged.
    Covered,
    /// Covered unchanged; the signer adds one if it is absent.
    Host,
    /// Replaced by the hash of the payload, which is covered.
    ContentHash,
    /// Not covered; the signer replaces it if it adds one of the same name.
    Uncovered,
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: usize = 32;

    #[test]
    fn every_special_name_is_found_in_any_case() {
        let mut found = 0;
        for length in 0..LONGEST {
            for &(name, kind) in known(length) {
                assert_eq!(name.len(), length, "{name}");
                assert_eq!(Kind::of(name), kind);
                assert_eq!(Kind::of(&name.to_ascii_uppercase()), kind);
                assert_eq!(Kind::of(&format!("{name}x")), Kind::Ordinary);
                found += 1;
            }
        }
        assert_eq!(found, NEVER_SIGNED.len() + 6);
        for name in NEVER_SIGNED {
            assert_eq!(Kind::of(name), Kind::Never, "{name}");
        }
    }

    #[test]
    fn host_is_covered_whatever_the_settings_leave_unsigned() {
        let mut settings = SigningSettings::default();
        settings.unsigned_headers.push(http::header::HOST);
        assert_eq!(settings.when_signing("Host"), WhenSigning::Host);
        assert!(settings.covers_when_presigning("host"));
        assert!(settings.covers_when_signed("host", true));
    }

    #[test]
    fn a_presigned_request_leaves_out_what_its_sender_cannot_know() {
        let mut settings = SigningSettings::default();
        for name in ["x-amz-user-agent", "X-Amz-Checksum-Mode"] {
            assert_eq!(settings.when_signing(name), WhenSigning::Covered, "{name}");
            assert!(settings.covers_when_signed(name, false), "{name}");
            assert!(!settings.covers_when_signed(name, true), "{name}");
            assert!(!settings.covers_when_presigning(name), "{name}");
        }
        settings.session_token = SessionTokenMode::Appended;
        assert!(!settings.covers_when_signed("x-amz-security-token", false));
        assert!(settings.covers_when_signed("x-amz-date", false));
    }

    #[test]
    fn a_verifier_demands_amazons_headers_but_for_a_few() {
        let mut settings = SigningSettings::default();
        settings
            .unsigned_headers
            .push(HeaderName::from_static("x-amz-cf-id"));
        for name in [
            "x-amz-date",
            "X-Amz-Content-Sha256",
            "x-amz-meta-note",
            "x-amz-",
        ] {
            assert!(settings.must_cover(name), "{name}");
        }
        for name in [
            "x-amz",
            "x-amzn-trace-id",
            "X-Amz-Security-Token",
            "x-amz-user-agent",
            "x-amz-checksum-mode",
            "X-Amz-Cf-Id",
            "content-type",
        ] {
            assert!(!settings.must_cover(name), "{name}");
        }
    }
}
