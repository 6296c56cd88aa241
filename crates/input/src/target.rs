//! What a request is addressed to.

use crate::error::QualifierMismatch;
use crate::function_name::FunctionName;
use crate::qualifier::Qualifier;

/// A function name and, maybe, the `Qualifier` parameter, which do not contradict each other.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::{FunctionName, Qualifier, Target};
///
/// let name = FunctionName::parse("thumbnail:live")?;
/// assert!(Target::new(name.clone(), Some(Qualifier::parse("7")?)).is_err());
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
    /// Puts a name and the parameter together.
    ///
    /// # Errors
    ///
    /// If the name ends in a qualifier and the parameter is another one. The service refuses that.
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

    /// The name, as it goes into the request's path: with its own qualifier, if it has one.
    #[must_use]
    pub const fn name(&self) -> &FunctionName<'a> {
        &self.name
    }

    /// The parameter, as it goes into the request's query.
    #[must_use]
    pub const fn qualifier(&self) -> Option<&Qualifier<'a>> {
        self.qualifier.as_ref()
    }

    /// The qualifier that counts: the parameter or else the one in the name. Without either the
    /// service takes `$LATEST`.
    #[must_use]
    pub fn effective_qualifier(&self) -> Option<Qualifier<'_>> {
        match &self.qualifier {
            Some(specified) => Some(Qualifier::from_name(specified.as_str())),
            None => self.name.qualifier(),
        }
    }

    /// The name and the parameter.
    #[must_use]
    pub fn into_parts(self) -> (FunctionName<'a>, Option<Qualifier<'a>>) {
        (self.name, self.qualifier)
    }

    /// The same, borrowing nothing.
    #[must_use]
    pub fn into_owned(self) -> Target<'static> {
        Target {
            name: self.name.into_owned(),
            qualifier: self.qualifier.map(Qualifier::into_owned),
        }
    }
}

/// A name alone contradicts nothing.
impl<'a> From<FunctionName<'a>> for Target<'a> {
    fn from(name: FunctionName<'a>) -> Self {
        Self {
            name,
            qualifier: None,
        }
    }
}
