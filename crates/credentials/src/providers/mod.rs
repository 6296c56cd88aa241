//! The providers of the chain, each in its own module.

pub(crate) mod container;
pub(crate) mod environment;
pub(crate) mod imds;
pub(crate) mod login;
pub(crate) mod obtained;
pub(crate) mod process;
pub(crate) mod profile;
pub(crate) mod sso;
pub(crate) mod sts;
pub(crate) mod web_identity;
