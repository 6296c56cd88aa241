//! The messages of errors.

use std::error::Error as StdError;
use std::fmt;

use lambda_invoke_error::Execution;
use lambda_invoke_error::text::Excerpt;

use super::{Detail, Error, Repr};
use crate::ErrorKind;

/// How many sources a message shows. A provider's error could have any number of them.
const SOURCES: usize = 8;

impl Repr {
    /// Whether the message already includes what its sources say.
    fn includes_sources(&self) -> bool {
        match self.kind {
            ErrorKind::Service | ErrorKind::FunctionFailed | ErrorKind::StreamException => true,
            // Without a length, the message does not say that it was a timeout.
            ErrorKind::TimedOut => self.timeout.is_some_and(|(_, length)| length.is_some()),
            _ => false,
        }
    }

    /// Writes the message, and the sources' messages that add to it.
    fn write_cause(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if self.includes_sources() {
            return Ok(());
        }
        let mut last = String::new();
        let mut next = self.source.as_deref().map(|source| source as &dyn StdError);
        for _ in 0..SOURCES {
            let Some(source) = next else { break };
            let text = source.to_string();
            // Wrappers often repeat what they wrap.
            if !text.is_empty() && !self.message.contains(&text) && !last.contains(&text) {
                write!(f, ": {}", Excerpt(&text))?;
                last = text;
            }
            next = source.source();
        }
        Ok(())
    }

    /// How many bytes of the response had arrived, where that helps.
    fn shown_bytes(&self) -> Option<u64> {
        match (&self.detail, self.kind) {
            // Either the message says at which byte, or the payload was complete.
            (_, ErrorKind::Json | ErrorKind::Text) => None,
            (Detail::FunctionFailed(failure), _) if !failure.payload.is_empty() => None,
            _ => self
                .received
                .filter(|received| !self.source_counts(*received)),
        }
    }

    /// Whether the source's message has the number of bytes already.
    fn source_counts(&self, received: u64) -> bool {
        let source = self.source.as_deref().map(ToString::to_string);
        source.is_some_and(|said| said.contains(&format!("after {}", bytes(received))))
    }

    fn consequence(&self) -> Option<&'static str> {
        match (self.kind, self.execution) {
            // The message says that it ran.
            (ErrorKind::FunctionFailed | ErrorKind::Json | ErrorKind::Text, _) => None,
            // Obvious, unless an earlier attempt may have run it.
            (
                ErrorKind::Configuration | ErrorKind::Input | ErrorKind::Credentials,
                Execution::NotStarted,
            ) => None,
            (_, Execution::NotStarted) => Some("the function was not run"),
            (_, Execution::Unknown) => Some("the function may have run"),
            (_, _) => Some("the function ran or started to run"),
        }
    }
}

/// A number of bytes, with its unit in the singular or the plural.
fn bytes(count: u64) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{count} byte{ending}")
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        repr.write_cause(f)?;
        if let Some(received) = repr.shown_bytes() {
            write!(f, ", after {}", bytes(received))?;
        }
        if repr.attempts > 1 {
            write!(f, ", in {} attempts", repr.attempts)?;
        }
        if let Some(consequence) = repr.consequence() {
            write!(f, "; {consequence}")?;
        }
        if let Some(advice) = repr.advice {
            write!(f, "; {advice}")?;
        }
        match (&repr.detail, &repr.request_id) {
            // The service's error already has the id, and advice in whole sentences.
            (Detail::Service(error), _) => match error.advice() {
                Some(advice) => write!(f, ". {}", advice.trim_end_matches('.')),
                None => Ok(()),
            },
            (_, Some(id)) => write!(f, " (request id {})", Excerpt(id)),
            (_, None) => Ok(()),
        }
    }
}

/// `{:?}` shows the kind and the message, for programs that return the error from `main`; `{:#?}`
/// lists the parts.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let repr = &*self.0;
        if !f.alternate() {
            return write!(f, "{:?}: {self}", repr.kind);
        }
        f.debug_struct("Error")
            .field("kind", &repr.kind)
            .field("execution", &repr.execution)
            .field("message", &repr.message)
            .field("attempts", &repr.attempts)
            .field("give_up_reason", &repr.give_up_reason)
            .field("request_id", &repr.request_id)
            .field("received", &repr.received)
            .field("timeout", &repr.timeout)
            .field("detail", &repr.detail)
            .field("source", &repr.source)
            .finish_non_exhaustive()
    }
}
