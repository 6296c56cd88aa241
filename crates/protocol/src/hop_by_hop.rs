//! Headers that belong to a connection and not to a message.

use std::collections::HashSet;

use http::header::{self, HeaderMap, HeaderName};

/// The headers that RFC 9110, section 7.6.1, and practice bind to one connection.
const NAMES: [HeaderName; 9] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// Returns the names of a message's headers that belong to the connection: known ones, and those that
/// `Connection` lists.
///
/// A list can be as long as the message, so each of its names is looked up, and only those that the
/// message has are kept.
pub(crate) fn names(headers: &HeaderMap) -> HashSet<HeaderName> {
    let listed = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok());
    let names = NAMES.into_iter().chain(listed);
    names.filter(|name| headers.contains_key(name)).collect()
}

/// Removes the headers of the connection.
pub(crate) fn remove(headers: &mut HeaderMap) {
    for name in names(headers) {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    /// Each listed name is looked up once: comparing it with each header would take long.
    #[test]
    fn a_long_list_and_many_headers_are_no_more_work_than_both_alone() {
        let mut headers = HeaderMap::new();
        for number in 0..4000 {
            let name = HeaderName::try_from(format!("x-{number}")).unwrap();
            headers.insert(name, HeaderValue::from_static("1"));
        }
        let listed = "close,".repeat(50_000) + "X-7";
        headers.insert(header::CONNECTION, HeaderValue::try_from(listed).unwrap());
        let start = std::time::Instant::now();
        remove(&mut headers);
        assert!(start.elapsed().as_secs() < 5, "{:?}", start.elapsed());
        assert_eq!(headers.len(), 3999);
        assert!(!headers.contains_key("x-7"));
    }

    #[test]
    fn removes_the_connection_s_headers_and_those_that_it_lists() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Mine"),
            ("connection", "x-other"),
            ("x-mine", "1"),
            ("x-other", "2"),
            ("x-third", "3"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("keep-alive", "timeout=5"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        remove(&mut headers);
        assert_eq!(
            headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
            ["x-third"]
        );
    }
}
