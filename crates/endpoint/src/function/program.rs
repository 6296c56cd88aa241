//! A program as the code of a function.

use std::sync::Arc;

use bytes::Bytes;
use lambda_invoke_runtime::{Event, InvokeError, Pool, Program, Report, Response};

use crate::function::channel::Mode;
use crate::function::error::FunctionError;
use crate::function::info::FunctionInfo;
use crate::function::invocation::Invocation;
use crate::function::usage::Usage;
use crate::function::writer::ResponseWriter;
use crate::function::{Handler, Running};

/// Creates the code of a function's version from a program. No process is started before the first
/// call.
pub(super) fn handler(
    program: Program,
    info: &FunctionInfo,
    concurrency: Option<usize>,
    version: Option<u64>,
) -> Handler {
    let version = version.map_or_else(|| "$LATEST".to_owned(), |number| number.to_string());
    let region = info.arn.split(':').nth(3).unwrap_or_default();
    let mut program = program
        .name(&info.name)
        .arn(&info.arn)
        .region(region)
        .version(version)
        .timeout(info.timeout)
        .memory_mb(info.memory_mb);
    if let Some(instances) = concurrency {
        program = program.concurrency(instances);
    }
    let (on_log, name) = (info.on_log.clone(), info.name.clone());
    let pool = Pool::new(program).on_log(move |line| {
        if let Some(on_log) = &on_log {
            on_log.report_whole(&name, line.request_id.as_deref(), &line.text);
        }
    });
    let instances = pool.clone();
    let code = move |invocation: Invocation, writer: ResponseWriter| -> Running {
        Box::pin(run(instances.clone(), invocation, writer))
    };
    Handler {
        // Applies until the program sends the head.
        mode: Mode::Buffered,
        times_itself: true,
        code: Arc::new(code),
        pool: Some(pool),
    }
}

/// Invokes the program and passes its response on.
async fn run(
    pool: Pool,
    invocation: Invocation,
    writer: ResponseWriter,
) -> Result<(), FunctionError> {
    let response = match pool.invoke(event(&invocation)).await {
        Ok(response) => response,
        Err(InvokeError::TooManyRequests { .. }) => {
            return Err(FunctionError::throttled());
        }
        Err(error) => {
            return Err(FunctionError::platform(
                "Sandbox.Failure",
                error.to_string(),
            ));
        }
    };
    match response.into_buffered() {
        Ok((whole, report)) => {
            ended(&invocation, &report)?;
            Ok(writer.finish(whole)?)
        }
        // Boxed, so that the futures of other calls stay small.
        Err(streaming) => Box::pin(pass_on(streaming, invocation, writer)).await,
    }
}

/// Copies the results of an invocation after its end.
fn ended(invocation: &Invocation, report: &Report) -> Result<(), FunctionError> {
    for line in &report.log {
        invocation.log_to_tail(&line.text);
    }
    invocation.set_usage(Usage {
        duration: report.duration,
        init_duration: report.init_duration,
        max_memory: report.max_memory,
    });
    match report.outcome.failure() {
        None => Ok(()),
        Some(failure) => {
            let id = invocation.request_id();
            Err(FunctionError::of_program(id, failure))
        }
    }
}

/// Passes chunks on as they come. If the caller has disconnected, or the response is too large, the
/// rest is discarded, and the program runs to its end.
async fn pass_on(
    mut response: Response,
    invocation: Invocation,
    mut writer: ResponseWriter,
) -> Result<(), FunctionError> {
    writer.stream();
    if let Some(content_type) = &response.head().content_type {
        writer.content_type(content_type);
    }
    writer.start();
    while let Some(chunk) = response.chunk().await {
        if writer.write(chunk).await.is_err() {
            break;
        }
    }
    drop(writer);
    ended(&invocation, &response.finish().await)
}

fn event(invocation: &Invocation) -> Event {
    let payload: Bytes = invocation.payload().clone();
    let mut event = Event::new(invocation.request_id(), payload);
    event.arn = invocation.qualified_arn();
    let context = invocation.client_context();
    event.client_context = context.map(|json| String::from_utf8_lossy(json).into_owned());
    event.tenant_id = invocation.tenant_id().map(str::to_owned);
    event.version = invocation.published_version();
    event.without_memory = !invocation.wants_log();
    event.trace_id = Some(invocation.trace_id());
    event
}
