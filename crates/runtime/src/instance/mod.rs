//! One instance: a process, the server that it talks to, and the invocations that it runs.

mod call;
mod digits;
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

use std::fmt;
// The submodules use `sync` through this module, so that `crates/interop` can check them with
// loom's types.
use std::sync;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use http::{HeaderValue, Response};
use http_body_util::Full;
use tokio::sync::Notify;

pub(crate) use self::call::Call;
use self::digits::hex;
pub(crate) use self::headers::Headers;
use self::log::Log;
pub(crate) use self::permit::Permit;
use self::polls::Polls;
use crate::api::{Machine, PollId, header};
use crate::log_line::LogSink;
use crate::process::{Memory, Output};
use crate::{Failure, Head, LogLine, Outcome, Program};

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

    /// Whether a call can be delivered now.
    pub(crate) fn can_take(&self) -> bool {
        let state = self.lock();
        !state.retired && !state.stopped && state.machine.can_take()
    }

    /// Delivers a call to the runtime, or returns the call if it cannot be taken now.
    pub(crate) fn hand(&self, mut call: Box<Call>) -> Result<(), Box<Call>> {
        let mut state = self.lock();
        if state.retired || state.stopped {
            return Err(call);
        }
        while state.machine.can_take() {
            state.nonce = state.nonce.wrapping_add(1);
            let nonce = hex(state.nonce);
            let nonce = std::str::from_utf8(&nonce).unwrap_or_default();
            let Some(handed) = state.machine.hand(&call.request_id, nonce) else {
                break;
            };
            let timeout = self.program.timeout;
            let deadline_ms = epoch_ms(timeout);
            let delivery = delivery(&mut call, nonce, deadline_ms);
            let unsent = match state.polls.remove(handed.runtime) {
                Some(poll) => poll.send(delivery).err(),
                None => Some(delivery),
            };
            if let Some(unsent) = unsent {
                call.headers = unsent.into_parts().0.headers;
                state.machine.take_back(&call.request_id);
                continue;
            }
            for extension in handed.extensions {
                if let Some(poll) = state.polls.remove(extension) {
                    let event = serve::invoke_event(&call, &self.program, deadline_ms);
                    let _ = poll.send(event);
                }
            }
            let now = Instant::now();
            call.started = Some(now);
            call.deadline = Some(now + timeout);
            call.init_duration = state.init_duration.take();
            for line in Vec::from(std::mem::take(&mut state.init_log)) {
                call.log(line);
            }
            call.span.handed(self.number);
            state.settle = None;
            state.served = true;
            let rearm = state.armed.is_none_or(|armed| armed > now + timeout)
                || !(call.without_memory || state.samples);
            state.calls.push(call);
            drop(state);
            if rearm {
                self.wake.notify_one();
            }
            return Ok(());
        }
        Err(call)
    }

    /// Whether the instance will take an invocation soon: it is starting, or it has responded but
    /// not yet asked for the next event.
    pub(crate) fn is_starting(&self) -> bool {
        let state = self.lock();
        !state.retired && !state.stopped && state.machine.is_initializing()
    }

    pub(crate) fn is_settling(&self) -> bool {
        let state = self.lock();
        !state.retired && !state.stopped && state.machine.has_room() && !state.machine.can_take()
    }

    /// Ends the instance as soon as it is idle.
    pub(crate) fn retire(&self) {
        self.lock().retired = true;
        self.wake.notify_one();
    }

    /// Whether the runtime is waiting for an event and nothing is running.
    pub(crate) fn is_idle(&self) -> bool {
        let state = self.lock();
        !state.retired && state.machine.can_take() && state.machine.running() == 0
    }

    /// Ends the instance if it is idle, to make room for another one. Returns whether it will end.
    pub(crate) fn retire_if_idle(&self) -> bool {
        let idle = self.is_idle();
        if idle {
            self.retire();
        }
        idle
    }

    /// Ends the instance and its invocations.
    pub(crate) fn stop(&self) {
        self.lock().stopped = true;
        self.wake.notify_one();
    }

    /// Ends an invocation. Nothing happens if it has ended already.
    fn finish(&self, request_id: &str, outcome: Outcome, buffered: Option<(Head, Bytes)>) {
        // Output that the function wrote before its response belongs to this invocation, even if its
        // last line has no end.
        if let Some(output) = self.output.get() {
            output.drain(&|text| self.line(text));
            if self.program.multi_concurrency == 1 {
                output.end_line(&|text| self.line(text));
            }
        }
        let mut state = self.lock();
        state.machine.end(request_id);
        let place = state
            .calls
            .iter()
            .position(|call| &*call.request_id == request_id);
        let Some(place) = place else {
            return;
        };
        let call = state.calls.swap_remove(place);
        if self.program.multi_concurrency == 1 {
            state.settle = call.deadline;
        }
        let memory = match call.without_memory {
            true => None,
            false => state.memory.as_mut().map(Memory::peak),
        };
        let retired = state.retired;
        drop(state);
        self.over.notify_waiters();
        call.finish(outcome, buffered, memory);
        if retired {
            self.wake.notify_one();
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

/// The event for the runtime, with the headers of the call, which are taken out of the call.
fn delivery(call: &mut Call, nonce: &str, deadline_ms: u64) -> Delivery {
    let mut response = Response::new(Full::new(call.payload.clone()));
    let mut headers = std::mem::take(&mut call.headers);
    for (name, value) in &mut headers {
        let own = match name {
            name if *name == header::DEADLINE => Some(HeaderValue::from(deadline_ms)),
            name if *name == header::INVOCATION_ID => HeaderValue::from_str(nonce).ok(),
            _ => continue,
        };
        if let Some(own) = own {
            *value = own;
        }
    }
    *response.headers_mut() = headers;
    response
}
