//! `lambda.toml`: several functions with their settings.

mod print;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;

use crate::functions::error::{ConfigError, Problem};
use crate::functions::source::{self, language_of};
use crate::functions::spec::{
    Code, Cors, CorsSettings, FunctionSpec, Language, NAME, Url, VARIABLE, Value, is_name,
    is_variable,
};
use crate::functions::{MOST_CONCURRENCY, MOST_MEMORY, MOST_QUEUED, MOST_TIMEOUT, dotenv};
use crate::number::time;

pub(crate) use print::{EXAMPLE, print};

/// The whole file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    defaults: Settings,
    #[serde(default)]
    functions: BTreeMap<Spanned<String>, Settings>,
}

/// The settings of a function. `[defaults]` has the same settings, except for the first four.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Settings {
    source: Option<Spanned<String>>,
    handler: Option<Spanned<String>>,
    command: Option<Spanned<OneOrMany>>,
    root: Option<Spanned<String>>,
    env_file: Option<Spanned<OneOrMany>>,
    #[serde(default)]
    env: BTreeMap<Spanned<String>, Spanned<Scalar>>,
    memory: Option<Spanned<i64>>,
    timeout: Option<Spanned<Time>>,
    concurrency: Option<Spanned<i64>>,
    instance_concurrency: Option<Spanned<i64>>,
    queue: Option<Spanned<i64>>,
    watch: Option<bool>,
    url: Option<UrlSettings>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a string, a whole number, true or false"
)]
enum Scalar {
    Text(String),
    Number(i64),
    Flag(bool),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(
    untagged,
    expecting = "expected a number of seconds, or text such as \"30s\" or \"2m\""
)]
enum Time {
    Seconds(u64),
    Fraction(f64),
    Text(String),
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct UrlSettings {
    mode: Option<Mode>,
    auth: Option<Auth>,
    cors: Option<Spanned<CorsSettings>>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Mode {
    Buffered,
    ResponseStream,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Auth {
    None,
    AwsIam,
}

/// Reads a file. Relative paths in it start at its folder.
///
/// # Errors
///
/// If it cannot be read, is malformed, or names something that does not exist.
pub(crate) fn load(path: &Path) -> Result<Vec<FunctionSpec>, ConfigError> {
    let place = path.display().to_string();
    let fail = |problem| ConfigError::new(&place, problem);
    let text = source::read(path).map_err(fail)?;
    let folder = source::folder_of(path).map_err(fail)?;
    parse(&place, &text, &folder)
}

/// Reads the text of a file in a folder.
pub(crate) fn parse(
    place: &str,
    text: &str,
    folder: &Path,
) -> Result<Vec<FunctionSpec>, ConfigError> {
    let reader = Reader {
        place,
        text,
        folder,
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let span = error.span().unwrap_or_default();
        reader.error(&span, Problem::Syntax(plain(error.message().trim())))
    })?;
    reader.only_in_functions(&file.defaults)?;
    if file.functions.is_empty() {
        return Err(ConfigError::new(
            place,
            Problem::Missing {
                setting: "[functions.NAME]".to_owned(),
                expected: "at least one function",
            },
        ));
    }
    file.functions
        .iter()
        .map(|(name, settings)| reader.function(name, settings, &file.defaults))
        .collect()
}

/// The message of an error of the TOML library, in the words of people who write TOML rather than Rust.
fn plain(message: &str) -> String {
    if message == "duplicate key" {
        return "this key occurs twice".to_owned();
    }
    let (found, expected) = message.split_once(", expected ").unwrap_or((message, ""));
    // An integer of more than 64 bits.
    if let Some(number) = found.strip_suffix(" as i128") {
        let number = number.strip_prefix("invalid type: ").unwrap_or(number);
        return format!("{number} is out of range");
    }
    let expected = match expected {
        "i64" => "a whole number",
        "u32" => "a whole number that is not negative",
        "a boolean" => "true or false",
        "a sequence" => "a list",
        "a map" => "a table",
        expected if expected.starts_with("struct ") => "a table",
        _ => return message.to_owned(),
    };
    format!("{found}, expected {expected}")
}

/// Reads settings, and can report where they are.
struct Reader<'f> {
    place: &'f str,
    text: &'f str,
    folder: &'f Path,
}

impl Reader<'_> {
    /// An error at a range of the text.
    fn error(&self, span: &Range<usize>, problem: Problem) -> ConfigError {
        let before = self.text.get(..span.start).unwrap_or_default();
        ConfigError::new(self.place, problem).at(before.matches('\n').count() + 1)
    }

    /// Adds the line of a setting to the error of another source.
    fn inside<T>(&self, value: &Spanned<T>, setting: &str, error: &ConfigError) -> ConfigError {
        self.error(
            &value.span(),
            Problem::Syntax(format!("{setting}: {error}")),
        )
    }

    fn only_in_functions(&self, defaults: &Settings) -> Result<(), ConfigError> {
        let Settings {
            source,
            handler,
            command,
            root,
            ..
        } = defaults;
        let spans = [source, handler, root].map(|text| text.as_ref().map(Spanned::span));
        let command = command.as_ref().map(Spanned::span);
        match spans.into_iter().chain([command]).flatten().next() {
            None => Ok(()),
            Some(span) => Err(self.error(
                &span,
                Problem::Unsupported {
                    what: "[defaults] cannot say what a function runs".to_owned(),
                    instead: "move it to a [functions.NAME]".to_owned(),
                },
            )),
        }
    }

    fn function(
        &self,
        name: &Spanned<String>,
        own: &Settings,
        defaults: &Settings,
    ) -> Result<FunctionSpec, ConfigError> {
        if !is_name(name.get_ref()) {
            return Err(self.invalid(
                &name.span(),
                "the name of the function",
                name.get_ref(),
                NAME,
            ));
        }
        let (code, root) = self.code(name, own)?;
        let mut spec = FunctionSpec::new(name.get_ref().clone(), code, root);
        // More specific settings are read later, and replace the others.
        for settings in [defaults, own] {
            self.environment(settings, &mut spec.environment)?;
            if let Some(memory) = &settings.memory {
                let memory = self.number(memory, "memory", 1..=MOST_MEMORY.into())?;
                spec.memory = u32::try_from(memory).unwrap_or_else(|_| MOST_MEMORY.into());
            }
            if let Some(timeout) = &settings.timeout {
                spec.timeout = self.timeout(timeout)?;
            }
            if let Some(number) = &settings.concurrency {
                spec.concurrency = self.number(number, "concurrency", 1..=MOST_CONCURRENCY)?;
            }
            if let Some(number) = &settings.instance_concurrency {
                spec.instance_concurrency =
                    self.number(number, "instance-concurrency", 1..=MOST_CONCURRENCY)?;
            }
            if let Some(number) = &settings.queue {
                spec.queue = self.number(number, "queue", 0..=MOST_QUEUED)?;
            }
            spec.watch = settings.watch.unwrap_or(spec.watch);
            if let Some(url) = &settings.url {
                let applied = spec.url.get_or_insert_default();
                url.apply(applied);
                if let Some(given) = &url.cors {
                    let cors = Cors::try_from(given.get_ref().clone()).map_err(|error| {
                        self.error(&given.span(), Problem::Syntax(format!("cors: {error}")))
                    })?;
                    applied.cors = Some(cors);
                }
            }
        }
        Ok(spec)
    }

    /// The code of a function, and the folder that it runs in.
    fn code(&self, name: &Spanned<String>, own: &Settings) -> Result<(Code, PathBuf), ConfigError> {
        let root = match &own.root {
            None => self.folder.to_owned(),
            Some(root) => std::fs::canonicalize(self.folder.join(root.get_ref()))
                .ok()
                .filter(|path| path.is_dir())
                .ok_or_else(|| self.not_found(root, "expected a folder"))?,
        };
        match (&own.source, &own.handler, &own.command) {
            (Some(from), None, None) => {
                let (code, of_source, _) = source::source(from.get_ref(), &root)
                    .map_err(|error| self.inside(from, "source", &error))?;
                if own.root.is_none() {
                    return Ok((code, of_source));
                }
                let code = rooted(code, &of_source, &root).ok_or_else(|| {
                    let what = format!("source '{}' has no handler in the root", from.get_ref());
                    let instead = "name a root that contains it, or no root".to_owned();
                    self.error(&from.span(), Problem::Unsupported { what, instead })
                })?;
                Ok((code, root))
            }
            (None, Some(handler), None) => {
                let text = handler.get_ref();
                let language = language_of(&root, text)
                    .map_err(|problem| self.error(&handler.span(), problem))?;
                let handler = text.clone();
                Ok((Code::Handler { language, handler }, root))
            }
            (None, None, Some(command)) => {
                let words = match command.get_ref() {
                    OneOrMany::Many(words) => Some(words.clone()),
                    OneOrMany::One(text) => shlex::split(text),
                };
                match words.filter(|words| words.first().is_some_and(|word| !word.is_empty())) {
                    Some(words) => Ok((Code::Command(words), root)),
                    None => Err(self.error(
                        &command.span(),
                        Problem::Syntax(
                            "command: expected a program and its arguments, quoted as in a shell"
                                .to_owned(),
                        ),
                    )),
                }
            }
            (None, None, None) => Err(self.error(
                &name.span(),
                Problem::Missing {
                    setting: format!("what function '{}' runs", name.get_ref()),
                    expected: "source = \"FILE\", handler = \"FILE.NAME\" or command = [...]",
                },
            )),
            _ => Err(self.error(
                &name.span(),
                Problem::Unsupported {
                    what: format!(
                        "function '{}' has more than one of source, handler and command",
                        name.get_ref()
                    ),
                    instead: "keep one of them".to_owned(),
                },
            )),
        }
    }

    fn environment(
        &self,
        settings: &Settings,
        variables: &mut BTreeMap<String, Value>,
    ) -> Result<(), ConfigError> {
        if let Some(files) = &settings.env_file {
            let many = match files.get_ref() {
                OneOrMany::One(file) => std::slice::from_ref(file),
                OneOrMany::Many(files) => files,
            };
            for file in many {
                let found = dotenv::load(&self.folder.join(file))
                    .map_err(|error| self.inside(files, "env-file", &error))?;
                variables.extend(found);
            }
        }
        for (name, value) in &settings.env {
            if !is_variable(name.get_ref()) {
                return Err(self.invalid(
                    &name.span(),
                    "the name of a variable",
                    name.get_ref(),
                    VARIABLE,
                ));
            }
            let text = match value.get_ref() {
                Scalar::Text(text) => text.clone(),
                Scalar::Number(number) => number.to_string(),
                Scalar::Flag(flag) => flag.to_string(),
            };
            if text.contains('\0') {
                return Err(self.error(
                    &value.span(),
                    Problem::Syntax("a variable cannot contain a NUL byte".to_owned()),
                ));
            }
            variables.insert(name.get_ref().clone(), Value(text));
        }
        Ok(())
    }

    fn timeout(&self, timeout: &Spanned<Time>) -> Result<Duration, ConfigError> {
        let (text, parsed) = match timeout.get_ref() {
            Time::Seconds(seconds) => (seconds.to_string(), Some(Duration::from_secs(*seconds))),
            Time::Fraction(seconds) => (
                seconds.to_string(),
                Duration::try_from_secs_f64(*seconds).ok(),
            ),
            Time::Text(text) => (text.clone(), time(text).ok()),
        };
        parsed
            .filter(|time| !time.is_zero() && *time <= MOST_TIMEOUT)
            .ok_or_else(|| {
                let expected = "seconds, or text such as \"30s\" or \"2m\", at most 1800 s";
                self.invalid(&timeout.span(), "timeout", &text, expected)
            })
    }

    fn number(
        &self,
        number: &Spanned<i64>,
        setting: &str,
        range: std::ops::RangeInclusive<usize>,
    ) -> Result<usize, ConfigError> {
        let value = usize::try_from(*number.get_ref()).ok();
        value.filter(|value| range.contains(value)).ok_or_else(|| {
            let expected = format!("{} to {}", range.start(), range.end());
            self.invalid(
                &number.span(),
                setting,
                &number.get_ref().to_string(),
                &expected,
            )
        })
    }

    fn invalid(
        &self,
        span: &Range<usize>,
        setting: &str,
        value: &str,
        expected: &str,
    ) -> ConfigError {
        let (setting, value, expected) =
            (setting.to_owned(), value.to_owned(), expected.to_owned());
        self.error(
            span,
            Problem::Invalid {
                setting,
                value,
                expected,
            },
        )
    }

    fn not_found(&self, path: &Spanned<String>, advice: &str) -> ConfigError {
        let (path, span) = (path.get_ref().clone(), path.span());
        let advice = advice.to_owned();
        self.error(&span, Problem::NotFound { path, advice })
    }
}

/// Returns the code with its handler relative to the root; `None` if that would not be this file.
fn rooted(code: Code, folder: &Path, root: &Path) -> Option<Code> {
    let Code::Handler { language, handler } = code else {
        return Some(code);
    };
    let file = source::module(folder, language, &handler);
    let handler = match (folder.strip_prefix(root), language) {
        (Ok(inside), _) => inside.join(handler),
        // Unlike a module of Python's, this may have an absolute path.
        (Err(_), Language::Node) => folder.join(handler),
        (Err(_), Language::Python) => return None,
    };
    let handler = handler.to_string_lossy().into_owned();
    (source::module(root, language, &handler) == file)
        .then_some(Code::Handler { language, handler })
}

impl UrlSettings {
    /// Applies the settings that are given, except for those of CORS.
    fn apply(&self, url: &mut Url) {
        if let Some(mode) = self.mode {
            url.streamed = Some(matches!(mode, Mode::ResponseStream));
        }
        if let Some(auth) = self.auth {
            url.signed = Some(matches!(auth, Auth::AwsIam));
        }
    }
}

#[cfg(test)]
mod tests;
