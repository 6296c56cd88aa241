//! Load through lambda-invoke; see `bench_client_common::load`.

mod client;

fn main() {
    bench_client_common::load(client::new, |client, work, latency| async move {
        match work.function() {
            None => client::invoke(&client).await,
            Some(name) => client::stream(&client, name, |bytes| latency.seen(bytes)).await,
        }
    });
}
