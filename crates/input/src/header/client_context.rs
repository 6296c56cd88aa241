//! Client contexts: JSON about the caller, as base64 in a header.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::error::{InputError, Member};
use crate::grammar::Language;
use crate::limits;
use crate::text::{check, impl_text};

/// Encodes with padding, decodes with or without.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Information about the caller for the function: the value of `X-Amz-Client-Context`.
///
/// At most 3,583 bytes of base64 in the standard alphabet, padded or not; padded, that is 2,685
/// bytes of JSON. This type does not check that the content is JSON.
///
/// It is stored as base64, as it is sent; `TryFrom` and `FromStr` validate that text. The service passes
/// it on only in synchronous calls.
///
/// # Example
///
/// ```
/// use lambda_invoke_input::ClientContext;
///
/// let context = ClientContext::from_json(br#"{"custom":{"tenant":"blue"}}"#)?;
/// assert_eq!(context.as_base64(), "eyJjdXN0b20iOnsidGVuYW50IjoiYmx1ZSJ9fQ==");
///
/// let received = ClientContext::try_from(context.as_base64())?;
/// assert_eq!(received.to_json(), br#"{"custom":{"tenant":"blue"}}"#);
/// assert_eq!(ClientContext::try_from("{}").unwrap_err().offset(), 0);
/// # Ok::<(), lambda_invoke_input::InputError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClientContext<'a>(Cow<'a, str>);

impl ClientContext<'static> {
    /// Encodes JSON.
    ///
    /// # Errors
    ///
    /// If the JSON has more than 2,685 bytes, which is more than 3,583 bytes of base64.
    pub fn from_json(json: impl AsRef<[u8]>) -> Result<Self, InputError> {
        let json = json.as_ref();
        let limit = limits::CLIENT_CONTEXT;
        let length = json.len().div_ceil(3).saturating_mul(4);
        if length > limit {
            return Err(InputError::TooLong {
                member: Member::ClientContext,
                length,
                limit,
            });
        }
        let mut base64 = String::with_capacity(length);
        ENGINE.encode_string(json, &mut base64);
        Ok(Self(Cow::Owned(base64)))
    }
}

impl<'a> ClientContext<'a> {
    /// Returns the base64, which is the header's value.
    #[must_use]
    pub fn as_base64(&self) -> &str {
        &self.0
    }

    /// Decodes the JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // The text is valid base64.
        ENGINE.decode(self.as_base64()).unwrap_or_default()
    }

    /// Copies what is borrowed, so that the value borrows nothing.
    #[must_use]
    pub fn into_owned(self) -> ClientContext<'static> {
        ClientContext(Cow::Owned(self.0.into_owned()))
    }

    fn as_str(&self) -> &str {
        self.as_base64()
    }

    fn from_text(text: Cow<'a, str>) -> Result<Self, InputError> {
        check(
            Member::ClientContext,
            Language::ClientContext,
            &text,
            limits::CLIENT_CONTEXT,
        )?;
        Ok(Self(text))
    }

    fn into_text(self) -> Cow<'a, str> {
        self.0
    }
}

impl_text!(ClientContext);
