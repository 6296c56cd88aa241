//! Clocks that are wrong, or jump.

use crate::chaos::case::{Asked, Policy};

const HOUR: i64 = 3600;
/// More than the client corrects.
const TOO_FAR: i64 = 2 * 24 * HOUR;

/// How the clock of the client's process is wrong, in seconds: positive if it is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Jump {
    /// Before the jump, and during an earlier call.
    pub from: i64,
    /// After the jump.
    pub to: i64,
    pub when: When,
}

/// When the clock jumps. Its first call, before that, lets the client correct the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// Never, and there is no earlier call: the clock is wrong from the start.
    Start,
    /// Between two calls.
    Calls,
    /// Between two attempts, the first of which is rejected.
    Attempts,
    /// While the function runs: it has sent nothing, or a part of its stream.
    Running,
    /// At the same time, and the function never ends.
    Stalled,
}

impl When {
    fn name(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Calls => "calls",
            Self::Attempts => "attempts",
            Self::Running => "running",
            Self::Stalled => "stalled",
        }
    }
}

impl Jump {
    /// Whether a client with this policy can correct the clock: that takes another attempt.
    pub fn is_corrected(self, policy: Policy) -> bool {
        policy != Policy::None && self.to != TOO_FAR
    }

    /// Whether the fault can occur under this policy. The function must be called for it, with a request
    /// that is signed at the right time.
    pub fn applies(self, policy: Policy) -> bool {
        let is_running = matches!(self.when, When::Running | When::Stalled);
        !is_running || self.from == 0 || self.is_corrected(policy)
    }

    /// Whether the call must succeed.
    pub fn must_succeed(self, policy: Policy) -> bool {
        match self.when {
            When::Start | When::Calls => self.is_corrected(policy) || self.to == 0,
            When::Attempts => self.is_corrected(policy),
            // A response in time is accepted, whatever the clock shows when it arrives.
            When::Running => true,
            When::Stalled => false,
        }
    }

    /// Whether the call can succeed at all.
    pub fn may_succeed(self, asked: Asked, policy: Policy) -> bool {
        self.must_succeed(policy) || self.runs_again(asked, policy)
    }

    /// Whether the function may run more than once: nothing is known of the first attempt.
    pub fn runs_again(self, asked: Asked, policy: Policy) -> bool {
        self.when == When::Stalled && policy == Policy::AtLeastOnce && !asked.is_stream()
    }
}

/// Differences of the endpoint's clock: on the first connection, and on later ones.
pub fn differences() -> Vec<(String, [i64; 2])> {
    let all = [
        [HOUR, 0],
        [-HOUR, 0],
        [HOUR, -HOUR],
        [100_000, 0],
        [0, HOUR],
        [299, 301],
    ];
    let name = |[first, later]: [i64; 2]| format!("{first}-then-{later}");
    all.map(|both| (name(both), both)).into()
}

/// Whether a call must succeed in spite of a difference on the first connection: one that the service
/// accepts, or that a client with this policy corrects.
pub fn is_overcome(first: i64, policy: Policy) -> bool {
    const ACCEPTED: u64 = 300;
    const CORRECTED: u64 = 24 * HOUR.unsigned_abs();
    first.unsigned_abs() <= ACCEPTED || policy != Policy::None && first.unsigned_abs() <= CORRECTED
}

/// Jumps of the client's own clock.
pub fn jumps() -> Vec<(String, Jump)> {
    let mut all = Vec::new();
    let mut add = |when: When, from: i64, to: i64| {
        let name = format!("own-{}-{from}-then-{to}", when.name());
        all.push((name, Jump { from, to, when }));
    };
    for wrong in [HOUR, -HOUR, TOO_FAR] {
        add(When::Start, wrong, wrong);
    }
    for (from, to) in [
        (0, HOUR),
        (0, -HOUR),
        (HOUR, 0),
        (-HOUR, 0),
        (HOUR, -HOUR),
        (-HOUR, HOUR),
        (HOUR, HOUR + 600),
    ] {
        add(When::Calls, from, to);
    }
    for (from, to) in [(0, HOUR), (0, -HOUR), (0, 600), (HOUR, 0), (-HOUR, 0)] {
        add(When::Attempts, from, to);
    }
    for (from, to) in [(0, HOUR), (0, -HOUR), (HOUR, 0), (-HOUR, 0)] {
        add(When::Running, from, to);
        add(When::Stalled, from, to);
    }
    all
}
