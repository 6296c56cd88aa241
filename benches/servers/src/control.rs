//! How the harness talks to a server process: a word a line on its standard input.

use std::io::BufRead;

use cpu_time::ProcessTime;

/// Answers `cpu` with the processor's time of this process so far, in nanoseconds. At the end of
/// the input the process ends, so that none outlives the harness.
pub fn listen() {
    std::thread::spawn(|| {
        for line in std::io::stdin().lock().lines() {
            match line.as_deref() {
                Ok("cpu") => println!("{}", ProcessTime::now().as_duration().as_nanos()),
                other => panic!("no such word: {other:?}"),
            }
        }
        std::process::exit(0);
    });
}
