//! The work of a load generator.

/// The kind of exchange: a buffered response, or a stream from one of the server's functions.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    function: Option<&'static str>,
}

impl Work {
    /// `invoke`, or the name of a streaming function.
    pub fn new(name: &str) -> Self {
        // One name per process, which needs it until its end.
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
