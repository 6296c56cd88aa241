//! Parses an error response.

use core::fmt;
use std::borrow::Cow;

use serde_core::de::{
    Deserialize, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::value::RawValue;

use crate::bounds::{self, MAX_BODY, MAX_TEXT};
use crate::text::{truncate, without_lone_surrogates};
use crate::{ErrorType, RetryAfter, ServiceError, ThrottleReason, header};

impl ServiceError {
    /// Parses an error response. This never fails: what cannot be parsed is left out, the rest is
    /// kept.
    ///
    /// `headers` returns the value of the header with the given lower-case name (see [`header`]),
    /// or the first value if the header is repeated.
    ///
    /// - The code is taken from `x-amzn-errortype` or else from the body's `code`, `Code` or
    ///   `__type` (Smithy's restJson1 protocol, "Operation error serialization"), without the
    ///   namespace before a `#` and without anything after a `:` or `,`.
    /// - The message is the body's `message` or else `Message`; if the body is not JSON, such as a
    ///   proxy's, the first 512 bytes of its text.
    /// - The body's members may be in any order. Unknown members are skipped; if a member is
    ///   repeated, the last one counts. In a truncated body, the complete members count. Half a
    ///   surrogate pair and bytes that are not UTF-8 become U+FFFD. Only the first 64 KiB are parsed.
    ///
    /// # Example
    ///
    /// With the `http` crate: `ServiceError::parse(parts.status.as_u16(),
    /// |name| parts.headers.get(name)?.to_str().ok(), &body)`.
    ///
    /// ```
    /// use lambda_invoke_error::{ServiceError, ThrottleReason};
    ///
    /// let body = br#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
    /// let headers = |name: &str| (name == "x-amzn-errortype").then_some("TooManyRequestsException");
    /// let error = ServiceError::parse(429, headers, body);
    /// assert_eq!(error.reason(), Some(&ThrottleReason::CallerRateLimitExceeded));
    ///
    /// let proxy = ServiceError::parse(502, |_| None, b"<html>Bad Gateway</html>");
    /// assert_eq!(proxy.code(), None);
    /// assert_eq!(proxy.message(), Some("<html>Bad Gateway</html>"));
    /// ```
    #[must_use]
    pub fn parse<'h>(status: u16, headers: impl Fn(&str) -> Option<&'h str>, body: &[u8]) -> Self {
        let start = &body[..body.len().min(MAX_BODY)];
        let repaired;
        let (mut members, mut end) = Members::read(start, false);
        // A value that cannot be read must not hide those after it.
        if end.as_ref().is_err_and(|error| !error.is_eof()) && start.trim_ascii().starts_with(b"{")
        {
            repaired = repair(start);
            (members, end) = Members::read(&repaired, true);
        }
        let is_json = end.is_ok() && start.len() == body.len();
        let in_header = headers(header::ERROR_TYPE).and_then(bounds::code);
        let in_body = || members.codes().find_map(bounds::code);
        let mut error = Self::received(in_header.or_else(in_body), status);

        if let Some(message) = members
            .message
            .as_deref()
            .or(members.message_upper.as_deref())
        {
            error = error.with_message(message);
        } else if !is_json {
            error = error.with_message(&text(body));
        }
        if let Some(error_type) = members.error_type.as_deref() {
            error = error.with_type(ErrorType::from(error_type));
        }
        if let Some(reason) = members.reason.as_deref() {
            error = error.with_reason(ThrottleReason::from(reason));
        }
        if let Some(code) = members.ec2_error_code.as_deref() {
            error = error.with_ec2_error_code(code);
        }
        let delay = |name| RetryAfter::try_from((name, headers(name)?)).ok();
        let names = [header::RETRY_AFTER_MILLIS, header::RETRY_AFTER];
        if let Some(retry_after) = names.into_iter().find_map(delay) {
            error = error.with_retry_after(retry_after);
        }
        let names = core::iter::once(header::REQUEST_ID).chain(header::REQUEST_ID_ALTERNATIVES);
        if let Some(id) = names.filter_map(&headers).find_map(bounds::token) {
            error = error.with_request_id(id);
        }
        error
    }
}

/// Returns the beginning of a body that is not JSON, as text.
fn text(body: &[u8]) -> String {
    // Leading spaces do not count. The slice is four bytes longer than the limit, so that it may
    // end inside a character and still leave `truncate` enough whole characters.
    let body = &body[..body.len().min(MAX_BODY)];
    let body = body.trim_ascii();
    let start = String::from_utf8_lossy(&body[..body.len().min(MAX_TEXT + 4)]);
    truncate(start.trim(), MAX_TEXT).to_owned()
}

/// Replaces bytes that are not UTF-8 and escapes of half a surrogate pair.
fn repair(json: &[u8]) -> Vec<u8> {
    let json = String::from_utf8_lossy(json).into_owned().into_bytes();
    without_lone_surrogates(&json).unwrap_or(json)
}

/// The members of a body that describe the error, if they are present and strings.
#[derive(Default)]
struct Members<'b> {
    code: Option<Cow<'b, str>>,
    code_upper: Option<Cow<'b, str>>,
    dunder_type: Option<Cow<'b, str>>,
    message: Option<Cow<'b, str>>,
    message_upper: Option<Cow<'b, str>>,
    error_type: Option<Cow<'b, str>>,
    reason: Option<Cow<'b, str>>,
    ec2_error_code: Option<Cow<'b, str>>,
}

impl<'b> Members<'b> {
    /// Reads the members of an object; the result says whether all of the text is one, or empty. A lenient
    /// reader, which takes twice as long, leaves out a value that no type can have, such as `1e400`.
    fn read(json: &'b [u8], is_lenient: bool) -> (Self, serde_json::Result<()>) {
        let mut members = Self::default();
        if json.trim_ascii().is_empty() {
            return (members, Ok(()));
        }
        let mut json = serde_json::Deserializer::from_slice(json);
        let fill = Fill {
            members: &mut members,
            is_lenient,
        };
        let read = fill.deserialize(&mut json).and_then(|()| json.end());
        (members, read)
    }

    fn codes(&self) -> impl Iterator<Item = &str> {
        [&self.code, &self.code_upper, &self.dunder_type]
            .into_iter()
            .filter_map(|code| code.as_deref())
    }

    fn slot(&mut self, name: &str) -> Option<&mut Option<Cow<'b, str>>> {
        Some(match name {
            "code" => &mut self.code,
            "Code" => &mut self.code_upper,
            "__type" => &mut self.dunder_type,
            "message" => &mut self.message,
            "Message" => &mut self.message_upper,
            "Type" => &mut self.error_type,
            "Reason" => &mut self.reason,
            "EC2ErrorCode" => &mut self.ec2_error_code,
            _ => return None,
        })
    }
}

/// Stores each member as it is parsed, so that a truncated object keeps the members before its end.
struct Fill<'m, 'b> {
    members: &'m mut Members<'b>,
    is_lenient: bool,
}

impl<'b> DeserializeSeed<'b> for Fill<'_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'b> Visitor<'b> for Fill<'_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key()? {
            match name.as_deref().and_then(|name| self.members.slot(name)) {
                Some(slot) => {
                    let Text(value) = if self.is_lenient {
                        let written: &RawValue = map.next_value()?;
                        serde_json::from_str(written.get()).unwrap_or(Text(None))
                    } else {
                        map.next_value()?
                    };
                    if let Some(value) = value {
                        *slot = Some(value);
                    }
                }
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A string, borrowed if it has no escapes; `None` for any other value.
struct Text<'b>(Option<Cow<'b, str>>);

impl<'b> Deserialize<'b> for Text<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'b> Visitor<'b> for TextVisitor {
    type Value = Text<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'b str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Text(None))
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }

    fn visit_map<A: MapAccess<'b>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text(None))
    }
}
