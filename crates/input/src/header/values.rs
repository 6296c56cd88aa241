//! Header values with a pattern and a maximum length.

use alloc::borrow::Cow;

use crate::error::{InputError, Member};
use crate::grammar::Language;
use crate::limits;
use crate::text::{check, impl_text};

/// Defines a type for one header value, with its language and its maximum length.
macro_rules! value {
    ($(#[$doc:meta])* $type:ident, $language:ident, $limit:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug)]
        pub struct $type<'a>(Cow<'a, str>);

        impl<'a> $type<'a> {
            /// Returns the text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Copies what is borrowed, so that the value borrows nothing.
            #[must_use]
            pub fn into_owned(self) -> $type<'static> {
                $type(Cow::Owned(self.0.into_owned()))
            }

            fn from_text(text: Cow<'a, str>) -> Result<Self, InputError> {
                check(Member::$type, Language::$language, &text, limits::$limit)?;
                Ok(Self(text))
            }

            fn into_text(self) -> Cow<'a, str> {
                self.0
            }
        }

        impl_text!($type);
    };
}

value! {
    /// The tenant for which a multi-tenant function is called: the value of `X-Amz-Tenant-Id`.
    ///
    /// 1 to 256 letters, digits, spaces and `. _ : / = + - @`
    /// ([`TENANT_ID`](crate::patterns::TENANT_ID)).
    ///
    /// The pattern accepts spaces at both ends, but HTTP strips them from a header's value.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::TenantId;
    ///
    /// assert_eq!(TenantId::try_from("org=7 / blue@example")?.as_str(), "org=7 / blue@example");
    /// assert_eq!(TenantId::try_from("a,b").unwrap_err().offset(), 1);
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    TenantId, TenantId, TENANT_ID
}

value! {
    /// The name that makes a durable execution unique: the value of `X-Amz-Durable-Execution-Name`.
    /// Only for `Invoke`, not for `InvokeWithResponseStream`.
    ///
    /// 1 to 64 letters, digits, `-` and `_`
    /// ([`DURABLE_EXECUTION_NAME`](crate::patterns::DURABLE_EXECUTION_NAME)).
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::DurableExecutionName;
    ///
    /// assert!(DurableExecutionName::try_from("order-4711").is_ok());
    /// assert_eq!(DurableExecutionName::try_from("order.4711").unwrap_err().offset(), 5);
    /// ```
    DurableExecutionName, DurableExecutionName, DURABLE_EXECUTION_NAME
}

value! {
    /// The version that ran: the value of `X-Amz-Executed-Version` in a response.
    ///
    /// `$LATEST` or digits, 1 to 1,024 characters
    /// ([`EXECUTED_VERSION`](crate::patterns::EXECUTED_VERSION)). A client that receives anything
    /// else should keep the text rather than fail.
    ///
    /// # Example
    ///
    /// ```
    /// use lambda_invoke_input::ExecutedVersion;
    ///
    /// assert!(ExecutedVersion::try_from("$LATEST")?.is_latest());
    /// assert!(!ExecutedVersion::try_from("12")?.is_latest());
    /// assert!(ExecutedVersion::try_from("live").is_err());
    /// # Ok::<(), lambda_invoke_input::InputError>(())
    /// ```
    ExecutedVersion, ExecutedVersion, EXECUTED_VERSION
}

impl ExecutedVersion<'_> {
    /// `$LATEST`.
    pub const LATEST: ExecutedVersion<'static> = ExecutedVersion(Cow::Borrowed("$LATEST"));

    /// Whether it is `$LATEST`, the unpublished version.
    #[must_use]
    pub fn is_latest(&self) -> bool {
        *self == Self::LATEST
    }
}
