//! Which process is killed or suspended, and when.

/// Where a function is in its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It has been called, and has not responded.
    Called,
    /// It has sent a part of its stream.
    Streaming,
    /// It has sent all of its response, and has not returned.
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

/// The process that it happens to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The function's process itself.
    Function,
    /// Its parent: what supervises the instance.
    Instance,
    /// The endpoint.
    Endpoint,
    /// The caller: in [`Event::Suspend`] only, since a caller that is dead asks for nothing.
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
    /// Nothing: the function of the same runtime without a fault.
    Nothing,
}

/// An event in the life of a process.
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
    /// Whether a success is possible at all: the response may be complete before the end.
    pub fn may_succeed(&self) -> bool {
        match self.event {
            Event::Nothing => true,
            // A process that continues may still respond in time.
            Event::Suspend => true,
            // A function may end its work without what supervises it.
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
