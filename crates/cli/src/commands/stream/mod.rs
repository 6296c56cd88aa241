//! `lambda-invoke stream`.

mod json;

use bytes::Bytes;
use lambda_invoke::{Completion, Error, Execution, HttpStream, ResponseStream, StreamHead};

use crate::call::outcome::{call_failure, show_log_tail};
use crate::call::{self, with_options};
use crate::exit::Failure;
use crate::exit::call_state::call_state;
use crate::interrupt::{Catch, interrupted};
use crate::output::destination::{self, Destination};
use crate::output::progress::Progress;
use crate::output::{self, Deadline, Output};
use crate::runtime::Threads;
use crate::terminal::{self, MOST_TEXT, excerpt, say};

const EXAMPLES: &str = "\
Examples:
  lambda-invoke stream hello --local -p '{\"name\":\"Ada\"}'
  lambda-invoke stream my-function:live -p @request.json
  generate | lambda-invoke stream my-function -p - --log-tail > response
  lambda-invoke stream page --http -p '{\"rawPath\":\"/\"}'
  lambda-invoke stream my-function -o response.txt -v
  lambda-invoke stream count --local --json -p '{\"n\":3}'";

/// Stream a function's response to stdout as it arrives
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Treat the stream as an HTTP response: status and headers to stderr, body to stdout
    #[arg(long, conflicts_with_all = ["json", "dry_run"])]
    http: bool,
    #[command(flatten)]
    destination: destination::Options,
    #[command(flatten)]
    call: call::Options,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    call::run(&arguments.call, Threads::Current, stream(&arguments))
}

async fn stream(arguments: &Arguments) -> Result<(), Failure> {
    let options = &arguments.call;
    let prepared = options.prepare().await?;
    let destination = arguments.destination.check()?;
    let call = prepared.client.stream(prepared.name.clone());
    let call = with_options(call, options, prepared.payload, prepared.client_context);
    let to_failure = |error: Error| failed(&error, options);
    let deadline = options.deadline();
    if options.dry_run {
        let head = call.dry_run().send().await.map_err(to_failure)?;
        return dry_run(&head, options.json, &destination, deadline).await;
    }
    call_state().execution = Execution::Unknown;
    let mut stream = call.send().await.map_err(to_failure)?;
    {
        let mut known = call_state();
        known.execution = stream.execution();
        known.request_id = stream.request_id().map(str::to_owned);
    }
    if options.json {
        json::write(&mut stream, &destination, deadline)
            .await?
            .map_err(to_failure)?;
        return Ok(());
    }
    let mut source = if arguments.http {
        let stream = stream.into_http().await.map_err(to_failure)?;
        show_head(&stream);
        Source::Http(Box::new(stream))
    } else {
        Source::Plain(Box::new(stream))
    };
    copy(&mut source, &destination, deadline)
        .await?
        .map_err(to_failure)?;
    show_log(source.stream(), options);
    Ok(())
}

/// A stream, either unchanged or without the prelude of an HTTP response.
enum Source {
    Plain(Box<ResponseStream>),
    Http(Box<HttpStream>),
}

impl Source {
    async fn next(&mut self) -> Option<Result<Bytes, Error>> {
        match self {
            Self::Plain(stream) => stream.next_chunk().await,
            Self::Http(stream) => stream.next_chunk().await,
        }
    }

    fn stream(&self) -> &ResponseStream {
        match self {
            Self::Plain(stream) => stream,
            Self::Http(stream) => stream.stream(),
        }
    }
}

/// Copies the stream. Everything received before an error is written to stdout; a file is written
/// only if the stream is complete.
async fn copy(
    source: &mut Source,
    destination: &Destination,
    deadline: Deadline,
) -> Result<Result<(), Error>, Failure> {
    let mut catch = Catch::new();
    let mut output = Output::new(destination, deadline)?;
    let mut progress = Progress::new();
    let end = loop {
        let next = tokio::select! {
            biased;
            () = catch.caught() => return Err(interrupted()),
            failure = output.failed() => return Err(failure),
            next = source.next() => next,
        };
        match next {
            Some(Ok(chunk)) => {
                progress.add(chunk.len());
                tokio::select! {
                    biased;
                    () = catch.caught() => return Err(interrupted()),
                    written = output.write(chunk) => written?,
                }
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    tokio::select! {
        biased;
        () = catch.caught() => return Err(interrupted()),
        written = output.finish(end.is_ok()) => written?,
    }
    Ok(end)
}

/// Shows the log of a stream that ended successfully, if `--log-tail` asks for it. With `--json`,
/// the log is part of the output instead.
fn show_log(stream: &ResponseStream, options: &call::Options) {
    let log = stream.completion().and_then(Completion::log);
    if let (true, false, Some(log)) = (options.log_tail, options.json, log) {
        show_log_tail(log);
    }
}

/// Converts an error, and shows the log of a failed function if `--log-tail` asks for it.
fn failed(error: &Error, options: &call::Options) -> Failure {
    let log = error
        .function_failure()
        .and_then(|failure| failure.log.as_ref());
    if let (true, false, Some(log)) = (options.log_tail, options.json, log) {
        show_log_tail(log);
    }
    call_failure(error, options)
}

async fn dry_run(
    head: &StreamHead,
    as_json: bool,
    destination: &Destination,
    deadline: Deadline,
) -> Result<(), Failure> {
    if !as_json {
        say(call::DRY_RUN_SUCCEEDED);
        return Ok(());
    }
    let mut response = serde_json::json!({ "StatusCode": head.status.as_u16() });
    if let Some(id) = &head.request_id {
        response["RequestId"] = id.as_str().into();
    }
    if let Some(version) = &head.executed_version {
        response["ExecutedVersion"] = version.as_str().into();
    }
    output::write_line(terminal::json(&response), destination, deadline).await
}

/// Writes the status and headers to stderr, as in an HTTP response.
fn show_head(stream: &HttpStream) {
    let mut head = format!("HTTP {}\n", stream.status());
    let mut line = |name: &str, value: &str| {
        let line = format!("{name}: {}", excerpt(value, MOST_TEXT));
        head.push_str(&line.replace('\n', " "));
        head.push('\n');
    };
    match stream.headers() {
        Some(headers) => {
            for (name, value) in headers {
                line(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
            }
        }
        // Without a prelude, only the content type of the stream is known.
        None => {
            if let Some(content_type) = stream.stream().remapped_content_type() {
                line("content-type", content_type);
            }
        }
    }
    for cookie in stream.cookies() {
        line("set-cookie", cookie);
    }
    say(head);
}
