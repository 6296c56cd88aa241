//! The options of `serve`.

use std::time::Duration;

use clap::ValueEnum;
use lambda_invoke_endpoint::{Fault, TooLargeStyle};

use super::log::Format;
use super::values::{Alias, Concurrency, Delays, MOST, Secret, StreamBandwidth, size};
use crate::functions;
use crate::number::{time, whole};

/// Ten years in seconds: how far the clock can be off.
const TEN_YEARS: i64 = 315_360_000;

const EXAMPLES: &str = "\
As soon as the endpoint accepts connections, it writes its URL to stdout, and nothing else. It logs \
each request on stderr. After Ctrl-C, SIGTERM or SIGHUP it waits for running invocations and exits; \
a second Ctrl-C or SIGTERM exits immediately. \
The exit code is 2 if an option is invalid or the address is not available.

A fault rule is PATTERN: FAULT [every=N] [probability=P] [times=N], with one of these faults:
  error=CODE [message=TEXT] [status=N]
  throttle=REASON [retry-after=SECONDS]
  delay=TIME  delay-chunks=TIME
  reset-at=N  cut-at=N  end-at=N  flip-at=N [bit=B]
  wrong-crc[=N]  no-complete  after-complete  twice
  exception=CODE [message=TEXT] [after=N]
  complete-error=CODE [details=TEXT]

Examples:
  lambda-invoke serve app.py
  lambda-invoke serve index.mjs --env STAGE=local
  lambda-invoke serve --function chat='node bootstrap.mjs' \\
      --function pay=./pay.py:handle
  lambda-invoke serve --config lambda.toml
  lambda-invoke serve --sam template.yaml --parameter Stage=dev
  lambda-invoke serve
  lambda-invoke serve --listen 127.0.0.1:0 --quiet
  lambda-invoke serve --alias hello:live=3
  lambda-invoke serve --credential AKIDEXAMPLE:secret:'orders-*'
  lambda-invoke serve --fault 'hello: cut-at=100 every=3' --fault '*: delay=1s'
  lambda-invoke serve --dead-letter ./failed.jsonl --event-retry-delays 1s,2s

Call it from another terminal, with this program or any SDK:
  export AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
  export AWS_ENDPOINT_URL_LAMBDA=http://127.0.0.1:9001
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local
  lambda-invoke stream hello -p '{\"name\":\"Ada\"}'
  aws lambda invoke --function-name hello /dev/stdout";

/// Run your functions, unmodified, behind a local Lambda endpoint until Ctrl-C
///
/// A function is a file with a handler, in Python or JavaScript, or any program that speaks the
/// Lambda Runtime API. Its processes are started on demand, and again after a change of its source.
/// Without functions of your own, built-in ones are served. The endpoint verifies signatures, streams responses chunk by chunk, reports errors as the service
/// does, and injects faults on request. Its built-in functions are hello ({"name"}), which greets
/// word by word; echo, which returns its payload; count ({"n", "delay_ms", "bytes"}), which streams
/// lines; and fail ({"when": "before" | "middle" | "end", "type", "message"}), which fails.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The address to listen on; port 0 picks a free port; localhost is 127.0.0.1 and ::1
    #[arg(long, value_name = "HOST:PORT", default_value = "localhost:9001")]
    pub(super) listen: String,
    /// The region that callers must sign requests for
    #[arg(long, default_value = "us-east-1")]
    pub(super) region: String,
    /// The account that owns the functions
    #[arg(long, default_value = "123456789012")]
    pub(super) account: String,
    /// Write neither requests nor the lines of functions to stderr, only warnings, changes of the
    /// source, lost events, the console's link and the shutdown
    #[arg(short, long)]
    pub(super) quiet: bool,
    /// How to write the log on stderr
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "text")]
    pub(super) log_format: Format,
    /// Serve a web page that calls the functions and shows the most recent calls live; its link is
    /// written to stderr and works once
    #[arg(long)]
    pub(super) console: bool,
    /// How long to wait for running invocations on shutdown before dropping them
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "1800s")]
    pub(super) grace: Duration,

    #[command(flatten)]
    pub(super) functions: functions::Options,

    /// An access key, with a pattern for the functions that it may invoke (all without one);
    /// repeatable [default: local:local]
    #[arg(long, value_name = "ID:SECRET[:PATTERN]", help_heading = "Access")]
    pub(super) credential: Vec<Secret>,
    /// The session token that requests with this access key must have; repeatable
    #[arg(
        long,
        value_name = "ID:TOKEN",
        help_heading = "Access",
        requires = "credential"
    )]
    pub(super) session_token: Vec<Secret>,
    /// Accept unsigned and wrongly signed requests, with any content type; requests from web pages
    /// still need --cors
    #[arg(long, help_heading = "Access", conflicts_with = "credential")]
    pub(super) no_verify: bool,
    /// Let web pages of this origin make calls and read the responses, such as
    /// http://localhost:3000; 'null' for local files, '*' for all pages; repeatable
    #[arg(long, value_name = "ORIGIN", help_heading = "Access")]
    pub(super) cors: Vec<String>,
    /// Run the endpoint's clock this far ahead (behind if negative), to test clock skew
    #[arg(
        long,
        value_name = "SECONDS",
        help_heading = "Access",
        default_value_t = 0,
        value_parser = whole(-TEN_YEARS..=TEN_YEARS),
        hide_default_value = true,
        allow_negative_numbers = true
    )]
    pub(super) clock_offset: i64,

    /// Do not serve the built-in functions, which are served if you name no functions of your own
    #[arg(long, help_heading = "Functions")]
    pub(super) no_builtins: bool,
    /// Add an alias for a version of a function, such as hello:live=3; repeatable
    #[arg(long, value_name = "NAME:ALIAS=VERSION", help_heading = "Functions")]
    pub(super) alias: Vec<Alias>,
    /// The concurrency limit of each function, or of one, such as hello=2; repeatable
    #[arg(long, value_name = "[NAME=]N", help_heading = "Functions")]
    pub(super) concurrency: Vec<Concurrency>,
    /// The concurrency limit of all functions together
    #[arg(long, value_name = "N", value_parser = whole(0..=MOST), help_heading = "Functions")]
    pub(super) account_concurrency: Option<usize>,
    /// The maximum size of a streamed response; 0 for no limit
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "200MiB", help_heading = "Functions")]
    pub(super) max_stream_bytes: u64,
    /// Limit the bandwidth of each streamed response; 'service' means 6MiB,2MiB: a burst of 6 MiB,
    /// then 2 MiB per second
    #[arg(
        long,
        value_name = "off|service|BURST,RATE",
        default_value = "off",
        help_heading = "Functions"
    )]
    pub(super) stream_bandwidth: StreamBandwidth,

    /// The maximum number of events that are queued or running; more are rejected with 429
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000,
        value_parser = whole(0..=MOST),
        help_heading = "Events"
    )]
    pub(super) event_queue_length: usize,
    /// The maximum memory that all events may use together
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB", help_heading = "Events")]
    pub(super) event_queue_bytes: u64,
    /// The maximum age of an event at the start of an attempt
    #[arg(long, value_name = "TIME", value_parser = time, default_value = "6h", help_heading = "Events")]
    pub(super) event_max_age: Duration,
    /// The delays before each retry of an event, such as 1s,2s; 'none' to not retry
    #[arg(
        long,
        value_name = "TIMES",
        default_value = "60s,120s",
        help_heading = "Events"
    )]
    pub(super) event_retry_delays: Delays,
    /// Where to send events whose last attempt failed: a function of this endpoint, or a file (a
    /// name with a / or a .) to which JSON lines are appended
    #[arg(long, value_name = "FILE|FUNCTION", help_heading = "Events")]
    pub(super) dead_letter: Option<String>,

    /// A rule that injects a fault, such as 'hello: cut-at=100 every=3'; repeatable
    #[arg(long, value_name = "RULE", help_heading = "Faults and responses")]
    pub(super) fault: Vec<Fault>,
    /// Seed the random generator, so that random faults and request IDs repeat in each run
    #[arg(long, value_name = "N", value_parser = whole(0..=u64::MAX), help_heading = "Faults and responses")]
    pub(super) seed: Option<u64>,
    /// Accept any content type; without this, types that no AWS SDK sends are rejected with 415
    #[arg(long, help_heading = "Faults and responses")]
    pub(super) any_content_type: bool,
    /// Report a failed function by ErrorCode in its stream, as the published reference says; in
    /// recordings, the service does not
    #[arg(long, help_heading = "Faults and responses")]
    pub(super) error_code_in_stream: bool,
    /// How to reject a payload that is too large
    #[arg(
        long,
        value_enum,
        value_name = "STYLE",
        default_value = "service",
        help_heading = "Faults and responses"
    )]
    pub(super) too_large_style: Style,
}

/// How a payload that is too large is rejected.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Style {
    /// RequestEntityTooLargeException, as in recordings of the service
    Service,
    /// RequestTooLargeException, as in the published reference
    Documented,
}

impl From<Style> for TooLargeStyle {
    fn from(style: Style) -> Self {
        match style {
            Style::Service => Self::Service,
            Style::Documented => Self::Documented,
        }
    }
}
