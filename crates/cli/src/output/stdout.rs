//! Stdout itself, which only the modules of this folder write to.
#![allow(
    clippy::disallowed_methods,
    reason = "the one module that writes to stdout"
)]

use std::io::{self, IsTerminal as _};

/// Whether stdout is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// A handle to stdout, for commands that need no runtime.
pub(crate) fn stdout() -> impl io::Write {
    io::stdout().lock()
}
