//! All cases, or a sample that a seed chooses.

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
use super::case::{Asked, Case, Connections, Damage, Direction, Over, Policy, Trouble};

/// How many cases are tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// A sample that takes less than two minutes.
    Quick,
    /// Every offset.
    Full,
}

impl Extent {
    fn offsets(self, on: Connections, damage: Damage) -> Option<u64> {
        match (self, on) {
            // Fewer, since a stalled connection takes as long as a timeout.
            (Self::Quick, Connections::First) if damage == Damage::Stall => Some(6),
            (Self::Quick, Connections::First) => Some(24),
            (Self::Quick, Connections::Pooled) => Some(6),
            (Self::Quick, Connections::Every) => Some(2),
            (Self::Full, Connections::First | Connections::Pooled) => None,
            (Self::Full, Connections::Every) => Some(60),
        }
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

/// How many bytes pass in an undisturbed exchange.
#[derive(Clone, Debug, Default)]
pub struct Lengths(HashMap<(&'static str, Asked), [u64; 4]>);

impl Lengths {
    /// Records the number of bytes of a connection's first request and response, including the TLS
    /// handshake, and of the second ones.
    pub fn note(&mut self, over: Over, asked: Asked, first: (u64, u64), second: (u64, u64)) {
        let lengths = [first.0, first.1, second.0, second.1];
        self.0.insert((over.name(), asked), lengths);
    }

    fn of(&self, over: Over, asked: Asked, direction: Direction, pooled: bool) -> u64 {
        let lengths = self
            .0
            .get(&(over.name(), asked))
            .copied()
            .unwrap_or_default();
        lengths[2 * usize::from(pooled) + usize::from(direction == Direction::Response)]
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
        all.extend(errors.into_iter().enumerate().filter_map(|(nth, case)| {
            let chosen = choose(seed, &format!("errors/{}", nth / Policy::ALL.len())) as usize;
            let is_chosen = chosen % Policy::ALL.len() == nth % Policy::ALL.len();
            (extent == Extent::Full || is_chosen).then_some(case)
        }));
    }
    for (name, obstacle) in connect::obstacles() {
        all.extend(per_policy(
            "connect",
            &name,
            Asked::OPERATIONS,
            Trouble::Connect(obstacle),
        ));
    }
    for (name, death) in processes::deaths() {
        let asked = Asked::OPERATIONS;
        let cases = per_policy("process", &name, asked, Trouble::Process(death));
        let policies = match extent {
            Extent::Quick => 1,
            Extent::Full => 3,
        };
        all.extend(
            cases
                .into_iter()
                .filter(|case| Policy::ALL[..policies].contains(&case.policy)),
        );
    }
    for (first, later) in [
        (3600, 0),
        (-3600, 0),
        (3600, -3600),
        (100_000, 0),
        (0, 3600),
        (299, 301),
    ] {
        let name = format!("{first}-then-{later}");
        let trouble = Trouble::Clock { first, later };
        all.extend(per_policy("clock", &name, Asked::OPERATIONS, trouble));
    }
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
