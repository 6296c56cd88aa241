//! Names of the headers and parameters that carry a signature.

use http::HeaderName;

pub(crate) const HOST: &str = "host";
pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const DATE: &str = "x-amz-date";
pub(crate) const SECURITY_TOKEN: &str = "x-amz-security-token";
pub(crate) const CONTENT_SHA256: &str = "x-amz-content-sha256";

pub(crate) const DATE_HEADER: HeaderName = HeaderName::from_static(DATE);
pub(crate) const SECURITY_TOKEN_HEADER: HeaderName = HeaderName::from_static(SECURITY_TOKEN);
pub(crate) const CONTENT_SHA256_HEADER: HeaderName = HeaderName::from_static(CONTENT_SHA256);

pub(crate) const ALGORITHM_PARAMETER: &str = "X-Amz-Algorithm";
pub(crate) const CREDENTIAL_PARAMETER: &str = "X-Amz-Credential";
pub(crate) const DATE_PARAMETER: &str = "X-Amz-Date";
pub(crate) const EXPIRES_PARAMETER: &str = "X-Amz-Expires";
pub(crate) const SECURITY_TOKEN_PARAMETER: &str = "X-Amz-Security-Token";
pub(crate) const SIGNED_HEADERS_PARAMETER: &str = "X-Amz-SignedHeaders";
pub(crate) const SIGNATURE_PARAMETER: &str = "X-Amz-Signature";

/// The lengths that some names have, as bits.
pub(crate) const fn lengths(names: &[&str]) -> u32 {
    let (mut bits, mut index) = (0, 0);
    while index < names.len() {
        bits |= 1 << names[index].len();
        index += 1;
    }
    bits
}

/// Whether `name` has one of the `lengths` of some names: nearly always enough to know that it is
/// none of them.
#[inline]
pub(crate) fn has_length_of(name: &str, lengths: u32) -> bool {
    name.len() < 32 && lengths >> name.len() & 1 == 1
}

/// Whether `name`, in any case, is the header `known`, which is in lower case.
///
/// Asked some ten times a header: length and last letter tell nearly all of them apart.
#[inline]
pub(crate) fn is_header(name: &str, known: &str) -> bool {
    name.len() == known.len()
        && match (name.as_bytes().last(), known.as_bytes().last()) {
            (Some(last), Some(known_last)) if last | 0x20 == known_last | 0x20 => {
                // As a rule the name is in lower case already, and this comparison many times faster.
                name == known || name.eq_ignore_ascii_case(known)
            }
            _ => false,
        }
}
