//! Converts the description of a function into a program that the endpoint runs.

#[cfg(unix)]
use std::time::Duration;

#[cfg(unix)]
use lambda_invoke_endpoint::runtime::{Program, ProgramError};
use lambda_invoke_endpoint::{Function, FunctionUrl, UrlAuth, UrlMode};

use super::error::{ConfigError, Problem};
#[cfg(unix)]
use super::spec::{Code, Language};
use super::spec::{FunctionSpec, Url};

/// How long an instance may take to initialize in any case, as in the service.
#[cfg(unix)]
const INIT: Duration = Duration::from_secs(10);

/// How long it may take if the function's timeout is longer than that: a developer's machine may
/// start many instances at once, on few processors.
#[cfg(unix)]
const LONGEST_INIT: Duration = Duration::from_secs(60);

/// The function of an endpoint.
///
/// # Errors
///
/// If its command is empty.
pub(crate) fn function(spec: &FunctionSpec) -> Result<Function, ConfigError> {
    #[cfg(unix)]
    let function = {
        let program = program(spec).map_err(|error| {
            ConfigError::new(
                format_args!("function '{}'", spec.name),
                Problem::Syntax(error.to_string()),
            )
        })?;
        Function::program(&spec.name, program)
    };
    #[cfg(not(unix))]
    let function = unsupported(spec)?;
    let function = function.memory_mb(spec.memory);
    Ok(match &spec.url {
        Some(settings) => function.url(url(settings)),
        None => function,
    })
}

/// The Runtime API's processes need Unix: process groups, and pipes that end with a process.
#[cfg(not(unix))]
fn unsupported(spec: &FunctionSpec) -> Result<Function, ConfigError> {
    Err(ConfigError::new(
        format_args!("function '{}'", spec.name),
        Problem::Unsupported {
            what: "a function of your own on this system".to_owned(),
            instead: "run this program on Linux or macOS, or in the Windows Subsystem for Linux"
                .to_owned(),
        },
    ))
}

#[cfg(unix)]
fn program(spec: &FunctionSpec) -> Result<Program, ProgramError> {
    let program = match &spec.code {
        Code::Command(words) => Program::command(words)?.root(&spec.root),
        Code::Handler { language, handler } => match language {
            Language::Python => Program::python(&spec.root, handler)?,
            Language::Node => Program::node(&spec.root, handler)?,
        },
    };
    let mut program = program
        .timeout(spec.timeout)
        .init_timeout(spec.timeout.clamp(INIT, LONGEST_INIT))
        .memory_mb(spec.memory)
        .concurrency(spec.concurrency)
        .multi_concurrency(spec.instance_concurrency)
        .queue(spec.queue);
    for (name, value) in &spec.environment {
        program = program.env(name, &value.0);
    }
    Ok(program)
}

fn url(settings: &Url) -> FunctionUrl {
    let mut url = FunctionUrl::new().auth(match settings.signed {
        Some(true) => UrlAuth::AwsIam,
        Some(false) | None => UrlAuth::None,
    });
    if let Some(streamed) = settings.streamed {
        url = url.mode(match streamed {
            true => UrlMode::ResponseStream,
            false => UrlMode::Buffered,
        });
    }
    match &settings.cors {
        Some(cors) => url.cors(cors.parsed().clone()),
        None => url,
    }
}
