//! The functions of a user: where they are described, and what they run.
//!
//! Each source of configuration is a module that produces [`FunctionSpec`]s: arguments
//! ([`source`]), `lambda.toml` ([`config`]) and SAM templates ([`template`]).

pub(crate) mod config;
mod dotenv;
pub(crate) mod error;
mod handler;
mod options;
pub(crate) mod program;
pub(crate) mod source;
pub(crate) mod spec;
mod template;
#[cfg(test)]
pub(crate) mod testing;

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use self::error::{ConfigError, Problem};
pub(crate) use self::options::Options;
use self::spec::FunctionSpec;
use self::template::Stack;

/// The maximum memory of a function in MiB, as in the service.
const MOST_MEMORY: u16 = 10_240;

/// The maximum number of instances of a function, and of calls in an instance.
pub(crate) const MOST_CONCURRENCY: usize = 1_000;

/// The maximum number of calls that wait for an instance of a function. Each may take 6 MB.
pub(crate) const MOST_QUEUED: usize = 1_000;

/// The longest timeout of a function.
const MOST_TIMEOUT: Duration = Duration::from_secs(1_800);

/// The functions that options describe.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) functions: Vec<FunctionSpec>,
    /// The parts of a template that are not understood or not used, to be shown once.
    pub(crate) notes: Vec<String>,
}

/// Reads the functions on the command line. Their relative paths start at the folder.
///
/// # Errors
///
/// Those of [`source::argument`], or if two functions have the same name.
pub(crate) fn named<'a>(
    arguments: impl IntoIterator<Item = &'a String>,
    folder: &Path,
) -> Result<Vec<FunctionSpec>, ConfigError> {
    let functions: Result<Vec<_>, _> = arguments
        .into_iter()
        .map(|text| source::argument(text, folder))
        .collect();
    distinct(functions?)
}

/// Rejects two functions with the same name.
fn distinct(functions: Vec<FunctionSpec>) -> Result<Vec<FunctionSpec>, ConfigError> {
    let mut names = BTreeSet::new();
    match functions.iter().find(|spec| !names.insert(&spec.name)) {
        None => Ok(functions),
        Some(twice) => {
            let name = twice.name.clone();
            Err(ConfigError::new("the functions", Problem::Twice { name }))
        }
    }
}
