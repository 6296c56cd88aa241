//! The instances of a program: started on demand, reused, replaced, limited.

use crate::{Event, InvokeError, LogLine, Program, Response};

/// The instances of a program. Cheap to clone; no process is started before the first call.
#[derive(Debug, Clone)]
pub struct Pool;

impl Pool {
    /// Makes a pool for a program.
    #[must_use]
    pub fn new(_program: Program) -> Self {
        Self
    }
    /// Calls a function with each line that the instances write, at once.
    #[must_use]
    pub fn on_log(self, _sink: impl Fn(&LogLine) + Send + Sync + 'static) -> Self {
        self
    }
    /// Invokes the function.
    ///
    /// # Errors
    ///
    /// The call was not started.
    pub async fn invoke(&self, _event: Event) -> Result<Response, InvokeError> {
        Err(InvokeError::Closed)
    }
    /// Replaces all instances: idle ones end, running ones finish their invocations first.
    pub fn recycle(&self) {}
    /// Ends all instances and waits until their processes are gone.
    pub async fn shutdown(&self) {}
}
