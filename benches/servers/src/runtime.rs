//! Our endpoint, with a function that is a program.
//!
//!     server-runtime THREADS NAME INSTANCES QUEUE SOURCE [ARGUMENT..]
//!
//! Calls for which no instance is free wait, as many as QUEUE says. Prints its URL as soon as it
//! listens.

mod control;

use std::time::Duration;

use lambda_invoke_endpoint::runtime::Program;
use lambda_invoke_endpoint::{Endpoint, Function, FunctionError};

fn main() {
    control::listen();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [threads, name, instances, queue, command @ ..] = args.as_slice() else {
        panic!("usage: server-runtime THREADS NAME INSTANCES QUEUE SOURCE [ARGUMENT..]");
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
    // The load generator's warm-up calls it.
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
        let server = Endpoint::builder()
            .functions(functions)
            .credential("local", "local")
            .unwrap()
            .bind("127.0.0.1:0")
            .await
            .unwrap();
        println!("{}", server.url());
        server.run().await;
    });
}
