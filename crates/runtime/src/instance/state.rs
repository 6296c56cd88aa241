//! What an instance knows: its machine, the requests that wait, and the calls that run.

use std::time::{Duration, Instant};

use super::call::Call;
use super::log::Log;
use super::polls::Polls;
use crate::Failure;
use crate::api::{Machine, PollId};
use crate::process::Memory;

pub(super) struct State {
    pub(super) machine: Machine,
    pub(super) polls: Polls,
    pub(super) next_poll: PollId,
    #[expect(
        clippy::vec_box,
        reason = "the calls are already boxed, and moving them would be expensive"
    )]
    pub(super) calls: Vec<Box<Call>>,
    pub(super) started: Instant,
    pub(super) init_duration: Option<Duration>,
    pub(super) init_failure: Option<Failure>,
    pub(super) init_log: Log,
    /// When the instance is ended if the runtime and its extensions have not asked for an event by then.
    pub(super) settle: Option<Instant>,
    /// Whether the runtime has asked for an event since its last invocation.
    pub(super) asked: bool,
    /// The deadline that the instance's task waits for.
    pub(super) armed: Option<Instant>,
    pub(super) memory: Option<Memory>,
    /// Whether the instance's task looks at the memory while invocations run.
    pub(super) samples: bool,
    pub(super) nonce: u128,
    /// Whether the instance has received an invocation.
    pub(super) served: bool,
    /// Why the instance is being ended, as reported to extensions.
    pub(super) ending: Option<&'static str>,
    /// Whether the runtime has asked for an event.
    pub(super) ready: bool,
    pub(super) retired: bool,
    pub(super) stopped: bool,
}

impl State {
    pub(super) fn new(multi_concurrency: usize, nonce: u128) -> Self {
        Self {
            machine: Machine::new(multi_concurrency),
            polls: Polls::default(),
            next_poll: 0,
            calls: Vec::new(),
            started: Instant::now(),
            init_duration: None,
            init_failure: None,
            init_log: Log::default(),
            settle: None,
            asked: false,
            armed: None,
            memory: None,
            samples: false,
            nonce,
            served: false,
            ending: None,
            ready: false,
            retired: false,
            stopped: false,
        }
    }

    /// Whether nothing runs, and nothing can until the runtime or an extension asks for an event.
    pub(super) fn is_held_up(&self) -> bool {
        self.machine.running() == 0 && self.machine.has_room() && !self.machine.can_take()
    }
}
