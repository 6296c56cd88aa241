//! Parsing borrowed text allocates nothing, for any form that is accepted.
//!
//! Without the test harness: what its own thread allocates meanwhile would be counted as well.
#![allow(clippy::unwrap_used)]

use std::alloc::System;
use std::hint::black_box;

use lambda_invoke_input::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InvocationType, NameRules, Qualifier, RequestValidator, Target, TenantId,
};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let names = [
        "thumbnail",
        "thumbnail:live",
        "123456789012:function:thumbnail:$LATEST",
        "arn:aws:lambda:eu-west-1:123456789012:function:thumbnail",
        "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:thumbnail:$LATEST.PUBLISHED",
    ];
    let context = ClientContext::from_json([b'x'; 2_000]).unwrap();
    let arn = "arn:aws:lambda:eu-west-1:123456789012:function:f:7/durable-execution/order-1/0a1b";

    let region = Region::new(ALLOCATOR);
    for name in names {
        for rules in [
            NameRules::default(),
            NameRules::newest(),
            NameRules::recorded(),
        ] {
            let parsed = FunctionName::parse_with(name, &rules).unwrap();
            black_box((
                parsed.partition(),
                parsed.region(),
                parsed.account(),
                parsed.name(),
            ));
            black_box(parsed.qualifier().map(|qualifier| qualifier.kind()));
        }
        let target = Target::new(FunctionName::try_from(name).unwrap(), None).unwrap();
        black_box(target.effective_qualifier());
        black_box(
            RequestValidator::new()
                .function_name(name)
                .qualifier("live")
                .validate(&NameRules::recorded()),
        )
        .unwrap();
    }
    black_box(Qualifier::try_from("live").unwrap());
    black_box(TenantId::try_from("org=7 / blue@example").unwrap());
    black_box(DurableExecutionName::try_from("order-1").unwrap());
    black_box(ExecutedVersion::try_from("$LATEST").unwrap());
    black_box(DurableExecutionArn::try_from(arn).unwrap().function());
    black_box(ClientContext::try_from(context.as_base64()).unwrap());
    black_box("Event".parse::<InvocationType>().unwrap());
    let counted = region.change();
    assert_eq!(
        (counted.allocations, counted.reallocations),
        (0, 0),
        "{counted:?}"
    );

    // To show that the counter works: an owned copy takes one allocation.
    let region = Region::new(ALLOCATOR);
    black_box(FunctionName::try_from(names[0]).unwrap().into_owned());
    assert_eq!(region.change().allocations, 1);
}
