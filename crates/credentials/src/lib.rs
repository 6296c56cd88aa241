#![forbid(unsafe_code)]
#![doc = include_str!("../README.md")]

#[cfg(feature = "aws-sdk")]
pub mod aws_sdk;
mod cache;
mod chain;
mod context;
mod error;
mod exchange;
mod identity;
// The file of `lambda-invoke-vectors`, which is not published, so that the package has its tests.
#[cfg(test)]
#[allow(dead_code, unreachable_pub, reason = "it is the root of another crate")]
mod official;
mod providers;
mod random;
mod settings;
mod shared_files;
mod system;
#[cfg(test)]
mod testing;
mod time;
mod trace;
mod unsaved;

// The public interface.
pub use self::cache::Cached;
pub use self::chain::{Chain, ChainBuilder};
pub use self::error::{Error, ErrorKind, Tried};
pub use self::identity::{Identity, Provider};
pub use self::settings::{EndpointSetting, Service, Setting, Settings, SettingsBuilder};
pub use self::shared_files::{Encoding, expand_home, profile_names};
pub use self::system::{
    Clock, CommandLine, Environment, Files, HttpClient, HttpFuture, LocalFiles, LocalProcesses,
    ProcessEnvironment, ProcessFuture, ProcessOutput, Processes, System, SystemClock,
    TransportClient, Variables,
};

// The types of the crates below that this interface mentions.
pub use lambda_invoke_sigv4::{Credentials, CredentialsFuture, ProvideCredentials};
