//! Why an endpoint cannot be built.

use std::fmt;
use std::io;

/// Why an endpoint cannot be built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A function's name is none: 1 to 64 letters, digits, `-`, `_` and `.`.
    FunctionName(String),
    /// Two functions have this name.
    FunctionTwice(String),
    /// An alias is none: 1 to 128 letters, digits, `-` and `_`, not all of them digits.
    Alias(String),
    /// An alias is for a function that the endpoint does not have.
    AliasOfUnknown(String),
    /// The dead letter's function is none that the endpoint has.
    DeadLetterUnknown(String),
    /// The dead letter's file cannot be opened for writing.
    DeadLetterFile(io::Error),
    /// The region cannot be one.
    Region(String),
    /// The account is not 12 digits.
    Account(String),
    /// An alias or a version of a function is given twice, for different code.
    QualifierTwice {
        /// The function.
        function: String,
        /// The alias or the version.
        qualifier: String,
    },
    /// A function has a version 0: they count from 1.
    VersionZero(String),
    /// The dead letter's function may never run: its concurrency is 0.
    DeadLetterNever(String),
    /// An access key is given with two different secrets or session tokens.
    KeyTwice(String),
    /// There are access keys, but signatures are not verified.
    KeysUnused,
    /// An origin is none that a browser sends: `scheme://host` or `scheme://host:port`.
    Origin(String),
    /// A fault rule is for no function that the endpoint has.
    FaultOfUnknown {
        /// The rule.
        rule: String,
        /// The functions that there are.
        functions: Vec<String>,
    },
    /// A fault rule cannot be carried out.
    Fault {
        /// The function pattern of the rule.
        pattern: String,
        /// Why not.
        why: String,
    },
    /// Signatures are to be verified and there is no key.
    NoKeys,
    /// No listening socket on that address.
    Bind(io::Error),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FunctionName(name) => write!(
                f,
                "'{name}' is no function name: it must be 1 to 64 letters, digits, '-', '_' or '.'"
            ),
            Self::FunctionTwice(name) => write!(f, "there are two functions called '{name}'"),
            Self::Alias(alias) => write!(
                f,
                "'{alias}' is no alias: it must be 1 to 128 letters, digits, '-' or '_', and not a \
                 number"
            ),
            Self::AliasOfUnknown(name) => {
                write!(f, "there is no function '{name}' to give an alias to")
            }
            Self::DeadLetterUnknown(name) => {
                write!(f, "there is no function '{name}' for the dead letters")
            }
            Self::Region(region) => write!(f, "'{region}' is no region"),
            Self::Account(account) => {
                write!(f, "'{account}' is no account: it must be 12 digits")
            }
            Self::QualifierTwice {
                function,
                qualifier,
            } => write!(
                f,
                "'{qualifier}' of the function '{function}' is given twice, for different code"
            ),
            Self::VersionZero(name) => {
                write!(f, "'{name}' cannot have a version 0: versions count from 1")
            }
            Self::DeadLetterNever(name) => write!(
                f,
                "the dead letters' function '{name}' could never run: its concurrency is 0"
            ),
            Self::KeyTwice(id) => write!(
                f,
                "the access key '{id}' is given with different secrets; one key has one secret, \
                 and may have several patterns"
            ),
            Self::KeysUnused => {
                f.write_str("access keys are of no use if signatures are not verified")
            }
            Self::Origin(text) => write!(
                f,
                "'{text}' is no origin: it must be SCHEME://HOST or SCHEME://HOST:PORT without a \
                 path, such as http://localhost:3000, or 'null', or '*' for every page"
            ),
            Self::FaultOfUnknown { rule, functions } if functions.is_empty() => {
                write!(
                    f,
                    "the fault rule '{rule}' is for no function: there is none"
                )
            }
            Self::FaultOfUnknown { rule, functions } => write!(
                f,
                "the fault rule '{rule}' is for no function that there is, which are {}",
                functions.join(", ")
            ),
            Self::Fault { pattern, why } => {
                write!(
                    f,
                    "a fault rule for '{pattern}' cannot be carried out: {why}"
                )
            }
            Self::NoKeys => f.write_str("signatures cannot be verified without an access key"),
            Self::DeadLetterFile(_) => f.write_str("the dead letter's file cannot be opened"),
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
