//! Allocations per exchange through a bare client; see `bench_client_common::allocations`.

mod client;

use std::cell::OnceCell;
use std::rc::Rc;

use bench_client_common::signed;

#[global_allocator]
static ALLOCATOR: &stats_alloc::StatsAlloc<std::alloc::System> = &stats_alloc::INSTRUMENTED_SYSTEM;

fn main() {
    bench_client_common::allocations(
        ALLOCATOR,
        |url| {
            (
                client::plain(),
                url.to_owned(),
                Rc::<OnceCell<_>>::default(),
            )
        },
        |(client, url, request), work| async move {
            // Signed once, during the warm-up.
            let request = request.get_or_init(|| signed(&url, work)).clone();
            client::drain(&client, request, |_| {}).await
        },
    );
}
