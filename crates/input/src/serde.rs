//! Serialization of the value types, as strings.
//!
//! Serializing writes the text; deserializing validates it, under the default
//! [`NameRules`](crate::NameRules) where rules apply. A field deserializes to an owned value;
//! [`borrow`] lets it borrow from the input where the format allows that.

use alloc::borrow::Cow;
use alloc::string::String;
use core::fmt;
use core::marker::PhantomData;

use serde_core::de::{Deserialize, Deserializer, Error, Visitor};
use serde_core::ser::{Serialize, Serializer};

use crate::{
    ClientContext, DurableExecutionArn, DurableExecutionName, ExecutedVersion, FunctionName,
    InputError, InvocationType, LogType, Qualifier, TenantId,
};

/// Deserializes a value that borrows from the input, if the format allows that.
///
/// # Errors
///
/// Returns the format's error, with the [`InputError`] in it if the text is not valid.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::FunctionName;
///
/// #[derive(serde::Deserialize)]
/// struct Settings<'a> {
///     #[serde(borrow, deserialize_with = "lambda_invoke_input::serde::borrow")]
///     function: FunctionName<'a>,
/// }
///
/// let settings: Settings<'_> = serde_json::from_str(r#"{"function":"thumbnail:live"}"#)?;
/// assert_eq!(settings.function.name(), "thumbnail");
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn borrow<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<Cow<'de, str>, Error = InputError>,
{
    deserializer.deserialize_str(Text(PhantomData))
}

/// Validates the text that it visits.
struct Text<T>(PhantomData<T>);

impl<'de, T: TryFrom<Cow<'de, str>, Error = InputError>> Visitor<'de> for Text<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<T, E> {
        T::try_from(Cow::Borrowed(text)).map_err(E::custom)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        self.visit_string(String::from(text))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<T, E> {
        T::try_from(Cow::Owned(text)).map_err(E::custom)
    }
}

macro_rules! text {
    ($($type:ident),*) => {$(
        impl Serialize for $type<'_> {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_ref())
            }
        }

        impl<'de, 'a> Deserialize<'de> for $type<'a> {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                borrow::<D, $type<'de>>(deserializer).map($type::into_owned)
            }
        }
    )*};
}

text!(
    ClientContext,
    DurableExecutionArn,
    DurableExecutionName,
    ExecutedVersion,
    FunctionName,
    Qualifier,
    TenantId
);

macro_rules! keyword {
    ($($type:ident),*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let Keyword(keyword) = borrow(deserializer)?;
                Ok(keyword)
            }
        }

        impl TryFrom<Cow<'_, str>> for Keyword<$type> {
            type Error = InputError;

            fn try_from(text: Cow<'_, str>) -> Result<Self, InputError> {
                text.parse().map(Self)
            }
        }
    )*};
}

struct Keyword<T>(T);

keyword!(InvocationType, LogType);
