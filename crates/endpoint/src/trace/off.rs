//! The same interface without the feature: nothing is reported or computed.

use http::Method;

use crate::request_id::RequestId;
use crate::service::request_log::RequestRecord;

#[derive(Clone, Debug)]
pub(crate) struct RequestSpan;

impl RequestSpan {
    pub(crate) fn open(_: &Method, _: RequestId) -> Self {
        Self
    }

    pub(crate) fn is_enabled(&self) -> bool {
        false
    }

    pub(crate) fn run<F: Future>(&self, future: F) -> F {
        future
    }

    pub(crate) fn in_scope<T>(&self, run: impl FnOnce() -> T) -> T {
        run()
    }

    pub(crate) fn served(&self, _: &RequestRecord) {}
}

pub(crate) fn called(_: &str, _: &str, _: RequestId, _: usize) {}
