//! The paths of both APIs.

use http::Method;

/// What a request asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(
    clippy::exhaustive_enums,
    reason = "the two APIs have these operations"
)]
pub enum Route {
    /// `GET /2018-06-01/runtime/invocation/next`
    Next,
    /// `POST /2018-06-01/runtime/invocation/{id}/response`
    Response(String),
    /// `POST /2018-06-01/runtime/invocation/{id}/error`
    Error(String),
    /// `POST /2018-06-01/runtime/init/error`
    InitError,
    /// `POST /2020-01-01/extension/register`
    Register,
    /// `GET /2020-01-01/extension/event/next`
    ExtensionNext,
    /// `POST /2020-01-01/extension/init/error`
    ExtensionInitError,
    /// `POST /2020-01-01/extension/exit/error`
    ExtensionExitError,
    /// The path belongs to an operation with another method.
    WrongMethod,
    /// Any other path.
    Unknown,
}

impl Route {
    /// Finds the operation of a method and a path.
    #[must_use]
    pub fn of(method: &Method, path: &str) -> Self {
        let get = method == Method::GET;
        let post = method == Method::POST;
        let only = |right: bool, route: Self| if right { route } else { Self::WrongMethod };
        if let Some(rest) = path.strip_prefix("/2018-06-01/runtime/") {
            return match rest.split('/').collect::<Vec<_>>()[..] {
                ["invocation", "next"] => only(get, Self::Next),
                ["invocation", id, "response"] => only(post, Self::Response(id.to_owned())),
                ["invocation", id, "error"] => only(post, Self::Error(id.to_owned())),
                ["init", "error"] => only(post, Self::InitError),
                _ => Self::Unknown,
            };
        }
        match path.strip_prefix("/2020-01-01/extension/") {
            Some("register") => only(post, Self::Register),
            Some("event/next") => only(get, Self::ExtensionNext),
            Some("init/error") => only(post, Self::ExtensionInitError),
            Some("exit/error") => only(post, Self::ExtensionExitError),
            _ => Self::Unknown,
        }
    }
}
