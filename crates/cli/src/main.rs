#![forbid(unsafe_code)]
#![deny(clippy::print_stderr, clippy::print_stdout, clippy::disallowed_methods)]
//! The program `lambda-invoke`: calls AWS Lambda functions from a terminal, and serves functions
//! locally over the same protocol.

mod call;
mod commands;
mod exit;
mod functions;
mod interrupt;
#[cfg(test)]
mod man;
mod number;
mod output;
mod runtime;
mod terminal;
mod usage;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands::{
    bench, check, completions, decode, invoke, map, serve, sign, stream, whoami,
};

/// musl's own allocator takes much longer: docs/performance.md.
#[cfg(target_env = "musl")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Call AWS Lambda functions, buffered or streamed, and run functions locally.
#[derive(Debug, Parser)]
#[command(name = "lambda-invoke", version, after_help = exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Stream(stream::Arguments),
    Invoke(invoke::Arguments),
    Map(map::Arguments),
    Serve(serve::Arguments),
    Check(check::Arguments),
    Sign(sign::Arguments),
    Decode(decode::Arguments),
    Whoami(whoami::Arguments),
    Bench(bench::Arguments),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    // Before anything else, because a supervisor process must not start threads.
    #[cfg(unix)]
    lambda_invoke_endpoint::runtime::supervise_if_asked();
    let command = match Arguments::try_parse() {
        Ok(arguments) => arguments.command,
        Err(error) => return usage::report(&error),
    };
    // `serve` handles signals itself; until it does, they have their default action.
    if !matches!(command, Command::Serve(_)) {
        interrupt::watch();
    }
    let result = match command {
        Command::Stream(arguments) => stream::run(arguments),
        Command::Invoke(arguments) => invoke::run(arguments),
        Command::Map(arguments) => map::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Sign(arguments) => sign::run(arguments),
        Command::Decode(arguments) => decode::run(arguments),
        Command::Whoami(arguments) => whoami::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Completions(arguments) => completions::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
