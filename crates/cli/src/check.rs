use crate::exit::Failure;

/// Explain a function's name, or say what is wrong with it and where
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

pub(crate) fn run(_arguments: Arguments) -> Result<(), Failure> {
    Err(Failure::usage("not built yet"))
}
