//! Reports the results as text or JSON.

use std::fmt::Write as _;

use hdrhistogram::Histogram;
use serde_json::{Map, Value, json};

use super::load::Outcome;
use super::plot::{bars, buckets, milliseconds};
use crate::number::counted;

/// Percentiles by name, and as fractions.
const QUANTILES: [(&str, f64); 6] = [
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// How a function was called, and the results.
#[derive(Debug)]
pub(super) struct Report<'r> {
    pub(super) function: &'r str,
    pub(super) buffered: bool,
    pub(super) concurrency: u16,
    pub(super) outcome: &'r Outcome,
}

impl Report<'_> {
    /// The report as text.
    pub(super) fn text(&self) -> String {
        let outcome = self.outcome;
        let mut text = format!(
            "{} of {} ({}), {} concurrent, in {:.2} s{}\n\n",
            counted(self.calls(), "call"),
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
        let _ = writeln!(text, "  succeeded   {}", outcome.complete.len());
        let _ = writeln!(text, "  failed      {}", outcome.failed());
        for (kind, (_, count)) in &outcome.failures {
            let _ = writeln!(text, "    {count:>7}  {}", kind);
        }
        if outcome.retries > 0 {
            let _ = writeln!(text, "  retries     {}", outcome.retries);
        }
        let rate = self.per_second(outcome.complete.len());
        let _ = writeln!(text, "  throughput  {rate:.1} calls/s, {}/s", self.size());
        if outcome.complete.is_empty() {
            return text;
        }
        let headings = ["min", "mean"]
            .into_iter()
            .chain(QUANTILES.map(|(name, _)| name));
        let headings: String = headings
            .chain(["max"])
            .map(|heading| format!(" {heading:>6}"))
            .collect();
        // The line fits into the 80 columns of a terminal.
        let _ = writeln!(text, "\nmilliseconds  {headings}");
        for (name, times) in [
            ("first byte", &outcome.first_byte),
            ("full response", &outcome.complete),
        ] {
            if times.is_empty() {
                continue;
            }
            let cells: String = figures(times)
                .map(|(_, time)| format!(" {:>6}", milliseconds(time).trim_end_matches(" ms")))
                .collect();
            let _ = writeln!(text, "{name:<14}{cells}");
        }
        let _ = write!(
            text,
            "\nfull responses by latency, up to\n{}",
            bars(&buckets(&outcome.complete))
        );
        text
    }

    /// The report as JSON, with times in milliseconds.
    pub(super) fn json(&self) -> Value {
        let outcome = self.outcome;
        let failures: Map<String, Value> = outcome
            .failures
            .iter()
            .map(|(kind, (_, count))| (kind.clone(), (*count).into()))
            .collect();
        let histogram: Vec<Value> = buckets(&outcome.complete)
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
            "succeeded": outcome.complete.len(),
            "failed": outcome.failed(),
            "failures": failures,
            "retries": outcome.retries,
            "interrupted": outcome.interrupted,
            "seconds": outcome.elapsed.as_secs_f64(),
            "calls_per_second": self.per_second(outcome.complete.len()),
            "bytes": outcome.bytes,
            "bytes_per_second": self.per_second(outcome.bytes),
            "first_byte_ms": object(&outcome.first_byte),
            "full_response_ms": object(&outcome.complete),
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
        self.outcome.complete.len() + self.outcome.failed()
    }

    /// Never zero, since it is a divisor.
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

/// The figures by name, in microseconds.
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
