//! The error of building an endpoint.

use std::fmt;
use std::io;

/// The reason why an endpoint cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A function's name is invalid: it must be 1 to 64 letters, digits, `-`, `_` or `.`.
    FunctionName(String),
    /// Two functions have this name.
    FunctionTwice(String),
    /// An alias is invalid: it must be 1 to 128 letters, digits, `-` or `_`, not all of them
    /// digits.
    Alias(String),
    /// An alias is for an unknown function.
    AliasOfUnknown(String),
    /// The dead-letter function is unknown.
    DeadLetterUnknown(String),
    /// The dead-letter file cannot be opened for writing.
    DeadLetterFile(io::Error),
    /// The region is invalid.
    Region(String),
    /// The account is not 12 digits.
    Account(String),
    /// An alias or a version of a function is defined twice, with different code.
    QualifierTwice {
        /// The function.
        function: String,
        /// The alias or the version.
        qualifier: String,
    },
    /// A function has a version 0; versions start at 1.
    VersionZero(String),
    /// The dead-letter function can never run: its concurrency is 0.
    DeadLetterNever(String),
    /// An access key has two different secrets or session tokens.
    KeyTwice(String),
    /// There are access keys although signatures are not verified.
    KeysUnused,
    /// An origin is not one that a browser sends: `scheme://host` or `scheme://host:port`.
    Origin(String),
    /// A fault rule matches no function.
    FaultOfUnknown {
        /// The rule.
        rule: String,
        /// The functions of the endpoint.
        functions: Vec<String>,
    },
    /// A fault rule is invalid.
    Fault {
        /// The function pattern of the rule.
        pattern: String,
        /// The reason.
        why: String,
    },
    /// Signatures are verified although there is no access key.
    NoKeys,
    /// The system has no random numbers for the console's token.
    NoRandomness,
    /// The endpoint cannot listen on the address.
    Bind(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FunctionName(name) => write!(
                f,
                "'{name}' is not a function name: it must be 1 to 64 letters, digits, '-', '_' or '.'"
            ),
            Self::FunctionTwice(name) => write!(f, "there are two functions called '{name}'"),
            Self::Alias(alias) => write!(
                f,
                "'{alias}' is not an alias: it must be 1 to 128 letters, digits, '-' or '_', and not a \
                 number"
            ),
            Self::AliasOfUnknown(name) => {
                write!(f, "there is no function '{name}' for the alias")
            }
            Self::DeadLetterUnknown(name) => {
                write!(f, "there is no function '{name}' for the dead letters")
            }
            Self::Region(region) => write!(f, "'{region}' is not a region"),
            Self::Account(account) => {
                write!(f, "'{account}' is not an account id: it must be 12 digits")
            }
            Self::QualifierTwice {
                function,
                qualifier,
            } => write!(
                f,
                "'{qualifier}' of the function '{function}' is defined twice, with different code"
            ),
            Self::VersionZero(name) => {
                write!(f, "'{name}' cannot have a version 0: versions start at 1")
            }
            Self::DeadLetterNever(name) => write!(
                f,
                "the dead-letter function '{name}' can never run: its concurrency is 0"
            ),
            Self::KeyTwice(id) => write!(
                f,
                "the access key '{id}' has different secrets: a key has one secret, but may have \
                 several patterns"
            ),
            Self::KeysUnused => {
                f.write_str("access keys have no effect if signatures are not verified")
            }
            Self::Origin(text) => write!(
                f,
                "'{text}' is not an origin: it must be SCHEME://HOST or SCHEME://HOST:PORT without a \
                 path, such as http://localhost:3000, or 'null', or '*' for every page"
            ),
            Self::FaultOfUnknown { rule, functions } if functions.is_empty() => {
                write!(
                    f,
                    "the fault rule '{rule}' matches no function: the endpoint has none"
                )
            }
            Self::FaultOfUnknown { rule, functions } => write!(
                f,
                "the fault rule '{rule}' matches none of the functions, which are {}",
                functions.join(", ")
            ),
            Self::Fault { pattern, why } => {
                write!(f, "a fault rule for '{pattern}' is invalid: {why}")
            }
            Self::NoRandomness => {
                f.write_str("the system has no random numbers for the console's token")
            }
            Self::NoKeys => f.write_str("signatures cannot be verified without an access key"),
            Self::DeadLetterFile(_) => f.write_str("the dead-letter file cannot be opened"),
            Self::Bind(_) => f.write_str("the endpoint cannot listen on that address"),
        }
    }
}

impl std::error::Error for BuildError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Bind(error) | Self::DeadLetterFile(error) => Some(error),
            _ => None,
        }
    }
}
