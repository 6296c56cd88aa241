//! A function's name stays within its segment of a request's path.
#![allow(clippy::unwrap_used)]

use lambda_invoke_input::FunctionName;
use lambda_invoke_protocol::{InvokeRequest, RequestError};

#[test]
fn a_name_cannot_reach_another_path() {
    for name in [
        "a/b",
        "../x",
        "a?Qualifier=b",
        "a#b",
        "a%2Fb",
        "a\\b",
        "a b",
    ] {
        assert!(FunctionName::try_from(name).is_err(), "{name}");
    }
    let base = "http://127.0.0.1:9001".parse().unwrap();
    // The service's pattern allows dots.
    for name in [".", "..", "...", ".a"] {
        let request = InvokeRequest::new(FunctionName::try_from(name).unwrap());
        let uri = request.to_http(&base).map(|http| http.uri().to_string());
        match name {
            "." | ".." => assert_eq!(uri, Err(RequestError::DotSegment)),
            _ => assert!(
                uri.unwrap()
                    .ends_with(&format!("/functions/{name}/invocations"))
            ),
        }
    }
}
