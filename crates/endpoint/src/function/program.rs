//! A program as the code of a function.

use std::sync::Arc;

use bytes::Bytes;
use lambda_invoke_error::ThrottleReason;
use lambda_invoke_runtime::{Event, InvokeError, Mode as SentAs, Outcome, Pool, Program, Response};

use crate::function::channel::Mode;
use crate::function::error::FunctionError;
use crate::function::info::FunctionInfo;
use crate::function::invocation::Invocation;
use crate::function::usage::Usage;
use crate::function::writer::ResponseWriter;
use crate::function::{Handler, Running};

/// Makes the code of a function's version from a program. No process is started before the first
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
    let mut pool = Pool::new(program);
    if let Some(on_log) = info.on_log.clone() {
        let name = info.name.clone();
        pool = pool.on_log(move |line| {
            on_log.report(&name, line.request_id.as_deref(), &line.text);
        });
    }
    let instances = pool.clone();
    let code = move |invocation: Invocation, writer: ResponseWriter| -> Running {
        Box::pin(run(instances.clone(), invocation, writer))
    };
    Handler {
        // Until the program sends its head.
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
    let mut response = pool.invoke(event(&invocation)).await.map_err(not_started)?;
    let buffered = match response.head().mode {
        SentAs::Streaming => {
            pass_on(&mut response, writer).await;
            None
        }
        _ => {
            let chunk = response.chunk().await;
            Some((writer, chunk.unwrap_or_default()))
        }
    };
    let report = response.finish().await;
    for line in &report.log {
        invocation.log_to_tail(&line.text);
    }
    invocation.set_usage(Usage {
        duration: report.duration,
        init_duration: report.init_duration,
        max_memory: report.max_memory,
    });
    if let Outcome::Failed(failure) = &report.outcome {
        return Err(FunctionError::of_program(invocation.request_id(), failure));
    }
    if let Some((writer, whole)) = buffered {
        writer.finish(whole)?;
    }
    Ok(())
}

/// Passes chunks on as they come. When the caller has disconnected, or the response is too large,
/// the rest is discarded: the program runs to its end.
async fn pass_on(response: &mut Response, mut writer: ResponseWriter) {
    writer.stream();
    if let Some(content_type) = &response.head().content_type {
        writer.content_type(content_type);
    }
    writer.start();
    while let Some(chunk) = response.chunk().await {
        if writer.write(chunk).await.is_err() {
            return;
        }
    }
}

fn event(invocation: &Invocation) -> Event {
    let payload: Bytes = invocation.payload().clone();
    let mut event =
        Event::new(invocation.request_id(), payload).with_arn(invocation.function_arn());
    if let Some(context) = invocation.client_context() {
        event = event.with_client_context(String::from_utf8_lossy(context));
    }
    if let Some(tenant) = invocation.tenant_id() {
        event = event.with_tenant_id(tenant);
    }
    event
}

fn not_started(error: InvokeError) -> FunctionError {
    match error {
        InvokeError::TooManyRequests { reason, .. } => {
            FunctionError::throttled(ThrottleReason::from(reason))
        }
        other => FunctionError::platform("Sandbox.Failure", other.to_string()),
    }
}
