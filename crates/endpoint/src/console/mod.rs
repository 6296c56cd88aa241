//! The console: a page that calls the endpoint's functions and shows the most recent calls live.
//!
//! Anyone can load the page, but its requests need a session, which only the one-time token opens.
//! Requests for another host, or from another page, are rejected before that.

mod access;
mod call;
mod feed;
mod page;

use std::sync::Arc;

use bytes::Bytes;
use http::header::{HOST, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use serde_json::json;

use self::access::Access;
pub(crate) use self::access::NoRandomness;
use self::feed::Feed;
use self::page::{problem, with_type};
use crate::event::Notice;
use crate::function::channel::Mode;
use crate::journal::Journal;
use crate::request_id::RequestId;
use crate::service::Service;
use crate::service::request_body::RequestBody;
use crate::service::response_body::Content;
use crate::wire::connection::Connection;

/// The path of the page.
const PATH: &str = "/console/";

/// The maximum length of a token, in bytes.
const TOKEN: usize = 256;

/// The console of an endpoint.
#[derive(Debug)]
pub(crate) struct Console {
    access: Access,
    journal: Arc<Journal>,
}

impl Console {
    pub(crate) fn new(journal: Arc<Journal>) -> Result<Self, NoRandomness> {
        Ok(Self {
            access: Access::new()?,
            journal,
        })
    }

    /// Whether a path belongs to the console.
    pub(crate) fn owns(path: &str) -> bool {
        path.starts_with(PATH) || path == PATH.trim_end_matches('/')
    }

    /// Returns the URL that opens a session, once. The token is in its fragment, which browsers send
    /// to no server.
    pub(crate) fn url(&self, authority: &str) -> String {
        format!("http://{authority}{PATH}#{}", self.access.token())
    }

    /// Responds to a request for a path of the console.
    pub(crate) async fn respond(
        &self,
        service: &Service,
        parts: &Parts,
        body: &mut RequestBody,
        id: RequestId,
        connection: &Arc<Connection>,
        notice: &(dyn Fn(Notice) + Send + Sync),
    ) -> Response<Content> {
        if !access::is_for_this_machine(&parts.headers) {
            let text = "The console is available only under an address or a local name.";
            return problem(StatusCode::FORBIDDEN, text);
        }
        let path = parts.uri.path();
        let Some(name) = path.strip_prefix(PATH) else {
            let mut response = problem(StatusCode::PERMANENT_REDIRECT, "");
            let location = HeaderValue::from_static(PATH);
            response.headers_mut().insert(LOCATION, location);
            return response;
        };
        let is_read = matches!(parts.method, Method::GET | Method::HEAD);
        if let Some(file) = page::file(name).filter(|_| is_read) {
            return file;
        }
        if !access::is_own_page(&parts.headers) {
            return problem(
                StatusCode::FORBIDDEN,
                "Another page may not use the console.",
            );
        }
        if (&parts.method, name) == (&Method::POST, "session") {
            return self.open(parts, body, notice, connection).await;
        }
        if !self.access.is_open(&parts.headers) {
            let text = "This needs a session, which the link on the endpoint's stderr opens.";
            return problem(StatusCode::UNAUTHORIZED, text);
        }
        match (&parts.method, name) {
            (&Method::GET, "functions") => functions(service),
            (&Method::GET, "calls") => {
                let feed = Feed::new(&self.journal, connection.running());
                with_type("application/x-ndjson", Content::Frames(Box::new(feed)))
            }
            (&Method::POST, "call") => {
                // Boxed, so that the futures of other requests stay small.
                Box::pin(call::respond(service, parts, body, id, connection)).await
            }
            _ => problem(StatusCode::NOT_FOUND, "The console has no such resource."),
        }
    }

    /// Opens a session with the token that is the request's body.
    async fn open(
        &self,
        parts: &Parts,
        body: &mut RequestBody,
        notice: &(dyn Fn(Notice) + Send + Sync),
        connection: &Connection,
    ) -> Response<Content> {
        connection.set_reading(true);
        let token = body.read(TOKEN).await.unwrap_or_default();
        connection.set_reading(false);
        let Some(key) = self.access.open(&token) else {
            let text = "The link was used before. The endpoint's stderr has the next one.";
            return problem(StatusCode::FORBIDDEN, text);
        };
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        notice(Notice::ConsoleOpened {
            next: self.url(host.unwrap_or_default()),
        });
        with_type("text/plain; charset=utf-8", Content::whole(key))
    }
}

/// Lists the functions.
fn functions(service: &Service) -> Response<Content> {
    let registry = &service.registry;
    let functions: Vec<_> = registry
        .names()
        .into_iter()
        .filter_map(|name| {
            let function = registry.get(name)?;
            let handler = function.resolve(None)?.handler;
            let kind = match handler.mode {
                // A program decides for each call.
                _ if handler.times_itself => "program",
                Mode::Streaming => "streaming",
                Mode::Buffered => "buffered",
            };
            Some(json!({
                "name": name,
                "kind": kind,
                "timeout": function.info().timeout.as_secs_f64(),
                "memory": function.info().memory_mb,
                "url": function.url().is_some(),
            }))
        })
        .collect();
    let body = Bytes::from(json!(functions).to_string());
    with_type("application/json", Content::whole(body))
}
