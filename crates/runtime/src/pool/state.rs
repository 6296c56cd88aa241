//! What an instance knows of itself and of its events.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use crate::api::extensions::Extensions;
use crate::api::machine::Machine;
use crate::event::{Part, Report, Tail};
use crate::outcome::{Failure, Outcome};
use crate::pool::{End, Job};
use crate::process::Process;

/// Why an instance ends.
#[derive(Clone, Debug)]
pub(crate) enum Cause {
    /// The program reported that it cannot start, could not be started, or was not ready in time.
    Init(Failure),
    /// The event with this request ID timed out.
    Timeout(String),
    /// The pool ends it.
    Retired,
}

/// An event that the runtime client has received and not responded to.
pub(crate) struct Running {
    pub(crate) parts: mpsc::Sender<Part>,
    end: oneshot::Sender<End>,
    started: Instant,
    tail: Tail,
    init_duration: Option<Duration>,
}

/// The state of an instance.
pub(crate) struct State {
    pub(crate) machine: Machine,
    pub(crate) extensions: Extensions,
    pub(crate) process: Option<Process>,
    pub(crate) jobs: VecDeque<Box<Job>>,
    running: BTreeMap<String, Running>,
    /// When each event that is with the runtime client times out.
    deadlines: BTreeMap<String, Instant>,
    pub(crate) born: Instant,
    pub(crate) init_duration: Option<Duration>,
    pub(crate) retired: bool,
    pub(crate) cause: Option<Cause>,
    /// Processes that were asked to end are killed at this time.
    pub(crate) kill_at: Option<Instant>,
    pub(crate) ended: bool,
}

impl State {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            machine: Machine::new(capacity),
            extensions: Extensions::default(),
            process: None,
            jobs: VecDeque::new(),
            running: BTreeMap::new(),
            deadlines: BTreeMap::new(),
            born: Instant::now(),
            init_duration: None,
            retired: false,
            cause: None,
            kill_at: None,
            ended: false,
        }
    }

    /// The number of events that wait for this instance or run in it.
    pub(crate) fn load(&self) -> usize {
        self.jobs.len() + self.running.len()
    }

    /// Registers the event of a job as running.
    pub(crate) fn started(&mut self, job: Job, timeout: Duration) {
        let now = Instant::now();
        let Job { event, parts, end } = job;
        let id = event.request_id;
        self.deadlines.insert(id.clone(), now + timeout);
        self.running.insert(
            id,
            Running {
                parts,
                end,
                started: now,
                tail: Tail::default(),
                init_duration: self.init_duration.take(),
            },
        );
    }

    pub(crate) fn parts(&self, id: &str) -> Option<mpsc::Sender<Part>> {
        self.running.get(id).map(|running| running.parts.clone())
    }

    /// Reports how an event ended. Does nothing if that was reported.
    pub(crate) fn finish(&mut self, id: &str, outcome: Outcome) {
        let Some(mut running) = self.running.remove(id) else {
            return;
        };
        let mut report = Report::of(outcome);
        report.duration = running.started.elapsed();
        report.init_duration = running.init_duration;
        report.max_memory = self.process.map_or(0, Process::peak_memory);
        report.log = running.tail.take();
        // The caller may be gone.
        let _ = running.end.send(End::Report(report));
    }

    /// Fails all events that wait: with a failure, or so that they are given to another instance.
    pub(crate) fn release(&mut self, failure: Option<&dyn Fn(&str) -> Failure>) {
        for job in std::mem::take(&mut self.jobs) {
            let end = match failure {
                Some(failure) => {
                    let outcome = Outcome::Failed(failure(&job.event.request_id));
                    End::Report(Report::of(outcome))
                }
                None => End::NotStarted,
            };
            let _ = job.end.send(end);
        }
    }

    /// Returns the request IDs of all events that run.
    pub(crate) fn ids(&self) -> Vec<String> {
        self.running.keys().cloned().collect()
    }

    /// Attributes a line to the event that runs, if there is exactly one.
    pub(crate) fn line(&mut self, text: &str) -> Option<String> {
        let mut running = self.running.iter_mut();
        let (id, first) = running.next()?;
        if running.next().is_some() {
            return None;
        }
        first.tail.push(text.to_owned());
        Some(id.clone())
    }

    /// Returns the next time at which something is due.
    pub(crate) fn due(&mut self, init_timeout: Duration) -> Option<Instant> {
        let machine = &self.machine;
        self.deadlines.retain(|id, _| machine.has(id));
        let events = self.deadlines.values().min().copied();
        let init =
            (!self.machine.is_ready() && self.cause.is_none()).then_some(self.born + init_timeout);
        [events, init, self.kill_at].into_iter().flatten().min()
    }

    /// Returns an event that is past its deadline.
    pub(crate) fn overdue(&self, now: Instant) -> Option<String> {
        let (id, _) = self.deadlines.iter().find(|(_, at)| **at <= now)?;
        Some(id.clone())
    }
}
