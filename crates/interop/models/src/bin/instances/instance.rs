//! An instance, and in place of its process a thread that asks for events and responds.

use std::fmt;
use std::sync::{Arc, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use loom::sync::{self, Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::api::{Machine, PollId, header};
use crate::log_line::LogSink;
use crate::process::Memory;
use crate::program::Death;
use crate::{Failure, Head, Outcome, Program};

#[path = "../../../../../runtime/src/instance/call.rs"]
mod call;
#[path = "../../../../../runtime/src/instance/digits.rs"]
mod digits;
#[path = "../../../../../runtime/src/instance/group.rs"]
mod group;
#[path = "../../../../../runtime/src/instance/handing.rs"]
mod handing;
#[path = "../../../../../runtime/src/instance/headers.rs"]
mod headers;
#[path = "../../../../../runtime/src/instance/log.rs"]
mod log;
#[path = "../../../../../runtime/src/instance/permit.rs"]
mod permit;
#[path = "../../../../../runtime/src/instance/polls.rs"]
mod polls;
#[path = "../../../../../runtime/src/instance/state.rs"]
mod state;
#[path = "../../../../../runtime/src/instance/waiting.rs"]
mod waiting;

pub(crate) use call::Call;
pub(crate) use group::Group;
use handing::Closed;
pub(crate) use headers::Headers;
pub(crate) use permit::Permit;
use state::State;
use waiting::{Waiting, poll};

/// The same as in `runtime/src/instance/mod.rs`.
pub(crate) trait Owner: Send + Sync {
    fn ready(&self, instance: &Instance);
    fn ended(&self, instance: &Instance, failure: Option<&dyn Fn(&str) -> Failure>);
}

pub(crate) struct Instance {
    pub(crate) number: u64,
    pub(crate) group: Group,
    program: Arc<Program>,
    owner: Weak<dyn Owner>,
    state: Mutex<State>,
    wake: Notify,
    over: Notify,
}

type Delivery = Response<Full<Bytes>>;

/// No model has extensions.
mod serve {
    use super::{Call, Delivery};
    use crate::Program;

    pub(super) fn invoke_event(_: &Call, _: &Program, _: u64) -> Delivery {
        Delivery::default()
    }
}

fn epoch_ms(_: Duration) -> u64 {
    0
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Instance")
    }
}

/// What the thread of a process waits for.
enum Next {
    Event(Delivery),
    Order,
}

impl Instance {
    pub(crate) fn new(
        number: u64,
        group: Group,
        program: Arc<Program>,
        owner: Weak<dyn Owner>,
        _: Option<LogSink>,
        nonce: u128,
    ) -> Self {
        Self {
            number,
            group,
            owner,
            state: Mutex::new(State::new(program.multi_concurrency, nonce)),
            program,
            wake: Notify::new(),
            over: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read_output(&self) {}

    pub(crate) fn give_init_log(&self, _: &mut Call) {}

    pub(crate) fn is_lost(&self) -> bool {
        false
    }

    /// Runs the instance until its process has ended, like the function in `runtime/src/instance/life.rs`.
    pub(crate) async fn run(self: Arc<Self>) {
        self.program.seen.begins(self.program.concurrency);
        let (died, asked) = self.live().await;
        let Closed {
            running, served, ..
        } = self.close();
        self.program.seen.ends();
        drop(asked);
        let failure = |id: &str| Failure::exited(id, None);
        for id in running {
            self.finish(&id, Outcome::Failed(failure(&id)), None);
        }
        if let Some(owner) = self.owner.upgrade() {
            owner.ended(&self, (died && !served).then_some(&failure));
        }
    }

    /// Asks for events and responds to them. Returns whether the process ended by itself, and a request whose
    /// connection closes later than that.
    async fn live(self: &Arc<Self>) -> (bool, Option<Waiting>) {
        let death = self.program.death.filter(|_| self.number == 1);
        if death == Some(Death::Starting) {
            return (true, None);
        }
        let mut served = false;
        loop {
            let Ok(waiting) = poll(self) else {
                return (false, None);
            };
            if death == Some(Death::Idle) && served {
                return (true, Some(waiting));
            }
            let mut event = std::pin::pin!(waiting.event());
            let delivery = loop {
                let next = tokio::select! {
                    biased;
                    event = &mut event => event.map_or(Next::Order, Next::Event),
                    () = self.wake.notified() => Next::Order,
                };
                match next {
                    Next::Event(delivery) => break delivery,
                    Next::Order if self.must_end() => return (false, None),
                    Next::Order => {}
                }
            };
            let id = delivery.headers()[&header::REQUEST_ID].to_str().unwrap();
            self.program.seen.runs(id);
            served = true;
            assert_eq!(self.lock().calls.len(), 1, "an instance has one call");
            if death == Some(Death::Running) {
                return (true, None);
            }
            self.finish(
                id,
                Outcome::Succeeded,
                Some((Head::buffered(), Bytes::new())),
            );
            if self.must_end() {
                return (false, None);
            }
        }
    }

    /// Whether the instance was stopped, or is idle and no longer needed.
    fn must_end(&self) -> bool {
        let state = self.lock();
        state.stopped || state.retired && state.machine.running() == 0
    }
}
