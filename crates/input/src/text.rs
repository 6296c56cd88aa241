//! The code that all types of validated text share.

use crate::diagnosis;
use crate::error::{InputError, Member};
use crate::grammar::Language;

/// Rejects a value of more than `limit` characters, which is what the service counts.
#[inline]
pub(crate) fn check_length(member: Member, text: &str, limit: usize) -> Result<(), InputError> {
    // A text has at least as many bytes as characters, so characters are counted only if the bytes
    // exceed the limit.
    if text.len() > limit {
        let length = text.chars().count();
        if length > limit {
            return Err(InputError::TooLong {
                member,
                length,
                limit,
            });
        }
    }
    Ok(())
}

/// Rejects a value that is too long or not in its language.
pub(crate) fn check(
    member: Member,
    language: Language,
    text: &str,
    limit: usize,
) -> Result<(), InputError> {
    check_length(member, text, limit)?;
    if language.accepts(text.as_bytes()) {
        Ok(())
    } else {
        Err(diagnosis::unexpected(member, language, text))
    }
}

/// Implements the conversions and comparisons of a type `$type<'a>` that is validated text.
///
/// The type has `from_text(Cow<'a, str>) -> Result<Self, InputError>`, `as_str(&self) -> &str` and
/// `into_text(self) -> Cow<'a, str>`. It is compared, ordered and hashed as its text.
macro_rules! impl_text {
    ($type:ident) => {
        impl<'a> TryFrom<&'a str> for $type<'a> {
            type Error = $crate::InputError;

            #[inline]
            fn try_from(text: &'a str) -> Result<Self, $crate::InputError> {
                Self::from_text(alloc::borrow::Cow::Borrowed(text))
            }
        }

        impl<'a> TryFrom<&'a alloc::string::String> for $type<'a> {
            type Error = $crate::InputError;

            fn try_from(text: &'a alloc::string::String) -> Result<Self, $crate::InputError> {
                Self::from_text(alloc::borrow::Cow::Borrowed(text))
            }
        }

        impl<'a> TryFrom<alloc::string::String> for $type<'a> {
            type Error = $crate::InputError;

            fn try_from(text: alloc::string::String) -> Result<Self, $crate::InputError> {
                Self::from_text(alloc::borrow::Cow::Owned(text))
            }
        }

        impl<'a> TryFrom<alloc::borrow::Cow<'a, str>> for $type<'a> {
            type Error = $crate::InputError;

            fn try_from(text: alloc::borrow::Cow<'a, str>) -> Result<Self, $crate::InputError> {
                Self::from_text(text)
            }
        }

        impl core::str::FromStr for $type<'static> {
            type Err = $crate::InputError;

            fn from_str(text: &str) -> Result<Self, $crate::InputError> {
                // Validated before it is copied.
                $type::try_from(text).map($type::into_owned)
            }
        }

        impl<'a> From<$type<'a>> for alloc::string::String {
            fn from(value: $type<'a>) -> Self {
                value.into_text().into_owned()
            }
        }

        impl<'a> From<$type<'a>> for alloc::borrow::Cow<'a, str> {
            fn from(value: $type<'a>) -> Self {
                value.into_text()
            }
        }

        impl AsRef<str> for $type<'_> {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        // Sound, since a value is compared, ordered and hashed as its text.
        impl core::borrow::Borrow<str> for $type<'_> {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }

        impl core::fmt::Display for $type<'_> {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                // Respects width and alignment.
                f.pad(self.as_str())
            }
        }

        impl PartialEq<$type<'_>> for $type<'_> {
            fn eq(&self, other: &$type<'_>) -> bool {
                self.as_str() == other.as_str()
            }
        }

        impl Eq for $type<'_> {}

        impl PartialEq<str> for $type<'_> {
            fn eq(&self, other: &str) -> bool {
                self.as_str() == other
            }
        }

        impl PartialEq<&str> for $type<'_> {
            fn eq(&self, other: &&str) -> bool {
                self.as_str() == *other
            }
        }

        impl PartialEq<alloc::string::String> for $type<'_> {
            fn eq(&self, other: &alloc::string::String) -> bool {
                self.as_str() == other
            }
        }

        impl PartialOrd for $type<'_> {
            fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $type<'_> {
            fn cmp(&self, other: &Self) -> core::cmp::Ordering {
                self.as_str().cmp(other.as_str())
            }
        }

        impl core::hash::Hash for $type<'_> {
            fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
                self.as_str().hash(state);
            }
        }
    };
}

pub(crate) use impl_text;
