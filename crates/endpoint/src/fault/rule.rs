//! A fault rule: what goes wrong, for which function, and how often.

use std::fmt;
use std::num::NonZeroU64;
use std::time::Duration;

use lambda_invoke_error::{ServiceError, ThrottleReason};
use lambda_invoke_protocol::{InvokeComplete, StreamEvent, StreamException};

use crate::pattern::Pattern;

/// A rule that injects a fault into calls.
///
/// It is created from a [`FaultKind`], or parsed from the text form of the program's `--fault`.
/// Without a restriction it affects every call of every function.
///
/// ```text
/// PATTERN: FAULT [every=N] [probability=P] [times=N]
///
/// hello: error=ServiceException message="down for tea"   any error of the service
/// hello: error=TeapotException status=418                an error unknown to the service
/// *: throttle=ReservedFunctionConcurrentInvocationLimitExceeded retry-after=2
/// *: delay=200ms                before the response head
/// *: delay-chunks=50ms          before each chunk of a stream
/// *: reset-at=100               the connection is reset after 100 bytes of the body
/// *: cut-at=100                 the connection is closed after 100 bytes of the body
/// *: end-at=100                 the body ends cleanly, as if complete, after 100 bytes
/// *: flip-at=100 bit=3          one bit of byte 100 of the body is flipped (the first byte is 0)
/// *: wrong-crc=1                the second message of a stream has a wrong checksum (0 by default)
/// *: no-complete                a stream ends without InvokeComplete
/// *: after-complete             a stream has another chunk after InvokeComplete
/// *: exception=ServiceException message="gone" after=1   an exception frame after one chunk
/// *: complete-error=Runtime.ExitError details="killed"   InvokeComplete with an error code
/// *: twice                      an event is delivered twice
/// ```
///
/// The byte faults affect buffered responses too. Several rules may affect one call; if several of
/// them send an error, the first rule's error is sent.
///
/// # Example
///
/// ```
/// use lambda_invoke_endpoint::{Fault, FaultKind};
///
/// let typed = Fault::new(FaultKind::CutAt(100)).on("hello").every(3);
/// let parsed: Fault = "hello: cut-at=100 every=3".parse().unwrap();
/// assert_eq!(typed, parsed);
/// assert_eq!(parsed.to_string(), "hello: cut-at=100 every=3");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) pattern: Pattern,
    pub(crate) every: Option<NonZeroU64>,
    pub(crate) probability: Option<f64>,
    pub(crate) times: Option<u64>,
}

/// A kind of fault.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum FaultKind {
    /// The response is this error; the function does not run.
    Error(ServiceError),
    /// The call is throttled: 429 with this reason, and `Retry-After` in seconds if given.
    Throttle {
        /// The `Reason` of the response.
        reason: ThrottleReason,
        /// `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
    /// The response head and the start of the function are delayed.
    Delay(Duration),
    /// Each chunk of a stream is delayed.
    DelayChunks(Duration),
    /// The connection is reset (TCP RST) after this many bytes of the body.
    ResetAt(u64),
    /// The connection is closed after this many bytes of the body, which leaves the response
    /// truncated.
    CutAt(u64),
    /// The body ends cleanly after this many bytes, so that it looks complete to HTTP.
    EndAt(u64),
    /// One bit of the body is flipped.
    FlipAt {
        /// The position of the byte in the body, from 0.
        byte: u64,
        /// The bit, from 0 (the lowest) to 7.
        bit: u8,
    },
    /// This message of a stream, counted from 0, has a wrong checksum.
    WrongCrc(u64),
    /// A stream ends without `InvokeComplete`.
    NoComplete,
    /// A stream has another chunk after `InvokeComplete`.
    AfterComplete,
    /// A stream ends with an exception frame instead of `InvokeComplete`.
    Exception {
        /// The exception's name.
        code: String,
        /// The exception's message.
        message: String,
        /// The number of chunks before it; `None` means all of them.
        after: Option<u64>,
    },
    /// `InvokeComplete` has an error code although the function succeeded.
    CompleteError {
        /// `ErrorCode`.
        code: String,
        /// `ErrorDetails`, if any.
        details: Option<String>,
    },
    /// An event is delivered twice.
    Twice,
}

impl Fault {
    /// Creates a rule for every call of every function.
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            pattern: Pattern::new("*"),
            every: None,
            probability: None,
            times: None,
        }
    }

    /// Creates a rule for an error of the service, by its code. Returns `None` for an unknown code
    /// (see [`ServiceError::unmodelled`] for others).
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_endpoint::Fault;
    ///
    /// assert!(Fault::error("ServiceException").is_some());
    /// assert!(Fault::error("NoSuchException").is_none());
    /// ```
    #[must_use]
    pub fn error(code: &str) -> Option<Self> {
        let row = lambda_invoke_error::lookup(code)?;
        Some(Self::new(FaultKind::Error(row.error(row.meaning))))
    }

    /// Restricts the rule to functions whose names match a pattern, in which `*` matches any text.
    #[must_use]
    pub fn on(mut self, pattern: &str) -> Self {
        self.pattern = Pattern::new(pattern);
        self
    }

    /// Restricts the rule to every `n`th call of those that match the pattern: with 3, the third,
    /// the sixth and so on. Zero means 1.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.every = NonZeroU64::new(n.max(1));
        self
    }

    /// Applies the rule with this probability, from 0 to 1. The choice depends on the endpoint's
    /// seed: the same seed selects the same calls.
    #[must_use]
    pub fn probability(mut self, probability: f64) -> Self {
        self.probability = Some(probability.clamp(0.0, 1.0));
        self
    }

    /// Checks that the rule's texts fit into a message.
    ///
    /// # Errors
    ///
    /// The reason why they do not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let event = match &self.kind {
            FaultKind::Exception { code, message, .. } => {
                StreamEvent::Exception(StreamException::new(code, message))
            }
            FaultKind::CompleteError { code, details } => {
                let mut complete = InvokeComplete::with_log(None);
                complete.error_code = Some(code.clone());
                complete.error_details.clone_from(details);
                StreamEvent::InvokeComplete(complete)
            }
            FaultKind::FlipAt { bit, .. } if *bit > 7 => {
                return Err("bit must be from 0 to 7".to_owned());
            }
            _ => return Ok(()),
        };
        match event.encode_vectored() {
            Ok(_) => Ok(()),
            Err(error) => Err(format!("it cannot be sent in a message: {error}")),
        }
    }

    /// Whether the pattern, unless it is `*`, matches none of these names.
    pub(crate) fn matches_none(&self, mut functions: impl Iterator<Item: AsRef<str>>) -> bool {
        self.pattern.as_str() != "*" && !functions.any(|name| self.pattern.matches(name.as_ref()))
    }

    /// Limits how many times the rule takes effect.
    #[must_use]
    pub fn times(mut self, n: u64) -> Self {
        self.times = Some(n);
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.pattern.as_str(), self.kind)?;
        if let Some(every) = self.every {
            write!(f, " every={every}")?;
        }
        if let Some(probability) = self.probability {
            write!(f, " probability={probability}")?;
        }
        if let Some(times) = self.times {
            write!(f, " times={times}")?;
        }
        Ok(())
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Error(error) => {
                let code = error.code().unwrap_or_default();
                // Without quotation marks, unless it would be read as a value in them.
                match code.starts_with('"') {
                    true => write!(f, "error={}", Quoted(code))?,
                    false => write!(f, "error={code}")?,
                }
                let message = error.message().unwrap_or_default();
                // Without a status, a rule means the error of the table, with its code and type.
                let listed = error.known_error().map(|row| row.error(message));
                if listed.as_ref() != Some(error) {
                    write!(f, " status={}", error.status())?;
                }
                write!(f, " message={}", Quoted(message))
            }
            Self::Throttle {
                reason,
                retry_after,
            } => {
                write!(f, "throttle={}", reason.as_str())?;
                retry_after.map_or(Ok(()), |seconds| write!(f, " retry-after={seconds}"))
            }
            Self::Delay(time) => write!(f, "delay={}", Time(*time)),
            Self::DelayChunks(time) => write!(f, "delay-chunks={}", Time(*time)),
            Self::ResetAt(byte) => write!(f, "reset-at={byte}"),
            Self::CutAt(byte) => write!(f, "cut-at={byte}"),
            Self::EndAt(byte) => write!(f, "end-at={byte}"),
            Self::FlipAt { byte, bit } => write!(f, "flip-at={byte} bit={bit}"),
            Self::WrongCrc(message) => write!(f, "wrong-crc={message}"),
            Self::NoComplete => f.write_str("no-complete"),
            Self::AfterComplete => f.write_str("after-complete"),
            Self::Exception {
                code,
                message,
                after,
            } => {
                write!(f, "exception={} message={}", Quoted(code), Quoted(message))?;
                after.map_or(Ok(()), |chunks| write!(f, " after={chunks}"))
            }
            Self::CompleteError { code, details } => {
                write!(f, "complete-error={}", Quoted(code))?;
                match details {
                    Some(details) => write!(f, " details={}", Quoted(details)),
                    None => Ok(()),
                }
            }
            Self::Twice => f.write_str("twice"),
        }
    }
}

/// A duration in milliseconds, with a fraction if it has one.
struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.as_millis())?;
        let fraction = format!("{:06}", self.0.subsec_nanos() % 1_000_000);
        match fraction.trim_end_matches('0') {
            "" => f.write_str("ms"),
            digits => write!(f, ".{digits}ms"),
        }
    }
}

/// A value in quotation marks, in which `\` escapes `"` and `\`.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("\"")?;
        for character in self.0.chars() {
            if matches!(character, '"' | '\\') {
                f.write_str("\\")?;
            }
            write!(f, "{character}")?;
        }
        f.write_str("\"")
    }
}
