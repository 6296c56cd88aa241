//! Names of the headers and parameters that carry a signature.

use http::HeaderName;

pub(crate) const HOST: &str = "host";
pub(crate) const AUTHORIZATION: &str = "authorization";
pub(crate) const DATE: &str = "x-amz-date";
pub(crate) const SECURITY_TOKEN: &str = "x-amz-security-token";
pub(crate) const CONTENT_SHA256: &str = "x-amz-content-sha256";

pub(crate) const TRAILER_SIGNATURE: &str = "x-amz-trailer-signature";

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

/// The parameters of a presigned request, which only signing may set.
pub(crate) const PRESIGNED_PARAMETERS: [&str; 7] = [
    ALGORITHM_PARAMETER,
    CREDENTIAL_PARAMETER,
    DATE_PARAMETER,
    EXPIRES_PARAMETER,
    SECURITY_TOKEN_PARAMETER,
    SIGNED_HEADERS_PARAMETER,
    SIGNATURE_PARAMETER,
];

/// Whether `name`, in any case, is the header `known`, which is in lower case.
#[inline]
pub(crate) fn is_header(name: &str, known: &str) -> bool {
    // Length and last letter distinguish nearly all names, without a call.
    name.len() == known.len()
        && match (name.as_bytes().last(), known.as_bytes().last()) {
            (Some(last), Some(known_last)) => {
                last | 0x20 == known_last | 0x20
                    && (name == known || is_same_in_another_case(name, known))
            }
            _ => false,
        }
}

#[cold]
fn is_same_in_another_case(name: &str, known: &str) -> bool {
    name.eq_ignore_ascii_case(known)
}
