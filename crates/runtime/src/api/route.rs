//! The operations of the Runtime API and the Extensions API, by their paths.

use http::Method;

use super::rejection::Rejection;

/// An operation of either API.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'a> {
    Next,
    Response(&'a str),
    Error(&'a str),
    InitError,
    Register,
    ExtensionNext,
    ExtensionInitError,
    ExtensionExitError,
}

pub(crate) fn route<'a>(method: &Method, path: &'a str) -> Result<Route<'a>, Rejection> {
    let (expected, route) = if let Some(rest) = path.strip_prefix("/2018-06-01/runtime/") {
        match rest {
            "invocation/next" => (Method::GET, Route::Next),
            "init/error" => (Method::POST, Route::InitError),
            _ => (Method::POST, invocation(rest)?),
        }
    } else {
        match path.strip_prefix("/2020-01-01/extension/") {
            Some("register") => (Method::POST, Route::Register),
            Some("event/next") => (Method::GET, Route::ExtensionNext),
            Some("init/error") => (Method::POST, Route::ExtensionInitError),
            Some("exit/error") => (Method::POST, Route::ExtensionExitError),
            _ => return Err(Rejection::NotFound),
        }
    };
    if *method == expected {
        Ok(route)
    } else {
        Err(Rejection::MethodNotAllowed)
    }
}

fn invocation(rest: &str) -> Result<Route<'_>, Rejection> {
    let rest = rest
        .strip_prefix("invocation/")
        .ok_or(Rejection::NotFound)?;
    match rest.split_once('/') {
        Some((id, "response")) if !id.is_empty() => Ok(Route::Response(id)),
        Some((id, "error")) if !id.is_empty() => Ok(Route::Error(id)),
        _ => Err(Rejection::NotFound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_mean_operations() {
        let get = |path| route(&Method::GET, path);
        let post = |path| route(&Method::POST, path);
        assert_eq!(get("/2018-06-01/runtime/invocation/next"), Ok(Route::Next));
        let id = "/2018-06-01/runtime/invocation/a-1/response";
        assert_eq!(post(id), Ok(Route::Response("a-1")));
        assert_eq!(get(id), Err(Rejection::MethodNotAllowed));
        let error = "/2018-06-01/runtime/invocation/a-1/error";
        assert_eq!(post(error), Ok(Route::Error("a-1")));
        assert_eq!(post("/2018-06-01/runtime/init/error"), Ok(Route::InitError));
        assert_eq!(post("/2020-01-01/extension/register"), Ok(Route::Register));
        let ended = "/2020-01-01/extension/exit/error";
        assert_eq!(post(ended), Ok(Route::ExtensionExitError));
        let failed = "/2020-01-01/extension/init/error";
        assert_eq!(post(failed), Ok(Route::ExtensionInitError));
        for path in [
            "/",
            "/2018-06-01/runtime/invocation//response",
            "/2018-06-01/runtime/invocation//error",
            "/2018-06-01/runtime/x",
        ] {
            assert_eq!(post(path), Err(Rejection::NotFound), "{path}");
        }
    }
}
