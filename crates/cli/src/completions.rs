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

/// Write a shell's completions for this program to stdout
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
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
        Shell::Bash => consistent(&script),
        Shell::Fish => format!("{script}{}", positionals(&command)),
        _ => script.into_owned(),
    }
}

/// The script with one spelling of its states. For Bash, clap_complete writes a hyphen of the
/// program's own name as `__` where a state is entered and, in the names of its arms, treats that
/// `__` as the border of a subcommand: the arms are never reached.
fn consistent(script: &str) -> String {
    script.replace("lambda__subcmd__invoke", "lambda__invoke")
}

/// The values of positional arguments, which clap_complete leaves out for fish.
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
    fn every_state_of_the_bash_script_has_its_arm() {
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
