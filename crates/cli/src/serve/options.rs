//! What `serve` is told, and the endpoint that comes of it.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use lambda_invoke_endpoint::{
    AccessKey, Bandwidth, BuildError, DeadLetter, Endpoint, EndpointBuilder, EventSettings, Fault,
    Function, TooLargeStyle, builtins,
};

use crate::call::time;
use crate::exit::Failure;
use crate::serve::{PATIENCE, with_sources};

const EXAMPLES: &str = "\
The address is the only line on stdout, written once connections are accepted; a line for each
request goes to stderr. Ctrl-C, SIGTERM or SIGHUP end it when what runs has ended, a second Ctrl-C
or SIGTERM at once.
An address that cannot be listened on, or any other fault in the options, is exit code 2.

Fault rules are PATTERN: FAULT [every=N] [probability=P] [times=N], with one of these faults:
  error=CODE [message=TEXT] [status=N]    throttle=REASON [retry-after=SECONDS]
  delay=TIME  delay-chunks=TIME           reset-at=N  cut-at=N  end-at=N  flip-at=N [bit=B]
  wrong-crc[=N]  no-complete              exception=CODE [message=TEXT] [after=N]
  complete-error=CODE [details=TEXT]      twice

Examples:
  lambda-invoke serve
  lambda-invoke serve --listen 127.0.0.1:0 --quiet
  lambda-invoke serve --credential AKIDEXAMPLE:secret:'orders-*' --alias hello:live=3
  lambda-invoke serve --fault 'hello: cut-at=100 every=3' --fault '*: delay=200ms'
  lambda-invoke serve --dead-letter ./failed.jsonl --event-retry-delays 1s,2s

Call it from another terminal, with this program or any SDK:
  export AWS_ACCESS_KEY_ID=local AWS_SECRET_ACCESS_KEY=local AWS_REGION=us-east-1
  lambda-invoke stream hello --endpoint-url http://127.0.0.1:9001 -p '{\"name\":\"Ada\"}'
  aws lambda invoke --endpoint-url http://127.0.0.1:9001 --function-name hello /dev/stdout";

/// Run the local endpoint, until Ctrl-C
///
/// It verifies signatures, streams for real, answers in the service's own words, and goes wrong on
/// purpose if asked to. Its functions: hello ({"name"}) greets word by word, echo answers with its
/// payload, count ({"n", "delay_ms", "bytes"}) streams lines, fail ({"when": "before" | "middle" |
/// "end", "type", "message"}) fails.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Where to listen; port 0 for any that is free
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:9001")]
    pub(crate) listen: String,
    /// The region that callers must sign for
    #[arg(long, default_value = "us-east-1")]
    pub(crate) region: String,
    /// The account that the functions belong to
    #[arg(long, default_value = "123456789012")]
    pub(crate) account: String,
    /// Write only what needs attention to stderr: no line for each request
    #[arg(short, long)]
    pub(crate) quiet: bool,
    /// How long what runs may take at the end, before it is dropped
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "1800s")]
    grace: Duration,

    /// An access key, and which functions it may invoke if not all; repeatable [default:
    /// local:local]
    #[arg(long, value_name = "ID:SECRET[:PATTERN]", help_heading = "Access")]
    pub(crate) credential: Vec<Secret>,
    /// Take requests without a look at their signature, with any content type; those of web pages
    /// only with --cors
    #[arg(long, help_heading = "Access", conflicts_with = "credential")]
    pub(crate) no_verify: bool,
    /// Let the web pages of an origin call and read the responses, as http://localhost:3000; 'null'
    /// for files, '*' for every page; repeatable
    #[arg(long, value_name = "ORIGIN", help_heading = "Access")]
    cors: Vec<String>,
    /// Set the endpoint's clock wrong, to see what callers make of it
    #[arg(
        long,
        value_name = "SECONDS",
        help_heading = "Access",
        default_value_t = 0,
        hide_default_value = true,
        allow_negative_numbers = true
    )]
    clock_offset: i64,

    /// Serve none of the built-in functions
    #[arg(long, help_heading = "Functions")]
    no_builtins: bool,
    /// An alias of a function for a version, as hello:live=3; repeatable
    #[arg(long, value_name = "NAME:ALIAS=VERSION", help_heading = "Functions")]
    alias: Vec<Alias>,
    /// How many invocations of a function may run at once, as hello=2; repeatable
    #[arg(long, value_name = "NAME=N", help_heading = "Functions")]
    concurrency: Vec<Concurrency>,
    /// How many invocations may run at once in all
    #[arg(long, value_name = "N", help_heading = "Functions")]
    account_concurrency: Option<usize>,
    /// The most that a streamed answer may have; 0 for no limit
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "200MiB", help_heading = "Functions")]
    max_stream_bytes: u64,
    /// How fast each streamed response is sent: 'service' is 6 MiB at once and then 2 MiB a second,
    /// as 6MiB,2MiB would be
    #[arg(
        long,
        value_name = "off|service|BURST,RATE",
        default_value = "off",
        help_heading = "Functions"
    )]
    stream_bandwidth: StreamBandwidth,

    /// How many events may wait or run; further ones are answered 429
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1_000,
        help_heading = "Events"
    )]
    event_queue_length: usize,
    /// How many bytes of memory all events may hold together
    #[arg(long, value_name = "SIZE", value_parser = size, default_value = "256MiB", help_heading = "Events")]
    event_queue_bytes: u64,
    /// How old an event may be when an attempt begins
    #[arg(long, value_name = "TIME", value_parser = span, default_value = "6h", help_heading = "Events")]
    event_max_age: Duration,
    /// How long to wait before each retry of an event, as 1s,2s; 'none' for no retry
    #[arg(
        long,
        value_name = "TIMES",
        default_value = "60s,120s",
        help_heading = "Events"
    )]
    event_retry_delays: Delays,
    /// Where events go that failed for good: a function that is served here, or a file (a name
    /// with a / or a .) to append lines of JSON to
    #[arg(long, value_name = "FILE|FUNCTION", help_heading = "Events")]
    dead_letter: Option<String>,

    /// A rule that makes calls go wrong, as 'hello: cut-at=100 every=3'; repeatable
    #[arg(long, value_name = "RULE", help_heading = "Faults and answers")]
    fault: Vec<Fault>,
    /// Draw what is random (faults with a probability, request ids) the same each time
    #[arg(long, value_name = "N", help_heading = "Faults and answers")]
    seed: Option<u64>,
    /// Take any content type; those that no AWS SDK sends are 415 else
    #[arg(long, help_heading = "Faults and answers")]
    any_content_type: bool,
    /// Tell of a failed function by ErrorCode in its stream, as the published reference has it;
    /// the service was recorded not to
    #[arg(long, help_heading = "Faults and answers")]
    error_code_in_stream: bool,
    /// How too large a payload is answered
    #[arg(
        long,
        value_enum,
        value_name = "STYLE",
        default_value = "service",
        help_heading = "Faults and answers"
    )]
    too_large_style: Style,
}

/// How too large a payload is answered.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Style {
    /// RequestEntityTooLargeException, as the service was recorded
    Service,
    /// RequestTooLargeException, as the published reference has it
    Documented,
}

/// An endpoint that can be built, and what is told of it at its end.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) builder: EndpointBuilder,
    /// The fault rules, in the order in which their strikes are counted.
    pub(crate) faults: Vec<String>,
    /// How long what runs may take at the end.
    pub(crate) limit: Duration,
}

impl Arguments {
    /// The endpoint that was asked for.
    ///
    /// # Errors
    ///
    /// If options contradict each other, or name what is not there.
    pub(crate) fn plan(&self) -> Result<Plan, Failure> {
        let functions = self.functions()?;
        let events = self.events(&functions)?;
        let mut builder = Endpoint::builder()
            .region(&self.region)
            .account(&self.account)
            .functions(functions)
            .verify(!self.no_verify)
            .clock_offset(self.clock_offset)
            .max_stream_bytes((self.max_stream_bytes > 0).then_some(self.max_stream_bytes))
            .stream_bandwidth(self.stream_bandwidth.0)
            .any_content_type(self.any_content_type)
            .error_code_in_stream(self.error_code_in_stream)
            .too_large_style(match self.too_large_style {
                Style::Service => TooLargeStyle::Service,
                Style::Documented => TooLargeStyle::Documented,
            })
            .events(events)
            .faults(self.fault.iter().cloned());
        for (place, key) in self.credential.iter().enumerate() {
            // Counted, since the text itself has the secret.
            let key: AccessKey = key.0.parse().map_err(|error| {
                let place = place + 1;
                Failure::usage(format!(
                    "--credential number {place}: {}",
                    with_sources(&error)
                ))
            })?;
            builder = builder.access_key(key);
        }
        for origin in &self.cors {
            builder = builder.cors(origin);
        }
        for alias in &self.alias {
            builder = builder.alias(&alias.function, &alias.alias, alias.version);
        }
        if let Some(limit) = self.account_concurrency {
            builder = builder.account_concurrency(limit);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        Ok(Plan {
            builder,
            faults: self.fault.iter().map(ToString::to_string).collect(),
            limit: self.grace.min(PATIENCE * 1_000),
        })
    }

    /// What to tell of an endpoint that cannot be built.
    pub(crate) fn refused(&self, error: &BuildError) -> Failure {
        match (error, &self.dead_letter) {
            (BuildError::DeadLetterFile(error), Some(to)) => {
                Failure::usage(format!("--dead-letter {to}: cannot write it: {error}"))
            }
            _ => Failure::usage(with_sources(error)),
        }
    }

    fn functions(&self) -> Result<Vec<Function>, Failure> {
        let mut functions = match self.no_builtins {
            true => Vec::new(),
            false => builtins::all(),
        };
        for (count, Concurrency { function, limit }) in self.concurrency.iter().enumerate() {
            let mut before = self.concurrency.iter().take(count);
            if before.any(|other| other.function == *function) {
                return Err(Failure::usage(format!(
                    "--concurrency is given twice for '{function}'"
                )));
            }
            let place = functions.iter().position(|known| known.name() == function);
            let place = place.ok_or_else(|| {
                Failure::usage(format!(
                    "--concurrency {function}={limit}: there is no function '{function}'{}",
                    among(&functions)
                ))
            })?;
            let limited = functions.swap_remove(place).concurrency(*limit);
            functions.push(limited);
        }
        Ok(functions)
    }

    fn events(&self, functions: &[Function]) -> Result<EventSettings, Failure> {
        let settings = EventSettings::default()
            .length(self.event_queue_length)
            .bytes(usize::try_from(self.event_queue_bytes).unwrap_or(usize::MAX))
            .max_age(self.event_max_age)
            .retry_delays(self.event_retry_delays.0.iter().copied());
        let Some(to) = &self.dead_letter else {
            return Ok(settings);
        };
        if functions.iter().any(|function| function.name() == to) {
            return Ok(settings.dead_letter(DeadLetter::Function(to.clone())));
        }
        if !to.contains(['/', '.', '\\']) {
            return Err(Failure::usage(format!(
                "--dead-letter {to}: there is no function '{to}'{}; for a file write ./{to}",
                among(functions)
            )));
        }
        Ok(settings.dead_letter(DeadLetter::File(to.into())))
    }
}

fn among(functions: &[Function]) -> String {
    if functions.is_empty() {
        return ", nor any other".to_owned();
    }
    let mut names: Vec<&str> = functions.iter().map(Function::name).collect();
    names.sort_unstable();
    format!(", only {}", names.join(", "))
}

/// The text of an access key, which is not shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// `hello:live=3`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alias {
    function: String,
    alias: String,
    version: u64,
}

impl FromStr for Alias {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "an alias is FUNCTION:ALIAS=VERSION, such as hello:live=3".to_owned();
        let (function, rest) = text.split_once(':').ok_or_else(wrong)?;
        let (alias, version) = rest.split_once('=').ok_or_else(wrong)?;
        let version = version
            .parse()
            .ok()
            .filter(|version| *version > 0)
            .ok_or_else(wrong)?;
        Ok(Self {
            function: function.to_owned(),
            alias: alias.to_owned(),
            version,
        })
    }
}

/// `hello=2`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Concurrency {
    function: String,
    limit: usize,
}

impl FromStr for Concurrency {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (function, limit) = text
            .split_once('=')
            .and_then(|(function, limit)| Some((function, limit.parse().ok()?)))
            .ok_or("a limit is FUNCTION=NUMBER, such as hello=2")?;
        Ok(Self {
            function: function.to_owned(),
            limit,
        })
    }
}

/// `1s,2s`, or `none`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Delays(Vec<Duration>);

impl FromStr for Delays {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self(Vec::new()));
        }
        text.split(',')
            .map(|delay| span(delay.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// `off`, `service`, or a burst and a rate such as `6MiB,2MiB`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StreamBandwidth(Option<Bandwidth>);

impl FromStr for StreamBandwidth {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bandwidth = match text {
            "off" => None,
            "service" => Some(Bandwidth::SERVICE),
            _ => {
                let (burst, rate) = text.split_once(',').ok_or(
                    "a bandwidth is off, service, or BURST,RATE with a rate a second, such as \
                     6MiB,2MiB",
                )?;
                let rate = NonZeroU64::new(size(rate.trim())?)
                    .ok_or("a rate of 0 bytes a second would never end")?;
                Some(Bandwidth::new(size(burst.trim())?, rate))
            }
        };
        Ok(Self(bandwidth))
    }
}

/// A time that can be waited for.
fn span(text: &str) -> Result<Duration, String> {
    const TEN_YEARS: Duration = Duration::from_secs(315_360_000);
    let span = time(text)?;
    match span > TEN_YEARS {
        true => Err("that is longer than ten years".to_owned()),
        false => Ok(span),
    }
}

/// A number of bytes, perhaps with `KiB`, `MiB` or `GiB`.
fn size(text: &str) -> Result<u64, String> {
    let wrong = || "a size is a number of bytes, perhaps with KiB, MiB or GiB".to_owned();
    let digits = text.find(|character: char| !character.is_ascii_digit());
    let (number, unit) = text.split_at(digits.unwrap_or(text.len()));
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    number.checked_mul(1 << shift).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn the_default_grace_lets_the_longest_function_finish() {
        let grace = Program::parse_from(["serve"]).arguments.grace;
        assert_eq!(grace, Function::LONGEST);
        assert_eq!(grace, Duration::from_secs(30 * 60));
    }

    #[test]
    fn reads_sizes() {
        for (text, count) in [
            ("0", 0),
            ("12B", 12),
            ("64KiB", 65_536),
            ("200 MiB", 209_715_200),
        ] {
            assert_eq!(size(text), Ok(count), "{text}");
        }
        for text in ["", "1.5MiB", "1MB", "-1", "99999999999GiB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_bandwidths() {
        let bandwidth = |text: &str| text.parse::<StreamBandwidth>().map(|read| read.0);
        assert_eq!(bandwidth("off"), Ok(None));
        assert_eq!(bandwidth("service"), Ok(Some(Bandwidth::SERVICE)));
        assert_eq!(bandwidth("6MiB,2MiB"), Ok(Some(Bandwidth::SERVICE)));
        let slow = Bandwidth::new(0, NonZeroU64::new(100).unwrap());
        assert_eq!(bandwidth("0, 100"), Ok(Some(slow)));
        for text in ["", "on", "Service", "2MiB", "6MiB,0", "6MiB,", "6MB,2MB"] {
            assert!(bandwidth(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_aliases_limits_and_delays() {
        let alias: Alias = "hello:live=3".parse().unwrap();
        assert_eq!(
            (alias.function.as_str(), alias.alias.as_str(), alias.version),
            ("hello", "live", 3)
        );
        for text in [
            "hello",
            "hello:live",
            "hello=3",
            "hello:live=x",
            "hello:live=0",
        ] {
            assert!(text.parse::<Alias>().is_err(), "{text}");
        }
        assert_eq!("hello=0".parse::<Concurrency>().unwrap().limit, 0);
        assert!("hello".parse::<Concurrency>().is_err());
        assert_eq!("none".parse(), Ok(Delays(Vec::new())));
        let seconds = |seconds| Duration::from_secs(seconds);
        assert_eq!("1s, 2m".parse(), Ok(Delays(vec![seconds(1), seconds(120)])));
        assert!("1s,,2s".parse::<Delays>().is_err());
        assert!(span("11years").is_err());
    }

    #[test]
    fn shows_no_secret() {
        let secret: Secret = "id:hush-hush".parse().unwrap();
        assert!(!format!("{secret:?}").contains("hush"));
    }
}
