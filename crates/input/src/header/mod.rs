//! The values of the operations' headers.

mod client_context;
mod keywords;
mod values;

pub use client_context::ClientContext;
pub use keywords::{InvocationType, LogType};
pub use values::{DurableExecutionName, ExecutedVersion, TenantId};
