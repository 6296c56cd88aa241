//! The options of `map`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;
use lambda_invoke_map::MaxFailures;

use crate::call;
use crate::number::{rate, time, whole};
use crate::output::destination;

const EXAMPLES: &str = "\
Payloads come from stdin or --input, one JSON text per line; results go to stdout, one JSON object \
per line: index, key, outcome (done, failed, unknown), payload, execution, attempts, duration_ms.

With --journal, the same command continues where the last one ended, after Ctrl-C, a crash or a \
reboot. Items that are done are not sent again; their results are written again, so that the output is \
complete each time. Items that certainly did not run are sent again; items that failed or may have run \
are sent again only on request, with --retry-failed and --retry-unknown.

The number of concurrent calls adapts to what the service accepts. Throttled items are sent again and \
do not count as attempts.

After Ctrl-C or SIGTERM, no more items are started, and the running ones finish; a second one ends the \
program at once. The exit code is 0 if every item is done, otherwise that of the most frequent failure, or 130 \
after Ctrl-C.

Every item may run the function, and is billed.

Examples:
  lambda-invoke map thumbnail -c 200 < in.jsonl > out.jsonl
  lambda-invoke map thumbnail --journal run.journal < in.jsonl > out.jsonl
  lambda-invoke map thumbnail --journal run.journal --retry-failed \\
      < in.jsonl > out.jsonl
  lambda-invoke map resize --input photos.csv \\
      --template '{\"url\":\"{url}\",\"width\":\"{w:json}\"}'
  lambda-invoke map charge --idempotency-key order_id \\
      --journal charges.journal < orders.jsonl
  lambda-invoke map echo --local --batch 2 --input in.jsonl";

/// Send many payloads to a function, with a journal that resumes after Ctrl-C or a crash
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
#[command(mut_arg("payload", |payload| payload.hide(true)))]
#[command(mut_arg("data_example", |example| example.hide(true)))]
#[command(mut_arg("raw", |raw| raw.hide(true)))]
#[command(mut_arg("json", |json| json.help("Write the summary and errors as JSON on stderr")))]
#[command(mut_arg("log_tail", |log| log.help("Request the end of the log of every call, for exact billing and for failures that only the log reports; by default of the first 100 and of one in 16 after them")))]
#[command(mut_arg("dry_run", |dry_run| dry_run.help("Check the permission and the payloads, and count items, bytes and invocations, without running the function; with --sample, it runs for some items")))]
#[command(mut_arg("output", |output| output.help("Write the results to FILE instead of stdout; FILE is replaced when the run ends").help_heading("Output")))]
#[command(mut_arg("max_attempts", |most| most.help("The maximum number of attempts of an item, not counting throttled ones [default: AWS_MAX_ATTEMPTS, the profile's max_attempts, or 5]")))]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(super) call: call::Options,

    /// Read payloads from this file, or from the files of this folder [default: stdin]
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(super) input: Option<PathBuf>,
    /// The format of the input [default: by its name, otherwise lines]
    #[arg(long, value_enum, value_name = "FORMAT", help_heading = "Input")]
    pub(super) format: Option<Format>,
    /// Make each payload from a row of CSV: JSON in which {COLUMN} is a field's text, and a string
    /// that is only {COLUMN:json} is the field as JSON [default: an object of all fields]
    #[arg(long, value_name = "JSON", help_heading = "Input")]
    pub(super) template: Option<String>,
    /// The field of each payload that is its key in results: a member or a JSON pointer
    #[arg(long, value_name = "FIELD", help_heading = "Input")]
    pub(super) key: Option<String>,
    /// The field of each payload that is its durable execution name: a durable function runs once for
    /// each name, so items that may have run are sent again
    #[arg(long, value_name = "FIELD", help_heading = "Input", conflicts_with_all = ["batch", "stream"])]
    pub(super) idempotency_key: Option<String>,

    #[command(flatten)]
    pub(super) destination: destination::Options,
    /// Write each item's payload to its own file in this folder instead of into the results
    #[arg(long, value_name = "FOLDER", help_heading = "Output")]
    pub(super) output_dir: Option<PathBuf>,
    /// Write the results of items that failed, or may have run, to this file as well
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) failures: Option<PathBuf>,
    /// Write results in the order of the input; items start at most this many ahead
    #[arg(long, value_name = "WINDOW", num_args = 0..=1, require_equals = true, default_missing_value = "10000", value_parser = whole(1_u64..=1_000_000), help_heading = "Output")]
    pub(super) ordered: Option<u64>,

    /// Record in this file what is sent and how it ends, and continue from there
    #[arg(long, value_name = "FILE", help_heading = "Journal")]
    pub(super) journal: Option<PathBuf>,
    /// How long a record may take to reach the disk, in case of a power failure; 0 to sync records
    /// before anything is sent
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "200ms", requires = "journal", help_heading = "Journal")]
    pub(super) sync_window: Duration,
    /// Also resend items whose function ran and failed
    #[arg(long, requires = "journal", help_heading = "Journal")]
    pub(super) retry_failed: bool,
    /// Also resend items that may have run
    #[arg(long, requires = "journal", help_heading = "Journal")]
    pub(super) retry_unknown: bool,

    /// The maximum number of concurrent calls
    #[arg(short, long, value_name = "N", default_value_t = 1_000, value_parser = whole(1..=MOST_AT_ONCE), help_heading = "Load")]
    pub(super) concurrency: u32,
    /// The maximum number of calls that start per second [default: no limit]
    #[arg(short, long, value_name = "N", value_parser = rate, help_heading = "Load")]
    pub(super) rate: Option<f64>,
    /// Send this many items at once, as a JSON array; the function reports failures in
    /// batchItemFailures, by key or position, or returns an array of results
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole(1_u16..=10_000), help_heading = "Load")]
    pub(super) batch: u16,
    /// Queue events instead of waiting for results
    #[arg(long, conflicts_with_all = ["log_tail", "output_dir"], help_heading = "Load")]
    pub(super) event: bool,
    /// Use InvokeWithResponseStream: a result is everything that the function wrote
    #[arg(long, conflicts_with_all = ["event", "batch"], help_heading = "Load")]
    pub(super) stream: bool,
    /// Start no more items after more than N, or more than P% of those that ended, failed
    #[arg(long, value_name = "N|P%", value_parser = max_failures, help_heading = "Load")]
    pub(super) max_failures: Option<MaxFailures>,
    /// With --dry-run: run the function for this many items, to estimate the cost of all
    #[arg(long, value_name = "N", value_parser = whole(1_u16..=10_000), requires = "dry_run", conflicts_with_all = ["event", "journal"], help_heading = "Load")]
    pub(super) sample: Option<u16>,
}

/// The limit of concurrent calls, which is more than any machine has ports for.
const MOST_AT_ONCE: u32 = 1_000_000;

/// The format of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// One JSON text per line
    Lines,
    /// JSON texts that end with NUL
    Nul,
    /// CSV with the names of its columns in the first row
    Csv,
    /// One JSON text in each file of a folder
    Folder,
}

impl Format {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Nul => "nul",
            Self::Csv => "csv",
            Self::Folder => "folder",
        }
    }
}

fn max_failures(text: &str) -> Result<MaxFailures, String> {
    let expected = || "expected a number such as 100, or a share such as 5%".to_owned();
    match text.strip_suffix('%') {
        None => text.parse().map(MaxFailures::Count).map_err(|_| expected()),
        Some(share) => match share.parse::<f64>() {
            Ok(share) if (0.0..=100.0).contains(&share) => Ok(MaxFailures::Share(share / 100.0)),
            _ => Err(expected()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_limited_by_number_or_share() {
        assert_eq!(max_failures("0"), Ok(MaxFailures::Count(0)));
        assert_eq!(max_failures("12.5%"), Ok(MaxFailures::Share(0.125)));
        for wrong in ["", "-1", "1.5", "101%", "%", "many", "nan%"] {
            assert!(
                max_failures(wrong).unwrap_err().contains("such as"),
                "{wrong}"
            );
        }
    }
}
