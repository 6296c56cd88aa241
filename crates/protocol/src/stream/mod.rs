//! The events of a response stream. The head before them is
//! [`StreamHead`](crate::StreamHead).
//!
//! ```text
//!   Bytes, in any pieces ──> StreamReader ──> StreamEvent::PayloadChunk      ...
//!                                        ──> StreamEvent::InvokeComplete    the end
//!                            .finish()   ──> whether the stream is complete
//! ```
//!
//! The header order and the content types are those of recorded responses of the service.

mod error;
mod event;
mod invoke_complete;
mod reader;

pub use error::EventError;
pub use event::{StreamEvent, StreamException};
pub use invoke_complete::InvokeComplete;
pub use reader::{StreamError, StreamReader};
