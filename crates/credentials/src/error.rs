//! Why there are no credentials, or a setting is not usable.

use std::fmt;
use std::sync::Arc;

use lambda_invoke_sigv4::BoxError;

/// Why there are no credentials, or a setting is not usable.
///
/// Cloning is cheap: all calls that waited for one fetch get the same error. No message contains a
/// secret, or the output of a process or the response of a service that may contain one.
#[derive(Clone)]
pub struct Error {
    inner: Arc<Inner>,
}

struct Inner {
    kind: ErrorKind,
    message: String,
    tried: Vec<Tried>,
    /// Further lines that help to find the mistake, such as the profiles that exist.
    notes: Vec<String>,
    source: Option<BoxError>,
}

/// The kind of an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// No provider had credentials, or no region was found: [`Error::tried`] lists the places.
    NotFound,
    /// A setting is invalid, incomplete or contradicts another one.
    Configuration,
    /// A service or a program rejected the request for credentials.
    Rejected,
    /// A service did not respond, or a program could not be run.
    Unavailable,
    /// A service or a program responded with something other than credentials.
    InvalidResponse,
    /// A provider returned credentials that have expired already.
    Expired,
}

/// A provider that had no credentials, or a place that did not have a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tried {
    /// The provider or setting.
    pub what: String,
    /// Why it had none, and where it looked.
    pub why: String,
}

impl Tried {
    pub(crate) fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.why)
    }
}

impl Error {
    fn of(inner: Inner) -> Self {
        Self {
            inner: Arc::new(inner),
        }
    }

    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self::of(Inner {
            kind,
            message: message.into(),
            tried: Vec::new(),
            notes: Vec::new(),
            source: None,
        })
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Configuration, message)
    }

    /// Creates the error for something that was not found in any of these places.
    pub(crate) fn not_found(message: impl Into<String>, tried: Vec<Tried>) -> Self {
        Self::of(Inner {
            kind: ErrorKind::NotFound,
            message: message.into(),
            tried,
            notes: Vec::new(),
            source: None,
        })
    }

    /// Adds lines at the end of the message.
    pub(crate) fn with_notes(self, notes: impl IntoIterator<Item = String>) -> Self {
        let mut inner = self.into_inner();
        inner.notes.extend(notes);
        Self::of(inner)
    }

    pub(crate) fn with_source(self, source: impl Into<BoxError>) -> Self {
        let mut inner = self.into_inner();
        inner.source = Some(source.into());
        Self::of(inner)
    }

    fn into_inner(self) -> Inner {
        match Arc::try_unwrap(self.inner) {
            Ok(inner) => inner,
            // If this is a clone, the original becomes the source.
            Err(shared) => Inner {
                kind: shared.kind,
                message: shared.message.clone(),
                tried: shared.tried.clone(),
                notes: shared.notes.clone(),
                source: Some(Box::new(Self { inner: shared })),
            },
        }
    }

    /// Wraps this error in one of the same kind, with a message that says where it happened.
    pub(crate) fn within(self, message: impl Into<String>) -> Self {
        Self::new(self.kind(), message).with_source(self)
    }

    /// Returns what kind of error it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.inner.kind
    }

    /// Returns the providers or places that had nothing, in the order in which they were tried.
    #[must_use]
    pub fn tried(&self) -> &[Tried] {
        &self.inner.tried
    }

    /// Returns the first line of the message, without the places that were tried.
    #[must_use]
    pub fn summary(&self) -> &str {
        &self.inner.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.inner.message)?;
        if !self.inner.tried.is_empty() {
            f.write_str("; searched")?;
        }
        for tried in &self.inner.tried {
            write!(f, "\n  {tried}")?;
        }
        for note in &self.inner.notes {
            write!(f, "\n  {note}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.inner.kind)
            .field("message", &self.inner.message)
            .field("tried", &self.inner.tried)
            .field("source", &self.inner.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source: &(dyn std::error::Error + 'static) = self.inner.source.as_deref()?;
        Some(source)
    }
}
