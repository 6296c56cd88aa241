//! What a load generator does.

/// The kind of exchange: a buffered response, or a stream from one of the server's functions.
#[derive(Clone, Copy, Debug)]
pub struct Work {
    name: &'static str,
    streams: bool,
}

impl Work {
    /// Parses `invoke` (the function `small`), `invoke:NAME` (another one), or the name of a
    /// streaming function.
    pub fn new(work: &str) -> Self {
        let name = match work.strip_prefix("invoke") {
            Some("") => Some("small"),
            Some(rest) => rest.strip_prefix(':'),
            None => None,
        };
        Self {
            // A process has few names, and needs them until it ends.
            name: String::from(name.unwrap_or(work)).leak(),
            streams: name.is_none(),
        }
    }

    /// The streaming function; `None` for a buffered invocation.
    pub fn function(self) -> Option<&'static str> {
        self.streams.then_some(self.name)
    }

    /// The path of the request.
    pub fn path(self) -> String {
        let name = self.name;
        match self.streams {
            false => format!("/2015-03-31/functions/{name}/invocations"),
            true => format!("/2021-11-15/functions/{name}/response-streaming-invocations"),
        }
    }
}
