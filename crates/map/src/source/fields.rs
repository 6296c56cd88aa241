//! The fields of a payload that identify an item.

use std::sync::Arc;

use lambda_invoke::DurableExecutionName;
use serde_json::value::RawValue;

use super::{SourceError, SourceErrorKind};
use crate::item::Item;
use crate::written;

/// A field of a payload: the name of a member, or a JSON pointer (RFC 6901) that begins with `/`. A number
/// is read as it is written: `1.0` and `1` are different keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector(String);

impl Selector {
    /// Selects a field by its name or pointer.
    #[must_use]
    pub fn new(field: impl Into<String>) -> Self {
        Self(field.into())
    }

    /// Returns the field as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn of(&self, payload: &RawValue) -> Result<String, String> {
        let unreadable = |error| format!("cannot be read: {error}");
        let found = written::find(payload, &self.0).map_err(unreadable)?;
        let found = found.ok_or("is missing")?;
        let text = written::text(found).map_err(unreadable)?;
        text.ok_or_else(|| "is neither a text nor a number".to_owned())
    }
}

/// Which fields identify items.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fields {
    /// The field with the key.
    pub key: Option<Selector>,
    /// The field with the durable execution name, which is the key as well if there is no other.
    pub execution_name: Option<Selector>,
}

impl Fields {
    /// Selects the key.
    #[must_use]
    pub fn key(mut self, field: Option<Selector>) -> Self {
        self.key = field;
        self
    }

    /// Selects the durable execution name.
    #[must_use]
    pub fn execution_name(mut self, field: Option<Selector>) -> Self {
        self.execution_name = field;
        self
    }

    /// Names an item by the fields of its payload.
    pub(super) fn name(
        &self,
        mut item: Item,
        place: impl Fn() -> String,
    ) -> Result<Item, SourceError> {
        if self.key.is_none() && self.execution_name.is_none() {
            return Ok(item);
        }
        let payload = serde_json::from_slice::<&RawValue>(&item.payload);
        let read = |selector: &Selector| {
            let text = match &payload {
                Ok(payload) => selector.of(payload),
                Err(error) => Err(format!("cannot be read: {error}")),
            };
            text.map_err(|problem| {
                let name = selector.0.clone();
                SourceError::new(place(), SourceErrorKind::Field { name, problem })
            })
        };
        if let Some(selector) = &self.execution_name {
            let name = read(selector)?;
            DurableExecutionName::try_from(name.as_str()).map_err(|error| {
                let (name, problem) = (selector.0.clone(), format!("is an {error}"));
                SourceError::new(place(), SourceErrorKind::Field { name, problem })
            })?;
            let name: Arc<str> = name.into();
            item.key.get_or_insert_with(|| Arc::clone(&name));
            item.execution_name = Some(name);
        }
        if let Some(selector) = &self.key {
            item.key = Some(read(selector)?.into());
        }
        Ok(item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(fields: &Fields, payload: &'static str) -> Result<Item, String> {
        let item = fields.name(Item::new(payload), || "line 1".to_owned());
        item.map_err(|error| error.to_string())
    }

    #[test]
    fn items_are_named_by_members_and_pointers() {
        let fields = Fields::default()
            .key(Some(Selector::new("/a/0")))
            .execution_name(Some(Selector::new("id")));
        let item = named(&fields, r#"{"id":7,"a":["x"]}"#).unwrap();
        assert_eq!(item.key.as_deref(), Some("x"));
        assert_eq!(item.execution_name.as_deref(), Some("7"));
        let fields = Fields::default().execution_name(Some(Selector::new("id")));
        let item = named(&fields, r#"{"id":"seven"}"#).unwrap();
        assert_eq!(item.key.as_deref(), Some("seven"));
        // Also beside a text that nothing can read, and beyond the digits that a number has in memory.
        let payload = r#"{"id":12345678901234567890123,"text":"\ud83d"}"#;
        let item = named(&fields, payload).unwrap();
        assert_eq!(item.key.as_deref(), Some("12345678901234567890123"));
        for (payload, part) in [
            ("{}", "line 1: the field id is missing"),
            (r#"{"id":[]}"#, "neither a text nor a number"),
            ("[]", "is missing"),
            (
                r#"{"id":"\ud83d"}"#,
                "the field id cannot be read: unexpected end of hex escape",
            ),
            (
                r#"{"id":"no spaces"}"#,
                "the field id is an invalid durable execution name: ",
            ),
        ] {
            assert!(
                named(&fields, payload).unwrap_err().contains(part),
                "{payload}"
            );
        }
    }
}
