//! The life of an instance: starting its process, watching it, ending it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::handing::Closed;
use super::prompt::Prompt;
use super::serve::{serve, shutdown_event};
use super::{GRACE, Instance, epoch_ms};
use crate::process::{Ended, Memory, Output, Process, SURVEY};
use crate::program::environment::log_stream;
use crate::{Failure, FailureKind, Outcome, trace};

/// How long a runtime that reported an init error may take to exit.
const INIT_GRACE: Duration = Duration::from_millis(100);

/// How long the output of a process is read after the process has ended: a child process that
/// outlived it may keep the output open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How often the memory of an instance is checked, if it is limited.
const LOOK: Duration = Duration::from_millis(50);

fn look() -> Instant {
    Instant::now() + LOOK
}

/// The maximum number of bytes buffered for a connection, and of a request's headers or trailers. The
/// official Python client sends headers of up to 1 MiB with an error, and the official JavaScript client
/// a stack of any length as a trailer.
const BUFFER: usize = 1024 * 1024 + 64 * 1024;

/// Why an instance ended.
enum End {
    Process(Ended),
    /// The initialization took too long.
    InitTimeout,
    /// The runtime or an extension reported an error, which is in the state.
    Reported,
    /// The processes used more memory than the function has.
    OutOfMemory,
    /// An invocation took too long. Its caller has been notified.
    Timeout,
    Retired,
    Stopped,
}

impl End {
    const fn name(&self) -> &'static str {
        match self {
            Self::Process(_) => "its process ended",
            Self::InitTimeout => "its initialization timed out",
            Self::Reported => "it reported an error",
            Self::OutOfMemory => "it used too much memory",
            Self::Timeout => "an invocation timed out",
            Self::Retired => "it is no longer needed",
            Self::Stopped => "it was stopped",
        }
    }
}

/// Notes that the task that runs an instance is gone, when it is dropped.
struct Lost(Arc<Instance>);

impl Drop for Lost {
    fn drop(&mut self) {
        self.0.lost.store(true, Ordering::SeqCst);
    }
}

impl Instance {
    /// Runs the instance until its process has ended.
    pub(crate) fn run(self: Arc<Self>) -> impl Future<Output = ()> + Send {
        // A tokio runtime that has been shut down drops a task without polling it.
        let lost = Lost(Arc::clone(&self));
        async move {
            self.run_to_end().await;
            drop(lost);
        }
    }

    /// Whether the task that ran the instance is gone. One that ended by itself has told the owner
    /// before.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }

    async fn run_to_end(self: &Arc<Self>) {
        trace::instance_started(&self.program, self.number);
        let end = self.live().await;
        trace::instance_ended(&self.program, self.number, end.name());
        let Closed {
            running,
            init_failure: reported,
            served,
        } = self.close();
        let limit = self.program.init_limit();
        let failure = |id: &str| match (&reported, &end) {
            (Some(reported), _) => reported.clone(),
            (_, End::Process(Ended::NotStarted(reason))) => Failure::not_started(id, reason),
            (_, End::Process(Ended::Quietly)) => Failure::exited(id, None),
            (_, End::Process(Ended::With(reason))) => Failure::exited(id, Some(reason)),
            (_, End::InitTimeout) => Failure::timed_out(id, limit),
            (_, End::Timeout | End::OutOfMemory) => Failure::exited(id, Some("signal: killed")),
            (_, End::Reported | End::Retired | End::Stopped) => Failure::shut_down(id),
        };
        for id in running {
            self.finish(&id, Outcome::Failed(failure(&id)), None);
        }
        let init_failure = |id: &str| Failure {
            kind: match failure(id).kind {
                FailureKind::TimedOut => FailureKind::TimedOut,
                _ => FailureKind::Init,
            },
            ..failure(id)
        };
        let failed = !served && !matches!(end, End::Retired | End::Stopped);
        if let Some(owner) = self.owner.upgrade() {
            owner.ended(self, failed.then_some(&init_failure));
        }
    }

    async fn live(self: &Arc<Self>) -> End {
        let not_started = |reason: String| End::Process(Ended::NotStarted(reason));
        let listener = match TcpListener::bind(("127.0.0.1", 0)).await {
            Ok(listener) => listener,
            Err(error) => return not_started(format!("listen: {error}")),
        };
        let Ok(address) = listener.local_addr() else {
            return not_started("listen: no address".to_owned());
        };
        let nonce = self.lock().nonce;
        let stream = log_stream(SystemTime::now(), self.version(), nonce);
        let env = self
            .program
            .environment(&address.to_string(), &stream, self.version());
        self.lock().started = Instant::now();
        let spawn = Process::spawn(&self.program.argv, &self.program.root, &env);
        let spawned = tokio::time::timeout(self.program.init_limit(), spawn).await;
        let (mut process, pipe) = match spawned {
            Ok(Ok(spawned)) => spawned,
            Ok(Err(reason)) => return not_started(reason),
            Err(_) => return End::InitTimeout,
        };
        self.lock().memory = Some(Memory::new(process.pid));
        // When the process has ended, the tasks are dropped, and with them the connections.
        let mut tasks = JoinSet::new();
        let _ = self.output.set(Output::new(pipe));
        let instance = Arc::clone(self);
        // The reader ends when this is dropped.
        let mut reader = JoinSet::new();
        reader.spawn(async move {
            if let Some(output) = instance.output.get() {
                output.run(&|text| instance.line(text)).await;
            }
        });
        tasks.spawn(Arc::clone(self).accept(listener));
        let end = self.watch(&mut process).await;
        if !matches!(end, End::Process(_)) {
            self.end(&end, &mut process).await;
        }
        let _ = tokio::time::timeout(LAST_WORDS, reader.join_next()).await;
        end
    }

    async fn accept(self: Arc<Self>, listener: TcpListener) {
        let mut connections = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let Ok((stream, _)) = accepted else {
                // Most likely there are no descriptors left; wait for other connections to end.
                tokio::time::sleep(Duration::from_millis(10)).await;
                continue;
            };
            let _ = stream.set_nodelay(true);
            let instance = Arc::clone(&self);
            connections.spawn(async move {
                let streams = Arc::new(AtomicBool::new(false));
                let stream = Prompt::new(stream, Arc::clone(&streams));
                let service = service_fn(|request| serve(&instance, &streams, request));
                let _ = http1::Builder::new()
                    .max_buf_size(BUFFER)
                    .max_header_size(BUFFER)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    }

    /// Waits until the process ends or must be ended.
    async fn watch(&self, process: &mut Process) -> End {
        let exited = process.wait();
        tokio::pin!(exited);
        loop {
            let deadline = match self.check() {
                Ok(deadline) => deadline,
                Err(End::Reported) => {
                    // The process most likely exits on its own, after some last output.
                    let _ = tokio::time::timeout(INIT_GRACE, &mut exited).await;
                    return End::Reported;
                }
                Err(end) => return end,
            };
            let deadline = match self.program.limits_memory {
                true => Some(deadline.map_or_else(look, |deadline| deadline.min(look()))),
                false => deadline,
            };
            let expired = async {
                match deadline {
                    Some(deadline) => tokio::time::sleep_until(deadline.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                ended = &mut exited => return End::Process(ended),
                () = expired => {}
                () = self.wake.notified() => {}
            }
        }
    }

    /// Ends expired invocations. Returns the next deadline, or the reason why the instance must
    /// end.
    fn check(&self) -> Result<Option<Instant>, End> {
        let now = Instant::now();
        let mut state = self.lock();
        let expired: Vec<Arc<str>> = state
            .calls
            .iter()
            .filter(|call| call.deadline.is_some_and(|deadline| deadline <= now))
            .map(|call| Arc::clone(&call.request_id))
            .collect();
        if !expired.is_empty() {
            // An instance with a hung invocation takes no further ones.
            state.retired = true;
            drop(state);
            for id in &expired {
                let failure = Failure::timed_out(id, self.program.timeout);
                self.finish(id, Outcome::Failed(failure), None);
            }
            state = self.lock();
            if state.calls.is_empty() {
                return Err(End::Timeout);
            }
        }
        if state.stopped {
            return Err(End::Stopped);
        }
        if state.init_failure.is_some() {
            return Err(End::Reported);
        }
        if self.program.limits_memory {
            let limit = u64::from(self.program.memory_mb) << 20;
            if state
                .memory
                .as_mut()
                .is_some_and(|memory| memory.now() > limit)
            {
                return Err(End::OutOfMemory);
            }
        }
        let init = state
            .machine
            .is_initializing()
            .then(|| state.started + self.program.init_limit());
        if init.is_some_and(|deadline| deadline <= now) {
            return Err(End::InitTimeout);
        }
        if state.settle.is_some_and(|deadline| deadline <= now) {
            return Err(if state.served {
                End::Timeout
            } else {
                End::InitTimeout
            });
        }
        state.samples = state.calls.iter().any(|call| !call.without_memory);
        let sample = state.samples.then(|| now + SURVEY);
        if let (Some(_), Some(memory)) = (sample, state.memory.as_mut()) {
            memory.sample();
        }
        let idle = state.machine.running() == 0 && state.settle.is_none();
        if state.retired && idle {
            return Err(End::Retired);
        }
        let deadlines = state.calls.iter().filter_map(|call| call.deadline);
        let others = [init, state.settle, sample].into_iter().flatten();
        let deadline = deadlines.chain(others).min();
        state.armed = deadline;
        Ok(deadline)
    }

    /// Ends the process, gracefully only if an extension is registered.
    async fn end(&self, end: &End, process: &mut Process) {
        let reason = match end {
            End::Timeout | End::InitTimeout => "timeout",
            End::Reported => "failure",
            _ => "spindown",
        };
        let (has_extensions, told) = {
            let mut state = self.lock();
            state.ending = Some(reason);
            let polls = state.machine.close();
            let told: Vec<_> = polls
                .into_iter()
                .filter_map(|poll| state.polls.remove(poll))
                .collect();
            (state.machine.has_extensions(), told)
        };
        if has_extensions {
            for poll in told {
                let _ = poll.send(shutdown_event(reason, epoch_ms(GRACE)));
            }
            process.terminate();
            let _ = tokio::time::timeout(GRACE, process.wait()).await;
        }
        process.kill().await;
    }
}
