//! The span and the events, with the feature.

use tracing::{Span, debug, debug_span};

use crate::{Event, Program, Report};

const TARGET: &str = "lambda_invoke_runtime";

/// The span of an invocation: open until its response is complete, or it has failed.
#[derive(Debug)]
pub(crate) struct CallSpan(Span);

impl CallSpan {
    pub(crate) fn open(program: &Program, event: &Event) -> Self {
        Self(debug_span!(
            target: TARGET,
            "invocation",
            function = program.name,
            request_id = event.request_id,
            payload_bytes = event.payload.len(),
        ))
    }

    /// Reports that an instance has received the event.
    pub(crate) fn handed(&self, instance: u64) {
        self.0
            .in_scope(|| debug!(target: TARGET, instance, "event delivered"));
    }

    /// Reports how the invocation ended.
    pub(crate) fn ended(&self, report: &Report) {
        let failure = report.outcome.failure().map(|failure| failure.kind);
        self.0.in_scope(|| {
            debug!(
                target: TARGET,
                failure = failure.map(tracing::field::debug),
                duration = ?report.duration,
                init_duration = report.init_duration.map(tracing::field::debug),
                max_memory = report.max_memory,
                "invocation ended"
            );
        });
    }
}

/// Reports that an instance is being started.
pub(crate) fn instance_started(program: &Program, instance: u64) {
    debug!(target: TARGET, function = program.name, instance, "instance starting");
}

/// Reports that the processes of an instance have ended.
pub(crate) fn instance_ended(program: &Program, instance: u64, why: &str) {
    debug!(target: TARGET, function = program.name, instance, why, "instance ended");
}
