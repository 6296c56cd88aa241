//! The summary of a run, as text or JSON.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;
use lambda_invoke_map::journal::Settled;
use lambda_invoke_map::{Event, Progress};
use serde_json::{Value, json};

use super::results;
use crate::call::outcome::exit_of;
use crate::exit::{Exit, Failure};
use crate::number::counted;
use crate::terminal::{MOST_TOKEN, excerpt};

/// The list price of a GB-second on x86 and of a request, in US dollars, in most regions.
const GB_SECOND: f64 = 0.000_016_666_7;
const REQUEST: f64 = 0.000_000_2;

/// Percentiles by name, and as fractions.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)];

/// How many kinds of failure are counted separately. A journal may have been written by a newer
/// version.
const MOST_KINDS: usize = 50;

/// Counts results.
#[derive(Debug)]
pub(super) struct Summary {
    /// From the first attempt of each item that is done to its end, in microseconds.
    times: Histogram<u64>,
    failures: BTreeMap<String, u64>,
}

impl Summary {
    pub(super) fn new() -> Result<Self, Failure> {
        let times = Histogram::new(3).map_err(|error| Failure::new(Exit::Usage, error))?;
        Ok(Self {
            times,
            failures: BTreeMap::new(),
        })
    }

    pub(super) fn add(&mut self, event: &Event) {
        if event.settled() == Settled::Done {
            if let Event::Finished(finished, _) = event {
                let time = u64::try_from(finished.duration.as_micros()).unwrap_or(u64::MAX);
                // The histogram resizes itself; a time beyond its maximum counts as the maximum.
                if self.times.record(time).is_err() {
                    self.times.saturating_record(time);
                }
            }
            return;
        }
        let kind = results::kind(event);
        let is_known = self.failures.contains_key(&kind);
        let kind = match is_known || self.failures.len() < MOST_KINDS {
            true => kind,
            false => "other".to_owned(),
        };
        *self.failures.entry(kind).or_default() += 1;
    }

    /// The exit code of the most frequent failure.
    pub(super) fn exit(&self) -> Option<Exit> {
        let most = self.failures.iter().max_by_key(|(_, count)| **count);
        most.map(|(kind, _)| match kind.as_str() {
            "batch_item_failure" | "batch_response" => Exit::FunctionFailed,
            kind => exit_of(kind),
        })
    }

    pub(super) fn text(&self, function: &str, progress: &Progress, elapsed: Duration) -> String {
        let counts = Counts::of(progress);
        let mut text = format!(
            "{} of {function} in {:.2} s: {} done, {} failed, {} unknown",
            counted(counts.all, "item"),
            elapsed.as_secs_f64(),
            counts.done,
            counts.failed,
            counts.unknown
        );
        // Writing to a string does not fail, here and below.
        if progress.recorded.all() > 0 {
            let _ = write!(
                text,
                "; {} of them in earlier runs",
                progress.recorded.all()
            );
        }
        if let Some(missing) = counts.missing.filter(|missing| *missing > 0) {
            // They were not sent, or were throttled and would have been sent again.
            let _ = write!(text, "; {missing} did not run");
        }
        for (kind, count) in &self.failures {
            let _ = write!(text, "\n  {count:>9}  {}", excerpt(kind, MOST_TOKEN));
        }
        for (reason, count) in &progress.throttles {
            let reason = excerpt(reason, MOST_TOKEN);
            let _ = write!(text, "\n  {count:>9}  throttled: {reason}");
        }
        if !self.times.is_empty() {
            text.push_str("\n  time from the first attempt:");
            for (name, quantile) in QUANTILES {
                let time = self.times.value_at_quantile(quantile) as f64 / 1e3;
                let _ = write!(text, " {name} {time:.1} ms");
            }
        }
        if let Some(cost) = Cost::of(progress) {
            let _ = write!(text, "\n  {}", cost.text(progress));
        }
        text
    }

    pub(super) fn json(&self, function: &str, progress: &Progress, elapsed: Duration) -> Value {
        let counts = Counts::of(progress);
        let times = QUANTILES.map(|(name, quantile)| {
            let time = self.times.value_at_quantile(quantile) as f64 / 1e3;
            (name.to_owned(), json!(time))
        });
        let cost = Cost::of(progress);
        json!({ "summary": {
            "function": function,
            "seconds": elapsed.as_secs_f64(),
            "items": counts.all,
            "total": progress.total,
            "done": counts.done,
            "failed": counts.failed,
            "unknown": counts.unknown,
            "not_run": counts.missing,
            "recorded": progress.recorded.all(),
            "attempts": progress.attempts,
            "failures": self.failures,
            "throttles": progress.throttles,
            "time_ms": serde_json::Map::from_iter(times),
            "reports": progress.reports,
            "billed_seconds": cost.as_ref().map(|cost| cost.billed.as_secs_f64()),
            "memory_mb": progress.memory_mb,
            "cost_usd": cost.map(|cost| cost.dollars),
        }})
    }
}

/// All items, including those from earlier runs.
struct Counts {
    all: u64,
    done: u64,
    failed: u64,
    unknown: u64,
    missing: Option<u64>,
}

impl Counts {
    fn of(progress: &Progress) -> Self {
        let (now, before) = (progress.finished, progress.recorded);
        let all = now.all() + before.all();
        Self {
            all,
            done: now.done + before.done,
            failed: now.not_started + now.started + before.not_started + before.started,
            unknown: now.unknown + before.unknown,
            missing: progress.total.map(|total| total.saturating_sub(all)),
        }
    }
}

/// The cost of a run's calls, based on the reports that were received.
#[derive(Debug)]
pub(super) struct Cost {
    pub(super) billed: Duration,
    pub(super) dollars: f64,
}

impl Cost {
    pub(super) fn of(progress: &Progress) -> Option<Self> {
        let billed = progress.billed_estimate()?;
        let gigabytes = progress.memory_mb? as f64 / 1024.0;
        Some(Self {
            billed,
            dollars: billed.as_secs_f64() * gigabytes * GB_SECOND
                + progress.invocations as f64 * REQUEST,
        })
    }

    fn text(&self, progress: &Progress) -> String {
        let basis = match progress.reports == progress.invocations {
            true => String::new(),
            false => format!(
                ", estimated from the reports of {} of {}",
                progress.reports,
                counted(progress.invocations, "invocation")
            ),
        };
        format!(
            "billed {:.1} s at {} MB{basis}: about ${:.6} at the list price of x86",
            self.billed.as_secs_f64(),
            progress.memory_mb.unwrap_or_default(),
            self.dollars
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_has_counts_reasons_times_and_cost() {
        let mut progress = Progress::default();
        progress.total = Some(20);
        progress.finished.done = 10;
        progress.finished.started = 2;
        progress.finished.unknown = 1;
        progress.recorded.done = 5;
        progress
            .throttles
            .insert("CallerRateLimitExceeded".to_owned(), 4);
        progress.invocations = 12;
        progress.reports = 6;
        progress.billed = Duration::from_secs(60);
        progress.memory_mb = Some(512);
        let mut summary = Summary::new().unwrap();
        summary.times.record(12_000).unwrap();
        summary.failures.insert("function_failed".to_owned(), 2);
        summary.failures.insert("timed_out".to_owned(), 1);
        let text = summary.text("f", &progress, Duration::from_secs(2));
        for part in [
            "18 items of f in 2.00 s: 15 done, 2 failed, 1 unknown; 5 of them in earlier runs; 2 did not run",
            "2  function_failed",
            "4  throttled: CallerRateLimitExceeded",
            "p50 12.0 ms",
            "billed 120.0 s at 512 MB, estimated from the reports of 6 of 12 invocations: about $0.001002",
        ] {
            assert!(text.contains(part), "{part:?} in {text}");
        }
        assert_eq!(summary.exit(), Some(Exit::FunctionFailed));
        progress.total = Some(19);
        let text = summary.text("f", &progress, Duration::from_secs(2));
        assert!(text.contains("; 1 did not run"), "{text}");
        progress.total = Some(20);
        let json = summary.json("f", &progress, Duration::from_secs(2));
        assert_eq!(json["summary"]["not_run"], 2);
        assert_eq!(json["summary"]["billed_seconds"], 120.0);
    }
}
