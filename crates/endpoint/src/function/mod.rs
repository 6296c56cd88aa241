//! A function: its name, code, versions, aliases and limits.

pub mod builtins;
pub(crate) mod channel;
pub(crate) mod error;
pub(crate) mod info;
pub(crate) mod invocation;
pub(crate) mod log;
#[cfg(feature = "runtime")]
pub(crate) mod program;
pub(crate) mod url;
pub(crate) mod usage;
pub(crate) mod write_error;
pub(crate) mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::function::channel::Mode;
use crate::function::error::FunctionError;
use crate::function::info::FunctionInfo;
use crate::function::invocation::Invocation;
use crate::function::url::FunctionUrl;
use crate::function::writer::ResponseWriter;

/// The future that a function's code returns.
pub(crate) type Running = Pin<Box<dyn Future<Output = Result<(), FunctionError>> + Send>>;

type Code = dyn Fn(Invocation, ResponseWriter) -> Running + Send + Sync;

/// The code of a function or of one of its versions.
#[derive(Clone)]
pub(crate) struct Handler {
    /// How it responds, if that is known before it has written anything.
    pub(crate) mode: Mode,
    /// Whether the code enforces its timeout itself.
    pub(crate) times_itself: bool,
    pub(crate) code: Arc<Code>,
    /// The processes of a program.
    #[cfg(feature = "runtime")]
    pub(crate) pool: Option<lambda_invoke_runtime::Pool>,
}

impl Handler {
    fn closure(mode: Mode, code: Arc<Code>) -> Self {
        Self {
            mode,
            times_itself: false,
            code,
            #[cfg(feature = "runtime")]
            pool: None,
        }
    }

    /// Replaces a program's processes: idle ones end, running ones finish first.
    pub(crate) fn restart(&self) {
        #[cfg(feature = "runtime")]
        if let Some(pool) = &self.pool {
            pool.recycle();
        }
    }

    /// Ends a program and waits until its processes have ended.
    pub(crate) async fn shutdown(&self) {
        #[cfg(feature = "runtime")]
        if let Some(pool) = &self.pool {
            pool.shutdown().await;
        }
    }
}

/// How many invocations of a function can be in progress.
#[derive(Clone, Copy)]
pub(crate) struct Capacity {
    pub(crate) running: usize,
    /// The number that may wait until an instance of the program is free.
    pub(crate) waiting: usize,
}

/// The source that the code of a function is made from when the function is registered.
#[derive(Clone)]
pub(crate) enum Source {
    Closure(Handler),
    #[cfg(feature = "runtime")]
    Program(Box<lambda_invoke_runtime::Program>),
}

impl Source {
    /// Returns how many invocations can be in progress, if that is limited. `concurrency` is the
    /// function's own limit.
    pub(crate) fn capacity(&self, concurrency: Option<usize>) -> Option<Capacity> {
        match self {
            Self::Closure(_) => concurrency.map(|running| Capacity {
                running,
                waiting: 0,
            }),
            #[cfg(feature = "runtime")]
            Self::Program(_) if concurrency == Some(0) => Some(Capacity {
                running: 0,
                waiting: 0,
            }),
            #[cfg(feature = "runtime")]
            Self::Program(program) => {
                let waiting = program.queue_limit();
                let limit = match concurrency {
                    Some(instances) => program.clone().concurrency(instances).limit(),
                    None => program.limit(),
                };
                Some(Capacity {
                    running: limit.saturating_sub(waiting),
                    waiting,
                })
            }
        }
    }

    /// Creates the code of a version of a registered function; `None` is `$LATEST`.
    #[cfg_attr(
        not(feature = "runtime"),
        expect(
            unused_variables,
            reason = "only a program uses its function's properties"
        )
    )]
    pub(crate) fn into_handler(
        self,
        info: &FunctionInfo,
        concurrency: Option<usize>,
        version: Option<u64>,
    ) -> Handler {
        match self {
            Self::Closure(handler) => handler,
            #[cfg(feature = "runtime")]
            Self::Program(program) => program::handler(*program, info, concurrency, version),
        }
    }
}

/// A function: a closure that runs in this process, or a program.
///
/// A **buffered** function returns its whole response at once. A **streaming** function writes
/// chunks, and each chunk is on the wire before the next one can be written. Both work with both
/// operations, as in the service: `Invoke` collects the chunks of a streaming function into one
/// response, and `InvokeWithResponseStream` sends the response of a buffered function as one chunk.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Function, FunctionError};
/// use std::time::Duration;
///
/// let upper = Function::buffered("upper", |invocation| async move {
///     Ok::<_, FunctionError>(invocation.payload().to_ascii_uppercase())
/// })
/// .timeout(Duration::from_secs(10))
/// .concurrency(5)
/// .alias("live", 1);
/// assert_eq!(upper.name(), "upper");
/// ```
#[derive(Clone)]
pub struct Function {
    pub(crate) name: String,
    pub(crate) latest: Source,
    /// Published versions; `None` means the code of `$LATEST`.
    pub(crate) versions: BTreeMap<u64, Option<Source>>,
    pub(crate) aliases: BTreeMap<String, u64>,
    /// Aliases and versions that are defined twice, with different code.
    pub(crate) contradictions: Vec<String>,
    pub(crate) concurrency: Option<usize>,
    pub(crate) timeout: Duration,
    pub(crate) memory_mb: u32,
    pub(crate) url: Option<FunctionUrl>,
}

impl Function {
    /// The default [`timeout`](Self::timeout) and the service's longest: 30 minutes (1,800 s).
    pub const LONGEST: Duration = Duration::from_secs(1800);

    fn new(name: String, latest: Source) -> Self {
        Self {
            name,
            latest,
            versions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            contradictions: Vec::new(),
            concurrency: None,
            timeout: Self::LONGEST,
            memory_mb: 128,
            url: None,
        }
    }

    /// Creates a function that returns its whole response at once.
    ///
    /// The caller receives the returned bytes unchanged; functions of the service itself always
    /// return JSON. An error or a panic is a function error (`X-Amz-Function-Error: Unhandled`).
    pub fn buffered<F, A, T, E>(name: impl Into<String>, code: F) -> Self
    where
        F: Fn(Invocation) -> A + Send + Sync + 'static,
        A: Future<Output = Result<T, E>> + Send + 'static,
        T: Into<Bytes>,
        E: Into<FunctionError>,
    {
        Self::new(name.into(), buffered(code))
    }

    /// Creates a function from one typed JSON value to another.
    ///
    /// If the payload does not deserialize as `I`, the call fails with a function error that says
    /// what is wrong, and where.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_endpoint::{Function, FunctionError};
    ///
    /// let double = Function::json("double", |n: i64, _invocation| async move {
    ///     n.checked_mul(2).ok_or(FunctionError::new("Overflow", "too large to double"))
    /// });
    /// # assert_eq!(double.name(), "double");
    /// ```
    pub fn json<F, I, A, T, E>(name: impl Into<String>, code: F) -> Self
    where
        F: Fn(I, Invocation) -> A + Send + Sync + 'static,
        I: DeserializeOwned,
        A: Future<Output = Result<T, E>> + Send + 'static,
        T: Serialize,
        E: Into<FunctionError>,
    {
        let code = move |invocation: Invocation| {
            let result = invocation.json::<I>().map(|input| code(input, invocation));
            async move {
                let value = result?.await.map_err(Into::into)?;
                Ok::<_, FunctionError>(serde_json::to_vec(&value)?)
            }
        };
        Self::new(name.into(), buffered(code))
    }

    /// Creates a function that writes its response in chunks.
    ///
    /// The stream ends when the function returns `Ok(())`. An error, even mid-stream, is
    /// reported to the caller as the service reports it.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_endpoint::{Function, FunctionError};
    ///
    /// let letters = Function::streaming("letters", |_invocation, mut writer| async move {
    ///     writer.content_type("text/plain");
    ///     for letter in ["a", "b", "c"] {
    ///         writer.write(letter).await?;
    ///     }
    ///     Ok::<_, FunctionError>(())
    /// });
    /// # assert_eq!(letters.name(), "letters");
    /// ```
    pub fn streaming<F, A, E>(name: impl Into<String>, code: F) -> Self
    where
        F: Fn(Invocation, ResponseWriter) -> A + Send + Sync + 'static,
        A: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<FunctionError>,
    {
        Self::new(name.into(), streaming(code))
    }

    /// Creates a function from a program that speaks the Runtime API, or from source code, which
    /// runs unmodified in separate processes.
    ///
    /// Timeout and memory are the program's unless they are set here.
    /// [`concurrency`](Self::concurrency) is the number of instances; further calls wait, up to the
    /// length of the program's `queue`. Each version has its own instances. The processes end when
    /// the server is shut down.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use lambda_invoke_endpoint::{Endpoint, Function, runtime::Program};
    ///
    /// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
    /// let app = Program::source("app.py")?.env("TABLE", "orders");
    /// let server = Endpoint::builder()
    ///     .function(Function::program("app", app))
    ///     .on_log(|line| eprintln!("{}: {}", line.function, line.text))
    ///     .bind_localhost(9001)
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "runtime")]
    pub fn program(name: impl Into<String>, program: lambda_invoke_runtime::Program) -> Self {
        let (timeout, memory) = (program.timeout_limit(), program.memory_size_mb());
        Self::new(name.into(), Source::Program(Box::new(program)))
            .timeout(timeout)
            .memory_mb(memory)
    }

    /// Returns the function's name, as in its ARN.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Limits how many invocations may run at once. Further calls are rejected with 429 and the
    /// reason `ReservedFunctionConcurrentInvocationLimitExceeded`. Zero rejects every call.
    #[must_use]
    pub fn concurrency(mut self, limit: usize) -> Self {
        self.concurrency = Some(limit);
        self
    }

    /// Sets how long one invocation may run, [`Function::LONGEST`] by default. After that the
    /// endpoint ends it with the error `Sandbox.Timedout`.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = limit;
        self
    }

    /// Sets the memory size in the log's REPORT line, 128 MB by default. It is not enforced.
    #[must_use]
    pub fn memory_mb(mut self, size: u32) -> Self {
        self.memory_mb = size;
        self
    }

    /// Gives the function a URL: `http://127.0.0.1:9001/url/NAME/` and
    /// `http://NAME.localhost:9001/`.
    #[must_use]
    pub fn url(mut self, url: FunctionUrl) -> Self {
        self.url = Some(url);
        self
    }

    /// Publishes the code of `$LATEST` as a numbered version too.
    #[must_use]
    pub fn version(mut self, number: u64) -> Self {
        self.versions.entry(number).or_insert(None);
        self
    }

    /// Publishes another function's code as a version of this one. The other function's name and
    /// limits are ignored.
    #[must_use]
    pub fn version_of(mut self, number: u64, other: Self) -> Self {
        if let Some(Some(_)) = self.versions.insert(number, Some(other.latest)) {
            self.contradictions.push(number.to_string());
        }
        self
    }

    /// Adds an alias for a version. A version that was not published yet is published with the code
    /// of `$LATEST`.
    #[must_use]
    pub fn alias(mut self, alias: impl Into<String>, version: u64) -> Self {
        let alias = alias.into();
        let before = self.aliases.insert(alias.clone(), version);
        if before.is_some_and(|before| before != version) {
            self.contradictions.push(alias);
        }
        self.version(version)
    }

    /// Returns every valid qualifier of the function, sorted.
    pub fn qualifiers(&self) -> BTreeSet<String> {
        let versions = self.versions.keys().map(ToString::to_string);
        let latest = std::iter::once("$LATEST".to_owned());
        latest
            .chain(versions)
            .chain(self.aliases.keys().cloned())
            .collect()
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Function")
            .field("name", &self.name)
            .field("latest", &self.latest)
            .field("qualifiers", &self.qualifiers())
            .field("concurrency", &self.concurrency)
            .field("timeout", &self.timeout)
            .field("memory_mb", &self.memory_mb)
            .finish()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closure(handler) => write!(f, "{:?}", handler.mode),
            #[cfg(feature = "runtime")]
            Self::Program(program) => write!(f, "Program({:?})", program.task_root()),
        }
    }
}

fn buffered<F, A, T, E>(code: F) -> Source
where
    F: Fn(Invocation) -> A + Send + Sync + 'static,
    A: Future<Output = Result<T, E>> + Send + 'static,
    T: Into<Bytes>,
    E: Into<FunctionError>,
{
    let code = move |invocation: Invocation, writer: ResponseWriter| -> Running {
        let result = code(invocation);
        Box::pin(async move {
            let response = result.await.map_err(Into::into)?;
            Ok(writer.finish(response.into())?)
        })
    };
    Source::Closure(Handler::closure(Mode::Buffered, Arc::new(code)))
}

fn streaming<F, A, E>(code: F) -> Source
where
    F: Fn(Invocation, ResponseWriter) -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), E>> + Send + 'static,
    E: Into<FunctionError>,
{
    let code = move |invocation: Invocation, writer: ResponseWriter| -> Running {
        let result = code(invocation, writer);
        Box::pin(async move { result.await.map_err(Into::into) })
    };
    Source::Closure(Handler::closure(Mode::Streaming, Arc::new(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alias_publishes_the_version_it_names() {
        let function = Function::buffered("f", |_| async { Ok::<_, FunctionError>("") })
            .alias("live", 3)
            .version(1);
        let qualifiers: Vec<String> = function.qualifiers().into_iter().collect();
        assert_eq!(qualifiers, ["$LATEST", "1", "3", "live"]);
    }

    #[test]
    fn a_version_with_its_own_code_keeps_it_when_an_alias_names_it() {
        let one = Function::buffered("one", |_| async { Ok::<_, FunctionError>("1") });
        let function = one.clone().version_of(1, one).alias("live", 1);
        assert!(function.versions[&1].is_some());
    }
}
