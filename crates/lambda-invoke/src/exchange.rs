//! One call: attempts, each signed anew, until one is answered or the retry decision says stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{AGE, DATE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, response};
use http_body_util::Full;
use lambda_invoke_error::{Execution, bounds};
use lambda_invoke_protocol::header::X_AMZN_REQUEST_ID;
use lambda_invoke_protocol::operation::InvokeOperation;
use lambda_invoke_protocol::retry::{
    CallRetries, ClockOffset, Decision, Recovery, RetryContext, RetryPolicy, TokenBucket,
};
use lambda_invoke_protocol::{
    Expected, Framing, Request as CallRequest, StreamHead, service_error,
};
use lambda_invoke_sigv4::{PayloadHash, Timestamp};
use lambda_invoke_transport::Timeouts;
use tokio::time::Instant;

use crate::Error;
use crate::carrier::{Carrier, ResponseBody};
use crate::endpoint::EndpointUrl;
use crate::random;
use crate::session::{Session, Sessions};

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("lambda-invoke/", env!("CARGO_PKG_VERSION")));

/// What a request gets besides its own headers: `Host`, `User-Agent`, `X-Amz-Date`, `Authorization`
/// and, from hyper, `Content-Length`. One more makes its map of headers twice as large.
const HEADERS: usize = 5;

/// How long the body of an error answer is waited for. Its head says nearly all.
const ERROR_BODY: Duration = Duration::from_secs(10);

/// How much of an unexpected body is read: what a message shows of it.
const UNEXPECTED_BODY: usize = 1024;

/// A payload smaller than this, in bytes, is copied out of the buffer that it came in.
const SMALL: usize = 16 * 1024;

/// What all clones of a client share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) endpoint: EndpointUrl,
    pub(crate) carrier: Carrier,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Option<Timeouts>,
    pub(crate) retry: RetryPolicy,
    pub(crate) bucket: TokenBucket,
    /// What to add to this machine's clock to have the service's, in seconds.
    pub(crate) clock: AtomicI64,
    /// The most bytes of a buffered answer that are kept.
    pub(crate) max_reply: u64,
}

/// What one call has that differs from the client's.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Options {
    pub(crate) limits: Option<Timeouts>,
    pub(crate) total: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
}

/// An answer whose status says that the operation was carried out.
pub(crate) struct Answer {
    pub(crate) parts: response::Parts,
    pub(crate) body: ResponseBody,
    pub(crate) attempts: u32,
}

/// An attempt that failed, with what the decision needs besides the error.
struct Failed {
    error: Error,
    session: Option<Arc<Session>>,
    /// The clock that it was signed by, and how wrong the answer says that one was.
    clock: ClockOffset,
    offset: Option<ClockOffset>,
}

impl Core {
    /// Sends a request, and again as long as the retry decision allows.
    pub(crate) async fn exchange<Op: InvokeOperation>(
        &self,
        request: &CallRequest<'_, Op>,
        options: Options,
    ) -> Result<Answer, Error> {
        let base = self.endpoint.uri();
        let mut hash = None;
        let usual = || self.carrier.timeouts().unwrap_or_default();
        let mut limits = options.limits.or(self.limits);
        if let Some(total) = options.total {
            limits = Some(limits.unwrap_or_else(usual).with_total(total));
        }
        let total = limits
            .or(self.carrier.timeouts())
            .and_then(|limits| limits.total());
        let deadline = total.and_then(|total| Instant::now().checked_add(total));
        let policy = options.retry.unwrap_or(self.retry);
        let mut call = CallRetries::new(policy, &self.bucket);
        let mut earlier = Execution::NotStarted;
        loop {
            let attempt = call.attempt();
            let more = HEADERS + usize::from(self.sessions.has_token());
            let http = request
                .to_http_with_capacity(base, more)
                .map_err(Error::input)?;
            let hash = hash.get_or_insert_with(|| PayloadHash::of(http.body()));
            let left = deadline.map(|deadline| deadline.duration_since(Instant::now()));
            let limits = match (left, attempt) {
                // What earlier attempts took is gone.
                (Some(left), 2..) => Some(limits.unwrap_or_else(usual).with_total(left)),
                _ => limits,
            };
            let expected: Expected = request.invocation_type.into();
            let failed = match self.attempt(http, expected, hash, limits).await {
                Ok((parts, body)) => {
                    call.succeeded();
                    return Ok(Answer {
                        parts,
                        body,
                        attempts: attempt,
                    });
                }
                Err(failed) => failed,
            };
            let mut context = RetryContext::new(
                failed.error.as_failure(),
                attempt,
                SystemTime::now(),
                random::between_0_and_1(),
            );
            // The service runs the function once, however often it gets this name.
            context.durable = request.durable_execution_name.is_some();
            context.remaining = deadline.map(|deadline| deadline.duration_since(Instant::now()));
            context.clock = failed.clock;
            context.clock_offset = failed.offset;
            context.can_refresh_credentials = self.sessions.can_refresh();
            let retry = match call.failed(context) {
                Decision::Retry(retry) => retry,
                Decision::GiveUp(stop) => {
                    return Err(failed.error.after(attempt, earlier, Some(stop)));
                }
                // A later version's: not to send is always safe.
                _ => return Err(failed.error.after(attempt, earlier, None)),
            };
            earlier = earlier.max(failed.error.execution());
            match retry.recovery {
                // From the clock of this attempt, not the present one: of two calls at once that
                // find the same skew, the second must not add it again.
                Recovery::CorrectClock(clock) => {
                    self.clock.store(clock.as_secs(), Ordering::Relaxed);
                }
                Recovery::RefreshCredentials => {
                    if let Some(session) = &failed.session {
                        self.sessions.refuse(session);
                    }
                }
                _ => {}
            }
            if !retry.after.is_zero() {
                tokio::time::sleep(retry.after).await;
            }
        }
    }

    /// Signs a request, sends it, and reads the answer's head, and of an error its body.
    async fn attempt(
        &self,
        request: Request<Bytes>,
        expected: Expected,
        hash: &PayloadHash,
        limits: Option<Timeouts>,
    ) -> Result<(response::Parts, ResponseBody), Failed> {
        let clock = ClockOffset::from_secs(self.clock.load(Ordering::Relaxed));
        let early = |error| Failed {
            error,
            session: None,
            clock,
            offset: None,
        };
        let (mut parts, body) = request.into_parts();
        // Signed as it is here; the signer would make the same of the URI.
        parts.headers.insert(HOST, self.endpoint.host().clone());
        parts.headers.insert(USER_AGENT, AGENT);
        if let Some(limits) = limits {
            parts.extensions.insert(limits);
        }
        let now = clock.apply(SystemTime::now());
        let session = self.sessions.fresh(now);
        let (session, sent) = match session {
            Some(session) => (session, now),
            None => {
                let session = self.sessions.at(now).await.map_err(early)?;
                // Asking for credentials may have taken its time.
                (session, clock.apply(SystemTime::now()))
            }
        };
        let time = Timestamp::try_from(sent).map_err(|error| early(Error::clock(error)))?;
        session
            .signer()
            .sign(&mut parts, hash, time)
            .map_err(|error| early(Error::input(error)))?;

        let request = Request::from_parts(parts, Full::new(body));
        let answer = match self.carrier.send(request, limits).await {
            Ok(answer) => answer,
            Err(error) => return Err(early(error)),
        };
        let (parts, mut body) = answer.into_parts();
        let received = clock.apply(SystemTime::now());
        self.doubt_clock(clock, sent, received, &parts.headers);
        let unexpected = match expected.check_head(&parts) {
            Ok(()) => return Ok((parts, body)),
            Err(unexpected) => unexpected,
        };
        let error = if StreamHead::is_service_error(&parts) {
            let start = error_body(&mut body, bounds::MAX_BODY + 1).await;
            Error::service(service_error(&parts, &start))
        } else {
            let start = error_body(&mut body, UNEXPECTED_BODY).await;
            Error::unexpected(&self.endpoint, &parts, &start, unexpected)
        };
        let offset = date(&parts.headers).and_then(|date| {
            ClockOffset::measure(sent, received, date, parts.headers.contains_key(AGE))
        });
        Err(Failed {
            error,
            session: Some(session),
            clock,
            offset,
        })
    }

    /// Forgets the clock's correction if an answer contradicts it. Where it was right all the same,
    /// the next request is refused for its time, which runs nothing, and it is measured anew.
    fn doubt_clock(
        &self,
        clock: ClockOffset,
        sent: SystemTime,
        received: SystemTime,
        headers: &HeaderMap,
    ) {
        if clock == ClockOffset::ZERO {
            return;
        }
        let has_age = headers.contains_key(AGE);
        if date(headers)
            .is_some_and(|date| ClockOffset::is_contradicted(sent, received, date, has_age))
        {
            // Unless another call has corrected it in the meantime.
            let _ = self.clock.compare_exchange(
                clock.as_secs(),
                0,
                Ordering::Relaxed,
                Ordering::Relaxed,
            );
        }
    }
}

impl Answer {
    /// Reads a buffered answer whole, and sees to it that it is. One large piece is not copied.
    pub(crate) async fn into_payload(
        mut self,
        max: u64,
    ) -> Result<(response::Parts, Bytes), Error> {
        let framing = Framing::of(&self.parts);
        let length = self.body.size_hint().exact();
        let mut payload = Bytes::new();
        let mut joined: Option<BytesMut> = None;
        let mut received = 0;
        while let Some(piece) = self.body.data().await {
            let piece = piece.map_err(|error| Error::broken(error, received))?;
            received += piece.len() as u64;
            if received > max {
                return Err(Error::too_large(max, received));
            }
            match &mut joined {
                Some(joined) => joined.extend_from_slice(&piece),
                None if payload.is_empty() => payload = piece,
                None => {
                    // What is announced is believed as far as it is allowed.
                    let left = self.body.size_hint().lower();
                    let expected = received.saturating_add(left).min(max);
                    let expected = usize::try_from(expected).unwrap_or_default();
                    let mut all = BytesMut::with_capacity(expected);
                    all.extend_from_slice(&payload);
                    all.extend_from_slice(&piece);
                    joined = Some(all);
                }
            }
        }
        match framing {
            // Of another's transport, which knew the length without a header.
            Framing::Connection if length == Some(received) => {}
            _ => framing
                .check_end(received)
                .map_err(|error| Error::truncated(error, received))?,
        }
        let payload = match joined {
            Some(joined) => joined.freeze(),
            // It would keep the buffer of the connection that it was read into.
            None if payload.len() < SMALL => Bytes::copy_from_slice(&payload),
            None => payload,
        };
        Ok((self.parts, payload))
    }
}

/// As much of a body that is not a payload as is there in time, `max` bytes at most.
async fn error_body(body: &mut ResponseBody, max: usize) -> Bytes {
    let mut start = BytesMut::new();
    let read = async {
        while let Some(Ok(piece)) = body.data().await {
            let room = max.saturating_sub(start.len());
            start.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if start.len() >= max {
                break;
            }
        }
    };
    // A body that does not end in time is used as far as it came.
    let _ = tokio::time::timeout(ERROR_BODY, read).await;
    start.freeze()
}

fn date(headers: &HeaderMap) -> Option<&str> {
    headers.get(DATE)?.to_str().ok()
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(X_AMZN_REQUEST_ID)?.to_str().ok()
}
