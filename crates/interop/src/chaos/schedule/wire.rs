//! Damage at byte offsets of requests and responses.

use super::random::{choose, offsets};
use super::{Exchange, Extent, Lengths};
use crate::chaos::case::{
    Asked, Case, Connections, Damage, Direction, Moment, Over, Policy, Strike, Trouble, Waits,
};

/// Ranges of offsets end at a multiple of this. Lengths vary by a few bytes, with the digits of a
/// duration in the log, but a sample must be the same in the next run. A few offsets are therefore
/// past the end, where nothing is damaged.
const ROUND: u64 = 64;

/// All damaged connections.
pub fn cases(lengths: &Lengths, extent: Extent, seed: u64) -> Vec<Case> {
    let mut all = Vec::new();
    for over in Over::ALL {
        for asked in Asked::RUNNING {
            for policy in Policy::ALL {
                for on in [Connections::First, Connections::Pooled, Connections::Every] {
                    for direction in [Direction::Request, Direction::Response] {
                        group(
                            &mut all,
                            lengths,
                            extent,
                            seed,
                            (over, asked, policy, on, direction),
                        );
                    }
                }
            }
        }
    }
    all
}

type Group = (Over, Asked, Policy, Connections, Direction);

fn group(all: &mut Vec<Case>, lengths: &Lengths, extent: Extent, seed: u64, group: Group) {
    let (over, asked, policy, on, direction) = group;
    let exchange = lengths.of(over, asked, on);
    let end = (exchange.length(direction) + 4).next_multiple_of(ROUND);
    for damage in Damage::all(0) {
        let name = format!("wire/{}/{}/{}", over.name(), asked.name(), policy.name());
        let key = format!("{name}/{direction:?}/{}/{on:?}", damage.name());
        // Flipping bits on all connections tests no more than on one.
        if on == Connections::Every && matches!(damage, Damage::Flip(_)) {
            continue;
        }
        for at in offsets(end, extent.offsets(over, asked, on, damage), seed, &key) {
            let damage = match damage {
                Damage::Flip(_) => Damage::Flip((choose(seed, &format!("{key}@{at}")) % 8) as u8),
                other => other,
            };
            let strike = Strike {
                direction,
                at,
                damage,
                on,
            };
            all.push(Case {
                name: format!("{name}/{strike}"),
                asked,
                policy,
                trouble: Trouble::Wire { over, strike },
                waits: exchange.waits(strike),
            });
        }
    }
}

impl Exchange {
    fn length(&self, direction: Direction) -> u64 {
        match direction {
            Direction::Request => self.request,
            Direction::Response => self.response,
        }
    }

    /// What the caller waits for in vain after this damage.
    fn waits(&self, strike: Strike) -> Waits {
        let (at, head) = (strike.at, self.head);
        match (strike.damage, strike.direction) {
            (Damage::Close | Damage::Reset | Damage::HangUp, _) => Waits::ForBody,
            // The endpoint waits for the rest of a request, or the client for that of a head.
            (Damage::Flip(_), _) => Waits::ForHead,
            (Damage::Stall, Direction::Request) if at > self.request => Waits::ForBody,
            (Damage::Stall, Direction::Request) => Waits::ForHead,
            // Over TLS, the oracle sees no head.
            (Damage::Stall, Direction::Response) if head == 0 || at + ROUND < head => {
                Waits::ForHead
            }
            (Damage::Stall, Direction::Response) if at > head + ROUND => Waits::ForBody,
            (Damage::Stall, Direction::Response) => Waits::ForEither,
        }
    }
}

/// Callers that drop the call when a number of bytes has passed, or between two attempts.
pub fn drops(lengths: &Lengths, extent: Extent, seed: u64) -> Vec<Case> {
    let mut all = Vec::new();
    // The offsets within TLS are among those of the records that carry it.
    for over in [Over::Plain, Over::Tls] {
        for asked in Asked::OPERATIONS {
            for policy in Policy::ALL {
                let name = format!("drop/{}/{}/{}", over.name(), asked.name(), policy.name());
                let mut add = |name, moment| {
                    let trouble = Trouble::Drop { over, moment };
                    all.push(Case {
                        name,
                        asked,
                        policy,
                        waits: trouble.waits(),
                        trouble,
                    });
                };
                for direction in [Direction::Request, Direction::Response] {
                    let exchange = lengths.of(over, asked, Connections::First);
                    let end = exchange.length(direction).next_multiple_of(ROUND);
                    let key = format!("{name}/{direction:?}");
                    for at in offsets(end, extent.drops(), seed, &key) {
                        add(format!("{key}@{at}"), Moment::Bytes(direction, at));
                    }
                }
                // Only this policy makes another attempt.
                if policy == Policy::AtLeastOnce {
                    add(format!("{name}/retry"), Moment::Retry);
                }
            }
        }
    }
    all
}
