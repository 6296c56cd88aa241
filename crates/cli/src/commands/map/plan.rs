//! `--dry-run`: checks permission and payloads, and estimates the cost.

use std::time::Duration;

use bytes::Bytes;
use lambda_invoke::{Client, FunctionName};
use lambda_invoke_map::journal::SourceId;
use lambda_invoke_map::{Ended, Item, Map, Progress, iter};

use super::summary::Cost;
use crate::call::{self, outcome, with_options};
use crate::exit::{Exit, Failure};
use crate::number::counted;

/// The result of a dry run.
#[derive(Debug)]
pub(super) struct Plan {
    source: SourceId,
    batch: u64,
    /// The progress of the sample, if there was one.
    sample: Option<Progress>,
}

impl Plan {
    /// Checks the permission to call the function, and runs the sample.
    ///
    /// # Errors
    ///
    /// If the call is not permitted, or the sample fails.
    pub(super) async fn make(
        client: &Client,
        name: &FunctionName<'_>,
        options: &call::Options,
        source: SourceId,
        batch: u64,
        sample: Option<(Map, Vec<Item>)>,
    ) -> Result<Self, Failure> {
        let call = client.invoke(name.clone());
        let call = with_options(call, options, Bytes::from_static(b"{}"), None);
        let permitted = call.dry_run().send().await;
        let _ = permitted.map_err(|error| outcome::call_failure(&error, options))?;
        let sample = match sample {
            None => None,
            Some((map, items)) => {
                let mut run = map.log_tail(true).run(iter(items));
                while let Some(event) = run.next().await {
                    event.map_err(|error| Failure::new(Exit::Transport, error))?;
                }
                if let Ended::Rejected(error) = run.ended() {
                    return Err(outcome::call_failure(&error, options));
                }
                Some(run.progress())
            }
        };
        Ok(Self {
            source,
            batch,
            sample,
        })
    }

    /// The number of invocations, or more if large items make batches smaller.
    fn invocations(&self) -> u64 {
        self.source.items.div_ceil(self.batch)
    }

    /// The cost of all items, estimated from the time of each item of the sample: a batch of the sample
    /// may have fewer items than those of the run.
    fn cost(&self) -> Option<Cost> {
        let mut all = self.sample.clone()?;
        let each = all.billed_estimate()?.as_secs_f64() / ran(&all) as f64;
        let billed = Duration::try_from_secs_f64(each * self.source.items as f64);
        all.billed = billed.unwrap_or(Duration::MAX);
        all.invocations = self.invocations();
        all.reports = all.invocations;
        Cost::of(&all)
    }

    pub(super) fn text(&self) -> String {
        let mut text = format!(
            "the call is permitted; {}, {}, {}",
            counted(self.source.items, "item"),
            counted(self.source.bytes, "byte"),
            counted(self.invocations(), "invocation")
        );
        match (&self.sample, self.cost()) {
            (None, _) => text.push_str("; nothing was run\n  hint: --sample 10 runs ten items to estimate the cost"),
            (Some(sample), Some(cost)) => text.push_str(&format!(
                "\n  after {} that ran: about {:.1} s billed at {} MB, ${:.6} at the list price of x86",
                counted(ran(sample), "item"),
                cost.billed.as_secs_f64(),
                sample.memory_mb.unwrap_or_default(),
                cost.dollars
            )),
            (Some(sample), None) => text.push_str(&format!(
                "\n  {} ran, without a report of the time",
                counted(ran(sample), "item")
            )),
        }
        let failed = self
            .sample
            .as_ref()
            .map_or(0, |sample| sample.finished.failed());
        if failed > 0 {
            text.push_str(&format!(
                "\n  {} of the sample failed",
                counted(failed, "item")
            ));
        }
        text
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let cost = self.cost();
        serde_json::json!({ "plan": {
            "items": self.source.items,
            "bytes": self.source.bytes,
            "invocations": self.invocations(),
            "sample": self.sample.as_ref().map(ran),
            "failed": self.sample.as_ref().map(|sample| sample.finished.failed()),
            "billed_seconds": cost.as_ref().map(|cost| cost.billed.as_secs_f64()),
            "memory_mb": self.sample.as_ref().and_then(|sample| sample.memory_mb),
            "cost_usd": cost.map(|cost| cost.dollars),
        }})
    }
}

/// The number of items that ran, or may have.
fn ran(sample: &Progress) -> u64 {
    sample.finished.all() - sample.finished.not_started
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_sample_of_large_batches_is_scaled_by_item() {
        let mut sample = Progress::default();
        sample.finished.done = 10;
        (sample.invocations, sample.reports) = (1, 1);
        sample.billed = Duration::from_secs(1);
        sample.memory_mb = Some(1024);
        let source = SourceId {
            items: 1_000,
            bytes: 5_000,
            check: 0,
        };
        let mut plan = Plan {
            source,
            batch: 100,
            sample: Some(sample),
        };
        assert_eq!(plan.cost().unwrap().billed, Duration::from_secs(100));
        assert!(!plan.text().contains("failed"));
        let sample = plan.sample.as_mut().unwrap();
        (sample.finished.done, sample.finished.started) = (9, 1);
        let text = plan.text();
        assert!(text.ends_with("\n  1 item of the sample failed"), "{text}");
    }
}
