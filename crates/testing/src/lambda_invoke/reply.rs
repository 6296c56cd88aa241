//! Buffered responses.

use std::sync::OnceLock;

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{HeaderValue, Response, Version};
use lambda_invoke::{ErrorKind, Execution};

use super::{End, Scripted, block_on, client};

/// A response to an invocation that ran.
#[derive(Arbitrary, Debug)]
struct Script<'a> {
    framing: Framing,
    body: &'a [u8],
    end: End,
    /// Lengths of the body's pieces, repeated; 0 is a poll that returns `Pending`.
    pieces: Vec<u8>,
    /// The difference between the length that the HTTP library reports for the body, if any, and
    /// its real length.
    known: Option<i8>,
    /// The client's maximum, relative to the length of the response, unless it is the default.
    most: Option<i16>,
    /// Whether the body begins with [`FILLER`] bytes, for the limit by default. Rarely, since they take
    /// more time than everything else.
    filler: u8,
}

/// More than a limit that might be meant, and less than the right one.
const FILLER: usize = 9 * 1024 * 1024;

fn filler(choice: u8) -> Bytes {
    static ZEROS: OnceLock<Bytes> = OnceLock::new();
    match choice {
        u8::MAX => ZEROS.get_or_init(|| vec![0; FILLER].into()).clone(),
        _ => Bytes::new(),
    }
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Framing {
    /// `Content-Length`, off by this.
    Length(i8),
    /// `Transfer-Encoding: chunked`, and also a `Content-Length`, which does not count.
    Chunked(Option<u8>),
    /// Nothing but the end of the connection.
    Connection,
    Http2,
}

/// The largest response that a client keeps by default.
const MOST: u64 = 32 * 1024 * 1024;

/// However a response is divided, its payload is its whole body, and it is accepted only if its end
/// is proved: by the announced length, by the last chunk or by the framing of HTTP/2. No error
/// claims that the function did not run, and the request is not sent again.
pub fn reply(data: &[u8]) {
    let Ok(script) = Script::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    let filler = filler(script.filler);
    let mut body = Scripted::new(script.body, &script.pieces, script.end);
    if !filler.is_empty() {
        body.pieces.push_front(filler.clone());
        body.waits.push_front(false);
    }
    let length = (filler.len() + script.body.len()) as u64;
    body.known = script
        .known
        .map(|off| length.saturating_add_signed(off.into()));
    let knows_its_length = body.known == Some(length);
    let mut response = Response::new(body);
    let number = |number: u64| HeaderValue::from(number);
    let headers = response.headers_mut();
    headers.insert("x-amzn-requestid", HeaderValue::from_static("the-id"));
    let proved = match script.framing {
        Framing::Length(off) => {
            let announced = length.saturating_add_signed(off.into());
            headers.insert("content-length", number(announced));
            announced == length
        }
        Framing::Chunked(beside) => {
            headers.insert("transfer-encoding", HeaderValue::from_static("chunked"));
            if let Some(beside) = beside {
                headers.insert("content-length", number(beside.into()));
            }
            true
        }
        // A library may know the length without a header.
        Framing::Connection => knows_its_length,
        Framing::Http2 => {
            *response.version_mut() = Version::HTTP_2;
            true
        }
    };
    let most = script
        .most
        .map_or(MOST, |off| length.saturating_add_signed((off % 8).into()));
    let result = block_on(async {
        let client = client(response, |builder| match script.most {
            Some(_) => builder.max_reply_bytes(most),
            None => builder,
        });
        client.invoke("hello").payload("{}").send().await
    });
    match result {
        Ok(reply) => {
            assert!(proved && script.end == End::Clean && length <= most);
            let (start, rest) = reply.payload().split_at(filler.len());
            assert!(start == filler && rest == script.body);
        }
        Err(error) => {
            assert_eq!(
                (error.execution(), error.attempts()),
                (Execution::Started, 1)
            );
            let received = error.received().expect("a response came");
            if length > most {
                assert!(received > most || error.kind() != ErrorKind::TooLarge);
            } else {
                assert_eq!((error.kind(), received), (ErrorKind::Truncated, length));
                assert!(!proved || script.end == End::Failure);
            }
        }
    }
}
