//! The description of a function to serve, which every source of configuration produces.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lambda_invoke_endpoint::CorsError;
use serde::Deserialize;

/// A function to run as a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FunctionSpec {
    pub(crate) name: String,
    pub(crate) code: Code,
    /// The folder that the code runs in, as an absolute path.
    pub(crate) root: PathBuf,
    /// The function's own variables.
    pub(crate) environment: BTreeMap<String, Value>,
    /// In MiB.
    pub(crate) memory: u32,
    pub(crate) timeout: Duration,
    /// How many instances may run at the same time.
    pub(crate) concurrency: usize,
    /// How many invocations one instance accepts at the same time.
    pub(crate) instance_concurrency: usize,
    /// How many calls may wait for a free instance; more are rejected.
    pub(crate) queue: usize,
    /// Whether to start new instances after a change of the source.
    pub(crate) watch: bool,
    /// The settings of the function URL; `None` for the settings of all functions.
    pub(crate) url: Option<Url>,
}

/// The value of a variable, redacted in `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Value(pub(crate) String);

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<redacted>")
    }
}

/// The code that an instance executes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Code {
    /// A handler in a module, as in `app.lambda_handler`, relative to the root.
    Handler { language: Language, handler: String },
    /// A program that speaks the Runtime API by itself, with its arguments.
    Command(Vec<String>),
}

/// The language of a handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    Python,
    Node,
}

impl Language {
    /// The language of a file with this extension.
    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        match extension {
            "py" => Some(Self::Python),
            "js" | "mjs" | "cjs" => Some(Self::Node),
            _ => None,
        }
    }
}

/// The settings of a function URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Url {
    /// Whether responses are streamed (`RESPONSE_STREAM`) or collected (`BUFFERED`); `None` if not
    /// stated.
    pub(crate) streamed: Option<bool>,
    /// Whether requests must be signed (`AWS_IAM`); `None` if not stated: if the user sets access keys.
    pub(crate) signed: Option<bool>,
    pub(crate) cors: Option<Cors>,
}

/// The CORS settings of a function URL, by the names of the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct CorsSettings {
    pub(crate) allow_origins: Vec<String>,
    pub(crate) allow_methods: Vec<String>,
    pub(crate) allow_headers: Vec<String>,
    pub(crate) expose_headers: Vec<String>,
    pub(crate) allow_credentials: bool,
    /// In seconds.
    pub(crate) max_age: Option<u32>,
}

/// CORS settings that an endpoint accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cors {
    settings: CorsSettings,
    parsed: lambda_invoke_endpoint::Cors,
}

impl Cors {
    /// The settings as they are written.
    pub(crate) fn settings(&self) -> &CorsSettings {
        &self.settings
    }

    /// The settings for the endpoint.
    pub(crate) fn parsed(&self) -> &lambda_invoke_endpoint::Cors {
        &self.parsed
    }
}

impl TryFrom<CorsSettings> for Cors {
    type Error = CorsError;

    fn try_from(settings: CorsSettings) -> Result<Self, CorsError> {
        let mut parsed = lambda_invoke_endpoint::Cors::new();
        for origin in &settings.allow_origins {
            parsed = parsed.allow_origin(origin)?;
        }
        for method in &settings.allow_methods {
            parsed = parsed.allow_method(method)?;
        }
        for name in &settings.allow_headers {
            parsed = parsed.allow_header(name)?;
        }
        for name in &settings.expose_headers {
            parsed = parsed.expose_header(name)?;
        }
        if settings.allow_credentials {
            parsed = parsed.allow_credentials();
        }
        if let Some(age) = settings.max_age {
            parsed = parsed.max_age(Duration::from_secs(age.into()))?;
        }
        Ok(Self { settings, parsed })
    }
}

impl FunctionSpec {
    /// The default memory of a function, as in the service.
    pub(crate) const MEMORY: u32 = 128;
    /// The default number of instances of a function that may run at the same time.
    pub(crate) const CONCURRENCY: usize = 10;
    /// The default timeout of a function: the service's maximum for functions that do not stream. A
    /// template's functions have the service's default instead.
    pub(crate) const TIMEOUT: Duration = Duration::from_secs(900);

    /// A function with default settings.
    pub(crate) fn new(name: String, code: Code, root: PathBuf) -> Self {
        Self {
            name,
            code,
            root,
            environment: BTreeMap::new(),
            memory: Self::MEMORY,
            timeout: Self::TIMEOUT,
            concurrency: Self::CONCURRENCY,
            instance_concurrency: 1,
            queue: 0,
            watch: true,
            url: None,
        }
    }
}

/// Whether a text can be the name of a function.
pub(crate) fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Describes the names that [`is_name`] accepts.
pub(crate) const NAME: &str = "1 to 64 letters, digits, '-' and '_'";

/// Whether a text can be the name of a variable.
pub(crate) fn is_variable(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The variables that the service sets and rejects in a function's configuration. The region and the keys
/// are not among them, since a function may need others than those of the endpoint.
const RESERVED: [&str; 11] = [
    "_HANDLER",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_EXECUTION_ENV",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
];

/// Whether only the service may set a variable.
pub(crate) fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name)
}

/// Describes the names that [`is_variable`] accepts.
pub(crate) const VARIABLE: &str = "letters, digits and '_', not beginning with a digit";
