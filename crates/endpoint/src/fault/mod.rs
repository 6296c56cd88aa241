//! Fault injection: rules, their text form, and their effect on one call.

mod body;
mod parse;
mod plan;
mod rule;

pub(crate) use body::FaultyBody;
pub use parse::FaultParseError;
pub(crate) use plan::{Plan, Rules};
pub use rule::{Fault, FaultKind};
