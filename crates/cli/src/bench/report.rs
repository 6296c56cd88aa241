//! What is said of the calls, to a person or a machine.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::load::Outcome;
use super::plot::{bars, buckets, milliseconds};

/// Percentiles, as they are called and as a part of one.
const QUANTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// What was called how, and what came of it.
#[derive(Debug)]
pub(super) struct Report<'r> {
    pub(super) function: &'r str,
    pub(super) buffered: bool,
    pub(super) concurrency: u16,
    pub(super) outcome: &'r Outcome,
}

impl Report<'_> {
    /// For a person.
    pub(super) fn text(&self) -> String {
        let outcome = self.outcome;
        let mut text = format!(
            "{} calls of {} ({}), {} at once, in {:.2} s{}\n\n",
            self.calls(),
            self.function,
            self.operation(),
            self.concurrency,
            self.seconds(),
            if outcome.interrupted {
                ", ended by Ctrl-C"
            } else {
                ""
            },
        );
        // Writing to a string does not fail, here and below.
        let _ = writeln!(text, "  succeeded   {}", outcome.whole.len());
        let _ = writeln!(text, "  failed      {}", outcome.failed());
        for (kind, (_, count)) in &outcome.failures {
            let _ = writeln!(text, "    {count:>7}  {}", kind);
        }
        if outcome.retries > 0 {
            let _ = writeln!(text, "  retries     {}", outcome.retries);
        }
        let rate = self.per_second(outcome.whole.len());
        let _ = writeln!(text, "  throughput  {rate:.1} calls/s, {}/s", self.size());
        if outcome.whole.is_empty() {
            return text;
        }
        let heads = ["min", "mean"]
            .into_iter()
            .chain(QUANTILES.map(|(name, _)| name));
        let heads: String = heads
            .chain(["max"])
            .map(|head| format!("{head:>10}"))
            .collect();
        let _ = writeln!(text, "\n              {heads}");
        for (name, times) in [
            ("first byte", &outcome.first_byte),
            ("whole answer", &outcome.whole),
        ] {
            if times.is_empty() {
                continue;
            }
            let cells: String = figures(times)
                .map(|(_, time)| format!("{:>10}", milliseconds(time)))
                .collect();
            let _ = writeln!(text, "{name:<14}{cells}");
        }
        let _ = write!(
            text,
            "\nwhole answers, by time up to\n{}",
            bars(&buckets(&outcome.whole))
        );
        text
    }

    /// For a machine; times in milliseconds.
    pub(super) fn json(&self) -> Value {
        let outcome = self.outcome;
        let failures: Map<String, Value> = outcome
            .failures
            .iter()
            .map(|(kind, (_, count))| (kind.clone(), (*count).into()))
            .collect();
        let histogram: Vec<Value> = buckets(&outcome.whole)
            .into_iter()
            .map(|bucket| {
                json!({
                    "from": bucket.from as f64 / 1_000.0,
                    "to": bucket.to as f64 / 1_000.0,
                    "count": bucket.count,
                })
            })
            .collect();
        json!({
            "function": self.function,
            "operation": self.operation(),
            "concurrency": self.concurrency,
            "calls": self.calls(),
            "succeeded": outcome.whole.len(),
            "failed": outcome.failed(),
            "failures": failures,
            "retries": outcome.retries,
            "interrupted": outcome.interrupted,
            "seconds": outcome.elapsed.as_secs_f64(),
            "calls_per_second": self.per_second(outcome.whole.len()),
            "bytes": outcome.bytes,
            "bytes_per_second": self.per_second(outcome.bytes),
            "first_byte_ms": object(&outcome.first_byte),
            "whole_ms": object(&outcome.whole),
            "histogram_ms": histogram,
        })
    }

    fn operation(&self) -> &'static str {
        match self.buffered {
            true => "Invoke",
            false => "InvokeWithResponseStream",
        }
    }

    fn calls(&self) -> u64 {
        self.outcome.whole.len() + self.outcome.failed()
    }

    /// Never zero, to be divided by.
    fn seconds(&self) -> f64 {
        self.outcome.elapsed.as_secs_f64().max(1e-9)
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds()
    }

    fn size(&self) -> String {
        indicatif::HumanBytes(self.per_second(self.outcome.bytes) as u64).to_string()
    }
}

/// In microseconds, by name.
fn figures(times: &Histogram<u64>) -> impl Iterator<Item = (&'static str, f64)> {
    let quantiles = QUANTILES.map(|(name, part)| (name, times.value_at_quantile(part) as f64));
    [("min", times.min() as f64), ("mean", times.mean())]
        .into_iter()
        .chain(quantiles)
        .chain([("max", times.max() as f64)])
}

fn object(times: &Histogram<u64>) -> Value {
    if times.is_empty() {
        return Value::Null;
    }
    let figures = figures(times).map(|(name, time)| (name.to_owned(), (time / 1_000.0).into()));
    Value::Object(figures.collect())
}
