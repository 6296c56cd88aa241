//! Requests to sign: ordinary ones, those that touch the rules of the canonical form, and those
//! made of arbitrary bytes.

use arbitrary::{Result, Unstructured};
use http::request::Parts;
use http::{HeaderValue, Request};

/// Pieces of paths and queries that every reader of the specification treats alike.
const ORDINARY: [&str; 12] = [
    "a",
    "Z9",
    "-._~",
    "functions",
    "2015-03-31",
    "thumbnail-service",
    "arn%3Aaws%3Alambda%3Aus-east-1%3A123456789012%3Afunction%3Af",
    "%24LATEST",
    "%20",
    "%C3%A9",
    "%2F",
    "prod",
];

/// Pieces of paths that touch the rules.
const SPECIAL: [&str; 16] = [
    "/", "//", "/./", "/../", ".", "..", "%7E", "%2f", "*", "{", "}", "=", ":", "$", ",", ";",
];

/// Names of headers, some of which are never signed.
const NAMES: [&str; 10] = [
    "content-type",
    "x-amz-invocation-type",
    "x-amz-log-type",
    "x-amz-client-context",
    "x-amz-tenant-id",
    "my-header1",
    "my-header10",
    "user-agent",
    "a",
    "z",
];

/// Values of headers. The last six have runs of spaces, which are collapsed.
const VALUES: [&str; 14] = [
    "application/json",
    "RequestResponse",
    "Tail",
    "eyJhIjoxfQ==",
    "a,b",
    "",
    "\"q\"",
    "k=v; w",
    "a  b",
    "  a",
    "a   ",
    "\"q  q\"",
    "a  b   c",
    "   ",
];

/// Generates a request as clients of AWS send them.
///
/// # Errors
///
/// There are too few bytes.
pub fn well_formed(u: &mut Unstructured<'_>) -> Result<Parts> {
    let path = pieces(u, 6, |u| Ok(["/", u.choose(&ORDINARY)?].concat()))?;
    let query = pieces(u, 4, |u| {
        let (name, value) = (u.choose(&ORDINARY)?, u.choose(&ORDINARY)?);
        Ok(format!("{name}={value}&"))
    })?;
    build(u, &path, query.trim_end_matches('&'), &VALUES[..8])
}

/// Generates a request that touches the rules: dots and slashes, repeated and valueless parameters,
/// names out of order, runs of spaces.
///
/// # Errors
///
/// There are too few bytes.
pub fn near_miss(u: &mut Unstructured<'_>) -> Result<Parts> {
    let mut piece = |u: &mut Unstructured<'_>| {
        let all = ORDINARY.len() + SPECIAL.len();
        let at = u.choose_index(all)?;
        let special = at.checked_sub(ORDINARY.len()).map(|at| SPECIAL[at]);
        Ok(special.unwrap_or_else(|| ORDINARY[at]).to_owned())
    };
    let path = ["/".to_owned(), pieces(u, 12, &mut piece)?].concat();
    let query = pieces(u, 6, |u| {
        let (name, with_value) = (u.choose(&ORDINARY)?, u.arbitrary::<bool>()?);
        Ok(match with_value {
            true => format!("{name}={}&", u.choose(&ORDINARY)?),
            false => format!("{name}&"),
        })
    })?;
    build(u, &path, query.trim_end_matches('&'), &VALUES)
}

/// Generates a request whose path, query and header values are any bytes that HTTP allows there.
///
/// # Errors
///
/// There are too few bytes, or they are not a valid request.
pub fn hostile(u: &mut Unstructured<'_>) -> Result<Parts> {
    let path = format!("/{}", u.arbitrary::<&str>()?);
    let query = u.arbitrary::<&str>()?;
    let mut parts = build(u, &path, query, &VALUES)?;
    for name in NAMES {
        if let Ok(value) = HeaderValue::from_bytes(u.arbitrary()?) {
            parts.headers.append(name, value);
        }
    }
    Ok(parts)
}

/// Up to `most` pieces, one after the other.
fn pieces(
    u: &mut Unstructured<'_>,
    most: usize,
    mut piece: impl FnMut(&mut Unstructured<'_>) -> Result<String>,
) -> Result<String> {
    let count = u.int_in_range(0..=most)?;
    (0..count).map(|_| piece(u)).collect()
}

fn build(u: &mut Unstructured<'_>, path: &str, query: &str, values: &[&str]) -> Result<Parts> {
    let host = u.choose(&[
        "lambda.us-east-1.amazonaws.com",
        "localhost:9001",
        "[::1]:8080",
    ])?;
    let method = u.choose(&["POST", "GET", "PUT", "DELETE"])?;
    let mark = if query.is_empty() { "" } else { "?" };
    let mut request = Request::builder()
        .method(*method)
        .uri(format!("https://{host}{path}{mark}{query}"))
        .header("host", *host);
    for _ in 0..u.int_in_range(0..=6)? {
        request = request.header(*u.choose(&NAMES)?, *u.choose(values)?);
    }
    let request = request
        .body(())
        .map_err(|_| arbitrary::Error::IncorrectFormat)?;
    Ok(request.into_parts().0)
}
