//! The endpoint that the options describe.

use std::error::Error;
use std::fmt::Write as _;
use std::time::Duration;

use lambda_invoke_endpoint::{
    AccessKey, BuildError, DeadLetter, Endpoint, EndpointBuilder, EventSettings, Function,
    FunctionUrl, UrlAuth, builtins,
};

use super::options::Arguments;
use super::values::Concurrency;
use crate::exit::{Failure, causes};
use crate::functions::{Loaded, program};

/// An endpoint that is ready to be built, and the other settings of `serve`.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(super) builder: EndpointBuilder,
    /// The fault rules, in the order of `Endpoint::fault_strikes`.
    pub(super) faults: Vec<String>,
    /// How long to wait for running invocations on shutdown.
    pub(super) grace: Duration,
    /// The user's own functions.
    pub(super) own: Loaded,
}

impl Arguments {
    /// Plans the endpoint.
    ///
    /// # Errors
    ///
    /// If options contradict each other, or name something that does not exist.
    pub(super) fn plan(&self) -> Result<Plan, Failure> {
        let own = self.load()?;
        let functions = self.functions(&own)?;
        let events = self.events(&functions)?;
        let mut builder = Endpoint::builder()
            .region(&self.region)
            .account(&self.account)
            .functions(functions)
            // Only tests within the process could read them.
            .recorded_bytes(0)
            .verify(!self.no_verify)
            .clock_offset(self.clock_offset)
            .max_stream_bytes((self.max_stream_bytes > 0).then_some(self.max_stream_bytes))
            .stream_bandwidth(self.stream_bandwidth.bandwidth())
            .any_content_type(self.any_content_type)
            .error_code_in_stream(self.error_code_in_stream)
            .too_large_style(self.too_large_style.into())
            .events(events)
            .faults(self.fault.iter().cloned());
        for key in self.access_keys()? {
            builder = builder.access_key(key);
        }
        // A user who sets their own access keys wants function URLs to require them.
        let auth = match self.credential.is_empty() {
            true => UrlAuth::None,
            false => UrlAuth::AwsIam,
        };
        builder = builder
            .console(self.console)
            .default_url(FunctionUrl::new().auth(auth));
        for origin in &self.cors {
            builder = builder.cors(origin);
        }
        for alias in &self.alias {
            builder = builder.alias(&alias.function, &alias.alias, alias.version);
        }
        if let Some(limit) = self.account_concurrency {
            builder = builder.account_concurrency(limit);
        }
        if let Some(seed) = self.seed {
            builder = builder.seed(seed);
        }
        Ok(Plan {
            builder,
            faults: self.fault.iter().map(ToString::to_string).collect(),
            grace: self.grace,
            own,
        })
    }

    /// Returns the access keys with their session tokens. Errors name them by number, because the
    /// text contains a secret.
    fn access_keys(&self) -> Result<Vec<AccessKey>, Failure> {
        let mut keys = Vec::new();
        for (number, key) in (1..).zip(&self.credential) {
            let key: AccessKey = key.expose().parse().map_err(|error| {
                let error = one_line(&error);
                Failure::usage(format!("--credential number {number}: {error}"))
            })?;
            keys.push(key);
        }
        for (number, given) in (1..).zip(&self.session_token) {
            let wrong =
                |what: &str| Failure::usage(format!("--session-token number {number}: {what}"));
            let (id, token) = given
                .expose()
                .split_once(':')
                .ok_or_else(|| wrong("expected ID:TOKEN"))?;
            if !keys.iter().any(|key| key.id() == id) {
                return Err(wrong("no --credential has this ID"));
            }
            let with_token = |key: AccessKey| match key.id() == id {
                true => key.with_session_token(token),
                false => Ok(key),
            };
            let all: Result<Vec<_>, _> = keys.into_iter().map(with_token).collect();
            keys = all.map_err(|error| wrong(&one_line(&error)))?;
        }
        Ok(keys)
    }

    /// Reads the descriptions of the user's own functions.
    pub(super) fn load(&self) -> Result<Loaded, Failure> {
        let folder = std::env::current_dir()
            .map_err(|error| Failure::usage(format!("the current directory: {error}")))?;
        let mut loaded = self
            .functions
            .load(&folder, &self.region, &self.account)
            .map_err(Failure::usage)?;
        for spec in &mut loaded.functions {
            spec.concurrency = self.limit(&spec.name).unwrap_or(spec.concurrency);
            if let Some(url) = &mut spec.url {
                url.signed.get_or_insert(!self.credential.is_empty());
            }
        }
        Ok(loaded)
    }

    /// The concurrency limit of a function: its own, or else the one for every function.
    fn limit(&self, name: &str) -> Option<usize> {
        let find = |wanted: Option<&str>| {
            let mut all = self.concurrency.iter();
            all.find(|given| given.function.as_deref() == wanted)
        };
        let found = find(Some(name)).or_else(|| find(None));
        found.map(|given| given.limit)
    }

    /// Converts the error of an endpoint that cannot be built.
    pub(super) fn cannot_build(&self, error: &BuildError) -> Failure {
        match (error, &self.dead_letter) {
            (BuildError::DeadLetterFile(error), Some(to)) => Failure::usage(format!(
                "--dead-letter {to}: the file cannot be written: {error}"
            )),
            _ => Failure::usage(one_line(error)),
        }
    }

    fn functions(&self, own: &Loaded) -> Result<Vec<Function>, Failure> {
        let mut functions = match self.no_builtins || !self.functions.is_empty() {
            true => Vec::new(),
            false => builtins::all(),
        };
        for spec in &own.functions {
            functions
                .push(program::function(spec).map_err(|error| Failure::usage(one_line(&error)))?);
        }
        let names: Vec<&str> = functions.iter().map(Function::name).collect();
        self.check_concurrency(&names)?;
        let limited = functions.into_iter();
        let limited = limited.map(|function| match self.limit(function.name()) {
            Some(limit) => function.concurrency(limit),
            None => function,
        });
        Ok(limited.collect())
    }

    /// Rejects concurrency limits of functions that do not exist, and two limits of the same function.
    pub(super) fn check_concurrency(&self, functions: &[&str]) -> Result<(), Failure> {
        for (count, Concurrency { function, limit }) in self.concurrency.iter().enumerate() {
            let mut before = self.concurrency.iter().take(count);
            if before.any(|other| other.function == *function) {
                let whose = match function {
                    Some(function) => format!("'{function}'"),
                    None => "each function".to_owned(),
                };
                return Err(Failure::usage(format!(
                    "--concurrency is given twice for {whose}"
                )));
            }
            let is_unknown = |name: &&String| !functions.contains(&name.as_str());
            if let Some(function) = function.as_ref().filter(is_unknown) {
                return Err(Failure::usage(format!(
                    "--concurrency {function}={limit}: there is no function '{function}'{}",
                    among(functions)
                )));
            }
        }
        Ok(())
    }

    fn events(&self, functions: &[Function]) -> Result<EventSettings, Failure> {
        let settings = EventSettings::default()
            .length(self.event_queue_length)
            .bytes(usize::try_from(self.event_queue_bytes).unwrap_or(usize::MAX))
            .max_age(self.event_max_age)
            .retry_delays(self.event_retry_delays.iter());
        let Some(to) = &self.dead_letter else {
            return Ok(settings);
        };
        if functions.iter().any(|function| function.name() == to) {
            return Ok(settings.dead_letter(DeadLetter::Function(to.clone())));
        }
        if !to.contains(['/', '.', '\\']) {
            let names: Vec<&str> = functions.iter().map(Function::name).collect();
            return Err(Failure::usage(format!(
                "--dead-letter {to}: there is no function '{to}'{}; to name a file, write ./{to}",
                among(&names)
            )));
        }
        Ok(settings.dead_letter(DeadLetter::File(to.into())))
    }
}

/// Completes "there is no function ..." with the functions that exist.
fn among(functions: &[&str]) -> String {
    if functions.is_empty() {
        return "; no functions are served".to_owned();
    }
    let mut names = functions.to_vec();
    names.sort_unstable();
    format!("; the functions are {}", names.join(", "))
}

/// An error and its causes on one line.
fn one_line(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    for cause in causes(error) {
        // Writing to a string does not fail.
        let _ = write!(text, ": {cause}");
    }
    text
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    #[test]
    fn own_keys_protect_a_url_whose_auth_is_not_stated() {
        let folder = crate::functions::testing::Folder::new();
        let text = "[functions.x]\ncommand = 'a'\nurl = { mode = 'BUFFERED' }";
        let path = folder.write("lambda.toml", text);
        for (keys, signed) in [(&[][..], false), (&["--credential", "id:secret"], true)] {
            let given = ["serve", "--config", path.to_str().unwrap()];
            let arguments = Program::parse_from(given.iter().chain(keys)).arguments;
            let url = arguments.load().unwrap().functions[0].url.clone().unwrap();
            assert_eq!(url.signed, Some(signed));
        }
    }

    #[test]
    fn the_default_grace_lets_the_longest_function_finish() {
        let plan = Program::parse_from(["serve"]).arguments.plan().unwrap();
        assert_eq!(plan.grace, Function::LONGEST);
        assert_eq!(plan.grace, Duration::from_secs(30 * 60));
    }
}
