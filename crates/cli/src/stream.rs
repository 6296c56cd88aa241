use crate::exit::Failure;

/// Stream a function's answer to stdout, as it arrives
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments) -> Result<(), Failure> {
    Err(Failure::usage("not built yet"))
}
