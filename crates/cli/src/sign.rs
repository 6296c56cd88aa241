use crate::exit::Failure;

/// Sign a request and show it
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments) -> Result<(), Failure> {
    Err(Failure::usage("not built yet"))
}
