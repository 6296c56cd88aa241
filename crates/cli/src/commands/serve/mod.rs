//! `lambda-invoke serve`: the local endpoint.

mod banner;
mod log;
mod options;
mod plan;
mod signals;
mod values;
mod watch;

use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::time::SystemTime;

use lambda_invoke_endpoint::{Endpoint, EventCounters, Server};

use crate::commands::serve::log::Log;
use crate::commands::serve::plan::Plan;
use crate::commands::serve::signals::Signals;
use crate::commands::serve::watch::Calls;
use crate::exit::{Exit, Failure};
use crate::functions::spec::FunctionSpec;
use crate::functions::{MOST_CONCURRENCY, config};
use crate::output;
use crate::runtime::{self, Threads};
use crate::terminal::say;

pub(crate) use options::Arguments;

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.functions.print_config {
        return print_config(&arguments);
    }
    let log = Log::new(arguments.log_format)?;
    let result = enough_descriptors()
        .and_then(|()| runtime::run(Threads::Many, serve(&arguments, &log)))
        .map_err(|failure| log.report(failure));
    log.finish();
    result
}

async fn serve(arguments: &Arguments, log: &Log) -> Result<(), Failure> {
    let Plan {
        builder,
        faults,
        grace,
        own,
    } = arguments.plan()?;
    for note in &own.notes {
        log.say(note);
    }
    let notices = log.clone();
    let mut builder = builder.on_notice(move |notice| notices.say(&notice));
    let calls = Arc::new(Calls::default());
    let (quiet, requests, ended) = (arguments.quiet, log.clone(), Arc::clone(&calls));
    builder = builder.on_response(move |record| {
        let end = SystemTime::now();
        ended.ended(end.checked_sub(record.until_end).unwrap_or(end), end);
        if !quiet {
            requests.say(record);
        }
    });
    if !quiet {
        let lines = log.clone();
        builder = builder.on_log(move |line| lines.function(&line));
    }
    let endpoint = builder
        .build()
        .map_err(|error| arguments.cannot_build(&error))?;
    // Installed before the URL is written, because its reader may send a signal immediately.
    let mut signals = Signals::new()?;
    let server = listen(endpoint, &arguments.listen)
        .await
        .map_err(|error| cannot_listen(&arguments.listen, &error))?;
    let watch = watch::start(server.endpoint(), &own.functions, &calls, log);
    tokio::select! {
        () = announce(arguments, &server, &own.functions, log) => signals.first().await,
        // Writing the URL blocks if stdout is a full pipe.
        () = signals.first() => {}
    }
    watch.abort();
    let endpoint = server.endpoint().clone();
    log.say(
        "shutting down: waiting for running invocations; press Ctrl-C again to exit immediately",
    );
    let mut is_forced = false;
    let over = async {
        tokio::select! {
            () = tokio::time::sleep(grace) => {}
            () = signals.again() => is_forced = true,
        }
    };
    let in_time = server.shutdown_until(over).await;
    if !in_time && !is_forced {
        log.say(format!(
            "invocations that were still running after {grace:?} were dropped"
        ));
    }
    summary(&endpoint, &faults, arguments.quiet, log);
    match is_forced {
        true => Err(Failure::silent(Exit::Interrupted)),
        false => Ok(()),
    }
}

/// Writes the functions as a `lambda.toml`, or the example if there are none.
fn print_config(arguments: &Arguments) -> Result<(), Failure> {
    let loaded = arguments.load()?;
    if arguments.functions.is_empty() {
        return output::print(config::EXAMPLE.as_bytes());
    }
    let names: Vec<&str> = loaded
        .functions
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    arguments.check_concurrency(&names)?;
    let (fewest, most) = (1, MOST_CONCURRENCY);
    let mut functions = loaded.functions.iter();
    if let Some(spec) = functions.find(|spec| !(fewest..=most).contains(&spec.concurrency)) {
        return Err(Failure::usage(format!(
            "--concurrency {}={}: a lambda.toml can set {fewest} to {most}",
            spec.name, spec.concurrency
        )));
    }
    for note in &loaded.notes {
        say(note);
    }
    output::print(config::print(&loaded.functions).as_bytes())
}

/// Listens on an address; for `localhost`, on the addresses of both IP versions, since a
/// client may choose either.
async fn listen(endpoint: Endpoint, address: &str) -> io::Result<Server> {
    // The resolver's messages for these differ from system to system.
    if address.starts_with(':') || address.contains('/') {
        let text = "invalid socket address";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    let port = address.strip_prefix("localhost:");
    match port.and_then(|port| port.parse().ok()) {
        Some(port) => endpoint.bind_localhost(port).await,
        None => endpoint.bind(address).await,
    }
}

/// Checks that enough file descriptors are left for the runtime and the listener: tokio panics if it
/// gets none for its signals.
fn enough_descriptors() -> Result<(), Failure> {
    const NEEDED: usize = 16;
    let spare: Result<Vec<_>, _> = (0..NEEDED)
        .map(|_| UdpSocket::bind("127.0.0.1:0"))
        .collect();
    match spare {
        Err(error) if matches!(error.raw_os_error(), Some(ENFILE | EMFILE)) => Err(Failure::usage(
            format!("{error}: the limit on open files (ulimit -n) must leave at least {NEEDED}"),
        )),
        // Any other error is reported by the code that needs the descriptor.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Too many open files in the system, or in the process. The numbers are the same on every Unix.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// Writes a summary of the endpoint to stderr for people, then its URL to stdout for programs.
async fn announce(arguments: &Arguments, server: &Server, own: &[FunctionSpec], log: &Log) {
    if !server.local_addr().ip().is_loopback() {
        log.say(
            "warning: other machines can reach this address; the endpoint speaks plain HTTP and \
             is meant for loopback only",
        );
    }
    if !arguments.quiet {
        for line in banner::lines(arguments, server, own) {
            log.say(line);
        }
    }
    if let Some(console) = server.console_url() {
        log.say(format!("console: {console}"));
    }
    let url = server.url();
    // It is not an error if stdout has no reader.
    let write = move || drop(output::print(format!("{url}\n").as_bytes()));
    // This fails only if the write panics.
    let _ = tokio::task::spawn_blocking(write).await;
}

/// Logs how many events were handled and faults injected. Lost events are logged even with `--quiet`.
fn summary(endpoint: &Endpoint, faults: &[String], quiet: bool, log: &Log) {
    let events = endpoint.event_counters();
    let EventCounters {
        accepted, dropped, ..
    } = events;
    if dropped > 0 || (accepted > 0 && !quiet) {
        log.say(format!("events: {events}"));
    }
    if !quiet {
        for (fault, strikes) in faults.iter().zip(endpoint.fault_strikes()) {
            log.say(format!("faults injected by '{fault}': {strikes}"));
        }
    }
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program is listening there: choose another port with --listen, or 0 for a \
             free one"
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need extra privileges",
        io::ErrorKind::InvalidInput => "; expected HOST:PORT, such as 127.0.0.1:9001",
        _ => "",
    };
    Failure::usage(format!("cannot listen on {address}: {error}{advice}"))
}
