//! Which process is killed or suspended, and when.

use crate::chaos::case::{Asked, Policy};

/// How far a function has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The instance is starting, for this call: the function's module is being loaded.
    Starting,
    /// The instance has started and waits for a call, and so does the caller's connection.
    Idle,
    /// The function has been called, but has not responded.
    Called,
    /// The function has sent a part of its stream.
    Streaming,
    /// The function has sent all of its response, but has not returned.
    Sent,
}

impl Phase {
    /// The phases of a running function.
    pub const RUNNING: [Self; 3] = [Self::Called, Self::Streaming, Self::Sent];
    /// The phases in which the function does not run yet.
    pub const WAITING: [Self; 2] = [Self::Starting, Self::Idle];

    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Idle => "idle",
            Self::Called => "called",
            Self::Streaming => "streaming",
            Self::Sent => "sent",
        }
    }
}

/// The process that is killed or suspended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The function's own process.
    Function,
    /// The function's parent process, which supervises the instance.
    Instance,
    /// The endpoint's process.
    Endpoint,
    /// The caller's process: only in [`Event::Suspend`], since a killed caller expects no response.
    Caller,
}

impl Victim {
    pub fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Instance => "instance",
            Self::Endpoint => "endpoint",
            Self::Caller => "caller",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// SIGKILL.
    Kill,
    /// SIGSTOP, and SIGCONT after the timeouts for the first byte and between two chunks.
    Suspend,
    /// The same, where the only timeout is that of the whole call.
    SuspendInTotal,
    /// Nothing: the same function and runtime, undisturbed.
    Nothing,
}

/// What happens to a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Death {
    pub event: Event,
    pub victim: Victim,
    pub phase: Phase,
    /// The function's language.
    pub language: Language,
}

/// The language of a real function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Python,
    Node,
}

impl Language {
    pub const ALL: [Self; 2] = [Self::Python, Self::Node];

    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
        }
    }
}

impl Death {
    /// Whether the call can succeed at all: the response may be complete before the process ends.
    pub fn may_succeed(&self, policy: Policy) -> bool {
        match self.event {
            Event::Nothing => true,
            // A process that is resumed may still respond in time.
            Event::Suspend | Event::SuspendInTotal => !self.must_time_out(policy),
            // A function can finish its work without its supervisor. An instance that ends before it is
            // called is replaced.
            Event::Kill => {
                self.victim == Victim::Instance
                    || self.victim == Victim::Function && !self.has_started()
            }
        }
    }

    /// Whether a timeout must end the call: nothing responds while the function or the endpoint is suspended,
    /// for longer than the timeouts. Another attempt may find it resumed, but not within the total timeout of
    /// a call that has no other.
    pub fn must_time_out(&self, policy: Policy) -> bool {
        let is_awaited = match self.victim {
            // One that is suspended before it has asked for the next call is not idle, and another
            // instance starts.
            Victim::Function => matches!(self.phase, Phase::Called | Phase::Streaming),
            Victim::Endpoint => {
                matches!(self.phase, Phase::Idle | Phase::Called | Phase::Streaming)
            }
            Victim::Instance | Victim::Caller => false,
        };
        match self.event {
            Event::Suspend => is_awaited && policy != Policy::AtLeastOnce,
            Event::SuspendInTotal => is_awaited,
            Event::Kill | Event::Nothing => false,
        }
    }

    /// Whether the call must succeed. A supervisor has no part in a call, so none waits for one that is
    /// suspended; how long the instance takes to start depends on the machine.
    pub fn must_succeed(&self) -> bool {
        match self.event {
            Event::Nothing => true,
            Event::Suspend => self.victim == Victim::Instance && self.phase != Phase::Starting,
            Event::Kill | Event::SuspendInTotal => false,
        }
    }

    /// Whether the function runs when this happens.
    pub fn has_started(&self) -> bool {
        !Phase::WAITING.contains(&self.phase)
    }

    /// Whether the caller has the head of the response by then. An endpoint that is killed may take a
    /// head with it that the caller has not read yet.
    pub fn is_in_response(&self, asked: Asked) -> bool {
        asked.is_stream()
            && self.event == Event::Kill
            && self.victim != Victim::Endpoint
            && matches!(self.phase, Phase::Streaming | Phase::Sent)
    }

    /// Whether a quick run has this, too: with one of two languages and operations.
    pub fn is_quick(&self, asked: Asked) -> bool {
        let is_usual = self.has_started()
            && self.event != Event::SuspendInTotal
            && !(self.event == Event::Suspend && self.victim == Victim::Instance);
        is_usual || self.language == Language::Python && asked == Asked::Stream
    }
}

/// All events.
pub fn deaths() -> Vec<(String, Death)> {
    let mut all = Vec::new();
    for language in Language::ALL {
        let mut add = |event, victim: Victim, phase: Phase| {
            let what = match event {
                Event::Kill => "kill",
                Event::Suspend => "suspend",
                Event::SuspendInTotal => "suspend-in-total",
                Event::Nothing => "undisturbed",
            };
            let name = format!(
                "{}/{what}-{}-{}",
                language.name(),
                victim.name(),
                phase.name()
            );
            let death = Death {
                event,
                victim,
                phase,
                language,
            };
            all.push((name, death));
        };
        add(Event::Nothing, Victim::Function, Phase::Called);
        for phase in Phase::WAITING.into_iter().chain(Phase::RUNNING) {
            for victim in [Victim::Function, Victim::Instance, Victim::Endpoint] {
                add(Event::Kill, victim, phase);
            }
            for victim in [Victim::Function, Victim::Instance, Victim::Endpoint] {
                add(Event::Suspend, victim, phase);
            }
        }
        for phase in Phase::RUNNING {
            add(Event::Suspend, Victim::Caller, phase);
        }
        for victim in [Victim::Function, Victim::Endpoint, Victim::Caller] {
            add(Event::SuspendInTotal, victim, Phase::Called);
        }
    }
    all
}
