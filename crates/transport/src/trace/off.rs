//! The same interface without the feature: nothing is reported or computed.

use http::Uri;

use crate::{Error, Proxy};

#[derive(Debug)]
pub(crate) struct Uses;

impl Uses {
    pub(crate) fn new() -> Self {
        Self
    }
}

pub(crate) fn assigned(_: &Uses) {}

#[derive(Debug)]
pub(crate) struct Connecting;

impl Connecting {
    pub(crate) fn begin() -> Self {
        Self
    }

    pub(crate) fn end<T>(self, _: &Uri, _: Option<&Proxy>, _: &Result<T, Error>) {}
}
