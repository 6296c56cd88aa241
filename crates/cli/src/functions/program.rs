//! From the description of a function to a program that the endpoint runs.

use std::ffi::OsString;
use std::process::ExitCode;

use lambda_invoke_endpoint::Function;
use lambda_invoke_endpoint::runtime::{self, Program, ProgramError};

use super::spec::{Code, FunctionSpec, Language};

/// The word after which this program is the supervisor of an instance. See [`supervise_if_asked`].
const SUPERVISE: &str = "supervise-instance";

/// Runs an instance of a function if this process was started for that, and returns how it ended.
///
/// Instances are started through this program, so that all their processes end with `serve`, also
/// when it is killed. It is not a command: its arguments are not for people.
pub(crate) fn supervise_if_asked() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    (arguments.next()? == SUPERVISE).then(|| runtime::supervise(arguments))
}

/// The function of an endpoint.
///
/// # Errors
///
/// If its program cannot be described, which a valid specification always can.
pub(crate) fn function(spec: &FunctionSpec) -> Result<Function, ProgramError> {
    let program = match &spec.code {
        Code::Command(words) => Program::command(words)?.root(&spec.root),
        Code::Handler { language, handler } => {
            let runtime = match language {
                Language::Python => "python3",
                Language::Node => "nodejs",
            };
            Program::configured(&spec.root, runtime, handler)?
        }
    };
    let mut program = program
        .timeout(spec.timeout)
        .memory_mb(spec.memory)
        .concurrency(spec.concurrency)
        .multi_concurrency(spec.instance_concurrency);
    for (name, value) in &spec.environment {
        program = program.env(name, &value.0);
    }
    if let Ok(this) = std::env::current_exe() {
        program = program.supervisor([this.into_os_string(), OsString::from(SUPERVISE)]);
    }
    Ok(Function::program(&spec.name, program).memory_mb(spec.memory))
}
