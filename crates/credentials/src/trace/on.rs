//! The span and the events, with the feature.

use std::pin::Pin;

use bytes::Bytes;
use http::Response;
use lambda_invoke_sigv4::BoxError;
use tokio::time::error::Elapsed;
use tracing::instrument::{Instrumented, WithDispatch, WithSubscriber as _};
use tracing::{Instrument as _, debug, debug_span, field, warn};

use crate::{Error, Identity, Provider};

const TARGET: &str = "lambda_invoke_credentials";

/// Runs a fetch within its span. The fetch runs in a separate task, but reports to the same
/// subscriber as its call.
pub(crate) fn fetch<F: Future>(future: F) -> WithDispatch<Instrumented<Pin<Box<F>>>> {
    let span = debug_span!(target: TARGET, "fetch_credentials");
    // Boxed, since each of the two wrappers would copy the future, which is large.
    Box::pin(future).instrument(span).with_current_subscriber()
}

/// Reports a provider that is not configured, or has no credentials.
pub(crate) fn skipped(provider: Provider) {
    debug!(target: TARGET, %provider, "provider skipped");
}

/// Reports how an attempt of a request ended.
pub(crate) fn responded(
    to: &str,
    attempt: u32,
    result: &Result<Result<Response<Bytes>, BoxError>, Elapsed>,
) {
    match result {
        Ok(Ok(response)) => debug!(
            target: TARGET,
            to,
            attempt,
            status = response.status().as_u16(),
            bytes = response.body().len(),
            "response received"
        ),
        Ok(Err(_)) => debug!(target: TARGET, to, attempt, "no response"),
        Err(_) => debug!(target: TARGET, to, attempt, "no response in time"),
    }
}

/// Reports the credentials that a fetch returned.
pub(crate) fn fetched(identity: &Identity) {
    debug!(
        target: TARGET,
        provider = %identity.provider,
        access_key_id = identity.credentials.access_key_id(),
        expiry = identity.credentials.expiry().map(field::display),
        "credentials found"
    );
}

/// Reports a fetch that failed.
pub(crate) fn failed(error: &Error) {
    debug!(target: TARGET, kind = ?error.kind(), "no credentials");
}

/// Reports that the old credentials stay in use because a fetch failed.
pub(crate) fn kept(identity: &Identity) {
    warn!(
        target: TARGET,
        access_key_id = identity.credentials.access_key_id(),
        expiry = identity.credentials.expiry().map(field::display),
        "credentials could not be renewed; the old ones stay in use"
    );
}
