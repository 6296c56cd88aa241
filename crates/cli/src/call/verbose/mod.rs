//! Shows on stderr what the client reports about a call: with `-v` each step, and without it only
//! that the program is waiting to retry.
//!
//! The client reports to `tracing`, without secrets and payloads; this module is the subscriber.

mod event;
mod line;

use std::time::Instant;

use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Registry;
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use self::event::Fields;
use crate::terminal::{self, Style};

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verbosity {
    /// Only that the program is waiting.
    Waits,
    /// The steps of a call.
    Steps,
    /// Every event with all of its fields, including those of the HTTP library.
    Everything,
}

/// Starts to show the client's reports, for the rest of the program. With `--json`, stderr is for
/// JSON, so waits are shown only with `-v`.
pub(crate) fn start(verbose: u8, as_json: bool) {
    let verbosity = match verbose {
        0 if as_json => return,
        0 => Verbosity::Waits,
        1 => Verbosity::Steps,
        _ => Verbosity::Everything,
    };
    let show = Show {
        verbosity,
        began: Instant::now(),
    };
    let subscriber = Registry::default().with(show.with_filter(Wanted(verbosity)));
    // This fails only if there is already a subscriber, and it is called once.
    let _ = tracing::subscriber::set_global_default(subscriber);
}

/// Whether an event is shown.
struct Wanted(Verbosity);

impl Wanted {
    fn wants(&self, metadata: &Metadata<'_>) -> bool {
        match self.0 {
            Verbosity::Waits => is_ours(metadata) && *metadata.level() <= Level::INFO,
            Verbosity::Steps => is_ours(metadata),
            Verbosity::Everything => true,
        }
    }
}

impl<S> Filter<S> for Wanted {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.wants(metadata)
    }

    fn callsite_enabled(
        &self,
        metadata: &'static Metadata<'static>,
    ) -> tracing::subscriber::Interest {
        match self.wants(metadata) {
            true => tracing::subscriber::Interest::always(),
            false => tracing::subscriber::Interest::never(),
        }
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    ["lambda_invoke", "lambda_invoke_transport"].contains(&metadata.target())
}

struct Show {
    verbosity: Verbosity,
    began: Instant,
}

impl<S> Layer<S> for Show
where
    S: Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let fields = Fields::of(event);
        match self.verbosity {
            Verbosity::Waits => {
                if let Some(line) = line::wait(&fields) {
                    terminal::say_labeled(Style::Warning, &line);
                }
            }
            Verbosity::Steps => {
                if let Some(line) = line::step(&fields) {
                    terminal::say_in(Style::Detail, line);
                }
            }
            Verbosity::Everything => {
                let target = event.metadata().target();
                let line = line::step(&fields).filter(|_| is_ours(event.metadata()));
                let line = line.unwrap_or_else(|| line::any(target, &fields));
                let elapsed = self.began.elapsed();
                terminal::say_in(
                    Style::Detail,
                    format_args!("{:9.3} ms {line}", elapsed.as_secs_f64() * 1e3),
                );
            }
        }
    }
}
