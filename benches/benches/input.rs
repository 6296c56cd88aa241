//! Names and other input, compared with the service's own regular expressions in the `regex` crate.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, FunctionName, NameRules, Qualifier, TenantId, patterns,
};
use regex::{Captures, Regex, RegexBuilder};

const ARN: &str = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail-service:live";

/// The expression in its strictest and fastest form: anchored, `\d` as `[0-9]`, compiled once.
fn compiled(pattern: &str) -> Regex {
    RegexBuilder::new(&format!(r"\A(?:{pattern})\z"))
        .unicode(false)
        .build()
        .unwrap()
}

fn function_names(criterion: &mut Criterion) {
    let regex = compiled(patterns::FUNCTION_NAME_NEWEST);
    let longest = format!("{ARN:a<170}");
    let forms = [
        ("bare", "thumbnail"),
        ("qualified", "thumbnail-service:live"),
        ("partial_arn", "123456789012:function:thumbnail-service"),
        ("arn", ARN),
        ("arn_170", longest.as_str()),
    ];
    for (form, text) in forms {
        let mut group = criterion.benchmark_group(format!("input/function_name/{form}"));
        group.bench_function("ours", |bencher| {
            bencher.iter(|| FunctionName::try_from(black_box(text)).unwrap());
        });
        // Both have to return all parts.
        group.bench_function("ours_and_parts", |bencher| {
            bencher.iter(|| {
                let name = FunctionName::try_from(black_box(text)).unwrap();
                black_box((name.partition(), name.region(), name.account(), name.name()));
                black_box(name.qualifier());
            });
        });
        group.bench_function("regex_captures", |bencher| {
            bencher.iter(|| -> Captures<'_> { regex.captures(black_box(text)).unwrap() });
        });
        // The expression again, with capture slots that are allocated once.
        group.bench_function("regex_captures_read", |bencher| {
            let mut slots = regex.capture_locations();
            bencher.iter(|| {
                regex
                    .captures_read(&mut slots, black_box(text))
                    .unwrap()
                    .len()
            });
        });
        group.bench_function("regex_is_match", |bencher| {
            bencher.iter(|| regex.is_match(black_box(text)));
        });
        group.finish();
    }
}

fn generations(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("input/generation");
    let all = [
        ("published", NameRules::published()),
        ("newest", NameRules::newest()),
        ("recorded", NameRules::recorded()),
    ];
    for (name, rules) in all {
        group.bench_function(name, |bencher| {
            bencher.iter(|| FunctionName::parse_with(black_box(ARN), &rules).unwrap());
        });
    }
    group.finish();
}

fn rejections(criterion: &mut Criterion) {
    let regex = compiled(patterns::FUNCTION_NAME_NEWEST);
    let text = "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail-service:li!ve";
    let mut group = criterion.benchmark_group("input/rejected");
    // The project's error contains the offset and what was expected there; the expression merely
    // does not match.
    group.bench_function("ours_with_diagnosis", |bencher| {
        bencher.iter(|| FunctionName::try_from(black_box(text)).unwrap_err());
    });
    group.bench_function("regex_is_match", |bencher| {
        bencher.iter(|| regex.is_match(black_box(text)));
    });
    group.finish();
}

fn other_values(criterion: &mut Criterion) {
    let durable =
        "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:7/durable-execution/a/b";
    let context = ClientContext::from_json([b'x'; 150]).unwrap();
    let mut group = criterion.benchmark_group("input/values");
    macro_rules! against {
        ($name:literal, $parse:expr, $pattern:expr, $text:expr) => {
            let regex = compiled($pattern);
            group.bench_function(concat!($name, "/ours"), |bencher| {
                bencher.iter(|| $parse(black_box($text)).unwrap());
            });
            group.bench_function(concat!($name, "/regex_captures"), |bencher| {
                bencher.iter(|| -> Captures<'_> { regex.captures(black_box($text)).unwrap() });
            });
        };
    }
    against!(
        "qualifier",
        Qualifier::try_from,
        patterns::QUALIFIER_NEWEST,
        "live"
    );
    against!(
        "tenant_id",
        TenantId::try_from,
        patterns::TENANT_ID,
        "org=7 / blue@example"
    );
    against!(
        "durable_execution_arn",
        DurableExecutionArn::try_from,
        patterns::DURABLE_EXECUTION_ARN,
        durable
    );
    against!(
        "client_context_200",
        ClientContext::try_from,
        "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==)?|[A-Za-z0-9+/]{3}=?)?",
        context.as_base64()
    );
    group.finish();
}

criterion_group!(
    benches,
    function_names,
    generations,
    rejections,
    other_values
);
criterion_main!(benches);
