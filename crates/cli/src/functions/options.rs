//! The options of `serve` that describe functions.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::error::{ConfigError, Problem};
use super::spec::{VARIABLE, Value, is_reserved, is_variable};
use super::{Loaded, MOST_QUEUED, Stack, config, distinct, dotenv, named, template};
use crate::number::whole;

/// The options that describe functions.
#[derive(Debug, clap::Args)]
#[group(skip)]
#[command(next_help_heading = "Your functions")]
pub(crate) struct Options {
    /// A file with a handler (.py, .js, .mjs, .cjs), optionally with :HANDLER, or a program that
    /// speaks the Lambda Runtime API; the function has the file's name; repeatable
    #[arg(value_name = "SOURCE")]
    source: Vec<String>,
    /// A function as SOURCE, or with a name as NAME=SOURCE or NAME='COMMAND'; repeatable
    #[arg(long, value_name = "NAME=SOURCE|COMMAND")]
    function: Vec<String>,
    /// Functions with their settings, in a file such as lambda.toml; see --print-config
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The AWS::Serverless::Function resources of a SAM template
    #[arg(long, value_name = "FILE")]
    sam: Option<PathBuf>,
    /// The value of a parameter of the template; repeatable
    #[arg(long, value_name = "NAME=VALUE", requires = "sam")]
    parameter: Vec<Assignment>,
    /// Variables of all functions, in a .env file; repeatable
    #[arg(long, value_name = "FILE")]
    env_file: Vec<PathBuf>,
    /// A variable of all functions; takes precedence over files and templates; repeatable
    #[arg(long, value_name = "NAME=VALUE")]
    env: Vec<Assignment>,
    /// How many calls of each function may wait while all its instances are busy; further ones get
    /// a 429; takes precedence over files
    #[arg(long, value_name = "N", value_parser = whole(0..=MOST_QUEUED))]
    queue: Option<usize>,
    /// Do not watch the source: without this, a change starts new instances
    #[arg(long)]
    no_watch: bool,
    /// Watch the source (the default), even of functions whose configuration says watch = false
    #[arg(long, conflicts_with = "no_watch")]
    watch: bool,
    /// Print the functions as a lambda.toml, including the values of variables, or a documented
    /// example if there are none, and exit
    #[arg(long)]
    pub(crate) print_config: bool,
}

/// `NAME=VALUE`, as given. It is parsed by [`assigned`] rather than by clap, whose errors would quote
/// a value that may be a secret.
#[derive(Clone)]
struct Assignment(String);

impl std::fmt::Debug for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("<redacted>")
    }
}

impl FromStr for Assignment {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

/// The names and values of an option. Errors name it by number.
fn assigned(option: &str, given: &[Assignment]) -> Result<Vec<(String, Value)>, ConfigError> {
    let parsed = given.iter().zip(1..).map(|(Assignment(text), number)| {
        let wrong = |what| {
            let place = format!("{option} number {number}");
            ConfigError::new(place, Problem::Syntax(what))
        };
        match text.split_once('=') {
            Some((_, value)) if value.contains('\0') => {
                Err(wrong("a variable cannot contain a NUL byte".to_owned()))
            }
            Some((name, value)) if is_variable(name) => {
                Ok((name.to_owned(), Value(value.to_owned())))
            }
            _ => Err(wrong(format!(
                "expected NAME=VALUE, with a name of {VARIABLE}"
            ))),
        }
    });
    parsed.collect()
}

impl Options {
    /// Whether any functions are described.
    pub(crate) fn is_empty(&self) -> bool {
        let Self {
            source,
            function,
            config,
            sam,
            ..
        } = self;
        source.is_empty() && function.is_empty() && config.is_none() && sam.is_none()
    }

    /// Rejects options for the functions that are described if there are none: the built-in functions
    /// have no variables, processes or sources.
    fn check(&self) -> Result<(), ConfigError> {
        let given = [
            ("--env", !self.env.is_empty()),
            ("--env-file", !self.env_file.is_empty()),
            ("--queue", self.queue.is_some()),
            ("--watch", self.watch),
            ("--no-watch", self.no_watch),
        ];
        match given.into_iter().find(|(_, is_given)| *is_given) {
            Some((option, _)) if self.is_empty() => {
                let problem = Problem::Missing {
                    setting: "a function of your own".to_owned(),
                    expected: "one that it applies to, such as app.py",
                };
                Err(ConfigError::new(option, problem))
            }
            _ => Ok(()),
        }
    }

    /// Reads all descriptions.
    ///
    /// # Errors
    ///
    /// Those of the files and arguments, if two functions have the same name, or if options apply to none.
    pub(crate) fn load(
        &self,
        folder: &Path,
        region: &str,
        account: &str,
    ) -> Result<Loaded, ConfigError> {
        self.check()?;
        let mut loaded = Loaded::default();
        let variables = self.variables()?;
        if let Some(path) = &self.config {
            loaded.functions.extend(config::load(path)?);
        }
        if let Some(path) = &self.sam {
            let parameters = assigned("--parameter", &self.parameter)?.into_iter();
            let parameters: BTreeMap<_, _> =
                parameters.map(|(name, value)| (name, value.0)).collect();
            let stack = Stack {
                region,
                account,
                parameters: &parameters,
                variables: &variables.iter().map(|(name, _)| name.as_str()).collect(),
            };
            let found = template::load(path, &stack)?;
            loaded.functions.extend(found.functions);
            loaded.notes.extend(found.notes);
        }
        let arguments = self.source.iter().chain(&self.function);
        loaded.functions.extend(named(arguments, folder)?);
        loaded.functions = distinct(loaded.functions)?;
        for spec in &mut loaded.functions {
            spec.environment.extend(variables.iter().cloned());
            spec.queue = self.queue.unwrap_or(spec.queue);
            spec.watch = (spec.watch || self.watch) && !self.no_watch;
            let mut names = spec.environment.keys();
            if let Some(name) = names.find(|name| is_reserved(name)) {
                let problem = Problem::Syntax(format!(
                    "the variable {name} is reserved: its value comes from the endpoint, as in the service"
                ));
                return Err(ConfigError::new(format!("function {}", spec.name), problem));
            }
        }
        Ok(loaded)
    }

    /// Reads the variables of all functions, in their order; the last one of a name counts.
    fn variables(&self) -> Result<Vec<(String, Value)>, ConfigError> {
        let mut variables = Vec::new();
        for path in &self.env_file {
            variables.extend(dotenv::load(path)?);
        }
        variables.extend(assigned("--env", &self.env)?);
        Ok(variables)
    }
}
