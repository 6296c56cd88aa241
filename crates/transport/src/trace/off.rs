//! The same interface without the feature: nothing is reported or computed.

use http::Uri;
use hyper_util::client::legacy::connect::{CaptureConnection, Connected};

use crate::{Error, Proxy};

#[derive(Clone, Debug, Default)]
pub(crate) struct Uses;

impl Uses {
    pub(crate) fn new() -> Self {
        Self
    }

    pub(crate) fn attach(&self, connected: Connected) -> Connected {
        connected
    }
}

pub(crate) fn assigned(_: &CaptureConnection) {}

#[derive(Debug)]
pub(crate) struct Connecting;

impl Connecting {
    pub(crate) fn begin() -> Self {
        Self
    }

    pub(crate) fn end<T>(self, _: &Uri, _: Option<&Proxy>, _: &Result<T, Error>) {}
}
