//! What carries requests: the project's own transport, or any `tower_service::Service`.

use std::any::Any;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use lambda_invoke_transport::{TimeoutKind, Timeouts, Transport};
use tower_service::Service;

use crate::{BoxError, Error};

type ForeignFuture = Pin<Box<dyn Future<Output = Result<Response<ForeignBody>, BoxError>> + Send>>;
type ForeignBody = Pin<Box<dyn Body<Data = Bytes, Error = BoxError> + Send>>;

/// Carries requests. The own transport is no trait object, so that it costs no box a call.
pub(crate) enum Carrier {
    Own(Transport),
    Foreign(Box<dyn Foreign>),
}

impl Carrier {
    /// The own transport is told by its type.
    pub(crate) fn new<S, B>(service: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        match (&service as &dyn Any).downcast_ref::<Transport>() {
            Some(transport) => Self::Own(transport.clone()),
            None => Self::Foreign(Box::new(Shared(Mutex::new(service)))),
        }
    }

    /// The time limits of a request that brings none, if the carrier has any.
    pub(crate) fn timeouts(&self) -> Option<Timeouts> {
        match self {
            Self::Own(transport) => Some(transport.timeouts()),
            Self::Foreign(_) => None,
        }
    }

    /// Sends a request and waits for the head of its answer. `limits` are among the request's
    /// extensions too, where the own transport looks for them; a foreign one need not, so that
    /// what concerns the head is held here.
    pub(crate) async fn send(
        &self,
        request: Request<Full<Bytes>>,
        limits: Option<Timeouts>,
    ) -> Result<Response<ResponseBody>, Error> {
        match self {
            Self::Own(transport) => match transport.send(request).await {
                Ok(answer) => Ok(answer.map(ResponseBody::Own)),
                Err(error) => Err(Error::unanswered(error.into())),
            },
            Self::Foreign(service) => {
                let answer = service.send(request);
                let of = |which, limit: Option<Duration>| limit.map(|limit| (limit, which));
                let limits = limits.unwrap_or(Timeouts::none());
                let limit = of(TimeoutKind::Total, limits.total())
                    .into_iter()
                    .chain(of(TimeoutKind::FirstByte, limits.first_byte()))
                    .min_by_key(|(limit, _)| *limit);
                let answer = match limit {
                    None => answer.await,
                    Some((limit, which)) => match tokio::time::timeout(limit, answer).await {
                        Ok(answer) => answer,
                        Err(_) => return Err(Error::timed_out(which, limit)),
                    },
                };
                Ok(answer
                    .map_err(Error::unanswered)?
                    .map(ResponseBody::Foreign))
            }
        }
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(transport) => transport.fmt(f),
            Self::Foreign(_) => f.write_str("a service of the caller's"),
        }
    }
}

/// A service of another's, its types forgotten.
pub(crate) trait Foreign: Send + Sync {
    fn send(&self, request: Request<Full<Bytes>>) -> ForeignFuture;
}

/// Each call is made on a clone, as services want it; the lock is for those that are not `Sync`.
struct Shared<S>(Mutex<S>);

impl<S, B> Foreign for Shared<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: Into<BoxError>,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    fn send(&self, request: Request<Full<Bytes>>) -> ForeignFuture {
        let mut service = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Box::pin(async move {
            poll_fn(|cx| service.poll_ready(cx))
                .await
                .map_err(Into::into)?;
            let answer = service.call(request).await.map_err(Into::into)?;
            Ok(answer.map(|body| Box::pin(BoxedErrors(Box::pin(body))) as ForeignBody))
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

/// The body of an answer, whoever carried it.
pub(crate) enum ResponseBody {
    Own(lambda_invoke_transport::Body),
    Foreign(ForeignBody),
}

impl ResponseBody {
    /// The next piece; trailers are passed over.
    pub(crate) fn poll_data(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, BoxError>>> {
        loop {
            let frame = match self {
                Self::Own(body) => Pin::new(body).poll_frame(cx).map_err(BoxError::from),
                Self::Foreign(body) => body.as_mut().poll_frame(cx),
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

    /// How many bytes are still to come, as far as that is known. Exact for a body of our own
    /// transport with a length; a body of another's may know its length without any header.
    pub(crate) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => body.size_hint(),
            Self::Foreign(body) => body.size_hint(),
        }
    }
}
