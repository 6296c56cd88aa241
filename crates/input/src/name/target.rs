//! The function and version that a request addresses.

use super::FunctionName;
use super::Qualifier;
use crate::error::QualifierMismatch;

/// A function name and an optional `Qualifier` parameter that do not contradict each other.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, Qualifier, Target};
///
/// let name = FunctionName::try_from("thumbnail:live")?;
/// assert!(Target::new(name.clone(), Some(Qualifier::try_from("7")?)).is_err());
///
/// let target = Target::new(name, None)?;
/// assert_eq!(target.qualifier(), None);
/// assert_eq!(target.effective_qualifier().unwrap(), "live");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target<'a> {
    name: FunctionName<'a>,
    qualifier: Option<Qualifier<'a>>,
}

impl<'a> Target<'a> {
    /// Combines a name and the parameter.
    ///
    /// # Errors
    ///
    /// Returns an error if the name has a qualifier and the parameter differs from it, which the
    /// service rejects.
    pub fn new(
        name: FunctionName<'a>,
        qualifier: Option<Qualifier<'a>>,
    ) -> Result<Self, QualifierMismatch> {
        match (name.qualifier(), &qualifier) {
            (Some(derived), Some(specified)) if derived != *specified => Err(QualifierMismatch {
                offset: name.qualifier_offset(),
            }),
            _ => Ok(Self { name, qualifier }),
        }
    }

    /// Returns the name as it is in the request's path: with its own qualifier, if it has one.
    #[must_use]
    pub const fn name(&self) -> &FunctionName<'a> {
        &self.name
    }

    /// Returns the parameter as it is in the request's query.
    #[must_use]
    pub const fn qualifier(&self) -> Option<&Qualifier<'a>> {
        self.qualifier.as_ref()
    }

    /// Returns the qualifier in effect: the parameter or else the one in the name. Without either,
    /// the service runs `$LATEST`.
    #[must_use]
    pub fn effective_qualifier(&self) -> Option<Qualifier<'_>> {
        match &self.qualifier {
            Some(specified) => Some(Qualifier::from_name(specified.as_str())),
            None => self.name.qualifier(),
        }
    }

    /// Returns the name and the parameter.
    #[must_use]
    pub fn into_parts(self) -> (FunctionName<'a>, Option<Qualifier<'a>>) {
        (self.name, self.qualifier)
    }

    /// Copies what is borrowed, so that the value borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> Target<'static> {
        Target {
            name: self.name.into_owned(),
            qualifier: self.qualifier.map(Qualifier::into_owned),
        }
    }
}

/// A target without the parameter.
impl<'a> From<FunctionName<'a>> for Target<'a> {
    fn from(name: FunctionName<'a>) -> Self {
        Self {
            name,
            qualifier: None,
        }
    }
}
