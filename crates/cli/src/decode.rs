use crate::exit::Failure;

/// Show event-stream frames as JSON lines
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments) -> Result<(), Failure> {
    Err(Failure::usage("not built yet"))
}
