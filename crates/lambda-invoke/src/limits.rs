//! The timeouts that the caller sets for a call.

use std::time::Duration;

use http::Extensions;
use lambda_invoke_transport::{TimeoutKind, Timeouts, TotalTimeout};

/// Which timeouts apply to an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Limits {
    /// Those of the service that sends the request.
    OfService,
    /// The same, except for the total.
    Total(Duration),
    /// Only these.
    All(Timeouts),
}

impl Limits {
    pub(crate) fn new(all: Option<Timeouts>, total: Option<Duration>) -> Self {
        let limits = all.map_or(Self::OfService, Self::All);
        total.map_or(limits, |total| limits.with_total(total))
    }

    pub(crate) fn with_total(self, total: Duration) -> Self {
        match self {
            Self::All(timeouts) => Self::All(timeouts.with_total(total)),
            Self::OfService | Self::Total(_) => Self::Total(total),
        }
    }

    /// The total timeout; `of_service` are the timeouts of the service that sends the request, as far
    /// as they are known.
    pub(crate) fn total(self, of_service: Option<Timeouts>) -> Option<Duration> {
        match self {
            Self::OfService => of_service?.total(),
            Self::Total(total) => Some(total),
            Self::All(timeouts) => timeouts.total(),
        }
    }

    /// Adds the timeouts to a request, where the built-in transport finds them, even below layers.
    pub(crate) fn insert_into(self, extensions: &mut Extensions) {
        match self {
            Self::OfService => {}
            Self::Total(total) => {
                extensions.insert(TotalTimeout::from(total));
            }
            Self::All(timeouts) => {
                extensions.insert(timeouts);
            }
        }
    }

    /// Returns how long to wait for the head of a custom service's response, and the timeout that is then
    /// over.
    pub(crate) fn until_head(self) -> Option<(Duration, TimeoutKind, Duration)> {
        let timeouts = match self {
            Self::OfService => Timeouts::default(),
            Self::Total(total) => Timeouts::default().with_total(total),
            Self::All(timeouts) => timeouts,
        };
        let total = timeouts.total();
        let total = total.map(|length| (length, TimeoutKind::Total, length));
        // A transport below layers measures it from the connection on, and reports it earlier.
        let first_byte = timeouts.first_byte().map(|length| {
            let wait = length.saturating_add(timeouts.connect().unwrap_or_default());
            (wait, TimeoutKind::FirstByte, length)
        });
        let both = total.into_iter().chain(first_byte);
        both.min_by_key(|(wait, ..)| *wait)
    }
}
