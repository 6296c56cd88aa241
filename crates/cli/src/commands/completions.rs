//! `lambda-invoke completions`.

use clap::builder::PossibleValue;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use lambda_invoke_credentials::{LocalFiles, ProcessEnvironment, profile_names};

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
    #[arg(required_unless_present = "list_profiles")]
    shell: Option<Shell>,
    /// List the profiles in the shared files, for the scripts
    #[arg(long, hide = true)]
    list_profiles: bool,
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    match arguments.shell {
        Some(shell) if !arguments.list_profiles => output::print(script(shell).as_bytes()),
        _ => output::print(profiles()?.as_bytes()),
    }
}

/// The names of the profiles, one per line. Names with characters that a shell interprets are
/// omitted, since Bash expands the words that it completes from.
fn profiles() -> Result<String, Failure> {
    let names = profile_names(&LocalFiles::default(), &ProcessEnvironment::default())
        .map_err(|error| Failure::usage(error.to_string()))?;
    let is_plain = |name: &&str| {
        let is_safe = |c: char| c.is_alphanumeric() || "_-.@+/:".contains(c);
        !name.is_empty() && name.chars().all(is_safe)
    };
    let names = names.iter().map(String::as_str).filter(is_plain);
    Ok(names.map(|name| format!("{name}\n")).collect())
}

fn script(shell: Shell) -> String {
    let mut script = Vec::new();
    let mut command = crate::Arguments::command();
    clap_complete::generate(shell, &mut command, "lambda-invoke", &mut script);
    let script = String::from_utf8_lossy(&script);
    match shell {
        Shell::Bash => with_profiles_in_bash(&with_consistent_states(&script)),
        Shell::Zsh => with_profiles_in_zsh(&script),
        Shell::Fish => {
            let script = with_profiles_in_fish(&script);
            format!("{script}{}", positionals(&command))
        }
        _ => script.into_owned(),
    }
}

/// The command that the scripts run to list the profiles.
const LIST: &str = "lambda-invoke completions --list-profiles 2>/dev/null";

/// Makes a Bash script complete profiles, where clap_complete completes the names of files.
fn with_profiles_in_bash(script: &str) -> String {
    let mut lines = Vec::new();
    let mut is_profile = false;
    for line in script.lines() {
        match line.trim() {
            "--profile)" => is_profile = true,
            "COMPREPLY=($(compgen -f \"${cur}\"))" if is_profile => {
                let indent = " ".repeat(line.len() - line.trim_start().len());
                let list = format!("COMPREPLY=($(compgen -W \"$({LIST})\" -- \"${{cur}}\"))");
                lines.push(format!("{indent}{list}"));
                is_profile = false;
                continue;
            }
            _ => {}
        }
        lines.push(line.to_owned());
    }
    lines.join("\n") + "\n"
}

/// Makes a zsh script complete profiles, where clap_complete completes the names of files.
fn with_profiles_in_zsh(script: &str) -> String {
    let with_profiles = |line: &str| match line.starts_with("'--profile=") {
        true => {
            let list = format!("{{compadd -- ${{(f)\"$({LIST})\"}}}}'");
            line.replacen(":_default'", &format!(":{list}"), 1)
        }
        false => line.to_owned(),
    };
    let lines: Vec<String> = script.lines().map(with_profiles).collect();
    lines.join("\n") + "\n"
}

/// Makes a fish script complete profiles, where clap_complete completes the names of files.
fn with_profiles_in_fish(script: &str) -> String {
    let with_profiles = |line: &str| match line.contains(" -l profile ") {
        true => line.replacen(" -r", &format!(" -r -f -a \"({LIST})\""), 1),
        false => line.to_owned(),
    };
    let lines: Vec<String> = script.lines().map(with_profiles).collect();
    lines.join("\n") + "\n"
}

/// Makes the names of the states in a Bash script consistent. clap_complete writes the hyphen of the
/// program's name as `__` where it enters a state, but takes that `__` for the start of a subcommand
/// in the patterns of the `case` statement, so that the patterns never match.
fn with_consistent_states(script: &str) -> String {
    script
        .replace("lambda__subcmd__invoke", "lambda__invoke")
        // clap_complete lists hidden options too.
        .replace(" --list-profiles --help", " --help")
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
