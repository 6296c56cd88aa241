//! Counts the allocations of an exchange.

use std::alloc::GlobalAlloc;
use std::future::Future;

use stats_alloc::{Region, StatsAlloc};

use crate::Work;

/// Runs `PROGRAM URL WORK` and prints the allocations and reallocations per exchange, after a warm-up,
/// as one line of JSON.
pub fn allocations<A: GlobalAlloc, C: Clone, F: Future<Output = u64>>(
    allocator: &StatsAlloc<A>,
    new: impl Fn(&str) -> C,
    exchange: impl Fn(C, Work) -> F,
) {
    const COUNT: usize = 200;
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, work] = args.as_slice() else {
        panic!("usage: PROGRAM URL WORK");
    };
    let work = Work::new(work);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = new(url);
        for _ in 0..20 {
            exchange(client.clone(), work).await;
        }
        let region = Region::new(allocator);
        for _ in 0..COUNT {
            exchange(client.clone(), work).await;
        }
        let stats = region.change();
        let count = (stats.allocations + stats.reallocations) as f64 / COUNT as f64;
        let bytes = (stats.bytes_allocated as f64) / COUNT as f64;
        println!("{{\"allocations\":{count},\"bytes\":{bytes}}}");
    });
}
