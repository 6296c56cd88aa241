//! An endpoint that counts executions, and runs against it.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lambda_invoke::Client;
use lambda_invoke_endpoint::{
    Endpoint, EndpointBuilder, Function, FunctionError, Invocation, Server,
};
use lambda_invoke_map::journal::{Header, Settled};
use lambda_invoke_map::{Event, Item, Journal, Map, Run, RunError};

/// How often each payload was executed.
#[derive(Clone, Debug, Default)]
pub struct Executions(Arc<Mutex<BTreeMap<String, u64>>>);

impl Executions {
    pub fn count(&self, payload: &str) {
        *self
            .0
            .lock()
            .unwrap()
            .entry(payload.to_owned())
            .or_default() += 1;
    }

    pub fn get(&self) -> BTreeMap<String, u64> {
        self.0.lock().unwrap().clone()
    }

    /// Checks that this many payloads were executed, each once.
    pub fn assert_once(&self, payloads: usize) {
        let executions = self.get();
        assert_eq!(executions.len(), payloads, "{executions:?}");
        assert!(
            executions.values().all(|count| *count == 1),
            "{executions:?}"
        );
    }
}

/// Waits until a condition is true.
pub async fn until(mut is_so: impl FnMut() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let waited = tokio::time::timeout(Duration::from_secs(60), wait).await;
    waited.expect("it comes true");
}

/// A function that counts its executions and returns its payload. It fails if the payload has
/// `"fail"` in it, and takes as long as `"ms"` says.
pub fn counting(executions: &Executions) -> Function {
    let executions = executions.clone();
    Function::buffered("count", move |invocation: Invocation| {
        let executions = executions.clone();
        async move {
            let payload = invocation.payload().clone();
            let text = String::from_utf8_lossy(&payload).into_owned();
            executions.count(&text);
            let value: serde_json::Value = serde_json::from_slice(&payload).unwrap_or_default();
            if let Some(ms) = value["ms"].as_u64() {
                tokio::time::sleep(Duration::from_millis(ms)).await;
            }
            match text.contains("\"fail\"") {
                true => Err(FunctionError::new("Failure", "on request")),
                false => Ok(payload),
            }
        }
    })
}

pub struct Service {
    pub server: Server,
    pub executions: Executions,
}

impl Service {
    pub async fn start(configure: impl FnOnce(EndpointBuilder) -> EndpointBuilder) -> Self {
        let executions = Executions::default();
        let builder = Endpoint::builder().function(counting(&executions));
        let server = configure(builder).bind_local().await.unwrap();
        Self { server, executions }
    }

    pub fn client(&self) -> Client {
        Client::local(self.server.url()).unwrap()
    }

    pub fn map(&self) -> Map {
        Map::new(self.client(), "count".try_into().unwrap())
    }
}

/// A new path for a journal.
pub fn path(name: &str) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let name = format!("lambda-invoke-map-{}-{number}-{name}", std::process::id());
    let path = std::env::temp_dir().join(name);
    let _ = std::fs::remove_file(&path);
    path
}

pub fn open(path: &std::path::Path) -> Journal {
    Journal::open(path, &Header::new("count"), Journal::WINDOW).unwrap()
}

pub fn payload(n: u64) -> String {
    format!(r#"{{"n":{n}}}"#)
}

pub fn items(count: u64) -> impl Iterator<Item = Item> + Send + Unpin {
    (0..count).map(|n| Item::new(payload(n)).with_key(n.to_string()))
}

/// Returns all results of a run by index, and the error that ended it, if any.
pub async fn all(mut run: Run) -> (BTreeMap<u64, Event>, Option<RunError>) {
    let mut events = BTreeMap::new();
    let mut error = None;
    while let Some(event) = run.next().await {
        match event {
            Ok(event) => {
                let index = event.index();
                assert!(events.insert(index, event).is_none(), "{index} came twice");
            }
            Err(found) => error = Some(found),
        }
    }
    (events, error)
}

pub fn settled(events: &BTreeMap<u64, Event>, settled: Settled) -> usize {
    events
        .values()
        .filter(|event| event.settled() == settled)
        .count()
}
