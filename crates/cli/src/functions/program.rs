//! From the description of a function to a program that the endpoint runs.

use lambda_invoke_endpoint::Function;
use lambda_invoke_endpoint::runtime::{Program, ProgramError};

use super::spec::{Code, FunctionSpec, Language};

/// The function of an endpoint.
///
/// # Errors
///
/// If its program cannot be described, which a valid specification always can.
pub(crate) fn function(spec: &FunctionSpec) -> Result<Function, ProgramError> {
    let program = match &spec.code {
        Code::Command(words) => Program::command(words)?.root(&spec.root),
        Code::Handler { language, handler } => match language {
            Language::Python => Program::python(&spec.root, handler)?,
            Language::Node => Program::node(&spec.root, handler)?,
        },
    };
    let mut program = program
        .timeout(spec.timeout)
        .memory_mb(spec.memory)
        .concurrency(spec.concurrency)
        .multi_concurrency(spec.instance_concurrency);
    for (name, value) in &spec.environment {
        program = program.env(name, &value.0);
    }
    Ok(Function::program(&spec.name, program).memory_mb(spec.memory))
}
