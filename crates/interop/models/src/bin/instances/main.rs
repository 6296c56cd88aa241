//! The pool of a program's instances: `runtime/src/pool`, and the part of `runtime/src/instance` that takes
//! calls and ends them. In place of a process and its requests there is a thread that asks for an event,
//! responds, or ends.

#![allow(
    dead_code,
    unused_imports,
    reason = "not all of the included files is checked"
)]
#![allow(
    unfulfilled_lint_expectations,
    reason = "the included files expect lints of their workspace"
)]

extern crate lambda_invoke_models as tokio;

#[path = "../../../../../runtime/src/api/mod.rs"]
mod api;
#[path = "../../../../../runtime/src/error.rs"]
mod error;
#[path = "../../../../../runtime/src/event.rs"]
mod event;
#[path = "../../../../../runtime/src/failure.rs"]
mod failure;
mod instance;
#[path = "../../../../../runtime/src/limits.rs"]
mod limits;
#[path = "../../../../../runtime/src/log_line.rs"]
mod log_line;
mod models;
#[path = "../../../../../runtime/src/pool/mod.rs"]
mod pool;
mod process;
mod program;
#[path = "../../../../../runtime/src/response.rs"]
mod response;
#[path = "../../../../../runtime/src/trace/off.rs"]
mod trace;

use error::InvokeError;
use event::Event;
use failure::{Failure, FailureKind, Outcome};
use lambda_invoke_models::check;
use log_line::LogLine;
use loom::sync;
use models::*;
use program::Program;
use response::{Head, Report, Response};

fn main() {
    check!(Some(2);
        two_calls_share_an_instance_one_after_the_other,
    );
    check!(Some(1);
        no_more_instances_run_than_a_pool_allows,
        a_call_that_waits_gets_a_new_instance_when_one_does_not_start,
        a_call_that_waits_gets_a_new_instance_when_one_ends_idle,
        a_call_that_waits_gets_a_new_instance_when_one_ends_running,
        a_call_that_waits_gets_the_place_of_another_tenant,
        a_call_that_is_dropped_takes_no_instance_with_it,
    );
    check!(Some(3);
        a_call_that_is_dropped_before_its_instance_has_started_is_passed_over,
        a_pool_that_closes_ends_every_call_and_every_instance,
        an_instance_that_is_replaced_loses_no_call,
    );
}
