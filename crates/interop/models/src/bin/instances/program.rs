//! The settings of a program, and what its instances do.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// When a process ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Death {
    /// Before it asks for an event.
    Starting,
    /// While it waits for its second event.
    Idle,
    /// When it has received its first event.
    Running,
}

#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) concurrency: usize,
    pub(crate) multi_concurrency: usize,
    pub(crate) timeout: Duration,
    pub(crate) version: String,
    /// How the first instance ends.
    pub(crate) death: Option<Death>,
    pub(crate) seen: Arc<Seen>,
}

/// What happened to the instances of a program.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    alive: AtomicUsize,
    started: AtomicUsize,
    ran: Mutex<HashSet<String>>,
}

impl Program {
    pub(crate) fn new(concurrency: usize) -> Self {
        Self {
            concurrency,
            multi_concurrency: 1,
            timeout: Duration::from_secs(3),
            version: "$LATEST".to_owned(),
            death: None,
            seen: Arc::default(),
        }
    }

    pub(crate) const fn limit(&self) -> usize {
        10
    }

    pub(crate) const fn init_limit(&self) -> Duration {
        self.timeout
    }

    pub(crate) fn function_arn(&self) -> String {
        "arn".to_owned()
    }
}

impl Seen {
    pub(crate) fn begins(&self, most: usize) {
        self.started.fetch_add(1, Ordering::SeqCst);
        let alive = self.alive.fetch_add(1, Ordering::SeqCst);
        assert!(alive < most, "there is an instance too many");
    }

    pub(crate) fn ends(&self) {
        self.alive.fetch_sub(1, Ordering::SeqCst);
    }

    pub(crate) fn runs(&self, request_id: &str) {
        let is_new = self.ran.lock().unwrap().insert(request_id.to_owned());
        assert!(is_new, "{request_id} runs twice");
    }

    pub(crate) fn alive(&self) -> usize {
        self.alive.load(Ordering::SeqCst)
    }

    pub(crate) fn started(&self) -> usize {
        self.started.load(Ordering::SeqCst)
    }

    pub(crate) fn has_run(&self, request_id: &str) -> bool {
        self.ran.lock().unwrap().contains(request_id)
    }
}
