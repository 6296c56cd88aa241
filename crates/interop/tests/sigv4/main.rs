//! The project's signatures compared with those of `aws-sigv4`, over generated requests, chunks and
//! messages; and the project's verifier on what `aws-sigv4` signs, unchanged and with every
//! single-character change.
//!
//! For every known difference, there is a test that demonstrates it and says why.

mod chains;
mod changes;
mod differences;
mod generated;
mod how;
