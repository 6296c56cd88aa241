//! Requests as the vectors write them, and other code that the test files share.
#![allow(dead_code, reason = "each test file uses a part")]

use lambda_invoke_sigv4::{InvalidRequest, RawRequest, SigningHeaders};

/// A request as text, which can also hold what `http` cannot (raw spaces, UTF-8).
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Request {
    /// Parses `METHOD SP target SP HTTP/1.1`, lines of `Name:value`, and a body after an empty
    /// line. A line that begins with a blank continues the value before it (RFC 9112, section 5.2:
    /// a recipient may replace the fold with a space).
    pub(crate) fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let mut lines = head.lines();
        let (method, rest) = lines.next().unwrap().split_once(' ').unwrap();
        let (target, _version) = rest.rsplit_once(' ').unwrap();
        let mut headers: Vec<(String, String)> = Vec::new();
        for line in lines {
            if line.starts_with([' ', '\t']) {
                let (_, value) = headers.last_mut().unwrap();
                value.push(' ');
                value.push_str(line);
            } else {
                let (name, value) = line.split_once(':').unwrap();
                headers.push((name.to_owned(), value.to_owned()));
            }
        }
        let mut request = Self {
            method: method.to_owned(),
            path: String::new(),
            query: None,
            headers,
            body: body.to_owned(),
        };
        request.set_target(target);
        request
    }

    pub(crate) fn set_target(&mut self, target: &str) {
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        self.path = path.to_owned();
        self.query = query;
    }

    pub(crate) fn raw(&self) -> RawRequest<'_> {
        self.try_raw().unwrap()
    }

    pub(crate) fn try_raw(&self) -> Result<RawRequest<'_>, InvalidRequest> {
        let headers = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()));
        RawRequest::new(&self.method, &self.path, self.query.as_ref(), headers)
    }

    /// The same request in the types of `http`, if they can hold it.
    pub(crate) fn parts(&self) -> Option<http::request::Parts> {
        let query = self
            .query
            .as_ref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let mut builder = http::Request::builder()
            .method(self.method.as_str())
            .uri(format!("{}{query}", self.path));
        for (name, value) in &self.headers {
            builder = builder.header(name.as_str(), value.as_bytes());
        }
        builder.body(()).ok().map(|request| request.into_parts().0)
    }

    /// Adds the headers that signing returned, in place of those with the same name.
    pub(crate) fn add(&mut self, added: &SigningHeaders) {
        for (name, value) in added.iter() {
            self.headers
                .retain(|(old, _)| !old.eq_ignore_ascii_case(name));
            self.headers
                .push((name.to_owned(), value.to_str().unwrap().to_owned()));
        }
    }

    /// Method, path, sorted query, sorted headers and body, for comparing two requests.
    pub(crate) fn normal(&self) -> (String, String, Vec<String>, Vec<(String, String)>, String) {
        let query = self.query.clone().unwrap_or_default();
        let mut query: Vec<_> = query.split('&').map(str::to_owned).collect();
        query.sort();
        let mut headers = self.headers.clone();
        for (name, _) in &mut headers {
            name.make_ascii_lowercase();
        }
        // The sort is stable: headers of one name keep their order.
        headers.sort_by(|(name, _), (other, _)| name.cmp(other));
        (
            self.method.clone(),
            self.path.clone(),
            query,
            headers,
            self.body.clone(),
        )
    }
}
