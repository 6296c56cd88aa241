//! The consumer that discards a response, for events.

use super::execution::{Execution, Next};
use super::running::Outcome;

/// Runs a function to its end and discards its response.
pub(crate) async fn discard(mut execution: Execution) -> Outcome {
    execution.discard();
    loop {
        if let Next::End(outcome) = execution.next().await {
            return outcome;
        }
    }
}
