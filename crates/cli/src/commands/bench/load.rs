//! Makes the calls and measures them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use lambda_invoke::{Client, ClientContext, Error, Execution, FunctionName};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::Arguments;
use crate::call::outcome::{classify, failure};
use crate::call::{Prepared, with_options};
use crate::exit::call_state::call_state;
use crate::exit::{Exit, Failure};
use crate::interrupt::Catch;
use crate::terminal::{MOST_TOKEN, excerpt};

/// Times are recorded in microseconds, to three significant digits.
const DIGITS: u8 = 3;

/// How many kinds of failure, with their codes, are counted separately. A limit is needed because a
/// peer can send a new code with every response.
const MOST_KINDS: usize = 50;

/// How many calls to make, and how fast.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) concurrency: u16,
    pub(super) calls: u64,
    /// No call starts after this time.
    pub(super) duration: Option<Duration>,
    /// Calls per second.
    pub(super) rate: Option<f64>,
}

/// The results of the calls.
#[derive(Debug)]
pub(super) struct Outcome {
    /// From the start of each successful call to its end, in microseconds.
    pub(super) complete: Histogram<u64>,
    /// From the start of each successful call to the function's first byte, if there was one.
    pub(super) first_byte: Histogram<u64>,
    /// Failures by kind, with the exit code of that kind.
    pub(super) failures: BTreeMap<String, (Exit, u64)>,
    /// Attempts of all calls beyond the first of each.
    pub(super) retries: u64,
    /// Bytes received from the function, including those of failed calls.
    pub(super) bytes: u64,
    pub(super) elapsed: Duration,
    /// Whether Ctrl-C ended the run.
    pub(super) interrupted: bool,
}

impl Outcome {
    fn new() -> Result<Self, Failure> {
        let empty = || Histogram::new(DIGITS).map_err(|error| Failure::new(Exit::Usage, error));
        Ok(Self {
            complete: empty()?,
            first_byte: empty()?,
            failures: BTreeMap::new(),
            retries: 0,
            bytes: 0,
            elapsed: Duration::ZERO,
            interrupted: false,
        })
    }

    pub(super) fn failed(&self) -> u64 {
        self.failures.values().map(|(_, count)| count).sum()
    }

    /// The exit code of the most frequent failure.
    pub(super) fn exit(&self) -> Option<Exit> {
        let most = self.failures.values().max_by_key(|(_, count)| *count);
        most.map(|(exit, _)| *exit)
    }

    /// Records the result of a call. Returns whether another call can be made.
    ///
    /// # Errors
    ///
    /// If no call can be made, and there is no result to show.
    fn record(
        &mut self,
        measured: Result<Measured, Error>,
        start: Instant,
    ) -> Result<bool, Failure> {
        let end = Instant::now();
        let since = |moment: Instant| {
            u64::try_from(moment.duration_since(start).as_micros()).unwrap_or(u64::MAX)
        };
        let error = match measured {
            Ok(measured) => {
                self.bytes += measured.bytes;
                self.retries += u64::from(measured.attempts.saturating_sub(1));
                record(&mut self.complete, since(end));
                if let Some(first_byte) = measured.first_byte {
                    record(&mut self.first_byte, since(first_byte));
                }
                return Ok(true);
            }
            Err(error) => error,
        };
        self.bytes += error.received().unwrap_or_default();
        self.retries += u64::from(error.attempts().saturating_sub(1));
        let (exit, kind) = classify(error.kind());
        // Every other call would fail the same way.
        if exit == Exit::Usage {
            if self.complete.is_empty() && self.failures.is_empty() {
                return Err(failure(&error));
            }
            self.fail(kind.to_owned(), exit);
            return Ok(false);
        }
        let service = error.service_error().and_then(|service| service.code());
        let function = error
            .function_failure()
            .and_then(|failure| failure.code.as_deref());
        let kind = match service.or(function) {
            Some(code) => {
                let named = format!("{kind}: {}", excerpt(code, MOST_TOKEN));
                match self.failures.len() < MOST_KINDS || self.failures.contains_key(&named) {
                    true => named,
                    false => format!("{kind}: further codes"),
                }
            }
            None => kind.to_owned(),
        };
        self.fail(kind, exit);
        Ok(true)
    }

    fn fail(&mut self, kind: String, exit: Exit) {
        self.failures.entry(kind).or_insert((exit, 0)).1 += 1;
    }
}

/// Records a time. The histogram resizes itself; a time beyond its maximum counts as the maximum.
fn record(times: &mut Histogram<u64>, time: u64) {
    if times.record(time).is_err() {
        times.saturating_record(time);
    }
}

/// The measurements of a successful call.
#[derive(Debug)]
struct Measured {
    first_byte: Option<Instant>,
    bytes: u64,
    attempts: u32,
}

/// The call to make, and the client to make it with.
#[derive(Clone, Debug)]
pub(super) struct Load {
    arguments: Arc<Arguments>,
    client: Client,
    name: FunctionName<'static>,
    payload: Bytes,
    client_context: Option<ClientContext<'static>>,
}

impl Load {
    pub(super) fn new(arguments: Arc<Arguments>, prepared: &Prepared<'_>) -> Self {
        Self {
            arguments,
            client: prepared.client.clone(),
            name: prepared.name.clone().into_owned(),
            payload: prepared.payload.clone(),
            client_context: prepared.client_context.clone(),
        }
    }

    /// Makes the calls.
    ///
    /// # Errors
    ///
    /// If no call can be made at all.
    pub(super) async fn run(&self, plan: Plan, bar: &ProgressBar) -> Result<Outcome, Failure> {
        let mut catch = Catch::new();
        if !self.arguments.call.dry_run {
            call_state().execution = Execution::Unknown;
        }
        let start = Instant::now();
        let next = Arc::new(AtomicU64::new(0));
        // Shared by all callers: a histogram for each would take megabytes, and recording takes
        // less than a microsecond.
        let outcome = Arc::new(Mutex::new(Outcome::new()?));
        let mut interrupted = false;
        let (end, ended) = watch::channel(false);
        let mut callers = JoinSet::new();
        for _ in 0..u64::from(plan.concurrency).min(plan.calls) {
            let caller = Caller {
                load: self.clone(),
                plan,
                start,
                next: Arc::clone(&next),
                outcome: Arc::clone(&outcome),
                bar: bar.clone(),
            };
            callers.spawn(caller.run(ended.clone()));
        }
        loop {
            tokio::select! {
                biased;
                () = catch.caught(), if !interrupted => {
                    interrupted = true;
                    end.send_replace(true);
                }
                caller = callers.join_next() => match caller {
                    None => break,
                    Some(Ok(done)) => done?,
                    Some(Err(error)) => return Err(Failure::new(Exit::Transport, error)),
                },
            }
        }
        let empty = Outcome::new()?;
        let mut outcome = std::mem::replace(&mut *lock(&outcome), empty);
        outcome.elapsed = start.elapsed();
        outcome.interrupted = interrupted;
        Ok(outcome)
    }

    async fn call(&self) -> Result<Measured, Error> {
        let options = &self.arguments.call;
        let load = self.clone();
        if self.arguments.buffered {
            let call = self.client.invoke(self.name.clone());
            let call = with_options(call, options, load.payload, load.client_context);
            // Only the log reports that a streaming function failed after its first byte.
            let call = match options.dry_run {
                true => call.dry_run(),
                false => call.log_tail(),
            };
            let reply = call.send().await?;
            let (attempts, received) = (reply.attempts(), Instant::now());
            let payload = reply.into_result()?.into_payload();
            return Ok(Measured {
                first_byte: (!payload.is_empty()).then_some(received),
                bytes: payload.len() as u64,
                attempts,
            });
        }
        let call = self.client.stream(self.name.clone());
        let call = with_options(call, options, load.payload, load.client_context);
        if options.dry_run {
            call.dry_run().send().await?;
            return Ok(Measured {
                first_byte: None,
                bytes: 0,
                attempts: 1,
            });
        }
        let mut stream = call.send().await?;
        let mut first_byte = None;
        while let Some(chunk) = stream.next_chunk().await {
            if !chunk?.is_empty() && first_byte.is_none() {
                first_byte = Some(Instant::now());
            }
        }
        Ok(Measured {
            first_byte,
            bytes: stream.received(),
            attempts: stream.attempts(),
        })
    }
}

/// Makes one call after another.
#[derive(Debug)]
struct Caller {
    load: Load,
    plan: Plan,
    start: Instant,
    /// The number of the next call, counted over all callers.
    next: Arc<AtomicU64>,
    outcome: Arc<Mutex<Outcome>>,
    bar: ProgressBar,
}

/// Locks the outcome. It cannot be poisoned, because nothing panics while it is locked.
fn lock(outcome: &Mutex<Outcome>) -> MutexGuard<'_, Outcome> {
    outcome.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caller {
    async fn run(self, mut ended: watch::Receiver<bool>) -> Result<(), Failure> {
        loop {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.plan.calls {
                return Ok(());
            }
            let due = self
                .plan
                .rate
                .map(|rate| self.start + Duration::from_secs_f64(number as f64 / rate));
            let start = due.unwrap_or_else(Instant::now);
            let limit = self.plan.duration;
            if limit.is_some_and(|limit| start - self.start >= limit) {
                return Ok(());
            }
            let call = async {
                if let Some(due) = due {
                    tokio::time::sleep_until(due).await;
                }
                self.load.call().await
            };
            tokio::select! {
                biased;
                // This fails only if the sender is dropped, which happens after the callers end.
                _ = ended.wait_for(|ended| *ended) => return Ok(()),
                measured = call => {
                    if !lock(&self.outcome).record(measured, start)? {
                        return Ok(());
                    }
                }
            }
            self.bar.inc(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use lambda_invoke::{CredentialsFuture, ProvideCredentials};

    use super::*;

    #[derive(Debug)]
    struct Gone;

    impl ProvideCredentials for Gone {
        fn provide(&self) -> CredentialsFuture<'_> {
            Box::pin(async { Err("the session is over".into()) })
        }
    }

    #[test]
    fn results_are_kept_when_credentials_are_gone() {
        let client = Client::builder().region("us-east-1").credentials(Gone);
        let client = client.build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let gone = || runtime.block_on(async { client.invoke("f").send().await.unwrap_err() });
        let (mut outcome, start) = (Outcome::new().unwrap(), Instant::now());
        assert!(outcome.record(Err(gone()), start).is_err());
        let measured = Measured {
            first_byte: None,
            bytes: 1,
            attempts: 1,
        };
        assert!(outcome.record(Ok(measured), start).unwrap());
        assert!(!outcome.record(Err(gone()), start).unwrap());
        assert_eq!((outcome.complete.len(), outcome.failed()), (1, 1));
        assert_eq!(outcome.failures["credentials"].1, 1);
    }
}
