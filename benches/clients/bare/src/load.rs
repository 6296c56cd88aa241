//! Load through a bare client; see `bench_client_common::load`. With `BENCH_CRC` in the environment
//! each piece of a body gets one `crc32fast` pass, the minimum for a checked stream.

mod client;

use std::cell::RefCell;
use std::rc::Rc;

use bench_client_common::{STAMP, Work, signed};
use bytes::Bytes;
use http::Request;

/// The function of some work, and the request for it.
type Signed = (Option<&'static str>, Request<Bytes>);

/// A client, and the requests that it has signed once.
#[derive(Clone)]
struct Bare {
    client: client::Plain,
    url: String,
    requests: Rc<RefCell<Vec<Signed>>>,
}

impl Bare {
    fn request(&self, work: Work) -> Request<Bytes> {
        let mut requests = self.requests.borrow_mut();
        if let Some((_, request)) = requests.iter().find(|(name, _)| *name == work.function()) {
            return request.clone();
        }
        let request = signed(&self.url, work);
        requests.push((work.function(), request.clone()));
        request
    }
}

fn main() {
    let crc = std::env::var_os("BENCH_CRC").is_some();
    bench_client_common::load(
        |url| Bare {
            client: client::plain(),
            url: url.to_owned(),
            requests: Rc::default(),
        },
        move |bare, work, latency| async move {
            let request = bare.request(work);
            let stamped = work.function() == Some("ticks");
            client::drain(&bare.client, request, |piece| {
                if crc {
                    std::hint::black_box(crc32fast::hash(piece));
                }
                if stamped {
                    // Inside its frame.
                    let at = piece.windows(STAMP.len()).position(|bytes| bytes == STAMP);
                    latency.seen(at.map_or(&[], |at| &piece[at..]));
                }
            })
            .await
        },
    );
}
