//! Everything that a server serves: the API, the functions' URLs, the console.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use http::Response;
use http::header::HOST;
use http::request::Parts;
use hyper::body::Incoming;
use lambda_invoke_protocol::function_url::UrlRoute;

use crate::console::Console;
use crate::event::Notice;
use crate::service::Service;
use crate::service::request_body::RequestBody;
use crate::service::request_log::Watch;
use crate::service::response_body::Body;
use crate::url;
use crate::wire::connection::{Connection, InFlight};

/// The parts of a site, which respond to its requests.
pub(crate) struct Site {
    pub(crate) service: Service,
    pub(crate) console: Option<Console>,
    pub(crate) notice: Arc<dyn Fn(Notice) + Send + Sync>,
    /// The number of servers that serve the site.
    pub(super) servers: AtomicUsize,
}

impl Site {
    pub(super) fn new(
        service: Service,
        console: Option<Console>,
        notice: Arc<dyn Fn(Notice) + Send + Sync>,
    ) -> Self {
        Self {
            service,
            console,
            notice,
            servers: AtomicUsize::new(0),
        }
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site")
            .field("service", &self.service)
            .field("console", &self.console)
            .finish_non_exhaustive()
    }
}

impl Site {
    /// Responds to one request of a connection.
    pub(super) async fn respond(
        &self,
        parts: &Parts,
        body: Incoming,
        connection: &Arc<Connection>,
    ) -> Response<Body> {
        let service = &self.service;
        let in_flight = InFlight::new(connection);
        let id = service.ids.next();
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let path = parts.uri.path();
        let route = UrlRoute::find(authority.or(host), path);
        let is_console = route.is_none() && Console::owns(path);
        let console = self.console.as_ref().filter(|_| is_console);
        // The console's own requests do not belong in a request log.
        let mut watch = match console {
            Some(_) => None,
            None => Watch::new(service.on_response.as_ref(), parts, id, connection),
        };
        // Pinned here, so that it is not moved. What is not a call of the API is boxed, so that the
        // futures of calls stay small.
        let responding = pin!(async {
            let mut body = RequestBody::new(body);
            let response = match (route, console) {
                (Some(route), _) => {
                    let body = &mut body;
                    Box::pin(url::respond(service, &route, parts, body, id, connection)).await
                }
                (None, Some(console)) => {
                    let (notice, body) = (&*self.notice, &mut body);
                    Box::pin(console.respond(service, parts, body, id, connection, notice)).await
                }
                (None, None) => service.respond(parts, &mut body, id, connection).await,
            };
            if body.has_rest(&parts.headers) {
                Box::pin(body.drain()).await;
            }
            response
        });
        let mut response = match &watch {
            Some(watch) => watch.span.run(responding).await,
            None => responding.await,
        };
        connection.set_responding();
        service.set_date(response.headers_mut());
        if let Some(watch) = &mut watch {
            watch.head(response.status(), response.headers());
        }
        response.map(|content| Body::new(content, parts.version, in_flight).watched(watch))
    }
}
