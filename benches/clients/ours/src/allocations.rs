//! Allocations per exchange through lambda-invoke; see `bench_client_common::allocations`.

mod client;

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() {
    bench_client_common::allocations(
        ALLOCATOR,
        |url| client::new(url, None),
        |client, work| async move {
            match work.function() {
                None => client::invoke(&client).await,
                Some(name) => client::stream(&client, name, |_| {}).await,
            }
        },
    );
}
