//! One instance: a process, the server that it talks to, and the invocations that it runs.

mod call;
mod digits;
mod group;
mod handing;
mod headers;
mod life;
mod log;
mod permit;
mod polls;
mod prompt;
mod receiving;
mod serve;
mod state;
#[cfg(test)]
mod tests;
mod waiting;

use std::fmt;
// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::Response;
use http_body_util::Full;
use tokio::sync::Notify;

pub(crate) use self::call::Call;
pub(crate) use self::group::Group;
pub(crate) use self::headers::Headers;
pub(crate) use self::permit::Permit;
use self::state::State;
use crate::log_line::LogSink;
use crate::process::Output;
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
    pub(crate) group: Group,
    program: Arc<Program>,
    owner: Weak<dyn Owner>,
    sink: Option<LogSink>,
    state: Mutex<State>,
    output: OnceLock<Output>,
    /// Wakes the task of the instance because of an earlier deadline or an order to stop.
    wake: Notify,
    /// Wakes a request for the next event that arrived while a response was being received.
    over: Notify,
    /// Whether the task that runs the instance has ended, or was dropped with its tokio runtime.
    lost: AtomicBool,
}

type Delivery = Response<Full<Bytes>>;

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
        group: Group,
        program: Arc<Program>,
        owner: Weak<dyn Owner>,
        sink: Option<LogSink>,
        nonce: u128,
    ) -> Self {
        Self {
            number,
            group,
            state: Mutex::new(State::new(program.multi_concurrency, nonce)),
            program,
            owner,
            sink,
            output: OnceLock::new(),
            wake: Notify::new(),
            over: Notify::new(),
            lost: AtomicBool::new(false),
        }
    }

    /// The version that runs.
    fn version(&self) -> &str {
        let own = self.group.version.as_ref();
        own.unwrap_or(&self.program.version)
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
