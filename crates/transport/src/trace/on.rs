//! The events, with the feature.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::Uri;
use tracing::{Level, debug};

use crate::{Error, Proxy};

const TARGET: &str = "lambda_invoke_transport";

/// Counts the requests of a connection, if events are enabled when it is made.
#[derive(Debug)]
pub(crate) struct Uses(Option<AtomicU64>);

impl Uses {
    pub(crate) fn new() -> Self {
        let is_enabled = tracing::enabled!(target: TARGET, Level::DEBUG);
        Self(is_enabled.then(AtomicU64::default))
    }
}

/// Reports the connection that a request uses.
pub(crate) fn assigned(Uses(uses): &Uses) {
    if !tracing::enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    let Some(uses) = uses else { return };
    match uses.fetch_add(1, Ordering::Relaxed) {
        0 => debug!(target: TARGET, reused = false, "new connection used"),
        earlier => debug!(
            target: TARGET,
            reused = true,
            earlier_requests = earlier,
            "connection reused"
        ),
    }
}

/// An attempt to connect.
#[derive(Debug)]
pub(crate) struct Connecting(Option<Instant>);

impl Connecting {
    pub(crate) fn begin() -> Self {
        Self(tracing::enabled!(target: TARGET, Level::DEBUG).then(Instant::now))
    }

    /// Reports how the attempt ended.
    pub(crate) fn end<T>(self, to: &Uri, proxy: Option<&Proxy>, result: &Result<T, Error>) {
        let Some(began) = self.0 else { return };
        let scheme = to.scheme_str().unwrap_or_default();
        let host = crate::connector::authority(to);
        let via = proxy.and_then(|proxy| proxy.intercept(to).ok().flatten());
        let via = via
            .as_ref()
            .map(|via| crate::connector::authority(via.uri()));
        let elapsed = began.elapsed();
        match result {
            Ok(_) => debug!(
                target: TARGET,
                scheme,
                host,
                proxy = via,
                ?elapsed,
                "connected"
            ),
            Err(error) => debug!(
                target: TARGET,
                scheme,
                host,
                proxy = via,
                ?elapsed,
                kind = ?error.kind(),
                "could not connect"
            ),
        }
    }
}
