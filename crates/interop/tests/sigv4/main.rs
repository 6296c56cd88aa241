//! Our signatures beside those of `aws-sigv4`, over generated requests, chunks and messages; and our
//! verifier on what it signs, unchanged and with every single-character change.
//!
//! Where the two are known to differ, a test shows it and says why.

mod chains;
mod changes;
mod differences;
mod generated;
mod how;
