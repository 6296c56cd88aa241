//! One call: attempts, each with a new signature, until there is a response or the retry decision
//! is to give up.

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
    CallRetries, ClockOffset, Decision, GiveUpReason, Recovery, RetryContext, RetryPolicy,
    TokenBucket,
};
use lambda_invoke_protocol::{
    Expected, Framing, Request as CallRequest, StreamHead, StreamInvocationType,
    UnexpectedResponse, service_error,
};
use lambda_invoke_sigv4::{PayloadHash, Timestamp};
use lambda_invoke_transport::{Sent, Timeouts};
use tokio::time::Instant;

use crate::builder::MAX_REPLY;
use crate::credentials_cache::{CredentialsCache, CurrentSigner};
use crate::endpoint::EndpointUrl;
use crate::headers::{Coverage, ExtraHeaders};
use crate::http_service::{self, HttpService, OverConnection, ResponseBody};
use crate::limits::Limits;
use crate::random;
use crate::trace::{self, CallSpan};
use crate::{Error, FunctionName};

const AGENT: HeaderValue =
    HeaderValue::from_static(concat!("lambda-invoke/", env!("CARGO_PKG_VERSION")));

/// How many headers every request has in addition to its own: `Host`, `User-Agent`,
/// `X-Amz-Date`, `Authorization` and, from hyper, `Content-Length`. A map without space for
/// the last one would grow to twice its size.
const HEADERS: usize = 5;

/// How long to wait for the body of an error response. Nearly everything is in its head.
const ERROR_BODY: Duration = Duration::from_secs(10);

/// How much of an unexpected body is read, in bytes: enough for the excerpt in a message.
const UNEXPECTED_BODY: usize = 1024;

/// A payload smaller than this, in bytes, is copied out of the buffer that it was received in.
const SMALL: usize = 16 * 1024;

/// The state that all clones of a client share.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) endpoint: EndpointUrl,
    pub(crate) http_service: HttpService,
    pub(crate) credentials: Arc<CredentialsCache>,
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) retry: RetryPolicy,
    pub(crate) bucket: TokenBucket,
    /// By how many seconds the service's clock is ahead of this machine's.
    pub(crate) clock: AtomicI64,
    /// The maximum number of bytes of a buffered response that are kept in memory.
    pub(crate) max_reply: u64,
    pub(crate) headers: ExtraHeaders,
}

/// The settings of one call, where they differ from the client's.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) timeouts: Option<Timeouts>,
    pub(crate) total: Option<Duration>,
    pub(crate) retry: Option<RetryPolicy>,
    /// Boxed, so that a call without headers stays small.
    pub(crate) headers: Option<Box<ExtraHeaders>>,
}

/// A response with a head that was expected; its body has not been read yet.
pub(crate) struct HttpResponse {
    pub(crate) parts: response::Parts,
    pub(crate) body: ResponseBody,
    pub(crate) attempts: u32,
    /// The total timeout of the call, of which the last attempt had only a part.
    pub(crate) total: Option<Duration>,
    pub(crate) span: CallSpan,
}

/// A failed attempt, with the values that the retry decision needs besides the error.
struct Failed {
    error: Error,
    signer: Option<Arc<CurrentSigner>>,
    /// The clock correction that it was signed with, and the error that remained according to the
    /// response's date.
    clock: ClockOffset,
    offset: Option<ClockOffset>,
    /// Whether a layer may have sent the request before the send that failed.
    sent_before: Sent,
}

/// The result of an attempt: a response with an expected head, or a failure for the retry decision.
type Attempted = Result<(response::Parts, ResponseBody), Failed>;

impl Core {
    /// Sends a request, and sends it again as long as the retry decision allows.
    pub(crate) async fn exchange<Op: InvokeOperation>(
        &self,
        request: &CallRequest<'_, Op>,
        options: &Options,
    ) -> Result<HttpResponse, Error> {
        self.check_region(request.target.name())?;
        let span = CallSpan::open(request, &self.endpoint, self.credentials.region());
        let (parts, body, attempts, total) = span.run(self.attempts(request, options)).await?;
        span.responded(&parts, attempts);
        Ok(HttpResponse {
            parts,
            body,
            attempts,
            total,
            span,
        })
    }

    async fn attempts<Op: InvokeOperation>(
        &self,
        request: &CallRequest<'_, Op>,
        options: &Options,
    ) -> Result<(response::Parts, ResponseBody, u32, Option<Duration>), Error> {
        let mut hash = None;
        let limits = Limits::new(options.timeouts.or(self.timeouts), options.total);
        let total = limits.total(self.http_service.timeouts());
        let mut deadline = total.and_then(|total| Instant::now().checked_add(total));
        let policy = options.retry.unwrap_or(self.retry);
        let mut call = CallRetries::new(policy, &self.bucket);
        let mut earlier = Execution::NotStarted;
        loop {
            let attempt = call.attempt();
            let left = deadline.map(|deadline| deadline.duration_since(Instant::now()));
            let limits = match (left, attempt) {
                // Earlier attempts have used up a part of it.
                (Some(left), 2..) => limits.with_total(left),
                _ => limits,
            };
            let hash = hash.get_or_insert_with(|| PayloadHash::of(&request.payload));
            let mut fetching = Duration::ZERO;
            let attempted = self
                .attempt(attempt, request, options, limits, hash, &mut fetching)
                .await?;
            // Fetching credentials does not count against the call's timeout.
            deadline = deadline.and_then(|deadline| deadline.checked_add(fetching));
            let failed = match attempted {
                Ok((parts, body)) => {
                    call.succeeded();
                    return Ok((parts, body, attempt, total));
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
            context.can_refresh_credentials = self.credentials.can_refresh();
            // What a layer sent may have run, whatever the last response says.
            let mut is_unsafe = false;
            if failed.sent_before == Sent::Maybe {
                earlier = Execution::Unknown;
                is_unsafe = !policy.retries_unknown() && !context.durable;
            }
            let decision = match is_unsafe {
                true => Decision::GiveUp(GiveUpReason::MayHaveRun),
                false => call.failed(context),
            };
            let retry = match decision {
                Decision::Retry(retry) => retry,
                Decision::GiveUp(reason) => {
                    let error = failed.error.of_total(Some(&self.endpoint), total);
                    trace::gave_up(attempt, &error, reason);
                    return Err(error.given_up(attempt, earlier, Some(reason)));
                }
            };
            trace::retrying(attempt, policy.max_attempts(), &failed.error, &retry);
            earlier = earlier.max(failed.error.execution());
            match retry.recovery {
                // Based on the clock of this attempt, not the current one: if two calls find the
                // same skew at once, the second must not add it again.
                Recovery::CorrectClock(clock) => {
                    trace::clock_corrected(clock);
                    self.clock.store(clock.as_secs(), Ordering::Relaxed);
                }
                Recovery::RefreshCredentials => {
                    if let Some(signer) = &failed.signer {
                        self.credentials.invalidate(signer);
                    }
                }
                _ => {}
            }
            if !retry.after.is_zero() {
                tokio::time::sleep(retry.after).await;
            }
        }
    }

    /// Rejects a function whose ARN is in a different region from the client's: the service would not find
    /// it, or not accept the signature.
    fn check_region(&self, function: &FunctionName<'_>) -> Result<(), Error> {
        let region = self.credentials.region();
        match function.region() {
            Some(of_arn) if of_arn != region => Err(Error::input(format!(
                "the function's ARN is in the region {of_arn}, but the client's region is {region}"
            ))),
            _ => Ok(()),
        }
    }

    /// Signs a request, sends it, and reads the response's head, and the body of an error. The
    /// outer error means that the call cannot be encoded as a request.
    ///
    /// Values that are kept while the response is awaited take memory for each call in flight. A
    /// request is therefore neither an argument of a future nor borrowed before it is moved, and
    /// futures that are rarely awaited are boxed.
    async fn attempt<Op: InvokeOperation>(
        &self,
        attempt: u32,
        call: &CallRequest<'_, Op>,
        options: &Options,
        limits: Limits,
        hash: &PayloadHash,
        fetching: &mut Duration,
    ) -> Result<Attempted, Error> {
        let clock = ClockOffset::from_secs(self.clock.load(Ordering::Relaxed));
        let early = |error| Failed {
            error,
            signer: None,
            clock,
            offset: None,
            sent_before: Sent::No,
        };
        let request = self.unsigned(call, options, limits)?;
        let now = clock.apply(SystemTime::now());
        let (signer, sent) = match self.credentials.fresh(now) {
            Some(signer) => (signer, now),
            None => {
                let start = Instant::now();
                let signer = Box::pin(self.credentials.signer_at(now)).await;
                *fetching = start.elapsed();
                match signer {
                    // Fetching credentials may have taken some time.
                    Ok(signer) => (signer, clock.apply(SystemTime::now())),
                    Err(error) => return Ok(Err(early(error))),
                }
            }
        };
        let request = match self.signed(attempt, request, options, &signer, hash, sent) {
            Ok(request) => request,
            Err(error) => return Ok(Err(early(error))),
        };
        let (response, sent_before) = match &self.http_service {
            HttpService::Builtin(transport) => {
                let response = transport.send(request).await.map_err(|error| {
                    let sent = error.sent();
                    Error::no_response(&self.endpoint, error.into(), sent)
                });
                (response.map(|it| it.map(ResponseBody::Builtin)), Sent::No)
            }
            HttpService::Custom(service) => {
                let sending = http_service::send(&**service, request);
                http_service::in_time(sending, limits, &self.endpoint).await
            }
        };
        let (parts, body) = match response {
            Ok(response) => response.into_parts(),
            Err(error) => return Ok(Err(early(error))),
        };
        let received = clock.apply(SystemTime::now());
        trace::received(attempt, &parts, sent, received);
        self.doubt_clock(clock, sent, received, &parts.headers);
        let expected: Expected = call.invocation_type.into();
        let Err(unexpected) = expected.check_head(&parts) else {
            return Ok(Ok((parts, body)));
        };
        let offset = date(&parts.headers).and_then(|date| {
            ClockOffset::measure(sent, received, date, parts.headers.contains_key(AGE))
        });
        Ok(Err(Failed {
            error: Box::pin(self.no_success(parts, body, unexpected)).await,
            signer: Some(signer),
            clock,
            offset,
            sent_before,
        }))
    }

    /// Returns the request of a call, with its timeouts.
    fn unsigned<Op: InvokeOperation>(
        &self,
        call: &CallRequest<'_, Op>,
        options: &Options,
        limits: Limits,
    ) -> Result<Request<Bytes>, Error> {
        let more = HEADERS
            + usize::from(self.credentials.has_token())
            + self.headers.len()
            + options.headers.as_deref().map_or(0, ExtraHeaders::len);
        let mut request = call
            .to_http_with_capacity(self.endpoint.uri(), more)
            .map_err(Error::input)?;
        limits.insert_into(request.extensions_mut());
        Ok(request)
    }

    /// Adds the headers of every request, and signs it.
    fn signed(
        &self,
        attempt: u32,
        request: Request<Bytes>,
        options: &Options,
        signer: &CurrentSigner,
        hash: &PayloadHash,
        sent: SystemTime,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let headers = options.headers.as_deref();
        let (mut parts, body) = request.into_parts();
        // The signer would derive the same from the URI, for every request.
        parts.headers.insert(HOST, self.endpoint.host().clone());
        parts.headers.insert(USER_AGENT, AGENT);
        self.insert_extra(&mut parts.headers, Coverage::Signed, headers);
        let time = Timestamp::try_from(sent).map_err(Error::clock)?;
        let signer = signer.signer();
        signer.sign(&mut parts, hash, time).map_err(Error::input)?;
        self.insert_extra(&mut parts.headers, Coverage::Unsigned, headers);
        trace::signed(attempt, signer, time, parts.uri.path(), body.len());
        Ok(Request::from_parts(parts, Full::new(body)))
    }

    /// Reads the body of a response that was not expected.
    async fn no_success(
        &self,
        parts: response::Parts,
        mut body: ResponseBody,
        unexpected: UnexpectedResponse,
    ) -> Error {
        if StreamHead::is_service_error(&parts) {
            let (start, is_whole) = error_body(&parts, &mut body, bounds::MAX_BODY + 1).await;
            let error = service_error(&parts, &start);
            Error::service(match is_whole {
                true => error,
                false => error.with_partial_body(),
            })
        } else {
            let (start, _) = error_body(&parts, &mut body, UNEXPECTED_BODY).await;
            Error::unexpected(&self.endpoint, &parts, &start, unexpected)
        }
    }

    /// Adds the client's headers and the call's; the call's replace the client's of the same name.
    fn insert_extra(
        &self,
        headers: &mut HeaderMap,
        coverage: Coverage,
        of_call: Option<&ExtraHeaders>,
    ) {
        self.headers.insert_into(headers, coverage, of_call);
        if let Some(of_call) = of_call {
            of_call.insert_into(headers, coverage, None);
        }
    }

    /// Drops the clock's correction if a response contradicts it. If the correction was right, the
    /// next request is rejected for its time, which runs nothing, and the clock is measured again.
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

impl HttpResponse {
    /// Returns the head of a stream.
    pub(crate) fn stream_head(
        &self,
        endpoint: &EndpointUrl,
        asked: StreamInvocationType,
    ) -> Result<StreamHead, Error> {
        StreamHead::from_parts(asked, &self.parts).map_err(|error| {
            Error::unexpected(endpoint, &self.parts, b"", error).with_attempts(self.attempts)
        })
    }

    /// Reads a buffered response, and checks that it is complete. A single large piece is not copied.
    pub(crate) async fn payload(&mut self, max: u64) -> Result<Bytes, Error> {
        let framing = Framing::of(&self.parts);
        let length = known_length(&self.parts, &self.body);
        let mut payload = Bytes::new();
        let mut joined: Option<BytesMut> = None;
        let mut received = 0;
        while let Some(piece) = self.body.data().await {
            let piece =
                piece.map_err(|error| Error::broken(error, received).of_total(None, self.total))?;
            received += piece.len() as u64;
            if received > max {
                return Err(Error::too_large(max, received));
            }
            match &mut joined {
                Some(joined) => joined.extend_from_slice(&piece),
                None if payload.is_empty() => payload = piece,
                None => {
                    // The announced length is trusted up to the default maximum: a larger response
                    // gets its memory as it arrives.
                    let left = self.body.size_hint().lower();
                    let expected = received.saturating_add(left).min(max).min(MAX_REPLY);
                    let expected = usize::try_from(expected).unwrap_or_default();
                    let mut all = BytesMut::with_capacity(expected);
                    all.extend_from_slice(&payload);
                    all.extend_from_slice(&piece);
                    joined = Some(all);
                }
            }
        }
        match framing {
            // The body of a custom service may know its length without a header.
            Framing::Connection if length == Some(received) => {}
            _ => framing
                .check_end(received)
                .map_err(|error| Error::truncated(error, received))?,
        }
        Ok(match joined {
            Some(joined) => joined.freeze(),
            // Without a copy, it would keep the connection's read buffer in memory.
            None if payload.len() < SMALL => Bytes::copy_from_slice(&payload),
            None => payload,
        })
    }
}

/// Reads the body of an error, at most `max` bytes, as far as it arrives in time, and returns
/// whether that is all of it.
async fn error_body(parts: &response::Parts, body: &mut ResponseBody, max: usize) -> (Bytes, bool) {
    let length = known_length(parts, body);
    let mut start = BytesMut::new();
    let mut has_ended = false;
    let read = async {
        loop {
            match body.data().await {
                Some(Ok(piece)) => {
                    let room = max.saturating_sub(start.len());
                    start.extend_from_slice(piece.get(..room).unwrap_or(&piece));
                    if start.len() >= max {
                        break;
                    }
                }
                Some(Err(_)) => break,
                None => {
                    has_ended = true;
                    break;
                }
            }
        }
    };
    // A late body is used as far as it has arrived.
    let _ = tokio::time::timeout(ERROR_BODY, read).await;
    let received = start.len() as u64;
    let is_proved = length == Some(received) || Framing::of(parts).check_end(received).is_ok();
    (start.freeze(), has_ended && is_proved)
}

/// Returns the length of a body that a custom service knows without a header. If the response came over
/// a connection of the built-in transport, a layer has only counted what arrived.
fn known_length(parts: &response::Parts, body: &ResponseBody) -> Option<u64> {
    let is_counted = parts.extensions.get::<OverConnection>().is_some();
    body.size_hint().exact().filter(|_| !is_counted)
}

fn date(headers: &HeaderMap) -> Option<&str> {
    headers.get(DATE)?.to_str().ok()
}

pub(crate) fn request_id(headers: &HeaderMap) -> Option<&str> {
    headers.get(X_AMZN_REQUEST_ID)?.to_str().ok()
}
