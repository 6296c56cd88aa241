//! Parsing an ARN into its parts, compared with the service's own regular expression.

use std::hint::black_box;

use lambda_invoke_benches::fixture::ARN;
use lambda_invoke_input::{FunctionName, patterns};
use regex::RegexBuilder;

use crate::contest::{Contender, Contest};

pub fn arn(contest: &Contest) {
    // The expression in its strictest and fastest form: anchored, `\d` as `[0-9]`, compiled once.
    let regex = RegexBuilder::new(&format!(r"\A(?:{})\z", patterns::FUNCTION_NAME_NEWEST))
        .unicode(false)
        .build()
        .unwrap();
    let mut slots = regex.capture_locations();
    let contenders = vec![
        Contender::new("ours", || {
            let name = FunctionName::parse(black_box(ARN)).unwrap();
            black_box((name.partition(), name.region(), name.account(), name.name()));
            black_box(name.qualifier());
        }),
        Contender::new("Regex::captures", || {
            black_box(regex.captures(black_box(ARN)).unwrap());
        }),
        Contender::new("Regex::captures_read", || {
            black_box(regex.captures_read(&mut slots, black_box(ARN)).unwrap());
        }),
    ];
    contest.group("arn", 1, contenders);
}
