//! What a server has at its addresses: the API, the functions' URLs, the console.

use std::sync::Arc;

use http::header::HOST;
use http::{Request, Response};
use hyper::body::Incoming;
use lambda_invoke_protocol::function_url::UrlRoute;

use crate::service::Service;
use crate::service::request_log::Watch;
use crate::service::response_body::Body;
use crate::url;
use crate::wire::connection::{Connection, InFlight};

/// Everything that a server responds with.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) service: Service,
}

impl Site {
    /// Responds to one request of a connection.
    pub(super) async fn respond(
        &self,
        request: Request<Incoming>,
        connection: &Arc<Connection>,
    ) -> Response<Body> {
        let service = &self.service;
        let in_flight = InFlight::new(connection);
        let id = service.ids.next();
        let (parts, body) = request.into_parts();
        let authority = parts.uri.authority().map(|authority| authority.as_str());
        let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
        let mut watch = service
            .on_response
            .as_ref()
            .map(|on_response| Watch::new(on_response, &parts, id, connection));
        let mut response = match UrlRoute::find(authority.or(host), parts.uri.path()) {
            Some(route) => url::respond(service, &route, &parts, body, id, connection).await,
            None => service.respond(&parts, body, id, connection).await,
        };
        service.set_date(response.headers_mut());
        if let Some(watch) = &mut watch {
            watch.head(response.status(), response.headers());
        }
        response.map(|content| Body::new(content, in_flight).watched(watch))
    }
}
