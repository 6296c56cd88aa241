//! All cases, or a sample that a seed chooses.

pub mod clock;
pub mod connect;
pub mod errors;
pub mod frames;
pub mod processes;
pub mod random;
pub mod scripts;
pub mod text;
pub mod wire;

use std::collections::HashMap;

use self::random::choose;
use self::scripts::Named;
use super::case::{Asked, Case, Connections, Damage, Over, Policy, Trouble};

/// How many cases are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A sample that takes less than two minutes.
    Quick,
    /// Every offset.
    Full,
}

impl Extent {
    fn offsets(self, over: Over, asked: Asked, on: Connections, damage: Damage) -> Option<u64> {
        match (self, on) {
            // To the client, what TLS carries is the same as plain HTTP; another end of the connection
            // is not.
            (Self::Quick, on) if over == Over::Inside => {
                Some(if on == Connections::First { 4 } else { 0 })
            }
            (Self::Full, Connections::Pooled | Connections::Every) if over == Over::Inside => {
                Some(20)
            }
            // The smaller number divides the larger one, so that the one sample contains the other.
            (Self::Quick, Connections::First) if asked.is_long() => Some(4),
            (Self::Full, Connections::First) if asked.is_long() => Some(100),
            (Self::Full, Connections::Pooled) if asked.is_long() => Some(20),
            (_, Connections::Pooled | Connections::Every) if asked.is_long() => Some(0),
            // Fewer, since a stalled connection takes as long as a timeout.
            (Self::Quick, Connections::First) if damage == Damage::Stall => Some(6),
            (Self::Quick, Connections::First) => Some(24),
            (Self::Quick, Connections::Pooled) => Some(6),
            (Self::Quick, Connections::Every) => Some(2),
            (Self::Full, Connections::First | Connections::Pooled) => None,
            (Self::Full, Connections::Every) => Some(60),
        }
    }

    /// All of these cases, which come in groups of one for each policy, or one of each group.
    fn of_policies(self, seed: u64, cases: Vec<Case>) -> impl Iterator<Item = Case> {
        let policies = Policy::ALL.len();
        cases
            .into_iter()
            .enumerate()
            .filter_map(move |(nth, case)| {
                let group = format!("{}/{}", case.section(), nth / policies);
                let is_chosen = choose(seed, &group) as usize % policies == nth % policies;
                (self == Self::Full || is_chosen).then_some(case)
            })
    }

    fn drops(self) -> Option<u64> {
        match self {
            Self::Quick => Some(24),
            Self::Full => None,
        }
    }

    fn million(self) -> u64 {
        match self {
            Self::Quick => frames::MILLION / 10,
            Self::Full => frames::MILLION,
        }
    }
}

/// How many bytes pass in undisturbed exchanges.
#[derive(Clone, Debug, Default)]
pub struct Lengths(HashMap<(&'static str, Asked), [Exchange; 2]>);

/// How many bytes pass in an undisturbed exchange.
#[derive(Clone, Copy, Debug, Default)]
pub struct Exchange {
    pub request: u64,
    pub response: u64,
    /// Up to the end of the response's head; 0 over TLS, where heads cannot be told from bodies.
    pub head: u64,
}

impl Lengths {
    /// Records a connection's first exchange, including the TLS handshake, and its second one.
    pub fn note(&mut self, over: Over, asked: Asked, exchanges: [Exchange; 2]) {
        self.0.insert((over.name(), asked), exchanges);
    }

    fn of(&self, over: Over, asked: Asked, on: Connections) -> Exchange {
        let exchanges = self.0.get(&(over.name(), asked));
        exchanges.copied().unwrap_or_default()[usize::from(on == Connections::Pooled)]
    }
}

/// Lists the cases.
pub fn cases(lengths: &Lengths, extent: Extent, seed: u64) -> Vec<Case> {
    let mut all = undisturbed();
    all.extend(wire::cases(lengths, extent, seed));
    all.extend(wire::drops(lengths, extent, seed));
    for asked in [
        Asked::Invoke,
        Asked::Stream,
        Asked::Event,
        Asked::DryRun,
        Asked::StreamDryRun,
    ] {
        all.extend(scripted("response", asked, scripts::scripts(asked)));
    }
    let frames = frames::scripts(extent.million());
    all.extend(scripted("frames", Asked::Stream, frames));
    for asked in Asked::OPERATIONS {
        let errors = scripted("errors", asked, errors::scripts());
        // Each error in each form, under one policy that the seed chooses or under all policies.
        all.extend(extent.of_policies(seed, errors));
    }
    for (name, obstacle) in connect::obstacles() {
        all.extend(per_policy(
            "connect",
            &name,
            Asked::OPERATIONS,
            Trouble::Connect(obstacle),
        ));
    }
    for stage in connect::Stage::ALL {
        let (name, trouble) = (stage.name(), Trouble::Abandon(stage));
        all.extend(per_policy("drop", name, Asked::OPERATIONS, trouble));
    }
    for (name, death) in processes::deaths() {
        let asked = Asked::OPERATIONS;
        let cases = per_policy("process", &name, asked, Trouble::Process(death));
        all.extend(cases.into_iter().filter(|case| match extent {
            Extent::Quick => case.policy == Policy::Default && death.is_quick(case.asked),
            Extent::Full => true,
        }));
    }
    for (name, [first, later]) in clock::differences() {
        let trouble = Trouble::Clock { first, later };
        all.extend(per_policy("clock", &name, Asked::OPERATIONS, trouble));
    }
    let jumps = clock::jumps().into_iter().flat_map(|(name, jump)| {
        per_policy("clock", &name, Asked::OPERATIONS, Trouble::Jump(jump))
    });
    let applies = |case: &Case| match case.trouble {
        Trouble::Jump(jump) => jump.applies(case.policy),
        _ => true,
    };
    let jumps = extent.of_policies(seed, jumps.collect());
    all.extend(jumps.filter(applies));
    all
}

fn undisturbed() -> Vec<Case> {
    let mut all = Vec::new();
    for over in Over::ALL {
        for asked in Asked::RUNNING {
            let trouble = Trouble::None { over };
            all.extend(per_policy("undisturbed", over.name(), [asked], trouble));
        }
    }
    all
}

fn per_policy(
    section: &str,
    name: &str,
    asked: impl IntoIterator<Item = Asked>,
    trouble: Trouble,
) -> Vec<Case> {
    let mut all = Vec::new();
    for asked in asked {
        for policy in Policy::ALL {
            all.push(Case {
                name: format!("{section}/{}/{}/{name}", asked.name(), policy.name()),
                asked,
                policy,
                waits: trouble.waits(),
                trouble: trouble.clone(),
            });
        }
    }
    all
}

fn scripted(section: &str, asked: Asked, scripts: Vec<Named>) -> Vec<Case> {
    let cases = scripts
        .into_iter()
        .flat_map(|(name, script)| per_policy(section, &name, [asked], Trouble::Script(script)));
    cases.collect()
}
