//! `lambda-invoke completions`.

use clap::builder::PossibleValue;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::exit::Failure;
use crate::output;

const EXAMPLES: &str = "\
Examples:
  source <(lambda-invoke completions bash)
  source <(lambda-invoke completions zsh)
  lambda-invoke completions fish > ~/.config/fish/completions/lambda-invoke.fish";

/// Write a shell completion script to stdout
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// The shell to write the script for
    shell: Shell,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    output::print(script(arguments.shell).as_bytes())
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    let mut command = crate::Arguments::command();
    clap_complete::generate(shell, &mut command, "lambda-invoke", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => with_consistent_states(&script),
        Shell::Fish => format!("{script}{}", positionals(&command)),
        _ => script.into_owned(),
    }
}

/// Makes the names of the states in a Bash script consistent. clap_complete writes the hyphen of the
/// program's name as `__` where it enters a state, but takes that `__` for the start of a subcommand
/// in the patterns of the `case` statement, so that the patterns never match.
fn with_consistent_states(script: &str) -> String {
    script.replace("lambda__subcmd__invoke", "lambda__invoke")
}

/// Completions for the values of positional arguments, which clap_complete omits for fish.
fn positionals(command: &Command) -> String {
    let mut script = String::new();
    for command in command.get_subcommands() {
        for argument in command.get_positionals() {
            let values = argument.get_possible_values();
            let values: Vec<&str> = values.iter().map(PossibleValue::get_name).collect();
            if !values.is_empty() {
                script.push_str(&format!(
                    "complete -c lambda-invoke -n \"__fish_lambda_invoke_using_subcommand {}\" -f -a \"{}\"\n",
                    command.get_name(),
                    values.join(" ")
                ));
            }
        }
    }
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_of_the_bash_script_has_a_pattern() {
        let script = script(Shell::Bash);
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
