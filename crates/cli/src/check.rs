//! `lambda-invoke check`: what a function's name means, or where it goes wrong.

mod explain;
mod refuse;

use lambda_invoke_input::{
    FunctionName, InputError, NameRules, Qualifier, QualifierMismatch, Target,
};
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::{output, terminal};

const EXAMPLES: &str = "\
The rules are the generations of the service's pattern, with their lengths:
  default    every form of any generation; at most 170 characters, a bare name 64
  published  exactly the published API reference
  newest     exactly the newest API model: at most 256 characters
  recorded   what the service was seen to answer with 400; no greatest length

Exit code 2 if the name, the qualifier or the two together are refused.

Examples:
  lambda-invoke check arn:aws:lambda:eu-west-1:123456789012:function:thumbnail:live
  lambda-invoke check thumbnail --qualifier '$LATEST' --rules published
  lambda-invoke check 'thumb nail' --json";

/// Explain a function's name, or say what is wrong with it and where
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// A name or an ARN, with or without a version or alias at its end
    name: String,
    /// The Qualifier parameter, to be checked with the name
    #[arg(long, value_name = "VERSION|ALIAS")]
    qualifier: Option<String>,
    /// Which rules decide
    #[arg(long, value_enum, default_value = "default")]
    rules: Named,
    /// Write one JSON object, whether the name is taken or refused
    #[arg(long)]
    json: bool,
}

/// The rule sets, by the names that people give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Named {
    Default,
    Published,
    Newest,
    Recorded,
}

impl Named {
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

/// Why name and qualifier are refused.
#[derive(Clone, Copy, Debug)]
enum Refused {
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
    let accepted: Vec<&str> = Named::ALL
        .into_iter()
        .filter(|named| target(name, qualifier, *named).is_ok())
        .map(Named::as_str)
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
        Err(refused) => {
            if *json {
                let mut object = refuse::json(&refused, name, qualifier);
                object["rules"] = rules.as_str().into();
                object["accepted_by"] = json!(accepted);
                output::print((terminal::json(&object) + "\n").as_bytes())?;
                return Err(Failure::silent(Exit::Usage));
            }
            Err(Failure::usage(refuse::text(
                &refused, name, qualifier, &accepted,
            )))
        }
    }
}

fn target<'a>(
    name: &'a str,
    qualifier: Option<&'a str>,
    named: Named,
) -> Result<Target<'a>, Refused> {
    let rules = named.rules();
    let name = FunctionName::parse_with(name, &rules).map_err(Refused::Name)?;
    let qualifier = qualifier
        .map(|text| Qualifier::parse_with(text, &rules))
        .transpose()
        .map_err(Refused::Qualifier)?;
    Target::new(name, qualifier).map_err(Refused::Mismatch)
}
