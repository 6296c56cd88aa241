//! The instances of a program: started on demand, reused, replaced, limited.

use std::collections::VecDeque;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::sync::atomic::AtomicUsize;
use super::sync::{Mutex, MutexGuard};
use crate::instance::{Call, Group, Headers, Instance, Owner, Permit};
use crate::log_line::LogSink;
use crate::{Event, Failure, InvokeError, LogLine, Outcome, Program, Response};

/// How long a call waits for an instance that has responded but not yet asked for the next event,
/// before another instance is started.
const SETTLING: Duration = Duration::from_millis(20);

/// The instances of a program. Cheap to clone; no process is started before the first call. When the
/// last clone is dropped, all processes end.
#[derive(Debug, Clone)]
pub struct Pool {
    handle: Arc<Ends>,
}

/// Stops the instances when the last clone of a pool is dropped.
#[derive(Debug)]
struct Ends(Arc<Inner>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Inner {
    program: Arc<Program>,
    headers: Headers,
    sink: OnceLock<LogSink>,
    in_progress: Arc<AtomicUsize>,
    state: Mutex<State>,
    changed: Notify,
    me: Weak<Self>,
}

#[derive(Debug, Default)]
struct State {
    instances: Vec<Arc<Instance>>,
    waiting: VecDeque<Box<Call>>,
    started: u64,
    closed: bool,
    runtime: Option<Handle>,
    /// Whether a task is scheduled that checks the calls that wait for settling instances.
    patient: bool,
}

impl State {
    /// Whether there are no instances, after those have been removed whose tokio runtime has been shut
    /// down, and with it their tasks.
    fn is_empty(&mut self) -> bool {
        self.instances.retain(|instance| !instance.is_lost());
        self.instances.is_empty()
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("program", &self.program)
            .finish_non_exhaustive()
    }
}

impl Pool {
    /// Creates a pool for a program.
    #[must_use]
    pub fn new(program: Program) -> Self {
        let inner = Arc::new_cyclic(|me| Inner {
            headers: Headers::of(&program),
            program: Arc::new(program),
            sink: OnceLock::new(),
            in_progress: Arc::default(),
            state: Mutex::default(),
            changed: Notify::new(),
            me: Weak::clone(me),
        });
        Self {
            handle: Arc::new(Ends(inner)),
        }
    }

    /// Calls a function with each line that the instances write, at once. It must not block. Only
    /// the first function that is set is called.
    #[must_use]
    pub fn on_log(self, sink: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        let _ = self.inner().sink.set(LogSink(Arc::new(sink)));
        self
    }

    /// The program that is run.
    pub fn program(&self) -> &Program {
        &self.inner().program
    }

    /// The number of instances, including those that are starting or ending.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.inner().lock().instances.len()
    }

    /// Invokes the function. Returns when the head of the response is known, or when the invocation
    /// has failed without one.
    ///
    /// Dropping the future does not stop an invocation that has begun.
    ///
    /// # Errors
    ///
    /// [`InvokeError`]: nothing was started.
    pub async fn invoke(&self, event: Event) -> Result<Response, InvokeError> {
        let inner = self.inner();
        let limit = inner.program.limit();
        let permit = Permit::take(&inner.in_progress, limit).or_else(|| {
            // A call whose caller has stopped waiting needs no place.
            inner.lock().waiting.retain(|call| !call.is_abandoned());
            Permit::take(&inner.in_progress, limit)
        });
        let Some(permit) = permit else {
            return Err(InvokeError::TooManyRequests {
                reason: "ReservedFunctionConcurrentInvocationLimitExceeded",
                limit,
            });
        };
        let (call, caller) = Call::new(&inner.program, &inner.headers, event, permit)?;
        inner.place(call)?;
        Ok(caller.response().await)
    }

    /// Replaces all instances: idle ones end, running ones finish their invocations first. The next
    /// call starts a new one.
    pub fn recycle(&self) {
        let state = self.inner().lock();
        for instance in &state.instances {
            instance.retire();
        }
    }

    /// Ends all instances and their running invocations, and waits until their processes have
    /// ended.
    pub async fn shutdown(&self) {
        let inner = self.inner();
        inner.close();
        loop {
            let changed = inner.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            if inner.lock().is_empty() {
                return;
            }
            changed.await;
        }
    }

    fn inner(&self) -> &Inner {
        &self.handle.0
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self, call: Box<Call>) -> Result<(), InvokeError> {
        let mut state = self.lock();
        if state.closed {
            return Err(InvokeError::Closed);
        }
        if state.is_empty() {
            // The runtime of earlier ones may have ended.
            state.runtime = Some(Handle::current());
            state.patient = false;
        }
        state.waiting.push_back(call);
        self.dispatch(&mut state);
        Ok(())
    }

    /// Passes waiting calls to instances that can take them, and starts instances for the others.
    fn dispatch(&self, state: &mut State) {
        let State {
            instances, waiting, ..
        } = &mut *state;
        for instance in instances {
            if waiting.is_empty() {
                return;
            }
            feed(instance, waiting);
        }
        if !state.waiting.is_empty() {
            self.grow(state, true);
        }
    }

    /// Starts the instances that the waiting calls need, up to the limit.
    fn grow(&self, state: &mut State, patient: bool) {
        let slots = self.program.multi_concurrency;
        let (instances, waiting) = (&state.instances, &state.waiting);
        let is_full = instances.len() >= self.program.concurrency;
        let is_own = |call: &Call| instances.iter().all(|own| own.group == call.group);
        if is_full && waiting.iter().all(|call| is_own(call)) {
            // Only an instance of another group could make room.
            return;
        }
        let mut groups: Vec<(Group, usize)> = Vec::new();
        for call in &state.waiting {
            match groups.iter_mut().find(|(group, _)| *group == call.group) {
                Some((_, calls)) => *calls += 1,
                None => groups.push((call.group.clone(), 1)),
            }
        }
        for (group, calls) in &groups {
            let own = state
                .instances
                .iter()
                .filter(|instance| instance.group == *group);
            let (mut starting, mut settling) = (0, 0);
            for instance in own {
                starting += usize::from(instance.is_starting());
                settling += usize::from(instance.is_settling());
            }
            let mut missing = calls.saturating_sub(starting * slots);
            if patient && settling > 0 && missing > 0 {
                missing = missing.saturating_sub(settling);
                self.look_again(state);
            }
            for _ in 0..missing.div_ceil(slots) {
                if state.instances.len() >= self.program.concurrency {
                    // When the instance ends, `dispatch` is called again.
                    // An idle one that has a call to take has just asked for it.
                    let has_call = |instance: &Instance| {
                        let mut waiting = groups.iter().map(|(waiting, _)| waiting);
                        waiting.any(|waiting| *waiting == instance.group)
                    };
                    let mut others = state.instances.iter();
                    let _ = others.any(|other| !has_call(other) && other.retire_if_idle());
                    break;
                }
                self.start(state, group.clone());
            }
        }
    }

    /// Starts instances after a while, if the settling instances have not taken the calls by then.
    fn look_again(&self, state: &mut State) {
        if std::mem::replace(&mut state.patient, true) {
            return;
        }
        let me = Weak::clone(&self.me);
        if let Some(runtime) = &state.runtime {
            runtime.spawn(async move {
                tokio::time::sleep(SETTLING).await;
                if let Some(inner) = me.upgrade() {
                    let mut state = inner.lock();
                    state.patient = false;
                    inner.grow(&mut state, false);
                }
            });
        }
    }

    fn start(&self, state: &mut State, group: Group) {
        let Some(runtime) = state.runtime.clone() else {
            return;
        };
        state.started += 1;
        let owner: Weak<dyn Owner> = Weak::clone(&self.me) as _;
        let random = RandomState::new();
        let nonce =
            u128::from(random.hash_one(state.started)) << 64 | u128::from(random.hash_one("nonce"));
        let instance = Arc::new(Instance::new(
            state.started,
            group,
            Arc::clone(&self.program),
            owner,
            self.sink.get().cloned(),
            nonce,
        ));
        state.instances.push(Arc::clone(&instance));
        runtime.spawn(instance.run());
    }

    fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        for instance in &state.instances {
            instance.stop();
        }
        drop(state);
        for call in waiting {
            let failure = Failure::shut_down(&call.request_id);
            call.finish(Outcome::Failed(failure), None, None);
        }
    }
}

impl Owner for Inner {
    fn ready(&self, instance: &Instance) {
        let mut state = self.lock();
        feed(instance, &mut state.waiting);
        // Calls of another group that still wait may need the place of this instance.
        if !state.waiting.is_empty() && instance.is_idle() {
            self.grow(&mut state, true);
        }
    }

    fn ended(&self, instance: &Instance, failure: Option<&dyn Fn(&str) -> Failure>) {
        let mut state = self.lock();
        state
            .instances
            .retain(|other| other.number != instance.number);
        let mut failed = Vec::new();
        if failure.is_some() {
            let mut left = VecDeque::new();
            for call in std::mem::take(&mut state.waiting) {
                let own = call.group == instance.group;
                if own && failed.len() < self.program.multi_concurrency {
                    failed.push(call);
                } else {
                    left.push_back(call);
                }
            }
            state.waiting = left;
        }
        self.dispatch(&mut state);
        drop(state);
        self.changed.notify_waiters();
        for mut call in failed {
            if let Some(failure) = failure {
                let failure = failure(&call.request_id);
                instance.give_init_log(&mut call);
                call.finish(Outcome::Failed(failure), None, None);
            }
        }
    }
}

/// Passes the calls of an instance's group to it, as many as it takes, those that have waited
/// longest first.
fn feed(instance: &Instance, waiting: &mut VecDeque<Box<Call>>) {
    let mut from = 0;
    while instance.can_take() {
        let mut groups = waiting.iter().skip(from).map(|call| &call.group);
        let Some(place) = groups.position(|group| *group == instance.group) else {
            return;
        };
        let place = from + place;
        let Some(call) = waiting.remove(place) else {
            return;
        };
        if call.is_abandoned() {
            continue;
        }
        if let Err(call) = instance.hand(call) {
            // The instance runs one with the same id. The calls behind it need not wait for that.
            waiting.insert(place, call);
            from = place + 1;
        }
    }
}
