//! Makes a number of exchanges at a given concurrency, and measures them.

use std::cell::Cell;
use std::future::Future;
use std::rc::Rc;
use std::time::Instant;

use cpu_time::ProcessTime;
use tokio::task::LocalSet;

use crate::{Latency, Work};

/// Runs `PROGRAM URL WORK AT_ONCE COUNT` and prints one line of JSON: CPU time and wall time of the
/// exchanges, the payload bytes, and the ages of stamped chunks.
///
/// Connections are opened and warmed up before the clocks start.
pub fn load<C, F>(
    new: impl Fn(&str) -> C,
    exchange: impl Fn(C, Work, Latency) -> F + Copy + 'static,
) where
    C: Clone + 'static,
    F: Future<Output = u64> + 'static,
{
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, work, at_once, count] = args.as_slice() else {
        panic!("usage: PROGRAM URL WORK AT_ONCE COUNT");
    };
    let work = Work::new(work);
    let (at_once, count): (usize, usize) = (at_once.parse().unwrap(), count.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = runtime.block_on(async { new(url) });
    let warm_up = Work::new("small");
    runtime.block_on(all(
        &client,
        exchange,
        warm_up,
        at_once,
        4 * at_once,
        &Latency::default(),
    ));
    let latency = Latency::default();
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let bytes = runtime.block_on(all(&client, exchange, work, at_once, count, &latency));
    let (cpu, wall) = (cpu.elapsed().as_nanos(), wall.elapsed().as_nanos());
    let (stamps, p50, p99) = latency.summary().unwrap_or_default();
    println!(
        "{{\"cpu_ns\":{cpu},\"wall_ns\":{wall},\"bytes\":{bytes},\"stamps\":{stamps},\"p50_ns\":{p50},\"p99_ns\":{p99}}}"
    );
}

/// Makes all exchanges, with a task for each concurrent one, and returns the payload bytes.
async fn all<C, F>(
    client: &C,
    exchange: impl Fn(C, Work, Latency) -> F + Copy + 'static,
    work: Work,
    at_once: usize,
    count: usize,
    latency: &Latency,
) -> u64
where
    C: Clone + 'static,
    F: Future<Output = u64> + 'static,
{
    let left = Rc::new(Cell::new(count));
    let tasks = LocalSet::new();
    let handles: Vec<_> = (0..at_once)
        .map(|_| {
            let (left, client, latency) = (Rc::clone(&left), client.clone(), latency.clone());
            tasks.spawn_local(async move {
                let mut bytes = 0;
                while let Some(fewer) = left.get().checked_sub(1) {
                    left.set(fewer);
                    bytes += exchange(client.clone(), work, latency.clone()).await;
                }
                bytes
            })
        })
        .collect();
    tasks.await;
    let mut bytes = 0;
    for handle in handles {
        bytes += handle.await.unwrap();
    }
    bytes
}
