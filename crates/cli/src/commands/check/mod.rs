//! `lambda-invoke check`: explains a function's name, or where it is invalid.

mod explain;
mod reject;

use lambda_invoke_input::{
    FunctionName, InputError, NameRules, Qualifier, QualifierMismatch, Target,
};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::{output, terminal};

const EXAMPLES: &str = "\
The service's rules for names have changed over time:
  default    every form that any of the rules accepts; at most 170 characters,
             64 for a bare name
  published  the published API reference
  newest     the newest API model; at most 256 characters
  recorded   what the service, in recordings, does not reject with 400; no
             maximum length

Exit code 2 if the name, the qualifier or their combination is invalid.

Examples:
  lambda-invoke check arn:aws:lambda:eu-west-1:123456789012:function:sum:live
  lambda-invoke check thumbnail --qualifier '$LATEST' --rules published
  lambda-invoke check 'thumb nail' --json";

/// Explain a function's name, or show where it is invalid
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A name, partial ARN or ARN, optionally followed by :VERSION or :ALIAS
    name: String,
    /// The Qualifier parameter to check together with the name
    #[arg(long, value_name = "VERSION|ALIAS")]
    qualifier: Option<String>,
    /// The rules to check against
    #[arg(long, value_enum, default_value = "default")]
    rules: RuleSet,
    /// Write one JSON object to stdout, whether the name is valid or not
    #[arg(long)]
    json: bool,
}

/// The rule sets by their names on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum RuleSet {
    Default,
    Published,
    Newest,
    Recorded,
}

impl RuleSet {
    const ALL: [Self; 4] = [Self::Default, Self::Published, Self::Newest, Self::Recorded];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Published => "published",
            Self::Newest => "newest",
            Self::Recorded => "recorded",
        }
    }

    fn rules(self) -> NameRules {
        match self {
            Self::Default => NameRules::default(),
            Self::Published => NameRules::published(),
            Self::Newest => NameRules::newest(),
            Self::Recorded => NameRules::recorded(),
        }
    }
}

/// Why a name or qualifier is rejected.
#[derive(Clone, Copy, Debug)]
enum Rejection {
    Name(InputError),
    Qualifier(InputError),
    Mismatch(QualifierMismatch),
}

pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        name,
        qualifier,
        rules,
        json,
    } = &arguments;
    let qualifier = qualifier.as_deref();
    let accepted: Vec<&str> = RuleSet::ALL
        .into_iter()
        .filter(|rule_set| target(name, qualifier, *rule_set).is_ok())
        .map(RuleSet::as_str)
        .collect();
    match target(name, qualifier, *rules) {
        Ok(target) => {
            let text = match json {
                true => {
                    let mut object = explain::json(&target);
                    object["rules"] = rules.as_str().into();
                    object["accepted_by"] = json!(accepted);
                    terminal::json(&object) + "\n"
                }
                false => terminal::safe(&explain::text(&target, &accepted)),
            };
            output::print(text.as_bytes())
        }
        Err(rejection) => {
            if *json {
                let mut object = reject::json(&rejection, name, qualifier);
                object["rules"] = rules.as_str().into();
                object["accepted_by"] = json!(accepted);
                output::print((terminal::json(&object) + "\n").as_bytes())?;
                return Err(Failure::silent(Exit::Usage));
            }
            Err(Failure::usage(reject::text(
                &rejection, name, qualifier, &accepted,
            )))
        }
    }
}

fn target<'a>(
    name: &'a str,
    qualifier: Option<&'a str>,
    rule_set: RuleSet,
) -> Result<Target<'a>, Rejection> {
    let rules = rule_set.rules();
    let name = FunctionName::parse_with(name, &rules).map_err(Rejection::Name)?;
    let qualifier = qualifier
        .map(|text| Qualifier::parse_with(text, &rules))
        .transpose()
        .map_err(Rejection::Qualifier)?;
    Target::new(name, qualifier).map_err(Rejection::Mismatch)
}
