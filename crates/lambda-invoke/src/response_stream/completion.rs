//! How the execution behind a response stream ended.

use lambda_invoke_protocol::{InvokeComplete, LogTail, Outcome, Report};

/// How an execution ended: see
/// [`ResponseStream::completion`](crate::ResponseStream::completion).
///
/// # Example
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # use lambda_invoke_endpoint::Endpoint;
/// # let server = Endpoint::builder().builtins().bind_local().await?;
/// # let client = lambda_invoke::Client::local(server.url())?;
/// use lambda_invoke::Completion;
///
/// let response = client.stream("hello").send().await?.collect_all().await?;
/// let completion: &Completion = response.completion().ok_or("no end")?;
/// assert_eq!((completion.error_code(), completion.error_details()), (None, None));
/// let log = completion.log().ok_or("no log")?;
/// println!("{} in {:?}", log.text(), completion.report().map(|report| report.duration));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    complete: InvokeComplete,
    report: Option<Report>,
    outcome: Outcome,
}

impl Completion {
    pub(super) fn new(complete: InvokeComplete, request_id: Option<&str>) -> Self {
        let log = complete.log.as_ref();
        let report = log.and_then(LogTail::report);
        let outcome = match log {
            _ if complete.has_failed() => Outcome::Failed,
            Some(log) => log.outcome(log.own_id(request_id)),
            None => Outcome::NotReported,
        };
        Self {
            complete,
            report,
            outcome,
        }
    }

    /// Returns what is known about how the execution ended.
    ///
    /// A stream that ended without an error is usually [`NotReported`](Outcome::NotReported):
    /// neither the service nor the log reports a failure. Only logs in the JSON format report
    /// success. In recordings, the failure of a custom runtime mid-stream is reported nowhere;
    /// without a log ([`StreamCall::without_log`](crate::StreamCall::without_log)), the same holds
    /// for any function.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.outcome
    }

    /// Returns the service's code for the function's failure, if it failed.
    #[must_use]
    pub fn error_code(&self) -> Option<&str> {
        self.complete.error_code.as_deref()
    }

    /// Returns the details of the function's failure, if it failed.
    #[must_use]
    pub fn error_details(&self) -> Option<&str> {
        self.complete.error_details.as_deref()
    }

    /// Returns the end of the log, decoded, if it was requested.
    #[must_use]
    pub fn log(&self) -> Option<&LogTail> {
        self.complete.log.as_ref()
    }

    /// Returns the log's report of time, memory and status.
    #[must_use]
    pub fn report(&self) -> Option<&Report> {
        self.report.as_ref()
    }
}
