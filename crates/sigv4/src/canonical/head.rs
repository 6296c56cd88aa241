//! What stands before the headers: method, path and query, a line each.

use super::{QueryList, Sink, path, query};
use crate::names;
use crate::{PathEncoding, RawRequest, Settings};

/// Method, path and query of a request, to be written in their canonical form.
#[derive(Clone)]
pub(crate) struct Head<'a> {
    method: &'a str,
    path: &'a [u8],
    encoding: PathEncoding,
    normalize: bool,
    /// Sorted.
    pub(crate) query: QueryList<'a>,
}

impl<'a> Head<'a> {
    /// The head with an empty query.
    pub(crate) fn bare(request: &RawRequest<'a>, settings: &Settings) -> Self {
        Self {
            method: request.method,
            path: request.path,
            encoding: settings.path_encoding,
            normalize: settings.normalize_path,
            query: QueryList::new(),
        }
    }

    /// The lines, each with its end.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.method.len() + self.path.len() + 64);
        self.write(&mut bytes, false);
        bytes
    }

    pub(super) fn write<S: Sink>(&self, sink: &mut S, redact: bool) {
        sink.put(self.method.as_bytes());
        sink.put(b"\n");
        path::write(sink, self.path, self.encoding, self.normalize);
        sink.put(b"\n");
        let hidden = redact.then_some(names::SECURITY_TOKEN_PARAMETER);
        query::write(sink, &self.query, hidden);
        sink.put(b"\n");
    }
}
