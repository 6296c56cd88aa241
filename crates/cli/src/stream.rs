//! `lambda-invoke stream`.

use bytes::Bytes;
use lambda_invoke::{Collected, Completion, Error, HttpStream, ResponseStream, StreamHead};
use serde_json::json;

use crate::call::{self, with_options};
use crate::exit::{Failure, printable, say};
use crate::outcome::{failure, tell_log};
use crate::output::{self, Output};
use crate::progress::Progress;

/// The most bytes that `--json` keeps in memory: more than the service streams by default.
const MOST_COLLECTED: u64 = 256 << 20;

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
    output::run(stream(&arguments)).map_err(|failure| failure.in_json(as_json))
}

async fn stream(arguments: &Arguments) -> Result<(), Failure> {
    let options = &arguments.call;
    let prepared = options.prepare().await?;
    let call = prepared.client.stream(prepared.name.clone());
    let call = with_options!(call, options, prepared);
    let told = |error: Error| failed(&error, options);
    if options.dry_run {
        return dry_run(&call.dry_run().send().await.map_err(told)?, options.json).await;
    }
    let stream = call.send().await.map_err(told)?;
    if options.json {
        return collect(stream).await;
    }
    let mut source = if arguments.http {
        let stream = stream.into_http().await.map_err(told)?;
        tell_head(&stream);
        Source::Http(Box::new(stream))
    } else {
        Source::Plain(Box::new(stream))
    };
    copy(&mut source).await?.map_err(told)?;
    let completion = source.stream().completion();
    if let (true, Some(log)) = (options.log_tail, completion.and_then(Completion::log)) {
        tell_log(log);
    }
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
            Self::Plain(stream) => stream.next().await,
            Self::Http(stream) => stream.next().await,
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
async fn copy(source: &mut Source) -> Result<Result<(), Error>, Failure> {
    let mut output = Output::new();
    let mut progress = Progress::new();
    let ended = loop {
        let next = tokio::select! {
            failure = output.failed() => return Err(failure),
            next = source.next() => next,
        };
        match next {
            Some(Ok(piece)) => {
                progress.add(piece.len());
                output.write(piece).await?;
            }
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
    };
    output.finish().await?;
    Ok(ended)
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

async fn dry_run(head: &StreamHead, as_json: bool) -> Result<(), Failure> {
    if !as_json {
        say("lambda-invoke: the call would be taken; the function did not run");
        return Ok(());
    }
    let mut answer = json!({ "StatusCode": head.status.as_u16() });
    if let Some(version) = &head.executed_version {
        answer["ExecutedVersion"] = version.as_str().into();
    }
    output::write_line(answer.to_string()).await
}

/// The whole stream as JSON. What had come of one that failed is there too: without
/// `InvokeComplete`, if it was cut.
async fn collect(stream: ResponseStream) -> Result<(), Failure> {
    match stream.collect_at_most(MOST_COLLECTED).await {
        Ok(collected) => write_collected(collected).await,
        Err(error) => {
            if let Some(collected) = error.collected() {
                write_collected(collected.clone()).await?;
            }
            Err(failure(&error))
        }
    }
}

/// Written as it is made: as text it is many times larger than as bytes.
async fn write_collected(collected: Collected) -> Result<(), Failure> {
    let mut output = Output::new();
    output.write_json_line(collected).await?;
    output.finish().await
}

/// Status and headers as they stand in an HTTP answer, on stderr.
fn tell_head(stream: &HttpStream) {
    let mut head = format!("HTTP {}\n", stream.status());
    let mut line = |name: &str, value: &str| {
        head.push_str(&printable(&format!("{name}: {value}").replace('\n', " ")));
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
