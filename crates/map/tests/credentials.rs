//! Runs that last longer than the credentials that they start with.
#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use lambda_invoke::sigv4::Timestamp;
use lambda_invoke::{Client, Credentials};
use lambda_invoke_endpoint::{AccessKey, Endpoint};
use lambda_invoke_map::journal::Settled;
use lambda_invoke_map::{Item, Map, iter};
use support::{Executions, all, counting, open, path, settled};

/// How long each access key is valid, in seconds.
const LIFE: u64 = 2;
const KEYS: u64 = 60;

/// Access keys that are valid one after the other from a time on.
#[derive(Clone, Copy, Debug)]
struct Keys {
    start: u64,
}

impl Keys {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            start: now.as_secs(),
        }
    }

    fn key(self, number: u64) -> Credentials {
        let expiry = Timestamp::from_secs(self.start + LIFE * (number + 1)).unwrap();
        let key = Credentials::new(format!("AKID{number}"), "secret").unwrap();
        key.with_expiry(expiry)
    }

    /// The one that is valid now.
    fn present(self) -> Credentials {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        self.key((now.as_secs() - self.start) / LIFE)
    }
}

/// Runs 200 items, which take more than twice as long as a key is valid; returns how often keys were fetched.
async fn fetches(journal: &str, provided: fn(Keys) -> Credentials) -> u64 {
    let keys = Keys::new();
    let executions = Executions::default();
    let endpoint = Endpoint::builder().function(counting(&executions));
    let endpoint = (0..KEYS).fold(endpoint, |endpoint, number| {
        endpoint.access_key(AccessKey::new(keys.key(number)))
    });
    let server = endpoint.bind_local().await.unwrap();
    let fetched = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&fetched);
    let client = Client::builder()
        .region("us-east-1")
        .credentials(move || {
            count.fetch_add(1, Ordering::Relaxed);
            async move { Ok(provided(keys)) }
        })
        .endpoint_url(server.url())
        .build()
        .unwrap();
    let items = (0..200).map(|n| Item::new(format!(r#"{{"n":{n},"ms":100}}"#)));
    let map = Map::new(client, "count".try_into().unwrap()).concurrency(4);
    let began = std::time::Instant::now();
    let run = map.journal(open(&path(journal))).run(iter(items));
    let (events, error) = all(run).await;
    assert!(error.is_none(), "{error:?}");
    assert!(began.elapsed() > Duration::from_secs(2 * LIFE));
    assert_eq!(settled(&events, Settled::Done), 200, "{events:?}");
    executions.assert_once(200);
    fetched.load(Ordering::Relaxed)
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_fetched_again_when_they_expire_during_a_run() {
    let fetched = fetches("expiring", Keys::present).await;
    assert!(fetched >= 3, "{fetched}");
}

/// The client knows nothing of the expiry, so that the service rejects what was signed with the old key.
#[tokio::test(flavor = "multi_thread")]
async fn items_that_the_service_rejects_for_an_expired_key_are_sent_again_with_a_new_one() {
    let fetched = fetches("rejected", |keys| {
        let key = keys.present();
        Credentials::new(key.access_key_id(), "secret").unwrap()
    })
    .await;
    assert!(fetched >= 3, "{fetched}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_of_the_provider_is_one_of_the_run_and_does_not_leave_it_waiting() {
    let client = Client::builder()
        .region("us-east-1")
        .credentials(|| async { panic!("the vault is on fire") })
        .endpoint_url("http://127.0.0.1:1")
        .build()
        .unwrap();
    let map = Map::new(client, "count".try_into().unwrap());
    let items = (0..3).map(|n| Item::new(n.to_string()));
    let run = tokio::spawn(all(map.run(iter(items))));
    let ended = tokio::time::timeout(Duration::from_secs(60), run).await;
    assert!(ended.unwrap().unwrap_err().is_panic());
}
