//! A response stream as the HTTP response that the function wrote.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_core::Stream;
use http::header::{CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body::Frame;
use lambda_invoke_protocol::prelude::{HttpPrelude, Part, PreludeSplitter};

use crate::{Error, Reader, ResponseStream, TextStream};

/// The response of a function behind a function URL: status, headers and cookies, then the body. See
/// [`ResponseStream::into_http`].
///
/// It is a [`Stream`] and an [`http_body::Body`] of the body's chunks. It ends like the response
/// stream: without an error only after `InvokeComplete`.
///
/// # Example
///
/// ```no_run
/// # async fn example(client: lambda_invoke::Client) -> Result<(), lambda_invoke::Error> {
/// use lambda_invoke::HttpStream;
///
/// let stream = client.stream("page").payload(r#"{"rawPath":"/"}"#).send().await?;
/// let mut page: HttpStream = stream.into_http().await?;
/// println!("{}, {:?}, cookies {:?}", page.status(), page.headers(), page.cookies());
/// if page.prelude().is_none() {
///     println!("the function has set none of them");
/// }
/// while let Some(piece) = page.next_chunk().await {
///     println!("{} bytes", piece?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "only the end of a stream proves that it is complete"]
pub struct HttpStream {
    stream: ResponseStream,
    prelude: Option<HttpPrelude>,
    splitter: PreludeSplitter,
    first: Option<Bytes>,
    done: bool,
}

impl HttpStream {
    pub(crate) async fn new(stream: ResponseStream) -> Result<Self, Error> {
        let splitter = if stream.head().has_http_prelude() {
            PreludeSplitter::required()
        } else {
            PreludeSplitter::optional()
        };
        let mut this = Self {
            stream,
            prelude: None,
            splitter,
            first: None,
            done: false,
        };
        std::future::poll_fn(|cx| this.poll_beginning(cx)).await?;
        Ok(this)
    }

    /// Returns the prelude; `None` if the stream has none.
    #[must_use]
    pub fn prelude(&self) -> Option<&HttpPrelude> {
        self.prelude.as_ref()
    }

    /// Returns the status that the function set, by default 200.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        let status = self.prelude.as_ref().map(|prelude| prelude.status_code);
        status
            .and_then(|status| StatusCode::from_u16(status).ok())
            .unwrap_or(StatusCode::OK)
    }

    /// Returns the headers that the function set; `None` without a prelude.
    #[must_use]
    pub fn headers(&self) -> Option<&HeaderMap> {
        self.prelude.as_ref().map(|prelude| &prelude.headers)
    }

    /// Returns the cookies, each the value of a `Set-Cookie` header.
    #[must_use]
    pub fn cookies(&self) -> &[String] {
        self.prelude
            .as_ref()
            .map_or(&[], |prelude| &prelude.cookies)
    }

    /// Returns the underlying stream, which has the head and, after the end, the completion.
    pub fn stream(&self) -> &ResponseStream {
        &self.stream
    }

    /// Waits for the next chunk of the body; `None` after the end. Dropping the future loses
    /// nothing.
    ///
    /// # Errors
    ///
    /// As [`ResponseStream::next_chunk`].
    pub async fn next_chunk(&mut self) -> Option<Result<Bytes, Error>> {
        std::future::poll_fn(|cx| self.poll_chunk(cx)).await
    }

    /// Reads the body as text: see [`ResponseStream::into_text`].
    pub fn into_text(self) -> TextStream<Self> {
        let request_id = self.stream.request_id().map(str::to_owned);
        let attempts = self.stream.attempts();
        TextStream::new(self, request_id, attempts)
    }

    /// Reads the body as an `AsyncRead`.
    pub fn into_reader(self) -> Reader<Self> {
        Reader::new(self)
    }

    /// Converts the stream into an [`http::Response`], with cookies as `Set-Cookie` headers.
    /// Without a prelude, the content type is the one that the function set for its stream.
    /// `Content-Length` and the headers of the connection are
    /// [removed](HttpPrelude::remove_connection_headers), so that a server can relay the response.
    ///
    /// A cookie that is not a valid header value is left out.
    #[must_use]
    pub fn into_response(mut self) -> Response<Self> {
        let status = self.status();
        let mut headers = HeaderMap::new();
        match &mut self.prelude {
            Some(prelude) => {
                prelude.remove_connection_headers();
                headers = std::mem::take(&mut prelude.headers);
                for cookie in &prelude.cookies {
                    if let Ok(cookie) = HeaderValue::from_str(cookie) {
                        headers.append(SET_COOKIE, cookie);
                    }
                }
            }
            None => {
                let content_type = self.stream.remapped_content_type();
                if let Some(Ok(value)) = content_type.map(HeaderValue::from_str) {
                    headers.insert(CONTENT_TYPE, value);
                }
            }
        }
        let mut response = Response::new(self);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    }

    /// Polls until it is known whether there is a prelude.
    fn poll_beginning(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        loop {
            match self.splitter.next_part() {
                Some(Ok(Part::Prelude(prelude))) => {
                    self.prelude = Some(prelude);
                    return Poll::Ready(Ok(()));
                }
                Some(Ok(Part::Body(piece))) => {
                    self.first = Some(piece);
                    return Poll::Ready(Ok(()));
                }
                Some(Err(error)) => {
                    return Poll::Ready(Err(self.stream.corrupt(error)));
                }
                None if self.done => return Poll::Ready(Ok(())),
                None => match ready!(self.stream.poll_chunk(cx)) {
                    Some(chunk) => self.splitter.push(chunk?),
                    None => {
                        self.done = true;
                        if let Err(error) = self.splitter.finish() {
                            return Poll::Ready(Err(self.stream.corrupt(error)));
                        }
                    }
                },
            }
        }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(first)));
        }
        // The chunk that ended the prelude may contain the start of the body; later chunks need no
        // splitter.
        if let Some(Ok(Part::Body(piece))) = self.splitter.next_part() {
            return Poll::Ready(Some(Ok(piece)));
        }
        if self.done {
            return Poll::Ready(None);
        }
        self.stream.poll_chunk(cx)
    }
}

/// Without what has been read of the body.
impl fmt::Debug for HttpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpStream")
            .field("stream", &self.stream)
            .field("prelude", &self.prelude)
            .finish_non_exhaustive()
    }
}

impl Stream for HttpStream {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_chunk(cx)
    }
}

impl http_body::Body for HttpStream {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        self.poll_chunk(cx).map_ok(Frame::data)
    }
}
