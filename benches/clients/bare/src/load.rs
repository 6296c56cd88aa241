//! Load through a bare client; see `bench_client_common::load`. If `BENCH_CRC` is set in the
//! environment, each piece of a body gets one `crc32fast` pass, the minimum for a checked stream.

mod client;

use std::sync::{Arc, Mutex};

use bench_client_common::{STAMP, Work, signed};
use bytes::Bytes;
use http::Request;

/// The function that this work calls, and the request for it.
type Signed = (Option<&'static str>, Request<Bytes>);

/// Over TCP, or over TLS.
#[derive(Clone)]
enum Client {
    Plain(client::Plain),
    Https(client::Https),
}

/// A client, and the requests that it has signed, each once.
#[derive(Clone)]
struct Bare {
    client: Client,
    url: String,
    requests: Arc<Mutex<Vec<Signed>>>,
}

impl Bare {
    fn new(url: &str, ca: Option<&str>) -> Self {
        let client = match ca {
            None => Client::Plain(client::plain()),
            Some(ca) => Client::Https(client::https(Some(ca))),
        };
        Self {
            client,
            url: url.to_owned(),
            requests: Arc::default(),
        }
    }

    fn request(&self, work: Work) -> Request<Bytes> {
        let mut requests = self.requests.lock().unwrap();
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
    bench_client_common::load(Bare::new, move |bare, work, latency| async move {
        let request = bare.request(work);
        let stamped = matches!(work.function(), Some("ticks" | "hold"));
        let seen = |piece: &[u8]| {
            if crc {
                std::hint::black_box(crc32fast::hash(piece));
            }
            if stamped {
                // The stamp is inside its frame.
                let at = piece.windows(STAMP.len()).position(|bytes| bytes == STAMP);
                latency.seen(at.map_or(&[], |at| &piece[at..]));
            }
        };
        match &bare.client {
            Client::Plain(client) => client::drain(client, request, seen).await,
            Client::Https(client) => client::drain(client, request, seen).await,
        }
    });
}
