//! `lambda-invoke stream`.

mod json;

use crate::call::{self, with_options};
use crate::exit::Failure;
use crate::interrupt::{Catch, interrupted};
use crate::known::known;
use crate::outcome::{failure, tell_log};
use crate::output::{self, Deadline, Output};
use crate::progress::Progress;
use crate::terminal::{self, MOST_TEXT, excerpt, say};
use bytes::Bytes;
use lambda_invoke::{Completion, Error, Execution, HttpStream, ResponseStream, StreamHead};

const EXAMPLES: &str = "\
Examples:
  lambda-invoke stream hello --local -p '{\"name\":\"Ada\"}'
  lambda-invoke stream my-function:live -p @request.json
  generate | lambda-invoke stream my-function -p - --log-tail > answer
  lambda-invoke stream page --http -p '{\"rawPath\":\"/\"}'
  lambda-invoke stream count --json --endpoint-url http://127.0.0.1:9001 -p '{\"n\":3}'";

/// Stream a function's answer to stdout, as it arrives
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Take the stream for an HTTP answer: status and headers to stderr, body to stdout
    #[arg(long, conflicts_with_all = ["json", "dry_run"])]
    http: bool,
    #[command(flatten)]
    call: call::Options,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let as_json = arguments.call.json;
    known().as_json = as_json;
    output::run(stream(&arguments)).map_err(|failure| failure.in_json(as_json))
}

async fn stream(arguments: &Arguments) -> Result<(), Failure> {
    let options = &arguments.call;
    let prepared = options.prepare().await?;
    let call = prepared.client.stream(prepared.name.clone());
    let call = with_options(call, options, prepared.payload, prepared.client_context);
    let told = |error: Error| failed(&error, options);
    let deadline = options.deadline();
    if options.dry_run {
        let head = call.dry_run().send().await.map_err(told)?;
        return dry_run(&head, options.json, deadline).await;
    }
    known().execution = Execution::Unknown;
    let mut stream = call.send().await.map_err(told)?;
    {
        let mut known = known();
        known.execution = Execution::Started;
        known.request_id = stream.request_id().map(str::to_owned);
    }
    if options.json {
        json::write(&mut stream, deadline).await?.map_err(told)?;
        return Ok(());
    }
    let mut source = if arguments.http {
        let stream = stream.into_http().await.map_err(told)?;
        tell_head(&stream);
        Source::Http(Box::new(stream))
    } else {
        Source::Plain(Box::new(stream))
    };
    copy(&mut source, deadline).await?.map_err(told)?;
    show_log(source.stream(), options);
    Ok(())
}

/// A stream, with or without its prelude.
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

/// Copies the stream to stdout. What had come before an error is written whatever follows.
async fn copy(source: &mut Source, deadline: Deadline) -> Result<Result<(), Error>, Failure> {
    let mut catch = Catch::new();
    let mut output = Output::new(deadline);
    let mut progress = Progress::new();
    let ended = loop {
        let next = tokio::select! {
            biased;
            () = catch.caught() => return Err(interrupted()),
            failure = output.failed() => return Err(failure),
            next = source.next() => next,
        };
        match next {
            Some(Ok(piece)) => {
                progress.add(piece.len());
                tokio::select! {
                    biased;
                    () = catch.caught() => return Err(interrupted()),
                    written = output.write(piece) => written?,
                }
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    tokio::select! {
        biased;
        () = catch.caught() => return Err(interrupted()),
        written = output.finish() => written?,
    }
    Ok(ended)
}

/// Shows the log of a stream that ended as it should, if it was asked for. In JSON it is a member.
fn show_log(stream: &ResponseStream, options: &call::Options) {
    let log = stream.completion().and_then(Completion::log);
    if let (true, false, Some(log)) = (options.log_tail, options.json, log) {
        tell_log(log);
    }
}

/// Tells the log of a function that failed, if it was asked for.
fn failed(error: &Error, options: &call::Options) -> Failure {
    let log = error
        .function_failure()
        .and_then(|failure| failure.log.as_ref());
    if let (true, false, Some(log)) = (options.log_tail, options.json, log) {
        tell_log(log);
    }
    failure(error)
}

async fn dry_run(head: &StreamHead, as_json: bool, deadline: Deadline) -> Result<(), Failure> {
    if !as_json {
        say("lambda-invoke: the call would be taken; the function did not run");
        return Ok(());
    }
    let mut answer = serde_json::json!({ "StatusCode": head.status.as_u16() });
    if let Some(version) = &head.executed_version {
        answer["ExecutedVersion"] = version.as_str().into();
    }
    output::write_line(terminal::json(&answer), deadline).await
}

/// Status and headers as they stand in an HTTP answer, on stderr.
fn tell_head(stream: &HttpStream) {
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
        // Without a prelude, what is known is the type that the function gave its stream.
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
