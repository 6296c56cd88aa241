//! Which process is killed or suspended, and when.

/// How far a function has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The function has been called, but has not responded.
    Called,
    /// The function has sent a part of its stream.
    Streaming,
    /// The function has sent all of its response, but has not returned.
    Sent,
}

impl Phase {
    pub const ALL: [Self; 3] = [Self::Called, Self::Streaming, Self::Sent];

    pub fn name(self) -> &'static str {
        match self {
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
    /// SIGSTOP, and SIGCONT after all timeouts of the caller.
    Suspend,
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
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
        }
    }
}

impl Death {
    /// Whether the call can succeed at all: the response may be complete before the process ends.
    pub fn may_succeed(&self) -> bool {
        match self.event {
            Event::Nothing => true,
            // A process that is resumed may still respond in time.
            Event::Suspend => true,
            // A function can finish its work without its supervisor.
            Event::Kill => self.victim == Victim::Instance,
        }
    }
}

/// All events.
pub fn deaths() -> Vec<(String, Death)> {
    let mut all = Vec::new();
    for language in [Language::Python, Language::Node] {
        let mut add = |event, victim: Victim, phase: Phase| {
            let what = match event {
                Event::Kill => "kill",
                Event::Suspend => "suspend",
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
        for phase in Phase::ALL {
            for victim in [Victim::Function, Victim::Instance, Victim::Endpoint] {
                add(Event::Kill, victim, phase);
            }
            for victim in [Victim::Function, Victim::Endpoint, Victim::Caller] {
                add(Event::Suspend, victim, phase);
            }
        }
    }
    all
}
