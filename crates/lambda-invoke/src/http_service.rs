//! The HTTP service that sends requests: the project's own transport, or any
//! `tower_service::Service`.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use lambda_invoke_transport::{Sends, Sent, Timeouts, Transport};
use tower_service::Service;

use crate::endpoint::EndpointUrl;
use crate::limits::Limits;
use crate::{BoxError, Error};

pub(crate) type CustomFuture =
    Pin<Box<dyn Future<Output = Result<Response<CustomBody>, BoxError>> + Send>>;
type CustomBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// Sends requests. The built-in transport is not a trait object, which saves an allocation per
/// call.
pub(crate) enum HttpService {
    Builtin(Transport),
    Custom(Box<dyn CustomService>),
}

impl HttpService {
    /// Recognizes the built-in transport by its type.
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match (&service as &dyn Any).downcast_ref::<Transport>() {
            Some(transport) => Self::Builtin(transport.clone()),
            None => Self::Custom(Box::new(Shared(Mutex::new(service)))),
        }
    }

    /// The timeouts of a request that does not set any, if they are known.
    pub(crate) fn timeouts(&self) -> Option<Timeouts> {
        match self {
            Self::Builtin(transport) => Some(transport.timeouts()),
            Self::Custom(_) => None,
        }
    }
}

/// Sends a request through a custom service; a transport below its layers counts the sends.
pub(crate) fn send(
    service: &dyn CustomService,
    mut request: Request<Full<Bytes>>,
) -> (CustomFuture, Sends) {
    let sends = Sends::default();
    request.extensions_mut().insert(sends.clone());
    (service.send(request), sends)
}

/// Waits for the head of a custom service's response.
///
/// A custom service may ignore the timeouts among the request's extensions, so those up to the head
/// are enforced here. A layer may have sent the request before the send that its result is about:
/// whether it has is also returned.
pub(crate) async fn in_time(
    (response, sends): (CustomFuture, Sends),
    limits: Limits,
    endpoint: &EndpointUrl,
) -> (Result<Response<ResponseBody>, Error>, Sent) {
    let response = match limits.until_head() {
        None => Ok(response.await),
        Some((wait, kind, length)) => tokio::time::timeout(wait, response)
            .await
            .map_err(|_| Error::timed_out(endpoint, kind, length)),
    };
    let response = response.and_then(|response| {
        response.map_err(|error| Error::no_response(endpoint, error, sends.sent()))
    });
    let response = response.map(|mut response| {
        if sends.sent() == Sent::Maybe {
            response.extensions_mut().insert(OverConnection);
        }
        response.map(ResponseBody::Custom)
    });
    (response, sends.sent_before())
}

/// Marks a response that came over a connection of the built-in transport, below a layer. Its body
/// may have a length that only the layer knows, which does not prove that it is complete.
#[derive(Clone, Debug)]
pub(crate) struct OverConnection;

impl fmt::Debug for HttpService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Builtin(transport) => transport.fmt(f),
            Self::Custom(_) => f.write_str("a custom service"),
        }
    }
}

/// A custom service with erased types.
pub(crate) trait CustomService: Send + Sync {
    fn send(&self, request: Request<Full<Bytes>>) -> CustomFuture;
}

/// Each call is made on a clone, as services require; the lock is for those that are not `Sync`.
struct Shared<S>(Mutex<S>);

impl<S, B> CustomService for Shared<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn send(&self, request: Request<Full<Bytes>>) -> CustomFuture {
        let mut service = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(Into::into)?;
            let response = service.call(request).await.map_err(Into::into)?;
            Ok(response.map(|body| Box::pin(BoxedErrors(Box::pin(body))) as CustomBody))
        })
    }
}

/// A body whose errors are boxed.
struct BoxedErrors<B>(Pin<Box<B>>);

impl<B: Body<Data = Bytes>> Body for BoxedErrors<B>
where
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.0.as_mut().poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.0.size_hint()
    }
}

/// The body of a response.
pub(crate) enum ResponseBody {
    Builtin(lambda_invoke_transport::Body),
    Custom(CustomBody),
}

impl ResponseBody {
    /// Polls for the next piece; trailers are skipped.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            let frame = match self {
                Self::Builtin(body) => Pin::new(body).poll_frame(cx).map_err(BoxError::from),
                Self::Custom(body) => body.as_mut().poll_frame(cx),
            };
            return match frame {
                Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                    Ok(data) => Poll::Ready(Some(Ok(data))),
                    Err(_trailers) => continue,
                },
                Poll::Ready(Some(Err(error))) => Poll::Ready(Some(Err(error))),
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            };
        }
    }

    pub(crate) async fn data(&mut self) -> Option<Result<Bytes, BoxError>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// Returns how many bytes are still to come, if known. This is exact for a body of the
    /// built-in transport with a length; the body of a custom service may know its length
    /// without any header.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Builtin(body) => body.size_hint(),
            Self::Custom(body) => body.size_hint(),
        }
    }
}
