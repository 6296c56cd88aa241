//! One instance: a process, the server that it talks to, and the invocations that it runs.

mod call;
mod digits;
mod handing;
mod headers;
mod life;
mod log;
mod permit;
mod polls;
mod prompt;
mod receiving;
mod serve;
#[cfg(test)]
mod tests;
mod waiting;

use std::fmt;
// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::sync::Notify;

pub(crate) use self::call::Call;
pub(crate) use self::headers::Headers;
use self::log::Log;
pub(crate) use self::permit::Permit;
use self::polls::Polls;
use crate::api::{Machine, PollId};
use crate::log_line::LogSink;
use crate::process::{Memory, Output};
use crate::{Failure, LogLine, Program};

/// How long a function with extensions may take to exit.
const GRACE: Duration = Duration::from_millis(500);

/// The notifications of an instance to its pool.
pub(crate) trait Owner: Send + Sync {
    /// The runtime or an extension of the instance is waiting for an event.
    fn ready(&self, instance: &Instance);
    /// The process has ended. `failure` makes the failure of calls that waited for it to
    /// initialize.
    fn ended(&self, instance: &Instance, failure: Option<&dyn Fn(&str) -> Failure>);
}

pub(crate) struct Instance {
    pub(crate) number: u64,
    pub(crate) tenant: Option<String>,
    program: Arc<Program>,
    owner: Weak<dyn Owner>,
    sink: Option<LogSink>,
    state: Mutex<State>,
    output: OnceLock<Output>,
    /// Wakes the task of the instance because of an earlier deadline or an order to stop.
    wake: Notify,
    /// Wakes a request for the next event that arrived while a response was being received.
    over: Notify,
}

type Delivery = Response<Full<Bytes>>;

struct State {
    machine: Machine,
    polls: Polls,
    next_poll: PollId,
    #[expect(
        clippy::vec_box,
        reason = "the calls are already boxed, and moving them would be expensive"
    )]
    calls: Vec<Box<Call>>,
    started: Instant,
    init_duration: Option<Duration>,
    init_failure: Option<Failure>,
    init_log: Log,
    /// When the instance is ended if the runtime does not ask for an event after its response.
    settle: Option<Instant>,
    /// The deadline that the instance's task waits for.
    armed: Option<Instant>,
    memory: Option<Memory>,
    /// Whether the instance's task looks at the memory while invocations run.
    samples: bool,
    nonce: u128,
    /// Whether the instance has received an invocation.
    served: bool,
    /// Why the instance is being ended, as reported to extensions.
    ending: Option<&'static str>,
    /// Whether the runtime has asked for an event.
    ready: bool,
    retired: bool,
    stopped: bool,
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Instance {
    pub(crate) fn new(
        number: u64,
        tenant: Option<String>,
        program: Arc<Program>,
        owner: Weak<dyn Owner>,
        sink: Option<LogSink>,
        nonce: u128,
    ) -> Self {
        let machine = Machine::new(program.multi_concurrency);
        Self {
            number,
            tenant,
            program,
            owner,
            sink,
            state: Mutex::new(State {
                machine,
                polls: Polls::default(),
                next_poll: 0,
                calls: Vec::new(),
                started: Instant::now(),
                init_duration: None,
                init_failure: None,
                init_log: Log::default(),
                settle: None,
                armed: None,
                memory: None,
                samples: false,
                nonce,
                served: false,
                ending: None,
                ready: false,
                retired: false,
                stopped: false,
            }),
            output: OnceLock::new(),
            wake: Notify::new(),
            over: Notify::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the output that the function wrote before its response. It belongs to this invocation,
    /// even if its last line has no end.
    fn read_output(&self) {
        if let Some(output) = self.output.get() {
            output.drain(&|text| self.line(text));
            if self.program.multi_concurrency == 1 {
                output.end_line(&|text| self.line(text));
            }
        }
    }

    /// Moves the output of the initialization to the log of a call that fails because of it.
    pub(crate) fn give_init_log(&self, call: &mut Call) {
        for line in self.lock().init_log.iter() {
            call.log(line.clone());
        }
    }

    fn line(&self, text: String) {
        let mut state = self.lock();
        let request_id = match &state.calls[..] {
            [only] => Some(Arc::clone(&only.request_id)),
            _ => None,
        };
        let line = LogLine {
            instance: self.number,
            request_id,
            text,
        };
        let inner = &mut *state;
        match &mut inner.calls[..] {
            [only] => only.log(line.clone()),
            [] if !inner.ready => inner.init_log.push(line.clone()),
            _ => {}
        }
        drop(state);
        if let Some(LogSink(sink)) = &self.sink {
            sink(&line);
        }
    }
}

/// The time after this duration, in the format of the Runtime API.
fn epoch_ms(from_now: Duration) -> u64 {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from((now + from_now).as_millis()).unwrap_or(u64::MAX)
}
