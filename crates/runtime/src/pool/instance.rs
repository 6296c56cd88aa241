//! One instance: its process, its API server, and its end.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::event::{LogLine, LogSource};
use crate::outcome::{Failure, Outcome};
use crate::pool::state::{Cause, State};
use crate::pool::{Inner, Job, serve};
use crate::process::output::{self, Flush};
use crate::process::{self, GRACE, Started};
use crate::program::Program;

/// One process of a program with the Runtime API that it is given.
pub(crate) struct Instance {
    pub(crate) number: u64,
    tenant: Option<String>,
    pub(crate) program: Arc<Program>,
    state: Mutex<State>,
    /// Wakes runtime clients that wait for an event.
    pub(crate) work: Notify,
    /// Wakes extensions that wait for an event.
    pub(crate) extension_events: Notify,
    /// Wakes the instance's own task: something is due earlier, or it has to end.
    pub(crate) changed: Notify,
    /// Asks the readers of both pipes to read what was written so far.
    flushes: Mutex<Vec<mpsc::Sender<Flush>>>,
}

impl Instance {
    pub(crate) fn new(number: u64, tenant: Option<String>, program: Arc<Program>) -> Arc<Self> {
        Arc::new(Self {
            number,
            tenant,
            state: Mutex::new(State::new(program.multi_concurrency)),
            program,
            work: Notify::new(),
            extension_events: Notify::new(),
            changed: Notify::new(),
            flushes: Mutex::default(),
        })
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Takes a job if there is room for it.
    pub(crate) fn offer(&self, job: Box<Job>) -> Result<(), Box<Job>> {
        let mut state = self.lock();
        let full = state.load() >= self.program.multi_concurrency;
        if full || state.retired || state.ended || state.cause.is_some() {
            return Err(job);
        }
        state.jobs.push_back(job);
        drop(state);
        self.work.notify_one();
        Ok(())
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.lock().load() == 0
    }

    /// Ends the instance once its events are over.
    pub(crate) fn retire(&self) {
        self.lock().retired = true;
        self.changed.notify_one();
    }

    /// Asks for the end of all processes at once.
    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        state.cause.get_or_insert(Cause::Retired);
        state.kill_at = Some(Instant::now());
        drop(state);
        self.changed.notify_one();
    }

    /// Lets extensions know, and ends the processes: after the grace period if there are any.
    pub(crate) fn shut_down(&self) {
        let mut state = self.lock();
        if state.kill_at.is_some() {
            return;
        }
        state.cause.get_or_insert(Cause::Retired);
        let now = Instant::now();
        if state.extensions.any() {
            let deadline = epoch_ms(SystemTime::now() + GRACE);
            let event = serde_json::json!({
                "eventType": "SHUTDOWN",
                "shutdownReason": "SPINDOWN",
                "deadlineMs": deadline,
            });
            state.extensions.shutdown(&event.to_string());
            if let Some(process) = state.process {
                process.terminate();
            }
            state.kill_at = Some(now + GRACE);
        } else {
            state.kill_at = Some(now);
        }
        drop(state);
        self.extension_events.notify_waiters();
        self.changed.notify_one();
    }

    /// Waits until the lines that the function wrote before now have been passed on.
    pub(crate) async fn flush(&self) {
        let readers = self
            .flushes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        for reader in readers {
            let (done, flushed) = oneshot::channel();
            if reader.send(done).await.is_ok() {
                let _ = flushed.await;
            }
        }
    }

    /// Does what is due, and returns the time of the next. Kills the processes if they must end.
    fn check(&self) -> Option<Instant> {
        let mut state = self.lock();
        let now = Instant::now();
        let init_timeout = self.program.init_timeout;
        if state.retired && state.load() == 0 && state.cause.is_none() {
            state.cause = Some(Cause::Retired);
            state.kill_at = Some(now);
        }
        if let Some(id) = state.overdue(now) {
            if state.cause.is_none() {
                state.cause = Some(Cause::Timeout(id));
            }
            state.kill_at = Some(now);
        }
        let waited = now.duration_since(state.born);
        if state.cause.is_none() && !state.machine.is_ready() && waited >= init_timeout {
            let failure = Failure::init_timeout(init_timeout);
            state.cause = Some(Cause::Init(failure));
            state.kill_at = Some(now);
        }
        if state.kill_at.is_some_and(|at| at <= now) {
            if let Some(process) = state.process {
                process.kill();
            }
            // A process can be between two states of the kernel: look again soon.
            state.kill_at = Some(now + Duration::from_millis(20));
        }
        state.due(init_timeout)
    }
}

/// Starts an instance's process and serves its API until the process ends.
pub(crate) async fn run(instance: Arc<Instance>, pool: Weak<Inner>) {
    let started = start(&instance).await;
    match started {
        Ok((listener, started)) => live(&instance, &pool, listener, started).await,
        Err(error) => {
            let why = format!(
                "cannot start {}: {error}",
                instance.program.command[0].to_string_lossy()
            );
            instance.lock().cause = Some(Cause::Init(Failure::start(&why)));
        }
    }
    if let Some(pool) = pool.upgrade() {
        pool.leave(&instance);
    }
    end(&instance, "without providing a reason");
    if let Some(pool) = pool.upgrade() {
        pool.forget(&instance);
    }
}

async fn start(instance: &Arc<Instance>) -> std::io::Result<(TcpListener, Started)> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let api = listener.local_addr()?.to_string();
    let started = process::start(&instance.program, &api, instance.number)?;
    let mut state = instance.lock();
    state.process = Some(started.process);
    state.born = Instant::now();
    drop(state);
    Ok((listener, started))
}

/// Serves an instance until its process has ended and all its connections are read to their ends.
async fn live(
    instance: &Arc<Instance>,
    pool: &Weak<Inner>,
    listener: TcpListener,
    mut started: Started,
) {
    let mut readers = JoinSet::new();
    if let Some(stdout) = started.stdout.take() {
        readers.spawn(read(instance, pool, stdout, LogSource::Stdout));
    }
    if let Some(stderr) = started.stderr.take() {
        readers.spawn(read(instance, pool, stderr, LogSource::Stderr));
    }
    let mut connections = JoinSet::new();
    let status = loop {
        let due = instance.check();
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(Arc::clone(instance), stream));
                } else {
                    // No descriptors are left: the ones in use have to be returned first.
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
            Some(_) = connections.join_next() => {}
            status = started.child.wait() => break status,
            () = instance.changed.notified() => {}
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {}
        }
    };
    started.process.after_exit();
    instance.lock().process = None;
    drop(started.alive);
    if let Some(pool) = pool.upgrade() {
        pool.leave(instance);
    }
    // What the processes have sent is in the sockets, also of connections not yet accepted.
    while let Ok(Ok((stream, _))) =
        tokio::time::timeout(Duration::from_millis(1), listener.accept()).await
    {
        connections.spawn(connection(Arc::clone(instance), stream));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
    // The pipes end with the last process that holds them, which may have escaped.
    let all_read = async { while readers.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(GRACE, all_read).await;
    let how = status.map_or_else(
        |_| "with error: unknown".to_owned(),
        |status| started.process.describe(status),
    );
    end(instance, &how);
}

/// Reports the end of all events of an instance that has ended.
fn end(instance: &Instance, how: &str) {
    let mut state = instance.lock();
    if std::mem::replace(&mut state.ended, true) {
        return;
    }
    let cause = state.cause.clone();
    for id in state.ids() {
        let failure = match &cause {
            Some(Cause::Timeout(late)) if *late == id => {
                Failure::timeout(&id, instance.program.timeout)
            }
            _ => Failure::exit(&id, how),
        };
        state.finish(&id, Outcome::Failed(failure));
    }
    match &cause {
        Some(Cause::Init(failure)) => {
            state.release(Some(&|id| failure.of_request(id)));
        }
        // A program that ends before it asks for an event would do so again.
        None if !state.machine.is_ready() => state.release(Some(&|id| Failure::exit(id, how))),
        _ => state.release(None),
    }
}

async fn connection(instance: Arc<Instance>, stream: TcpStream) {
    // Chunks and responses are small and awaited by someone.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let instance = Arc::clone(&instance);
        async move { Ok::<_, Infallible>(serve::respond(instance, request).await) }
    });
    // An error is that of the client's end of the connection.
    let _ = http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// Reads one of the pipes of a process, and passes its lines on.
fn read<R>(
    instance: &Arc<Instance>,
    pool: &Weak<Inner>,
    pipe: R,
    source: LogSource,
) -> impl Future<Output = ()> + Send + 'static
where
    R: tokio::io::AsyncRead + std::os::fd::AsFd + Unpin + Send + 'static,
{
    let (sender, flushes) = mpsc::channel(8);
    instance
        .flushes
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(sender);
    let instance = Arc::clone(instance);
    let pool = Weak::clone(pool);
    output::lines(pipe, flushes, move |bytes| {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let request_id = instance.lock().line(&text);
        if let Some(pool) = pool.upgrade() {
            pool.log(LogLine {
                instance: instance.number,
                request_id,
                source,
                time: SystemTime::now(),
                text,
            });
        }
    })
}

/// Milliseconds since 1970, as the APIs state times.
pub(crate) fn epoch_ms(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
