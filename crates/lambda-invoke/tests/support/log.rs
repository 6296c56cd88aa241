//! Records what is reported to `tracing`.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

use tracing::Event;
use tracing::field::{Field, Visit};
use tracing::instrument::WithSubscriber as _;
use tracing::span::{Attributes, Id, Record};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Registry, registry};

/// Everything that was reported, with one line for each event or state of a span: `LEVEL target
/// [span] name=value ..`.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

pub struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl Log {
    fn push(&self, line: Line) {
        self.0.lock().unwrap().push(line.0);
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// The lines of this project's events with this message; other crates report too.
    pub fn events(&self, message: &str) -> Vec<String> {
        let message = format!("message={message}");
        let lines = self.lines();
        lines
            .into_iter()
            .filter(|line| line.contains(" lambda_invoke") && line.contains(&message))
            .collect()
    }

    /// Records everything that the process reports from now on.
    pub fn of_process() -> Self {
        let log = Self::default();
        let subscriber = Registry::default().with(log.clone());
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    }

    /// Runs a future, and records everything that it reports, at every level and from every crate.
    pub async fn record<F: Future>(&self, future: F) -> F::Output {
        let subscriber = Registry::default().with(self.clone());
        future.with_subscriber(subscriber).await
    }
}

impl<S> Layer<S> for Log
where
    S: tracing::Subscriber + for<'s> LookupSpan<'s>,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        let metadata = attributes.metadata();
        let mut line = Line(format!("OPEN {} {}", metadata.target(), metadata.name()));
        attributes.record(&mut line);
        self.push(line);
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        let mut line = Line("RECORD".to_owned());
        values.record(&mut line);
        self.push(line);
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let metadata = event.metadata();
        let span = context.event_span(event);
        let span = span.as_ref().map_or("-", registry::SpanRef::name);
        let (level, target) = (metadata.level(), metadata.target());
        let mut line = Line(format!("{level} {target} [{span}]"));
        event.record(&mut line);
        self.push(line);
    }

    fn on_close(&self, _: Id, _: Context<'_, S>) {
        self.push(Line("CLOSE".to_owned()));
    }
}

/// Asserts that one of the lines has all of these parts.
pub fn contains(lines: &[String], parts: &[&str]) {
    let found = lines
        .iter()
        .any(|line| parts.iter().all(|part| line.contains(part)));
    assert!(found, "{parts:?} in {lines:#?}");
}
