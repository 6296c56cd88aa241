//! The same interface without the feature: nothing is reported or computed.

use std::time::SystemTime;

use http::response::Parts;
use lambda_invoke_protocol::Request;
use lambda_invoke_protocol::operation::InvokeOperation;
use lambda_invoke_protocol::retry::{ClockOffset, GiveUpReason, Retry};
use lambda_invoke_sigv4::{Credentials, Signer, Timestamp};

use crate::{EndpointUrl, Error};

#[derive(Debug)]
pub(crate) struct CallSpan;

impl CallSpan {
    pub(crate) fn open<Op: InvokeOperation>(_: &Request<'_, Op>, _: &EndpointUrl, _: &str) -> Self {
        Self
    }

    pub(crate) fn run<F: Future>(&self, future: F) -> F {
        future
    }

    pub(crate) fn responded(&self, _: &Parts, _: u32) {}

    pub(crate) fn complete(&self, _: u64) {}

    pub(crate) fn failed(&self, _: &Error) {}
}

pub(crate) fn inherited<F: Future>(future: F) -> F {
    future
}

pub(crate) fn credentials_fetched(_: &Credentials) {}

pub(crate) fn credentials_kept(_: &Credentials) {}

pub(crate) fn signed(_: u32, _: &Signer, _: Timestamp, _: &str, _: usize) {}

pub(crate) fn received(_: u32, _: &Parts, _: SystemTime, _: SystemTime) {}

pub(crate) fn retrying(_: u32, _: u32, _: &Error, _: &Retry) {}

pub(crate) fn gave_up(_: u32, _: &Error, _: GiveUpReason) {}

pub(crate) fn clock_corrected(_: ClockOffset) {}
