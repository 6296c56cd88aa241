//! The answer of InvokeWithResponseStream: a head, then events.
//!
//! ```text
//!   http::response::Parts ──> StreamHead          status, version, content types
//!   Bytes, in any pieces  ──> StreamReader ──> StreamEvent::PayloadChunk        ...
//!                                         ──> StreamEvent::InvokeComplete      the end
//!                              .finish()  ──> was that the whole stream?
//! ```
//!
//! The header order and the content types are those of recorded answers of the service.

mod event;
mod reader;

pub use event::{EventError, InvokeComplete, StreamEvent, StreamException};
pub use reader::{StreamError, StreamReader};
