//! `lambda-invoke completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::exit::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  source <(lambda-invoke completions bash)
  lambda-invoke completions fish > ~/.config/fish/completions/lambda-invoke.fish";

/// Write a shell's completions for this program to stdout
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    shell: Shell,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let mut script = Vec::new();
    let mut command = crate::Arguments::command();
    clap_complete::generate(arguments.shell, &mut command, "lambda-invoke", &mut script);
    output::print(&script)
}
