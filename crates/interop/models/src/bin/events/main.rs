//! The endpoint's event queue: `endpoint/src/event`, without the code that runs a function or writes a dead
//! letter.

extern crate lambda_invoke_models as tokio;

mod event;
mod function;
mod run;

use event::models::*;
use lambda_invoke_models::check;

fn main() {
    check!(None;
        no_more_events_are_accepted_than_the_queue_holds,
        no_more_bytes_are_accepted_than_the_queue_holds,
        all_events_of_a_call_are_accepted_or_none,
    );
    check!(Some(2);
        every_accepted_event_is_started,
        an_event_that_failed_is_started_again,
        an_event_that_was_throttled_is_started_again,
        the_event_of_a_worker_that_leaves_is_started_by_another,
    );
    check!(Some(4);
        an_event_is_accepted_or_rejected_while_the_queue_closes,
        an_event_that_fails_while_the_queue_closes_ends_once,
        an_event_that_a_program_cannot_take_while_the_queue_closes_ends_once,
        a_dead_letter_takes_the_place_of_its_event_while_the_queue_closes,
        an_event_that_is_dropped_while_the_queue_closes_is_lost_once,
    );
}
