//! `lambda-invoke serve`: the local endpoint, until Ctrl-C.

mod options;
mod requests;
mod signals;

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::net::UdpSocket;
use std::time::Duration;

use lambda_invoke_endpoint::{Endpoint, EventCounters, Function, Server};

use crate::exit::{Exit, Failure};
use crate::output;
use crate::serve::options::Plan;
use crate::serve::requests::Lines;
use crate::serve::signals::Signals;

pub(crate) use options::Arguments;

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    enough_descriptors()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Exit::Transport, format!("no runtime: {error}")))?;
    let lines = Lines::new()?;
    let result = runtime.block_on(serve(&arguments, &lines));
    // What was dropped must not hold up the end.
    runtime.shutdown_background();
    lines.finish();
    result
}

async fn serve(arguments: &Arguments, lines: &Lines) -> Result<(), Failure> {
    let Plan {
        builder,
        faults,
        limit,
    } = arguments.plan()?;
    let notices = lines.clone();
    let mut builder = builder.on_notice(move |notice| notices.say(&notice));
    if !arguments.quiet {
        let requests = lines.clone();
        builder = builder.on_response(move |record| requests.say(record));
    }
    let endpoint = builder.build().map_err(|error| arguments.refused(&error))?;
    // Before the address is shown: whoever reads it may send a signal at once.
    let mut signals = Signals::new()?;
    let server = endpoint
        .bind(arguments.listen.as_str())
        .await
        .map_err(|error| cannot_listen(&arguments.listen, &error))?;
    tokio::select! {
        () = announce(arguments, &server, lines) => signals.first().await,
        // The address may be written to a pipe that nobody reads.
        () = signals.first() => {}
    }
    let endpoint = server.endpoint().clone();
    lines.say("ending: what runs may end by itself; once more ends it at once");
    let mut is_hurried = false;
    let over = async {
        tokio::select! {
            () = tokio::time::sleep(limit) => {}
            () = signals.again() => is_hurried = true,
        }
    };
    let in_time = server.shutdown_until(over).await;
    if !in_time && !is_hurried {
        lines.say(format!(
            "what still ran after {} s was dropped",
            limit.as_secs()
        ));
    }
    summary(&endpoint, &faults, arguments.quiet, lines);
    match is_hurried {
        true => Err(Failure::silent(Exit::Interrupted)),
        false => Ok(()),
    }
}

/// Makes sure that the runtime and the listener can be made: tokio panics where there are no
/// descriptors for its signals.
fn enough_descriptors() -> Result<(), Failure> {
    const NEEDED: usize = 16;
    let spare: Result<Vec<_>, _> = (0..NEEDED)
        .map(|_| UdpSocket::bind("127.0.0.1:0"))
        .collect();
    match spare {
        Err(error) if matches!(error.raw_os_error(), Some(ENFILE | EMFILE)) => Err(Failure::usage(
            format!("{error}: the limit of open files (ulimit -n) must leave at least {NEEDED}"),
        )),
        // What else goes wrong is told where it is needed.
        Ok(_) | Err(_) => Ok(()),
    }
}

/// Too many open files in the system, or in the process: the same numbers on every Unix.
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;

/// What it is good for on stderr, for people; then the address on stdout, for programs.
async fn announce(arguments: &Arguments, server: &Server, lines: &Lines) {
    if !server.local_addr().ip().is_loopback() {
        lines.say(
            "warning: other machines can reach this address; the endpoint speaks plain HTTP and \
             is made for loopback",
        );
    }
    if !arguments.quiet {
        lines.say(welcome(arguments, server));
    }
    let url = server.url();
    // Whoever started it need not read its stdout.
    let write = move || drop(output::print(format!("{url}\n").as_bytes()));
    // It panics only if the write does.
    let _ = tokio::task::spawn_blocking(write).await;
}

fn welcome(arguments: &Arguments, server: &Server) -> String {
    let functions = match server.endpoint().functions() {
        none if none.is_empty() => "no function".to_owned(),
        functions => functions.join(", "),
    };
    let Arguments {
        region, account, ..
    } = arguments;
    let keys = match (arguments.no_verify, arguments.credential.is_empty()) {
        (true, _) => "; signatures are not verified",
        (false, true) => "; the access key is 'local', its secret 'local'",
        (false, false) => "",
    };
    format!("serving {functions} in {region} as account {account}{keys}")
}

/// What happened besides answers, at the end. Lost events are told in any case.
fn summary(endpoint: &Endpoint, faults: &[String], quiet: bool, lines: &Lines) {
    let events = endpoint.event_counters();
    let EventCounters {
        accepted, dropped, ..
    } = events;
    if dropped > 0 || (accepted > 0 && !quiet) {
        lines.say(format!("events: {events}"));
    }
    if !quiet {
        for (fault, strikes) in faults.iter().zip(endpoint.fault_strikes()) {
            lines.say(format!("fault '{fault}' struck {strikes} times"));
        }
    }
}

fn cannot_listen(address: &str, error: &io::Error) -> Failure {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "; another program listens there: choose another port with --listen, 0 for any that \
             is free"
        }
        io::ErrorKind::PermissionDenied => "; ports below 1024 need a privilege",
        io::ErrorKind::InvalidInput => "; an address is HOST:PORT, such as 127.0.0.1:9001",
        _ => "",
    };
    Failure::usage(format!("cannot listen on {address}: {error}{advice}"))
}

/// An error with all that caused it, in one line.
fn with_sources(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}

/// How long running invocations may take at the end, unless told otherwise: as long as the longest
/// function runs.
const PATIENCE: Duration = Function::LONGEST;
