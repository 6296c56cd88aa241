//! One call: attempts, each signed anew, until one is answered or the retry decision says stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

use bytes::{Bytes, BytesMut};
use http::header::{AGE, CONTENT_LENGTH, DATE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, response};
use http_body_util::Full;
use lambda_invoke_error::{Execution, bounds};
use lambda_invoke_protocol::header::X_AMZN_REQUEST_ID;
use lambda_invoke_protocol::operation::InvokeOperation;
use lambda_invoke_protocol::retry::{
    CallRetries, ClockOffset, Decision, Remedy, RetryPolicy, Situation, TokenBucket,
};
use lambda_invoke_protocol::{Request as CallRequest, service_error};
use lambda_invoke_sigv4::{PayloadHash, Timestamp};
use lambda_invoke_transport::Limits;
use tokio::time::Instant;

use crate::Error;
use crate::carrier::{AnswerBody, Carrier};
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

/// What all clones of a client share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) endpoint: EndpointUrl,
    pub(crate) carrier: Carrier,
    pub(crate) sessions: Sessions,
    pub(crate) limits: Option<Limits>,
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
    pub(crate) limits: Option<Limits>,
    pub(crate) total: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
}

/// An answer whose status says that the operation was carried out.
pub(crate) struct Answer {
    pub(crate) parts: response::Parts,
    pub(crate) body: AnswerBody,
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
        let usual = || self.carrier.limits().unwrap_or_default();
        let mut limits = options.limits.or(self.limits);
        if let Some(total) = options.total {
            limits = Some(limits.unwrap_or_else(usual).with_total(total));
        }
        let total = limits
            .or(self.carrier.limits())
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
            let failed = match self.attempt(http, hash, limits).await {
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
            let mut situation = Situation::new(
                failed.error.as_failure(),
                attempt,
                SystemTime::now(),
                random::between_0_and_1(),
            );
            // The service runs the function once, however often it gets this name.
            situation.durable = request.durable_execution_name.is_some();
            situation.remaining = deadline.map(|deadline| deadline.duration_since(Instant::now()));
            situation.clock_offset = failed.offset;
            situation.can_refresh_credentials = self.sessions.can_refresh();
            let retry = match call.failed(situation) {
                Decision::Retry(retry) => retry,
                Decision::Stop(stop) => {
                    return Err(failed.error.after(attempt, earlier, Some(stop)));
                }
                // A later version's: not to send is always safe.
                _ => return Err(failed.error.after(attempt, earlier, None)),
            };
            earlier = earlier.max(failed.error.execution());
            match retry.remedy {
                Remedy::CorrectClock(offset) => {
                    // From the clock of this attempt, not the present one: of two calls at once
                    // that find the same skew, the second must not add it again.
                    self.clock
                        .store(failed.clock.plus(offset).as_secs(), Ordering::Relaxed);
                }
                Remedy::RefreshCredentials => {
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
        hash: &PayloadHash,
        limits: Option<Limits>,
    ) -> Result<(response::Parts, AnswerBody), Failed> {
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
        if parts.status.is_success() {
            return Ok((parts, body));
        }
        let received = clock.apply(SystemTime::now());
        let text = |name: &str| parts.headers.get(name)?.to_str().ok();
        let error = if parts.status.is_client_error() || parts.status.is_server_error() {
            let start = error_body(&mut body).await;
            Error::service(service_error(&parts, &start))
        } else {
            Error::unexpected(format!("the status is {}", parts.status))
                .with_request_id(request_id(&parts.headers))
        };
        let offset = text(DATE.as_str()).and_then(|date| {
            ClockOffset::measure(sent, received, date, parts.headers.contains_key(AGE))
        });
        Err(Failed {
            error,
            session: Some(session),
            clock,
            offset,
        })
    }
}

impl Answer {
    /// Reads a buffered answer whole. One piece is not copied.
    pub(crate) async fn into_payload(
        mut self,
        max: u64,
    ) -> Result<(response::Parts, Bytes), Error> {
        let announced = self.parts.headers.get(CONTENT_LENGTH);
        let announced: Option<u64> =
            announced.and_then(|length| length.to_str().ok()?.parse().ok());
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
                    let expected = received.saturating_add(self.body.at_least()).min(max);
                    let expected = usize::try_from(expected).unwrap_or_default();
                    let mut all = BytesMut::with_capacity(expected);
                    all.extend_from_slice(&payload);
                    all.extend_from_slice(&piece);
                    joined = Some(all);
                }
            }
        }
        // Our transport has seen to it; another's may not.
        if let Some(announced) = announced.filter(|announced| *announced > received) {
            let why = format!("{announced} bytes were announced");
            return Err(Error::truncated(why, received));
        }
        Ok((self.parts, joined.map_or(payload, BytesMut::freeze)))
    }
}

/// As much of an error answer's body as is there in time and is looked at.
async fn error_body(body: &mut AnswerBody) -> Bytes {
    let mut start = BytesMut::new();
    let read = async {
        while let Some(Ok(piece)) = body.data().await {
            let room = bounds::MAX_BODY
                .saturating_add(1)
                .saturating_sub(start.len());
            start.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if start.len() > bounds::MAX_BODY {
                break;
            }
        }
    };
    // A body that does not end in time is used as far as it came.
    let _ = tokio::time::timeout(ERROR_BODY, read).await;
    start.freeze()
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(X_AMZN_REQUEST_ID)?.to_str().ok()
}
