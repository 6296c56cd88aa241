//! Allocations an exchange through a bare client; see `bench_client_common::allocations`.

mod client;

use bench_client_common::signed;

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() {
    bench_client_common::allocations(
        ALLOCATOR,
        |url| (client::plain(), url.to_owned()),
        |(client, url), work| async move { client::drain(&client, signed(&url, work), |_| {}).await },
    );
}
