//! The headers of an event for a runtime.

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};

use crate::api::header;
use crate::{Event, InvokeError, Program};

/// The headers that all events of a program have. Copying this map takes less time than inserting each
/// name into a new one.
#[derive(Debug)]
pub(crate) struct Headers {
    /// The request id, the ARN, the trace, the deadline and the nonce have values to be replaced.
    all: HeaderMap,
    /// The ARN for events that do not set one; `None` if it cannot be a header's value.
    arn: Option<HeaderValue>,
}

impl Headers {
    pub(crate) fn of(program: &Program) -> Self {
        let mut all = HeaderMap::with_capacity(10);
        all.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for name in [
            &header::REQUEST_ID,
            &header::FUNCTION_ARN,
            &header::TRACE_ID,
            &header::DEADLINE,
            &header::INVOCATION_ID,
        ] {
            all.insert(name.clone(), HeaderValue::from_static(""));
        }
        Self {
            all,
            arn: HeaderValue::try_from(program.function_arn()).ok(),
        }
    }

    /// Returns the headers of an event, except for its deadline and its nonce.
    pub(super) fn of_event(&self, event: &Event) -> Result<HeaderMap, InvokeError> {
        let invalid = |member| InvokeError::InvalidEvent { member };
        let value = |member, text: &str| HeaderValue::from_str(text).map_err(|_| invalid(member));
        let id = &event.request_id;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if id.is_empty() || id.len() > 128 || !id.bytes().all(word) {
            return Err(invalid("request_id"));
        }
        let id = value("request_id", id)?;
        let arn = match &event.arn {
            Some(arn) => value("arn", arn)?,
            None => self.arn.clone().ok_or(invalid("arn"))?,
        };
        let trace = event.trace_id.as_deref();
        let trace = trace.map(|trace| value("trace_id", trace)).transpose()?;
        let mut headers = self.all.clone();
        if trace.is_none() {
            headers.remove(&header::TRACE_ID);
        }
        let (mut id, mut arn, mut trace) = (Some(id), Some(arn), trace);
        for (name, value) in &mut headers {
            let own = match name {
                name if *name == header::REQUEST_ID => id.take(),
                name if *name == header::FUNCTION_ARN => arn.take(),
                name if *name == header::TRACE_ID => trace.take(),
                _ => None,
            };
            if let Some(own) = own {
                *value = own;
            }
        }
        if let Some(context) = &event.client_context {
            let context = value("client_context", &ascii_json(context))?;
            headers.insert(header::CLIENT_CONTEXT.clone(), context);
        }
        if let Some(tenant) = &event.tenant_id {
            headers.insert(header::TENANT_ID.clone(), value("tenant_id", tenant)?);
        }
        Ok(headers)
    }
}

/// Rewrites JSON so that it fits into a header: blank space outside of strings and characters
/// beyond ASCII are written differently, with the same meaning.
fn ascii_json(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '\n' | '\r' | '\t' => ascii.push(' '),
            ' '..='~' => ascii.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    ascii.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    ascii
}
