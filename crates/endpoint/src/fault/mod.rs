//! Fault injection: rules, their text form, and adapters that apply them to a call from the
//! outside, by wrapping its events, its messages, its body and its connection.

mod body;
mod chunks;
mod events;
mod messages;
mod parse;
mod plan;
mod reset;
mod rule;

pub use parse::FaultParseError;
pub(crate) use plan::{Plan, Rules, Target};
pub(crate) use reset::Resettable;
pub use rule::{Fault, FaultKind};
