//! Concurrency adapts to an unknown limit, and follows the limit when it changes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/limited.rs"]
#[allow(dead_code, unreachable_pub, clippy::unwrap_used)]
mod limited;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::Duration;

use lambda_invoke::bytes::Bytes;
use lambda_invoke::http::{Request, Response};
use lambda_invoke::http_body_util::Full;
use lambda_invoke::tower_service::Service;
use lambda_invoke::{BoxError, Client, Credentials};
use lambda_invoke_map::{Item, Map, iter};
use limited::Limited;
use tokio::time::Instant;

/// A service with a limit of concurrent calls, without sockets.
#[derive(Clone)]
struct InMemory {
    limit: Arc<AtomicUsize>,
    running: Arc<AtomicUsize>,
    takes: Duration,
}

impl InMemory {
    fn new(limit: usize, takes: Duration) -> Self {
        Self {
            limit: Arc::new(AtomicUsize::new(limit)),
            running: Arc::default(),
            takes,
        }
    }

    fn client(&self) -> Client {
        Client::builder()
            .region("us-east-1")
            .endpoint_url("http://lambda.local")
            .credentials(Credentials::new("local", "local").unwrap())
            .transport(self.clone())
            .build()
            .unwrap()
    }
}

impl Service<Request<Full<Bytes>>> for InMemory {
    type Response = Response<Full<Bytes>>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Full<Bytes>>) -> Self::Future {
        let this = self.clone();
        Box::pin(async move {
            let before = this.running.fetch_add(1, Ordering::SeqCst);
            let running = Running(Arc::clone(&this.running));
            let is_accepted = before < this.limit.load(Ordering::SeqCst);
            let takes = match is_accepted {
                true => this.takes,
                false => Duration::from_millis(3),
            };
            tokio::time::sleep(takes).await;
            drop(running);
            let response = Response::builder().header("content-type", "application/json");
            let (response, body) = match is_accepted {
                true => (response.header("x-amzn-requestid", "1"), "{}"),
                false => (
                    response
                        .status(429)
                        .header("x-amzn-errortype", "TooManyRequestsException"),
                    limited::THROTTLED,
                ),
            };
            let body = Full::new(Bytes::from_static(body.as_bytes()));
            Ok(response
                .header("content-length", body_len(&body))
                .body(body)?)
        })
    }
}

/// A running call, until it ends or is dropped.
struct Running(Arc<AtomicUsize>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn body_len(body: &Full<Bytes>) -> u64 {
    lambda_invoke::http_body::Body::size_hint(body).lower()
}

fn endless() -> impl Iterator<Item = Item> + Send + Unpin {
    (0..u64::MAX).map(|n| Item::new(format!("{n}")))
}

/// Runs for this long, and returns how many calls ended in each slice of the time.
async fn ended(client: Client, most: usize, slices: usize, slice: Duration) -> Vec<usize> {
    let map = Map::new(client, "f".try_into().unwrap()).concurrency(most);
    let mut run = map.run(iter(endless()));
    let mut counts = vec![0; slices];
    let began = Instant::now();
    while let Some(event) = run.next().await {
        event.unwrap();
        let at = (began.elapsed().as_secs_f64() / slice.as_secs_f64()) as usize;
        match counts.get_mut(at) {
            Some(count) => *count += 1,
            None => break,
        }
    }
    counts
}

/// Virtual time, in which neither this machine nor its load matters.
#[tokio::test(start_paused = true)]
async fn reaches_nine_tenths_of_the_best_fixed_concurrency_and_follows_a_change() {
    let (takes, slice) = (Duration::from_millis(100), Duration::from_millis(500));
    for limit in [3, 20, 150] {
        let service = InMemory::new(limit, takes);
        let best = (limit * 5) as f64;
        let share = |counts: &[usize], best: f64| {
            counts.iter().sum::<usize>() as f64 / counts.len() as f64 / best
        };
        // The limit is reached within two seconds; the requirement is ten.
        let counts = ended(service.client(), 1_000, 20, slice).await;
        let reached = share(&counts[4..], best);
        assert!(reached >= 0.9, "{reached} of {best}: {counts:?}");

        let change = async {
            tokio::time::sleep(Duration::from_secs(3)).await;
            service.limit.store(limit * 3, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_secs(7)).await;
            service.limit.store(limit / 2 + 1, Ordering::SeqCst);
        };
        let run = ended(service.client(), 1_000, 40, slice);
        let (counts, ()) = tokio::join!(run, change);
        // The limit is followed from three seconds after each change on.
        let raised = share(&counts[12..20], best * 3.0);
        let lowered = share(&counts[26..], ((limit / 2 + 1) * 5) as f64);
        assert!(
            raised >= 0.9 && lowered >= 0.9,
            "{raised}, {lowered}: {counts:?}"
        );
    }
}

/// Prints the curve of docs/performance.md:
/// `cargo test -p lambda-invoke-map --test adapts -- --ignored --nocapture virtual`.
#[tokio::test(start_paused = true)]
#[ignore = "prints figures"]
async fn curve_in_virtual_time() {
    let slice = Duration::from_millis(500);
    for (takes, limit, changed) in [(100, 100, 400), (100, 400, 100), (1_000, 100, 200)] {
        let takes = Duration::from_millis(takes);
        let service = InMemory::new(limit, takes);
        let change = async {
            tokio::time::sleep(Duration::from_secs(10)).await;
            service.limit.store(changed, Ordering::SeqCst);
        };
        let (counts, ()) = tokio::join!(ended(service.client(), 1_000, 40, slice), change);
        let shares = counts.chunks(2).enumerate().map(|(second, counts)| {
            let limit = if second < 10 { limit } else { changed };
            let best = limit as f64 / takes.as_secs_f64();
            (counts.iter().sum::<usize>() as f64 / best * 100.0).round() as u64
        });
        let shares: Vec<u64> = shares.collect();
        println!("{takes:?}, limit {limit}, then {changed}: {shares:?}");
    }
}

/// Prints the same over sockets, in real time, next to the best fixed concurrency, and checks that
/// it is reached within ten seconds and kept, also from three seconds after a change on: `cargo
/// test --release -p lambda-invoke-map --test adapts -- --ignored --nocapture sockets`.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes a minute, and its figures are those of the machine"]
async fn curve_over_sockets() {
    let (takes, second) = (Duration::from_millis(100), Duration::from_secs(1));
    for (limit, changed) in [(100, 300), (300, 100)] {
        let mut best = Vec::new();
        for limit in [limit, changed] {
            let service = Limited::start(limit, takes).await;
            let counts = ended(service.client(), limit, 4, second).await;
            best.push(counts[1..].iter().sum::<usize>() as f64 / 3.0);
        }
        let service = Limited::start(limit, takes).await;
        let change = async {
            tokio::time::sleep(Duration::from_secs(12)).await;
            service.limit.store(changed, Ordering::SeqCst);
        };
        let run = ended(service.client(), 1_000, 20, second);
        let (counts, ()) = tokio::join!(run, change);
        let share = |(at, count): (usize, &usize)| *count as f64 / best[usize::from(at >= 12)];
        let shares: Vec<f64> = counts.iter().enumerate().map(share).collect();
        let percent = shares.iter().map(|share| (share * 100.0).round() as u64);
        println!(
            "limit {limit}, then {changed}; best {best:?} a second; % of it in each: {:?}",
            percent.collect::<Vec<_>>()
        );
        for seconds in [10..12, 15..20] {
            let mean = shares[seconds.clone()].iter().sum::<f64>() / seconds.len() as f64;
            assert!(mean >= 0.9, "{mean} in seconds {seconds:?}");
        }
    }
}

/// Two items, the first after ten minutes.
struct Late(Pin<Box<tokio::time::Sleep>>, u64);

impl futures_core::Stream for Late {
    type Item = Result<Item, BoxError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if !self.0.is_elapsed() {
            std::task::ready!(self.0.as_mut().poll(cx));
        }
        self.1 += 1;
        Poll::Ready((self.1 <= 2).then(|| Ok(Item::new("1"))))
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_source_does_not_use_up_the_patience() {
    let service = InMemory::new(1, Duration::from_secs(1));
    let late = Late(Box::pin(tokio::time::sleep(Duration::from_secs(600))), 0);
    let mut run = Map::new(service.client(), "f".try_into().unwrap()).run(late);
    while let Some(event) = run.next().await {
        event.unwrap();
    }
    assert!(matches!(run.ended(), lambda_invoke_map::Ended::Complete));
    let progress = run.progress();
    assert_eq!(progress.finished.done, 2);
    assert!(!progress.throttles.is_empty(), "nothing was throttled");
}
