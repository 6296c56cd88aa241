//! Converts the description of a function into a program that the endpoint runs.

use std::time::Duration;

#[cfg(unix)]
use lambda_invoke_endpoint::runtime::{Program, ProgramError};
use lambda_invoke_endpoint::{Cors, CorsError, Function, FunctionUrl, UrlAuth, UrlMode};

use super::error::{ConfigError, Problem};
use super::spec::{self, FunctionSpec, Url};
#[cfg(unix)]
use super::spec::{Code, Language};

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
/// If its command is empty, or the CORS settings of its URL are not valid.
pub(crate) fn function(spec: &FunctionSpec) -> Result<Function, ConfigError> {
    let wrong = |error: &dyn std::fmt::Display| {
        ConfigError::new(
            format_args!("function '{}'", spec.name),
            Problem::Syntax(error.to_string()),
        )
    };
    #[cfg(unix)]
    let function = {
        let program = program(spec).map_err(|error| wrong(&error))?;
        Function::program(&spec.name, program)
    };
    #[cfg(not(unix))]
    let function = unsupported(spec)?;
    let function = function.memory_mb(spec.memory);
    Ok(match &spec.url {
        Some(settings) => function.url(url(settings).map_err(|error| wrong(&error))?),
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

fn url(settings: &Url) -> Result<FunctionUrl, CorsError> {
    let mut url = FunctionUrl::new().auth(match settings.signed {
        true => UrlAuth::AwsIam,
        false => UrlAuth::None,
    });
    if let Some(streamed) = settings.streamed {
        url = url.mode(match streamed {
            true => UrlMode::ResponseStream,
            false => UrlMode::Buffered,
        });
    }
    if let Some(settings) = &settings.cors {
        url = url.cors(cors(settings)?);
    }
    Ok(url)
}

/// The CORS settings of a function URL.
pub(super) fn cors(settings: &spec::Cors) -> Result<Cors, CorsError> {
    let mut cors = Cors::new();
    for origin in &settings.allow_origins {
        cors = cors.allow_origin(origin)?;
    }
    for method in &settings.allow_methods {
        cors = cors.allow_method(method)?;
    }
    for name in &settings.allow_headers {
        cors = cors.allow_header(name)?;
    }
    for name in &settings.expose_headers {
        cors = cors.expose_header(name)?;
    }
    if settings.allow_credentials {
        cors = cors.allow_credentials();
    }
    if let Some(age) = settings.max_age {
        cors = cors.max_age(Duration::from_secs(age.into()))?;
    }
    Ok(cors)
}
