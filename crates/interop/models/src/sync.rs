//! Notifications and channels.

mod notify;
pub mod oneshot;

pub use notify::{Notified, Notify};
/// Tokio's own: the models name its types, but do not use it.
pub use tokio::sync::mpsc;
