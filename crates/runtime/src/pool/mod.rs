//! The instances of one program: started on demand, reused, bounded in number.

pub(crate) mod instance;
mod serve;
mod state;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, mpsc, oneshot};

use crate::error::InvokeError;
use crate::event::{Event, LogLine, Part, Report, Response};
use crate::pool::instance::Instance;
use crate::program::Program;

/// An observer of the lines that a program writes.
pub(crate) type OnLog = dyn Fn(LogLine) + Send + Sync;

/// How an event that was given to an instance ended.
#[derive(Debug)]
pub(crate) enum End {
    Report(Report),
    /// The instance ended before its runtime client received the event.
    NotStarted,
}

/// An event with the channels of its caller.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) event: Event,
    pub(crate) parts: mpsc::Sender<Part>,
    pub(crate) end: oneshot::Sender<End>,
}

/// The instances of a program. Clones share them.
///
/// A pool starts no process before the first event. When the last clone is dropped, all processes
/// are killed.
///
/// All methods must be called within a Tokio runtime with I/O and time enabled.
#[derive(Clone)]
pub struct Pool {
    inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) program: Arc<Program>,
    on_log: Box<OnLog>,
    state: Mutex<State>,
    /// Notified whenever an instance is gone.
    gone: Notify,
}

#[derive(Default)]
struct State {
    instances: Vec<Arc<Instance>>,
    /// Instances that receive no more events but whose processes may live.
    ending: Vec<Arc<Instance>>,
    started: u64,
    closed: bool,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("program", &self.inner.program)
            .field("instances", &self.inner.lock().instances.len())
            .finish()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.lock();
        for instance in state.instances.iter().chain(&state.ending) {
            instance.kill();
        }
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn log(&self, line: LogLine) {
        (self.on_log)(line);
    }

    /// Gives an instance no more events.
    pub(crate) fn leave(&self, instance: &Arc<Instance>) {
        let mut state = self.lock();
        let before = state.instances.len();
        state
            .instances
            .retain(|other| !Arc::ptr_eq(other, instance));
        if state.instances.len() < before {
            state.ending.push(Arc::clone(instance));
        }
    }

    /// Forgets an instance whose processes have ended.
    pub(crate) fn forget(&self, instance: &Arc<Instance>) {
        let mut state = self.lock();
        state
            .instances
            .retain(|other| !Arc::ptr_eq(other, instance));
        state.ending.retain(|other| !Arc::ptr_eq(other, instance));
        drop(state);
        self.gone.notify_waiters();
    }
}

impl Pool {
    /// Creates a pool without instances. The program's lines are discarded.
    #[must_use]
    pub fn new(program: Program) -> Self {
        Self::with_log(program, |_| {})
    }

    /// Creates a pool that passes each line that the program writes to `on_log`, at once.
    ///
    /// `on_log` is called from the tasks that read the pipes and must not block.
    #[must_use]
    pub fn with_log(program: Program, on_log: impl Fn(LogLine) + Send + Sync + 'static) -> Self {
        Self {
            inner: Arc::new(Inner {
                program: Arc::new(program),
                on_log: Box::new(on_log),
                state: Mutex::default(),
                gone: Notify::new(),
            }),
        }
    }

    /// Returns the program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.inner.program
    }

    /// Returns the number of instances that can receive events.
    #[must_use]
    pub fn instances(&self) -> usize {
        self.inner.lock().instances.len()
    }

    /// Gives an event to an instance, and waits for the head of the response.
    ///
    /// Dropping the future after the event was given to a runtime client does not stop the
    /// function.
    ///
    /// # Errors
    ///
    /// - [`InvokeError::TooManyRequests`] if all instances are busy and no more may be started,
    /// - [`InvokeError::ShutDown`] after [`shutdown`](Self::shutdown),
    /// - [`InvokeError::Failed`] if the invocation ended without a response.
    pub async fn invoke(&self, event: Event) -> Result<Response, InvokeError> {
        loop {
            // Two: a buffered response, head and body, must not wait for its reader.
            let (parts, mut received) = mpsc::channel(2);
            let (end, ended) = oneshot::channel();
            self.dispatch(Box::new(Job {
                event: event.clone(),
                parts,
                end,
            }))?;
            if let Some(Part::Head(head)) = received.recv().await {
                let (report, reported) = oneshot::channel();
                // `Response` gets the report alone: once a head was sent, the event has started.
                tokio::spawn(async move {
                    if let Ok(End::Report(ended)) = ended.await {
                        let _ = report.send(ended);
                    }
                });
                return Ok(Response {
                    head,
                    parts: received,
                    end: reported,
                });
            }
            match ended.await {
                Ok(End::Report(report)) => return Err(InvokeError::Failed(Box::new(report))),
                Ok(End::NotStarted) => {}
                Err(_) => return Err(InvokeError::Failed(Box::new(Report::lost()))),
            }
        }
    }

    /// Gives a job to an instance with room, or to a new one.
    fn dispatch(&self, mut job: Box<Job>) -> Result<(), InvokeError> {
        let inner = &self.inner;
        let mut state = inner.lock();
        if state.closed {
            return Err(InvokeError::ShutDown);
        }
        // The instance that was used last comes first: its caches are warm, and others can idle.
        for at in (0..state.instances.len()).rev() {
            let instance = &state.instances[at];
            if instance.tenant() != job.event.tenant_id.as_deref() {
                continue;
            }
            match instance.offer(job) {
                Ok(()) => return Ok(()),
                Err(back) => job = back,
            }
        }
        if state.instances.len() >= inner.program.concurrency {
            let idle = state.instances.iter().find(|instance| {
                instance.tenant() != job.event.tenant_id.as_deref() && instance.is_idle()
            });
            let Some(idle) = idle.cloned() else {
                return Err(InvokeError::TooManyRequests {
                    limit: inner.program.capacity(),
                });
            };
            // Instances are not shared by tenants: an idle one makes room for another's.
            state.instances.retain(|other| !Arc::ptr_eq(other, &idle));
            state.ending.push(Arc::clone(&idle));
            idle.retire();
        }
        state.started += 1;
        let instance = Instance::new(
            state.started,
            job.event.tenant_id.clone(),
            Arc::clone(&inner.program),
        );
        // A new instance has room.
        if instance.offer(job).is_ok() {
            state.instances.push(Arc::clone(&instance));
        }
        drop(state);
        tokio::spawn(instance::run(instance, Arc::downgrade(inner)));
        Ok(())
    }

    /// Ends the instances, so that events that come later meet new processes: an idle instance
    /// ends at once, a busy one after its event.
    pub fn recycle(&self) {
        let mut state = self.inner.lock();
        let instances = std::mem::take(&mut state.instances);
        for instance in &instances {
            instance.retire();
        }
        state.ending.extend(instances);
    }

    /// Ends all instances, and waits until their processes are gone. Events that run fail.
    ///
    /// Processes are sent SIGTERM, and have 500 ms to end, if an extension has registered; they are
    /// killed at once otherwise.
    pub async fn shutdown(&self) {
        self.inner.lock().closed = true;
        loop {
            let gone = self.inner.gone.notified();
            tokio::pin!(gone);
            gone.as_mut().enable();
            let all: Vec<_> = {
                let state = self.inner.lock();
                state
                    .instances
                    .iter()
                    .chain(&state.ending)
                    .cloned()
                    .collect()
            };
            if all.is_empty() {
                return;
            }
            for instance in all {
                instance.shut_down();
            }
            gone.await;
        }
    }
}
