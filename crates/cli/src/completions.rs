//! `lambda-invoke completions`.

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::exit::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  source <(lambda-invoke completions bash)
  source <(lambda-invoke completions zsh)
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
    let script = String::from_utf8_lossy(&script);
    output::print(consistent(&script).as_bytes())
}

/// The script with one spelling of its states. For Bash, clap_complete writes a hyphen of the
/// program's own name as `__` where a state is entered and, in the names of its arms, treats that
/// `__` as the border of a subcommand: the arms are never reached.
fn consistent(script: &str) -> String {
    script.replace("lambda__subcmd__invoke", "lambda__invoke")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_bash_script_has_its_arm() {
        let mut script = Vec::new();
        let mut command = crate::Arguments::command();
        clap_complete::generate(Shell::Bash, &mut command, "lambda-invoke", &mut script);
        let script = consistent(std::str::from_utf8(&script).unwrap());
        let states: Vec<&str> = script
            .lines()
            .filter_map(|line| line.trim().strip_prefix("cmd=\"")?.strip_suffix('"'))
            .filter(|state| !state.is_empty())
            .collect();
        assert!(states.len() > 10, "{script}");
        for state in states {
            let arm = format!("        {state})");
            assert!(script.lines().any(|line| line == arm), "{state}");
        }
    }
}
