//! The harness's control of a server process: one word per line on the server's standard input.

use std::io::BufRead;

use bench_client_common::resident;
use cpu_time::ProcessTime;

/// Responds to `cpu` with the CPU time of this process in nanoseconds, and to `memory` with its
/// resident memory in bytes. The process exits at the end of its input, so that it does not outlive
/// the harness.
pub fn listen() {
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines() {
            match line.as_deref() {
                Ok("cpu") => println!("{}", ProcessTime::now().as_duration().as_nanos()),
                Ok("memory") => println!("{}", resident()),
                other => panic!("no such word: {other:?}"),
            }
        }
        std::process::exit(0);
    });
}
