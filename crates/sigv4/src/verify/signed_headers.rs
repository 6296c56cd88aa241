//! Compares the headers that a signature claims to cover with those of the request.

use super::claims::{Claims, trimmed};
use crate::canonical::{Form, Header, is_sorted_list};
use crate::names::{self, is_header};
use crate::{Incomplete, SigningSettings, VerifyError};

/// The result of the comparison.
pub(super) struct Found {
    /// Whether `host` is covered.
    pub(super) host: bool,
    /// The first thing that is wrong, if anything is.
    pub(super) rejection: Option<VerifyError>,
}

/// Sorts the headers of a request, and keeps those that are claimed to be covered.
///
/// Both lists are sorted, so one walk finds headers that are covered but absent, and headers that
/// are present but not covered. If the walk reaches the end of the list of names, the list is
/// well-formed.
pub(super) fn compare(
    form: &mut Form<'_>,
    claims: &Claims<'_>,
    settings: &SigningSettings,
) -> Result<Found, Incomplete> {
    form.sort_headers();

    let Form {
        headers,
        lower_case,
        payload,
        ..
    } = form;
    let mut rest = Some(claims.signed_headers.as_bytes());
    let mut before: Option<Header<'_>> = None;
    let mut found = Found {
        host: false,
        rejection: None,
    };
    headers.retain(|header| {
        let Header { name, value, .. } = header;
        if is_header(name, names::CONTENT_SHA256) && trimmed(value) != payload.text(&mut [0; 64]) {
            found.rejection.get_or_insert(VerifyError::PayloadMismatch);
        }
        if before.is_some_and(|before| header.is_same(&before)) {
            return true;
        }
        match rest.and_then(|rest| strip_name(rest, name, *lower_case)) {
            Some(after) => {
                (before, rest) = (Some(*header), after);
                found.host |= is_header(name, names::HOST);
                true
            }
            None => {
                if settings.must_cover(name) {
                    let name = name.to_ascii_lowercase().into();
                    let error = VerifyError::HeaderNotSigned(name);
                    found.rejection.get_or_insert(error);
                }
                false
            }
        }
    });
    match rest {
        None => Ok(found),
        Some(rest) => explain(&claims.signed_headers, rest),
    }
}

/// The rest of a list of names after `name`, if the list begins with that name; `Some(None)` at the
/// end.
#[allow(
    clippy::option_option,
    reason = "not found, found at the end, found before more"
)]
fn strip_name<'a>(list: &'a [u8], name: &str, lower_case: bool) -> Option<Option<&'a [u8]>> {
    let (first, after) = list.split_at_checked(name.len())?;
    let same = if lower_case {
        first == name.as_bytes()
    } else {
        first
            .iter()
            .copied()
            .eq(name.bytes().map(|byte| byte.to_ascii_lowercase()))
    };
    match after {
        _ if !same => None,
        [] => Some(None),
        [b';', after @ ..] => Some(Some(after)),
        _ => None,
    }
}

/// Explains why the walk over the covered names did not get beyond `rest`.
#[cold]
fn explain(signed_headers: &str, rest: &[u8]) -> Result<Found, Incomplete> {
    if !is_sorted_list(signed_headers) {
        return Err(Incomplete::SignedHeaders);
    }
    let missing = rest.split(|&byte| byte == b';').next().unwrap_or_default();
    let missing = String::from_utf8_lossy(missing).into_owned().into();
    Ok(Found {
        host: signed_headers.split(';').any(|name| name == names::HOST),
        rejection: Some(VerifyError::SignedHeaderMissing(missing)),
    })
}
