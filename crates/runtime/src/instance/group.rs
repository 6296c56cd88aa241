//! Which calls an instance takes.

/// The calls that instances are shared by: those of one tenant and one version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) tenant: Option<String>,
    /// `None` stands for the program's own version.
    pub(crate) version: Option<String>,
}
