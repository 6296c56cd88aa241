//! What is asked of the server.

/// The kind of exchange: a buffered answer, or a stream from one of the server's functions.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    function: Option<&'static str>,
}

impl Work {
    /// `invoke`, or the name of a streaming function.
    pub fn new(name: &str) -> Self {
        // A name a process, and it is needed until its end.
        let function = (name != "invoke").then(|| &*String::from(name).leak());
        Self { function }
    }

    /// The streaming function, or none for a buffered invocation of `small`.
    pub fn function(self) -> Option<&'static str> {
        self.function
    }

    /// The path of the request.
    pub fn path(self) -> String {
        match self.function {
            None => "/2015-03-31/functions/small/invocations".to_owned(),
            Some(name) => {
                format!("/2021-11-15/functions/{name}/response-streaming-invocations")
            }
        }
    }
}
