//! How far a run is.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::journal::Settled;

/// How many reasons for throttling are counted separately: a peer can send a new one each time.
const MAX_REASONS: usize = 20;

/// How far a run is.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Progress {
    /// How many items there are, if it is known.
    pub total: Option<u64>,
    /// Items read from the source.
    pub read: u64,
    /// Items that ended in this run, by how.
    pub finished: BySettled,
    /// Items that ended in earlier runs and were not sent again, by how.
    pub recorded: BySettled,
    /// Invocations that run now.
    pub in_flight: usize,
    /// How many invocations may run.
    pub limit: usize,
    /// How many may start per second, if that is limited.
    pub rate: Option<f64>,
    /// Items that wait to be sent again.
    pub waiting: usize,
    /// Attempts of all invocations, including throttled ones.
    pub attempts: u64,
    /// Throttled attempts, by the service's reason.
    pub throttles: BTreeMap<String, u64>,
    /// The platform's reports that were received.
    pub reports: u64,
    /// Invocations that ended, and would have had a report if it had been requested.
    pub invocations: u64,
    /// The billed time in all reports.
    pub billed: Duration,
    /// The function's memory in MB, by the last report.
    pub memory_mb: Option<u64>,
}

/// Counts by how items ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BySettled {
    /// See [`Settled::Done`].
    pub done: u64,
    /// See [`Settled::NotStarted`].
    pub not_started: u64,
    /// See [`Settled::Started`].
    pub started: u64,
    /// See [`Settled::Unknown`].
    pub unknown: u64,
}

impl BySettled {
    pub(crate) fn add(&mut self, settled: Settled) {
        match settled {
            Settled::Done => self.done += 1,
            Settled::NotStarted => self.not_started += 1,
            Settled::Started => self.started += 1,
            Settled::Unknown => self.unknown += 1,
        }
    }

    /// Returns how many items failed, or may have.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.not_started + self.started + self.unknown
    }

    /// Returns how many items there are.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.done + self.failed()
    }
}

impl Progress {
    pub(super) fn throttled(&mut self, reason: Option<&str>) {
        let reason = reason.unwrap_or("no reason given");
        let is_known = self.throttles.contains_key(reason);
        let reason = match is_known || self.throttles.len() < MAX_REASONS {
            true => reason,
            false => "further reasons",
        };
        *self.throttles.entry(reason.to_owned()).or_default() += 1;
    }

    /// Returns the billed time of all invocations of this run; `None` if there was no report. The
    /// time of invocations without a report is estimated by the mean of the others.
    #[must_use]
    pub fn billed_estimate(&self) -> Option<Duration> {
        (self.reports > 0).then(|| {
            let mean = self.billed.as_secs_f64() / self.reports as f64;
            Duration::try_from_secs_f64(mean * self.invocations as f64).unwrap_or_default()
        })
    }
}
