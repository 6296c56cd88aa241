//! Headers that the caller adds to requests.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, header};
use lambda_invoke_protocol::header::{
    X_AMZ_CLIENT_CONTEXT, X_AMZ_DURABLE_EXECUTION_NAME, X_AMZ_INVOCATION_TYPE, X_AMZ_LOG_TYPE,
    X_AMZ_TENANT_ID,
};

use crate::BoxError;

/// The headers that the caller adds to a client or a call.
#[derive(Clone, Default)]
pub(crate) struct ExtraHeaders(Vec<ExtraHeader>);

#[derive(Clone)]
struct ExtraHeader {
    name: HeaderName,
    value: HeaderValue,
    coverage: Coverage,
}

/// Whether the signature covers a header.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Coverage {
    Signed,
    Unsigned,
}

impl ExtraHeaders {
    /// Sets a header, and replaces a header of the same name.
    pub(crate) fn set(
        &mut self,
        name: impl TryInto<HeaderName, Error: Into<BoxError>>,
        value: impl TryInto<HeaderValue, Error: Into<BoxError>>,
        coverage: Coverage,
    ) -> Result<(), BoxError> {
        let name = name.try_into().map_err(Into::into)?;
        let value = value.try_into().map_err(Into::into)?;
        if is_reserved(&name) {
            return Err(ReservedHeader(name).into());
        }
        self.0.retain(|header| header.name != name);
        self.0.push(ExtraHeader {
            name,
            value,
            coverage,
        });
        Ok(())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Adds the headers of this coverage to a request, unless `overriding` has the same name.
    pub(crate) fn insert_into(
        &self,
        headers: &mut HeaderMap,
        coverage: Coverage,
        overriding: Option<&Self>,
    ) {
        let overridden = |name: &HeaderName| {
            overriding.is_some_and(|other| other.0.iter().any(|header| header.name == name))
        };
        for header in &self.0 {
            if header.coverage == coverage && !overridden(&header.name) {
                headers.insert(header.name.clone(), header.value.clone());
            }
        }
    }
}

/// Only the names: a value may be a gateway's key.
impl fmt::Debug for ExtraHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|header| &header.name))
            .finish()
    }
}

/// A header that the client or the connection sets itself.
#[derive(Debug)]
struct ReservedHeader(HeaderName);

impl fmt::Display for ReservedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.0;
        match setter(name) {
            Some(setter) => write!(f, "the header {name} is set by `{setter}`"),
            None => write!(f, "the header {name} is set by the client itself"),
        }
    }
}

impl std::error::Error for ReservedHeader {}

/// The headers that the protocol, the signature and HTTP/1.1 use. Every name that begins with
/// `x-amz-` is reserved, since the service may use it in the future.
fn is_reserved(name: &HeaderName) -> bool {
    const RESERVED: [HeaderName; 13] = [
        header::ACCEPT_ENCODING,
        header::AUTHORIZATION,
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::CONTENT_TYPE,
        header::EXPECT,
        header::HOST,
        header::PROXY_AUTHORIZATION,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
    ];
    RESERVED.contains(name)
        || name.as_str().starts_with("x-amz-")
        || name.as_str() == "proxy-connection"
}

/// The setter of a member that is sent as a header.
fn setter(name: &HeaderName) -> Option<&'static str> {
    let setters = [
        (header::CONTENT_TYPE, "content_type(..)"),
        (X_AMZ_CLIENT_CONTEXT, "client_context(..)"),
        (X_AMZ_DURABLE_EXECUTION_NAME, "durable_execution_name(..)"),
        (X_AMZ_INVOCATION_TYPE, "event()` or `dry_run()"),
        (X_AMZ_LOG_TYPE, "log_tail()` or `without_log()"),
        (X_AMZ_TENANT_ID, "tenant_id(..)"),
    ];
    let found = setters.into_iter().find(|(header, _)| header == name);
    found.map(|(_, setter)| setter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_reserved_and_invalid_headers_and_says_what_to_use() {
        for (name, value, said) in [
            ("Authorization", "x", "authorization is set by the client"),
            ("host", "x", "host is set by the client"),
            ("Content-Length", "1", "content-length"),
            ("transfer-encoding", "chunked", "transfer-encoding"),
            ("X-Amz-Date", "x", "x-amz-date"),
            ("x-amz-anything-new", "x", "x-amz-anything-new"),
            ("x-amz-tenant-id", "x", "`tenant_id(..)`"),
            ("x-amz-log-type", "Tail", "`log_tail()` or `without_log()`"),
            ("content-type", "x", "`content_type(..)`"),
            ("proxy-connection", "x", "proxy-connection"),
            ("a b", "x", "invalid HTTP header name"),
            ("a", "line\nend", "failed to parse header value"),
        ] {
            let mut headers = ExtraHeaders::default();
            let error = headers.set(name, value, Coverage::Signed).unwrap_err();
            assert!(error.to_string().contains(said), "{name}: {error}");
            assert_eq!(headers.len(), 0);
        }
    }

    #[test]
    fn the_overriding_headers_replace_whatever_their_coverage() {
        let set = |pairs: &[(&str, &str, Coverage)]| {
            let mut headers = ExtraHeaders::default();
            for (name, value, coverage) in pairs {
                headers.set(*name, *value, *coverage).unwrap();
            }
            headers
        };
        let client = set(&[
            ("a", "1", Coverage::Signed),
            ("a", "2", Coverage::Signed),
            ("b", "1", Coverage::Unsigned),
        ]);
        let call = set(&[("A", "3", Coverage::Unsigned)]);
        let mut signed = HeaderMap::new();
        client.insert_into(&mut signed, Coverage::Signed, Some(&call));
        call.insert_into(&mut signed, Coverage::Signed, None);
        assert!(signed.is_empty());
        let mut unsigned = HeaderMap::new();
        client.insert_into(&mut unsigned, Coverage::Unsigned, Some(&call));
        call.insert_into(&mut unsigned, Coverage::Unsigned, None);
        assert_eq!(
            (&unsigned["a"], &unsigned["b"]),
            (&"3".parse().unwrap(), &"1".parse().unwrap())
        );
        client.insert_into(&mut signed, Coverage::Signed, None);
        assert_eq!(signed["a"], "2");
    }

    #[test]
    fn debug_shows_no_value() {
        let mut headers = ExtraHeaders::default();
        headers
            .set("x-api-key", "hunter2", Coverage::Signed)
            .unwrap();
        assert_eq!(format!("{headers:?}"), "[\"x-api-key\"]");
    }
}
