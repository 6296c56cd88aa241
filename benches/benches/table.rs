//! Every group of the table under criterion. Groups are selected by name: `cargo bench --bench
//! table -- decode`.

use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use lambda_invoke_benches::table::{Measure, groups};

/// Wall time, as criterion measures.
#[derive(Default)]
struct Wall(Duration);

impl Measure for Wall {
    fn around(&mut self, work: &mut dyn FnMut()) {
        let start = Instant::now();
        work();
        self.0 += start.elapsed();
    }
}

fn all(criterion: &mut Criterion) {
    for group in groups() {
        if group.is_curve() {
            continue;
        }
        let mut criterion_group = criterion.benchmark_group(&group.name);
        criterion_group.throughput(Throughput::Elements(group.each as u64));
        for contender in group.contenders() {
            let name = BenchmarkId::from_parameter(contender.name);
            let mut contender = contender;
            criterion_group.bench_function(name, |bencher| {
                bencher.iter_custom(|count| {
                    let mut wall = Wall::default();
                    contender.run(count as usize, &mut wall);
                    wall.0
                });
            });
        }
        criterion_group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
