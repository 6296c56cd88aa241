#![forbid(unsafe_code)]
//! The program `lambda-invoke`: call AWS Lambda functions from a terminal, and run functions
//! locally behind the same protocol.

mod bench;
mod call;
mod check;
mod completions;
mod config;
mod decode;
mod encoding;
mod exit;
mod home;
mod invoke;
mod outcome;
mod output;
mod payload;
mod profile;
mod progress;
mod serve;
mod sign;
mod stream;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Call AWS Lambda functions, buffered or streamed, and run functions locally.
#[derive(Debug, Parser)]
#[command(name = "lambda-invoke", version, after_help = exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

// One module a command: its arguments, and `run`, which is all that happens here.
#[derive(Debug, Subcommand)]
enum Command {
    Stream(stream::Arguments),
    Invoke(invoke::Arguments),
    Serve(serve::Arguments),
    Check(check::Arguments),
    Sign(sign::Arguments),
    Decode(decode::Arguments),
    Bench(bench::Arguments),
    Completions(completions::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Stream(arguments) => stream::run(arguments),
        Command::Invoke(arguments) => invoke::run(arguments),
        Command::Serve(arguments) => serve::run(arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Sign(arguments) => sign::run(arguments),
        Command::Decode(arguments) => decode::run(arguments),
        Command::Bench(arguments) => bench::run(arguments),
        Command::Completions(arguments) => completions::run(arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
