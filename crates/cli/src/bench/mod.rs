//! `lambda-invoke bench`: measures how long many calls take.

mod load;
mod plot;
mod report;

use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::bench::load::{Load, Plan};
use crate::bench::report::Report;
use crate::call::{self, time};
use crate::call_state::call_state;
use crate::exit::{Exit, Failure};
use crate::interrupt::interrupted;
use crate::runtime::{self, Threads};
use crate::{output, terminal, verbose};

const EXAMPLES: &str = "\
Each caller starts its next call when its previous one ends, so a function that stalls is called
less often, and a stall affects at most as many calls as there are callers. With --rate, calls
start on a schedule, and latency is measured from the scheduled start.

Latencies are those of successful calls; \"first byte\" is the time to the function's first byte.
The exit code is 0 if every call succeeded, otherwise that of the most frequent failure. Ctrl-C ends
the benchmark early and shows the results so far, with exit code 130.

A function that fails in mid-stream counts as failed if the service reports it: with an error code,
or in the log's report. --buffered always reports it.

Failures are counted by kind and code; after the first 50, as \"further codes\".

Every call may run the function, and is billed.

Examples:
  lambda-invoke bench hello --local -c 32 -n 10000 -p '{\"delay_ms\":0}'
  lambda-invoke bench my-function --buffered -c 8 --duration 30s -p @request.json
  lambda-invoke bench my-function --rate 100 -c 64 -n 6000 --json";

/// Call a function many times and measure the latency
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("retry", |retry| retry.default_value("none")))]
#[command(mut_arg("json", |json| json.help("Write the result as one JSON object, times in milliseconds")))]
pub(crate) struct Arguments {
    #[command(flatten)]
    call: call::Options,
    /// The number of concurrent callers
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..), help_heading = "Load")]
    concurrency: u16,
    /// The total number of calls [default: 1000, or unlimited with --duration]
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Load")]
    calls: Option<u64>,
    /// Start no more calls after this time
    #[arg(short, long, value_name = "TIME", value_parser = time, help_heading = "Load")]
    duration: Option<Duration>,
    /// Start this many calls per second, as far as --concurrency allows
    #[arg(short, long, value_name = "N", value_parser = rate, help_heading = "Load")]
    rate: Option<f64>,
    /// The number of calls to make first, which are not measured
    #[arg(long, value_name = "N", default_value_t = 0, help_heading = "Load")]
    warm_up: u64,
    /// Use Invoke instead of InvokeWithResponseStream
    #[arg(long, help_heading = "Load")]
    buffered: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let as_json = arguments.call.json;
    call_state().as_json = as_json;
    // A line for each wait of many calls would help nobody.
    if arguments.call.verbose > 0 {
        verbose::start(arguments.call.verbose, as_json);
    }
    let result = runtime::run(Threads::Many, bench(Arc::new(arguments)));
    result.map_err(|failure| failure.in_json(as_json))
}

async fn bench(arguments: Arc<Arguments>) -> Result<(), Failure> {
    let prepared = arguments.call.prepare().await?;
    let load = Load::new(Arc::clone(&arguments), &prepared);
    let concurrency = arguments.concurrency;
    if arguments.warm_up > 0 {
        let plan = Plan {
            concurrency,
            calls: arguments.warm_up,
            duration: None,
            rate: None,
        };
        let warmed_up = load.run(plan, &ProgressBar::hidden()).await?;
        if warmed_up.interrupted {
            return Err(interrupted());
        }
    }
    let plan = Plan {
        concurrency,
        calls: match (arguments.calls, arguments.duration) {
            (Some(calls), _) => calls,
            (None, Some(_)) => u64::MAX,
            (None, None) => 1_000,
        },
        duration: arguments.duration,
        rate: arguments.rate,
    };
    let bar = progress(plan.calls);
    let outcome = load.run(plan, &bar).await;
    bar.finish_and_clear();
    let outcome = outcome?;
    let report = Report {
        function: prepared.name.as_str(),
        buffered: arguments.buffered,
        concurrency,
        outcome: &outcome,
    };
    let text = match arguments.call.json {
        true => terminal::json(&report.json()) + "\n",
        false => terminal::safe(&report.text()),
    };
    output::print(text.as_bytes())?;
    match (outcome.interrupted, outcome.exit()) {
        (true, _) => Err(Failure::silent(Exit::Interrupted)),
        (false, Some(exit)) => Err(Failure::silent(exit)),
        (false, None) => Ok(()),
    }
}

/// A progress bar on stderr, if it is a terminal.
fn progress(calls: u64) -> ProgressBar {
    let Some(target) = terminal::progress_target() else {
        return ProgressBar::hidden();
    };
    let (length, template) = match calls {
        u64::MAX => (None, "{spinner} {pos} calls in {elapsed} ({per_sec})"),
        calls => (
            Some(calls),
            "{wide_bar} {pos} of {len} calls in {elapsed} ({per_sec})",
        ),
    };
    let bar = ProgressBar::with_draw_target(length, target);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e6).contains(&rate) => Ok(rate),
        _ => Err("expected a number of calls per second, from 0.001 to 1000000".to_owned()),
    }
}
