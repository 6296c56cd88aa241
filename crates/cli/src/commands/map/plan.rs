//! `--dry-run`: checks permission and payloads, and estimates the cost.

use bytes::Bytes;
use lambda_invoke::{Client, FunctionName};
use lambda_invoke_map::journal::SourceId;
use lambda_invoke_map::{Item, Map, Progress, iter};

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
                Some(run.progress())
            }
        };
        Ok(Self {
            source,
            batch,
            sample,
        })
    }

    fn invocations(&self) -> u64 {
        self.source.items.div_ceil(self.batch)
    }

    /// The cost of all items, estimated from the sample.
    fn cost(&self) -> Option<Cost> {
        let mut all = self.sample.clone()?;
        all.invocations = self.invocations();
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
                counted(sample.finished.all(), "item"),
                cost.billed.as_secs_f64(),
                sample.memory_mb.unwrap_or_default(),
                cost.dollars
            )),
            (Some(sample), None) => text.push_str(&format!(
                "\n  {} ran, without a report of the time",
                counted(sample.finished.all(), "item")
            )),
        }
        text
    }

    pub(super) fn json(&self) -> serde_json::Value {
        let cost = self.cost();
        serde_json::json!({ "plan": {
            "items": self.source.items,
            "bytes": self.source.bytes,
            "invocations": self.invocations(),
            "sample": self.sample.as_ref().map(|sample| sample.finished.all()),
            "billed_seconds": cost.as_ref().map(|cost| cost.billed.as_secs_f64()),
            "memory_mb": self.sample.as_ref().and_then(|sample| sample.memory_mb),
            "cost_usd": cost.map(|cost| cost.dollars),
        }})
    }
}
