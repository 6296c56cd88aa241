//! A buffered response in any number of pieces, over sockets and through a custom HTTP service: the
//! pieces are joined in order, trailers are not part of the response, and a response that is
//! shorter or longer than announced counts as truncated.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test's helper may")]

mod support;

use std::collections::VecDeque;
use std::future::{Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use lambda_invoke::{BoxError, ClientBuilder, Error, ErrorKind, Execution, Reply};
use support::{LAST_CHUNK, Server, Step, http_chunk};
use tower_service::Service;

/// What a body does when it is polled.
#[derive(Clone, Debug)]
enum Polled {
    Data(&'static str),
    Trailers,
    /// The body is pending.
    Pending,
    Fails,
}

use Polled::{Data, Fails, Pending, Trailers};

/// A body of another HTTP library, which may claim any size.
#[derive(Clone, Debug)]
struct Scripted {
    polls: VecDeque<Polled>,
    claimed: SizeHint,
}

fn scripted(polls: impl Into<VecDeque<Polled>>) -> Scripted {
    Scripted {
        polls: polls.into(),
        claimed: SizeHint::new(),
    }
}

impl Scripted {
    fn claiming(mut self, lower: u64, upper: Option<u64>) -> Self {
        self.claimed.set_lower(lower);
        if let Some(upper) = upper {
            self.claimed.set_upper(upper);
        }
        self
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        Poll::Ready(match self.polls.pop_front() {
            Some(Data(text)) => Some(Ok(Frame::data(Bytes::from(text)))),
            Some(Trailers) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("x-checksum", "1".parse().unwrap());
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Fails) => Some(Err("the foreign connection broke".into())),
            None => None,
        })
    }

    fn size_hint(&self) -> SizeHint {
        self.claimed
    }
}

/// A custom HTTP service that responds to every request with this body.
#[derive(Clone)]
struct Foreign {
    headers: &'static [(&'static str, &'static str)],
    body: Arc<Scripted>,
}

impl Service<Request<Full<Bytes>>> for Foreign {
    type Response = Response<Scripted>;
    type Error = BoxError;
    type Future = Ready<Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let mut response = Response::new(Scripted::clone(&self.body));
        let headers = response.headers_mut();
        headers.insert("x-amzn-requestid", "the-id".parse().unwrap());
        for (name, value) in self.headers {
            headers.insert(*name, value.parse().unwrap());
        }
        ready(Ok(response))
    }
}

fn builder(headers: &'static [(&'static str, &'static str)], body: Scripted) -> ClientBuilder {
    let body = Arc::new(body);
    let builder = support::builder().endpoint_url("http://127.0.0.1:1");
    builder.transport(Foreign { headers, body })
}

async fn invoked(
    headers: &'static [(&'static str, &'static str)],
    body: Scripted,
) -> Result<Reply, Error> {
    let client = builder(headers, body).build().unwrap();
    client.invoke("f").send().await
}

const CHUNKED: &[(&str, &str)] = &[("transfer-encoding", "chunked")];
const SIX: &[(&str, &str)] = &[("content-length", "6")];

#[tokio::test]
async fn pieces_of_a_foreign_body_are_joined_in_their_order_without_its_trailers() {
    let three = || vec![Data("[1"), Pending, Data(",2"), Data(",3]"), Trailers];
    let sizes = [
        (0, None),
        (7, Some(7)),
        // A wrong size hint costs memory at most, bounded by the client's maximum.
        (1, Some(1)),
        (u64::MAX, None),
    ];
    for (lower, upper) in sizes {
        let body = scripted(three()).claiming(lower, upper);
        let reply = invoked(CHUNKED, body).await.unwrap();
        assert_eq!(reply.payload(), "[1,2,3]", "{lower} {upper:?}");
    }
    let many: Vec<Polled> = (0..500).map(|_| Data("12")).collect();
    let reply = invoked(CHUNKED, scripted(many)).await.unwrap();
    assert_eq!(reply.payload().len(), 1000);
    assert!(reply.payload().chunks(2).all(|piece| piece == b"12"));
    // Trailers between pieces and empty pieces change nothing.
    let odd = scripted([
        Data(""),
        Trailers,
        Data("4"),
        Data(""),
        Trailers,
        Data("2"),
        Trailers,
    ]);
    assert_eq!(invoked(CHUNKED, odd).await.unwrap().payload(), "42");
    let nothing = scripted([Trailers]);
    assert_eq!(invoked(CHUNKED, nothing).await.unwrap().payload(), "");
}

#[tokio::test]
async fn a_foreign_body_must_have_the_announced_length() {
    for (pieces, received) in [
        (vec![], 0),
        (vec![Data("[1]")], 3),
        (vec![Data("[1"), Data(",2"), Data("]")], 5),
        (vec![Data("[1"), Data(",2"), Data(","), Data("3]")], 7),
        (vec![Data("[1,2,3"), Data("]"), Trailers], 7),
    ] {
        // The header announces six bytes; a different size hint of the body does not overrule it.
        for claimed in [None, Some(received)] {
            let body = scripted(pieces.clone()).claiming(claimed.unwrap_or(0), claimed);
            let error = invoked(SIX, body).await.unwrap_err();
            assert_eq!(
                (error.kind(), error.execution(), error.received()),
                (ErrorKind::Truncated, Execution::Started, Some(received)),
                "{pieces:?} {claimed:?}"
            );
            let told = format!("after {received} bytes");
            let sources = chain(&error);
            assert!(
                sources.contains(&told) && sources.contains('6'),
                "{sources}"
            );
        }
    }
    let exact = scripted([Data("[1"), Data(",2"), Data("]\n")]);
    assert_eq!(invoked(SIX, exact).await.unwrap().payload(), "[1,2]\n");
}

#[tokio::test]
async fn a_foreign_body_without_a_header_is_proved_by_the_length_that_it_knows() {
    let pieces = || vec![Data("[1"), Data(",2"), Data("]")];
    let exact = scripted(pieces()).claiming(5, Some(5));
    assert_eq!(invoked(&[], exact).await.unwrap().payload(), "[1,2]");
    // A body that was shorter or longer than its size hint, or had only a range, is not proved
    // complete.
    for (lower, upper) in [
        (6, Some(6)),
        (4, Some(4)),
        (0, None),
        (5, Some(6)),
        (0, Some(5)),
    ] {
        let body = scripted(pieces()).claiming(lower, upper);
        let error = invoked(&[], body).await.unwrap_err();
        let found = (error.kind(), error.received());
        assert_eq!(found, (ErrorKind::Truncated, Some(5)), "{lower} {upper:?}");
    }
}

#[tokio::test]
async fn a_foreign_body_that_fails_is_never_a_response() {
    for (pieces, received) in [
        (vec![Fails], 0),
        (vec![Data("[1]"), Fails], 3),
        (vec![Data("[1"), Data(",2"), Data("]"), Fails], 5),
    ] {
        let error = invoked(CHUNKED, scripted(pieces)).await.unwrap_err();
        assert_eq!(
            (error.execution(), error.received()),
            (Execution::Started, Some(received))
        );
        assert!(chain(&error).contains("the foreign connection broke"));
    }
}

#[tokio::test]
async fn a_foreign_body_beyond_the_maximum_is_rejected_at_the_piece_that_exceeds_it() {
    let body = scripted([Data("123"), Data("456"), Data("7"), Fails]);
    let small = |body| builder(CHUNKED, body).max_reply_bytes(6).build().unwrap();
    let error = small(body).invoke("f").send().await.unwrap_err();
    assert_eq!(
        (error.kind(), error.execution(), error.received()),
        (ErrorKind::TooLarge, Execution::Started, Some(7))
    );
    let fits = scripted([Data("123"), Data("456"), Trailers]);
    let reply = small(fits).invoke("f").send().await;
    assert_eq!(reply.unwrap().payload(), "123456");
}

#[tokio::test]
async fn without_a_setting_32_mib_are_kept_and_no_byte_more() {
    // The documented default is exactly 32 MiB; all pieces share one buffer of 1 MiB.
    let piece: &'static str = Box::leak("x".repeat(1 << 20).into_boxed_str());
    let reply = invoked(CHUNKED, scripted(vec![Data(piece); 32])).await;
    assert_eq!(reply.unwrap().payload().len(), 32 << 20);
    let mut more = vec![Data(piece); 32];
    more.push(Data("x"));
    let error = invoked(CHUNKED, scripted(more)).await.unwrap_err();
    let received = (32 << 20) + 1;
    assert_eq!(
        (error.kind(), error.received()),
        (ErrorKind::TooLarge, Some(received))
    );
}

#[tokio::test]
async fn a_length_that_no_memory_holds_is_not_reserved() {
    for claimed in [1 << 40, 1 << 62, u64::MAX] {
        let body = scripted([Data("123"), Data("456")]).claiming(claimed, None);
        let client = builder(CHUNKED, body).max_reply_bytes(u64::MAX);
        let reply = client.build().unwrap().invoke("f").send().await;
        assert_eq!(reply.unwrap().payload(), "123456");
    }
}

/// The same over a socket, where the server's writes are the pieces.
#[tokio::test]
async fn pieces_from_a_socket_are_joined_and_counted() {
    for pieces in [1, 2, 3, 4, 9] {
        for last in [true, false] {
            let server = Server::start(move |_, _| {
                let head = "HTTP/1.1 200 OK\r\nx-amzn-requestid: the-id\r\n\
                            transfer-encoding: chunked\r\n\r\n";
                let mut steps = vec![Step::Write(head.into())];
                // Each piece is larger than a read, so that it arrives by itself or in several
                // parts.
                let piece =
                    |number: usize| http_chunk(number.to_string().repeat(20_000).as_bytes());
                steps.extend((0..pieces).map(|number| Step::Write(piece(number))));
                if last {
                    steps.push(Step::Write(LAST_CHUNK.to_vec()));
                }
                steps.push(Step::Close);
                steps
            })
            .await;
            let result = server.client().invoke("f").send().await;
            assert_eq!(server.requests(), 1);
            match result {
                Ok(reply) => {
                    assert!(last, "{pieces} pieces without an end");
                    let expected: String = (0..pieces)
                        .map(|number| number.to_string().repeat(20_000))
                        .collect();
                    assert_eq!(*reply.payload(), expected);
                }
                Err(error) => {
                    assert!(!last, "{error}");
                    let received = 20_000 * pieces as u64;
                    assert_eq!(
                        (error.kind(), error.received()),
                        (ErrorKind::Truncated, Some(received))
                    );
                }
            }
        }
    }
}

/// Returns the messages of an error and its sources.
fn chain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text.push_str(&format!(": {source}"));
        next = source.source();
    }
    text
}
