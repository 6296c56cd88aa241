//! Parsing an ARN into its parts, compared with the service's own regular expression.

use std::hint::black_box;

use lambda_invoke_input::{FunctionName, patterns};
use regex::RegexBuilder;

use super::{Contender, Group, OURS};
use crate::fixture::ARN;

fn parse(text: &'static str) -> impl FnMut() + 'static {
    move || {
        let name = FunctionName::try_from(black_box(text)).unwrap();
        black_box((name.partition(), name.region(), name.account(), name.name()));
        black_box(name.qualifier());
    }
}

pub(super) fn groups() -> Vec<Group> {
    let arn = Group::new("arn", 1, || {
        // The expression in its strictest and fastest form: anchored, `\d` as `[0-9]`, compiled once.
        let regex = RegexBuilder::new(&format!(r"\A(?:{})\z", patterns::FUNCTION_NAME_NEWEST))
            .unicode(false)
            .build()
            .unwrap();
        let (mut slots, other) = (regex.capture_locations(), regex.clone());
        vec![
            Contender::new(OURS, parse(ARN)),
            Contender::new("Regex::captures", move || {
                black_box(regex.captures(black_box(ARN)).unwrap());
            }),
            Contender::new("Regex::captures_read", move || {
                black_box(other.captures_read(&mut slots, black_box(ARN)).unwrap());
            }),
        ]
    });
    let bare = Group::new("name", 1, || {
        vec![Contender::new(OURS, parse("thumbnail-service"))]
    });
    vec![arn, bare]
}
