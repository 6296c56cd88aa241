//! The files of the queue, with loom's types in place of those of `std`.

use loom::sync;

#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../endpoint/src/event/entry.rs"]
mod entry;
#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../endpoint/src/event/notice.rs"]
mod notice;
#[path = "../../../../../endpoint/src/event/owned.rs"]
mod owned;
#[allow(dead_code, reason = "not all of it is checked")]
#[allow(
    clippy::useless_conversion,
    reason = "from the time of `std` to that of `tokio`"
)]
#[path = "../../../../../endpoint/src/event/queue.rs"]
mod queue;
#[allow(dead_code, reason = "not all of it is checked")]
#[path = "../../../../../endpoint/src/event/settings.rs"]
mod settings;

pub(super) mod models;

mod dead_letter {
    use std::io;
    use std::path::Path;

    pub(crate) struct LetterFile;

    impl LetterFile {
        pub(crate) fn open(_: &Path) -> io::Result<Self> {
            Ok(Self)
        }
    }
}
