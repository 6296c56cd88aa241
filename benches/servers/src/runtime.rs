//! The project's endpoint, with a function that is a program.
//!
//!     server-runtime [--no-verify] THREADS NAME INSTANCES QUEUE SOURCE [ARGUMENT..]
//!
//! Calls wait if no instance is free; QUEUE is the number that may. Prints its URL as soon as it
//! listens.

mod control;

use std::time::Duration;

use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};

fn main() {
    control::listen();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (verify, args) = match args.split_first() {
        Some((flag, rest)) if flag == "--no-verify" => (false, rest),
        _ => (true, &*args),
    };
    let [threads, name, instances, queue, command @ ..] = args else {
        panic!(
            "usage: server-runtime [--no-verify] THREADS NAME INSTANCES QUEUE SOURCE [ARGUMENT..]"
        );
    };
    let program = match command {
        [source] => Program::source(source),
        command => Program::command(command),
    };
    let program = program
        .unwrap()
        .concurrency(instances.parse().unwrap())
        .queue(queue.parse().unwrap())
        .timeout(Duration::from_secs(60));
    let mut functions = vec![Function::program(name, program)];
    // The load generator's warm-up calls this function.
    if name != "small" {
        functions.push(Function::buffered("small", |_call| async {
            Ok::<_, FunctionError>("")
        }));
    }
    let mut runtime = match threads.as_str() {
        "1" => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    if threads != "1" {
        runtime.worker_threads(threads.parse().unwrap());
    }
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        // As in `lambda-invoke serve`, no call is recorded.
        let mut endpoint = Endpoint::builder()
            .functions(functions)
            .verify(verify)
            .recorded_bytes(0);
        if verify {
            // The endpoint rejects an access key if signatures are not verified.
            endpoint = endpoint.credential("local", "local").unwrap();
        }
        let server = endpoint.bind("127.0.0.1:0").await.unwrap();
        println!("{}", server.url());
        server.run().await;
    });
}
