//! `lambda-invoke bench`: measures how long many calls take.

mod load;
mod plot;
mod report;

use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanDuration, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::call;
use crate::commands::bench::load::{Load, Plan};
use crate::commands::bench::report::Report;
use crate::exit::{Exit, Failure};
use crate::interrupt::interrupted;
use crate::number::{rate, time, whole};
use crate::output::progress;
use crate::{output, terminal};

/// How many calls are made if neither a number nor a time is given: enough for a rough picture, and
/// few enough to be cheap.
const DEFAULT_CALLS: u64 = 100;

/// The maximum number of calls, which takes more than a day.
const MOST_CALLS: u64 = 1_000_000_000;

const EXAMPLES: &str = "\
Each caller starts its next call when its previous one ends, so a function that stalls is called \
less often, and a stall affects at most as many calls as there are callers. With --rate, calls \
start on a schedule, and latency is measured from the scheduled start.

Latencies are those of successful calls; \"first byte\" is the time to the function's first byte. \
The exit code is 0 if every call succeeded, otherwise that of the most frequent failure. Ctrl-C ends \
the benchmark early and shows the results so far, with exit code 130.

A function that fails mid-stream counts as failed if the service reports it: with an error code, \
or in the log.

Failures are counted by kind and code; after the first 50, as \"further codes\".

Every call may run the function, and is billed.

Examples:
  lambda-invoke bench hello --local -c 32 -n 10000 -p '{\"delay_ms\":0}'
  lambda-invoke bench my-function --buffered -c 8 --duration 30s
  lambda-invoke bench my-function --rate 100 -c 64 -n 6000 --json";

/// Call a function many times and measure the latency
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("retry", |retry| retry.default_value("none")))]
#[command(mut_arg("log_tail", |log| log.hide(true)))]
#[command(mut_arg("max_attempts", |most| most.help(
    "The maximum number of attempts of a call, including the first; needs --retry safe or at-least-once"
)))]
#[command(mut_arg("json", |json| json.help("Write the result as one JSON object, times in milliseconds")))]
pub(crate) struct Arguments {
    #[command(flatten)]
    call: call::Options,
    /// The number of concurrent callers
    #[arg(short, long, value_name = "N", default_value_t = 1, value_parser = whole(1_u16..=u16::MAX), help_heading = "Load")]
    concurrency: u16,
    /// The total number of calls [default: 100, or unlimited with --duration]
    #[arg(short = 'n', long, value_name = "N", value_parser = whole(1..=MOST_CALLS), help_heading = "Load")]
    calls: Option<u64>,
    /// Start no more calls after this time
    #[arg(short, long, value_name = "TIME", value_parser = some_time, help_heading = "Load")]
    duration: Option<Duration>,
    /// Start this many calls per second, or fewer if --concurrency does not allow it
    #[arg(short, long, value_name = "N", value_parser = rate, help_heading = "Load")]
    rate: Option<f64>,
    /// The number of calls to make first, which are not measured
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = whole(0..=MOST_CALLS), help_heading = "Load")]
    warm_up: u64,
    /// Use Invoke instead of InvokeWithResponseStream
    #[arg(long, help_heading = "Load")]
    buffered: bool,
}

/// Parses a time that is not zero.
fn some_time(text: &str) -> Result<Duration, String> {
    match time(text)? {
        Duration::ZERO => Err("no call would be made; expected a time such as 30s".to_owned()),
        time => Ok(time),
    }
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let arguments = Arc::new(arguments);
    let work = bench(Arc::clone(&arguments));
    let threads = arguments.call.threads(arguments.concurrency.into());
    call::run(&arguments.call, threads, work)
}

async fn bench(arguments: Arc<Arguments>) -> Result<(), Failure> {
    if arguments.call.log_tail {
        return Err(Failure::usage(
            "bench shows no logs\n  hint: leave out --log-tail; use invoke or stream with it for one \
             call",
        ));
    }
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
            (None, None) => DEFAULT_CALLS,
        },
        duration: arguments.duration,
        rate: arguments.rate,
    };
    let bar = progress(&plan);
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
fn progress(plan: &Plan) -> ProgressBar {
    match terminal::progress_target() {
        Some(target) => progress_on(target, plan),
        None => ProgressBar::hidden(),
    }
}

/// Shows the calls made of the total, their rate, and the time left.
fn progress_on(target: ProgressDrawTarget, plan: &Plan) -> ProgressBar {
    let (calls, duration) = (plan.calls, plan.duration);
    let (length, template) = match calls {
        u64::MAX => (None, "{spinner} {pos} calls in {elapsed}{rate}{left}"),
        calls => (
            Some(calls),
            "{wide_bar} {pos} of {len} calls in {elapsed}{rate}{left}",
        ),
    };
    let bar = ProgressBar::with_draw_target(length, target);
    let Ok(style) = ProgressStyle::with_template(template) else {
        return bar;
    };
    let rate = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        if let Some(rate) = progress::average(state) {
            // If the rate cannot be written, it is not shown.
            let _ = write!(text, " ({rate:.1}/s)");
        }
    };
    let left = move |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        if let Some(left) = left(state, calls, duration) {
            let _ = write!(text, ", {} left", HumanDuration(left));
        }
    };
    bar.with_style(style.with_key("rate", rate).with_key("left", left))
}

/// The time until all calls are made at the average rate so far, or until the time is up; `None`
/// while there is no basis for it.
fn left(state: &ProgressState, calls: u64, duration: Option<Duration>) -> Option<Duration> {
    let by_time = duration.map(|duration| duration.saturating_sub(state.elapsed()));
    let by_calls = progress::average(state)
        .filter(|_| calls != u64::MAX)
        .and_then(|rate| {
            let missing = calls.saturating_sub(state.pos());
            Duration::try_from_secs_f64(missing as f64 / rate).ok()
        });
    [by_time, by_calls].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;

    use super::*;

    fn shown(calls: u64, duration: Option<Duration>, made: u64, elapsed: Duration) -> String {
        let terminal = InMemoryTerm::new(4, 120);
        let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
        let plan = Plan {
            concurrency: 1,
            calls,
            duration,
            rate: None,
        };
        let bar = progress_on(target, &plan).with_elapsed(elapsed);
        bar.set_position(made);
        bar.force_draw();
        let contents = terminal.contents();
        bar.finish_and_clear();
        contents
    }

    #[test]
    fn the_first_frame_has_no_rate_and_later_ones_have_total_rate_and_time_left() {
        let first = shown(200, None, 0, Duration::ZERO);
        assert!(first.contains("0 of 200 calls in 0s"), "{first}");
        assert!(!first.contains('/') && !first.contains("left"), "{first}");
        let early = shown(200, None, 3, Duration::from_millis(1));
        assert!(!early.contains('/') && !early.contains("left"), "{early}");
        let half = shown(200, None, 50, Duration::from_secs(10));
        assert!(half.contains("50 of 200 calls in 10s"), "{half}");
        assert!(half.contains("(5.0/s), 30 seconds left"), "{half}");
        let timed = shown(
            u64::MAX,
            Some(Duration::from_secs(60)),
            50,
            Duration::from_secs(10),
        );
        assert!(timed.contains("50 calls in 10s (5.0/s)"), "{timed}");
        assert!(timed.contains("left"), "{timed}");
    }
}
