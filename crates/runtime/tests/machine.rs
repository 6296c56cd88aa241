//! The state machine, compared with a naive model over arbitrary sequences of requests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // It is a test.

#[path = "../../testing/src/runtime/model.rs"]
mod model;

use model::{Step, run};
use proptest::prelude::*;

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => Just(Step::Poll),
        1 => Just(Step::CancelPoll),
        6 => (0_u8..6).prop_map(Step::Hand),
        6 => (0_u8..6, any::<Option<bool>>(), any::<Option<bool>>())
            .prop_map(|(id, echo, mode)| Step::Respond(id, echo, mode)),
        6 => (0_u8..6).prop_map(Step::End),
        1 => Just(Step::InitError),
        1 => Just(Step::Register),
        2 => (0_usize..12).prop_map(Step::ExtensionPoll),
        1 => Just(Step::Close),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_sequence_is_as_the_model_says(slots in 1_usize..4, steps in steps()) {
        run(slots, steps);
    }
}
