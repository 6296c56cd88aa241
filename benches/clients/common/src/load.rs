//! Makes a number of exchanges at a given concurrency, and measures them.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use tokio::runtime::{Builder, Runtime};

use crate::{Latency, Work};

/// Runs `PROGRAM URL WORK AT_ONCE COUNT` and prints one line of JSON: the CPU time and the wall
/// time of the exchanges, the payload bytes, and the ages of stamped chunks or the durations of
/// buffered calls.
///
/// Connections are opened and warmed up before the clocks start. In the environment, `BENCH_CA` is
/// the certificate authority to trust, and `BENCH_THREADS` the number of threads, which share one
/// client.
///
/// For the work `hold`, memory is measured as well: the resident bytes that the open streams and
/// their connections need. Its CPU time includes that of opening the connections.
pub fn load<C, F>(
    new: impl Fn(&str, Option<&str>) -> C,
    exchange: impl Fn(C, Work, Latency) -> F + Copy + Send + 'static,
) where
    C: Clone + Send + 'static,
    F: Future<Output = u64> + Send + 'static,
{
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, work, at_once, count] = args.as_slice() else {
        panic!("usage: PROGRAM URL WORK AT_ONCE COUNT");
    };
    let hold = work == "hold";
    let work = Work::new(work);
    let (at_once, count): (usize, usize) = (at_once.parse().unwrap(), count.parse().unwrap());
    let runtime = runtime();
    let ca = std::env::var("BENCH_CA").ok();
    let client = runtime.block_on(async { new(url, ca.as_deref()) });
    let many = |work, count, latency: &Latency| {
        runtime.block_on(all(client.clone(), exchange, work, at_once, count, latency))
    };
    let latency = Latency::default();
    if hold {
        // The first exchange loads what any stream needs: code, tables, the certificate.
        runtime.block_on(exchange(
            client.clone(),
            Work::new("small"),
            Latency::default(),
        ));
        let (before, seen) = (resident(), latency.clone());
        let sampled = std::thread::spawn(move || {
            let start = Instant::now();
            while seen.count() < at_once {
                assert!(
                    start.elapsed() < Duration::from_secs(30),
                    "not all streams opened"
                );
                std::thread::sleep(Duration::from_millis(10));
            }
            resident()
        });
        let cpu = ProcessTime::now();
        many(work, at_once, &latency);
        let cpu = cpu.elapsed().as_nanos();
        let bytes = sampled.join().unwrap().saturating_sub(before);
        println!("{{\"resident\":{bytes},\"cpu_ns\":{cpu}}}");
        return;
    }
    let warm_up = match work.function() {
        None => work,
        Some(_) => Work::new("small"),
    };
    many(warm_up, 4 * at_once, &Latency::default());
    let (cpu, wall) = (ProcessTime::now(), Instant::now());
    let bytes = many(work, count, &latency);
    let (cpu, wall) = (cpu.elapsed().as_nanos(), wall.elapsed().as_nanos());
    let (stamps, p50, p99) = latency.summary().unwrap_or_default();
    println!(
        "{{\"cpu_ns\":{cpu},\"wall_ns\":{wall},\"bytes\":{bytes},\"stamps\":{stamps},\"p50_ns\":{p50},\"p99_ns\":{p99}}}"
    );
}

/// A runtime on this thread, or with as many threads as `BENCH_THREADS` says.
fn runtime() -> Runtime {
    let threads = std::env::var("BENCH_THREADS").ok();
    let mut builder = match threads.map(|threads| threads.parse().unwrap()) {
        None | Some(1) => Builder::new_current_thread(),
        Some(threads) => {
            let mut builder = Builder::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    };
    builder.enable_all().build().unwrap()
}

/// The resident memory of this process in bytes.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.unwrap().trim().trim_end_matches(" kB");
    kib.parse::<u64>().unwrap() * 1024
}

/// Makes all exchanges, with one task per concurrent exchange, and returns the number of payload
/// bytes.
async fn all<C, F>(
    client: C,
    exchange: impl Fn(C, Work, Latency) -> F + Copy + Send + 'static,
    work: Work,
    at_once: usize,
    count: usize,
    latency: &Latency,
) -> u64
where
    C: Clone + Send + 'static,
    F: Future<Output = u64> + Send + 'static,
{
    let left = Arc::new(AtomicUsize::new(count));
    let handles: Vec<_> = (0..at_once)
        .map(|_| {
            let (left, client, latency) = (Arc::clone(&left), client.clone(), latency.clone());
            tokio::spawn(async move {
                let mut bytes = 0;
                let fewer = |left: usize| left.checked_sub(1);
                let (set, get) = (Ordering::Relaxed, Ordering::Relaxed);
                while left.fetch_update(set, get, fewer).is_ok() {
                    let start = work.function().is_none().then(Instant::now);
                    bytes += exchange(client.clone(), work, latency.clone()).await;
                    if let Some(start) = start {
                        latency.note(start.elapsed());
                    }
                }
                bytes
            })
        })
        .collect();
    let mut bytes = 0;
    for handle in handles {
        bytes += handle.await.unwrap();
    }
    bytes
}
