//! The same interface without the feature: nothing is reported or computed.

use crate::{Event, Program, Report};

#[derive(Debug)]
pub(crate) struct CallSpan;

impl CallSpan {
    pub(crate) fn open(_: &Program, _: &Event) -> Self {
        Self
    }

    pub(crate) fn handed(&self, _: u64) {}

    pub(crate) fn ended(&self, _: &Report) {}
}

pub(crate) fn instance_started(_: &Program, _: u64) {}

pub(crate) fn instance_ended(_: &Program, _: u64, _: &str) {}
