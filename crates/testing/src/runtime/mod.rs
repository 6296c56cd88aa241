//! Properties of the runtime's state machine.

// Shared with the tests of `runtime`.
mod model;

use model::{Step, run};

/// The state machine allows what a naive model allows, for any sequence of requests.
///
/// The first byte is the number of invocations that may run at the same time; each two bytes after it
/// are a request.
pub fn machine(data: &[u8]) {
    let Some((slots, rest)) = data.split_first() else {
        return;
    };
    let steps = rest.chunks_exact(2).map(|pair| step(pair[0], pair[1]));
    // The model is slow over long sequences, which show nothing new.
    run(usize::from(slots % 4) + 1, steps.take(500).collect());
}

fn step(kind: u8, detail: u8) -> Step {
    let id = detail % 6;
    // Absent, wrong, right.
    let choice = |number: u8| (number % 3).checked_sub(1).map(|right| right == 1);
    match kind % 9 {
        0 => Step::Poll,
        1 => Step::Hand(id),
        2 => Step::Respond(id, choice(detail / 6), choice(detail / 18)),
        3 => Step::End(id),
        4 => Step::CancelPoll,
        5 => Step::InitError,
        6 => Step::Register,
        7 => Step::ExtensionPoll(usize::from(detail % 12)),
        _ => Step::Close,
    }
}
