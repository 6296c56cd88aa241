//! `lambda-invoke invoke`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_invoke::{Error, Execution, Reply};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::call::outcome::{call_failure, show_log_tail};
use crate::call::{self, with_options};
use crate::exit::Failure;
use crate::exit::call_state::call_state;
use crate::interrupt::{Catch, interrupted};
use crate::output::destination::{self, Destination};
use crate::output::{self, Deadline, Output};
use crate::runtime::Threads;
use crate::terminal::{self, MOST_TOKEN, excerpt, say};

const EXAMPLES: &str = "\
Examples:
  lambda-invoke invoke hello --local -p '{\"name\":\"Ada\"}'
  lambda-invoke invoke arn:aws:lambda:eu-west-1:123456789012:function:sum:live
  lambda-invoke invoke my-function -p @request.json --log-tail > response.json
  lambda-invoke invoke my-function -p @request.json --json | jq -r .Payload.name
  lambda-invoke invoke my-function -p @request.json -o response.json
  lambda-invoke invoke my-function --data-example s3
  lambda-invoke invoke my-function --event -p @event.json
  lambda-invoke invoke my-function --dry-run && echo allowed";

/// Call a function and write its complete response to stdout
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Queue the payload as an event, without waiting for the function to run
    #[arg(long, conflicts_with_all = ["dry_run", "log_tail", "client_context"])]
    event: bool,
    /// The name of a durable execution, which runs once however often it is invoked by this name;
    /// calls that may have run are retried too
    #[arg(long, value_name = "NAME")]
    durable_execution_name: Option<String>,
    #[command(flatten)]
    destination: destination::Options,
    #[command(flatten)]
    call: call::Options,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    call::run(&arguments.call, Threads::Current, invoke(&arguments))
}

async fn invoke(arguments: &Arguments) -> Result<(), Failure> {
    let options = &arguments.call;
    let prepared = options.prepare().await?;
    let destination = arguments.destination.check()?;
    let call = prepared.client.invoke(prepared.name.clone());
    let mut call = with_options(call, options, prepared.payload, prepared.client_context);
    if options.log_tail {
        call = call.log_tail();
    }
    if let Some(name) = &arguments.durable_execution_name {
        call = call.durable_execution_name(name.as_str());
    }
    if arguments.event {
        call = call.event();
    }
    if options.dry_run {
        call = call.dry_run();
    }
    let deadline = options.deadline();
    if !options.dry_run {
        call_state().execution = Execution::Unknown;
    }
    let reply = call
        .send()
        .await
        .map_err(|error: Error| call_failure(&error, options))?;
    call_state().request_id = reply.request_id().map(str::to_owned);
    call_state().execution = reply.execution();
    let mut catch = Catch::new();
    let written = tokio::select! {
        biased;
        () = catch.caught() => return Err(interrupted()),
        written = write(&reply, options.json, &destination, deadline) => written,
    };
    written?;
    if !options.json {
        if options.dry_run {
            say(call::DRY_RUN_SUCCEEDED);
        } else if arguments.event {
            let id = excerpt(reply.request_id().unwrap_or("unknown"), MOST_TOKEN);
            say(format_args!(
                "lambda-invoke: the event was queued (request ID {id})"
            ));
        }
        if let (true, Some(log)) = (options.log_tail, reply.log()) {
            show_log_tail(log);
        }
    }
    // The payload of a failed function is already on stdout; stderr and the exit code report the
    // failure.
    match reply.into_result() {
        Ok(_) => Ok(()),
        Err(error) => Err(call_failure(&error, options)),
    }
}

/// Writes the payload, or the whole response as JSON.
async fn write(
    reply: &Reply,
    as_json: bool,
    destination: &Destination,
    deadline: Deadline,
) -> Result<(), Failure> {
    if as_json {
        let response = terminal::json(&Response::new(reply));
        return output::write_line(response, destination, deadline).await;
    }
    if !has_payload(reply) {
        return Ok(());
    }
    let mut output = Output::new(destination, deadline)?;
    output.write(reply.payload().clone()).await?;
    output.finish(true).await
}

/// Whether there is a payload to show, although it may be empty. Responses to events and dry runs have
/// none; if there is one anyway, it is shown.
fn has_payload(reply: &Reply) -> bool {
    reply.status() == 200 || !reply.payload().is_empty()
}

/// The response with the member names of the service's model. The payload is unchanged if it is
/// JSON; other binary members are in base64.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Response<'r> {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    executed_version: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_error: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_result: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    durable_execution_arn: Option<&'r str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload: Option<&'r RawValue>,
    /// The payload in base64, if it is not JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_base64: Option<String>,
}

impl<'r> Response<'r> {
    fn new(reply: &'r Reply) -> Self {
        let payload = serde_json::from_slice(reply.payload()).ok();
        Self {
            status_code: reply.status().as_u16(),
            request_id: reply.request_id(),
            executed_version: reply.executed_version().map(|version| version.as_str()),
            function_error: reply.function_error(),
            log_result: reply.log().map(|log| log.to_base64()),
            durable_execution_arn: reply.durable_execution_arn(),
            payload_base64: (payload.is_none() && has_payload(reply))
                .then(|| STANDARD.encode(reply.payload())),
            payload,
        }
    }
}
