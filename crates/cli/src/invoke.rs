use crate::exit::Failure;

/// Call a function and write its whole answer to stdout
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments) -> Result<(), Failure> {
    Err(Failure::usage("not built yet"))
}
