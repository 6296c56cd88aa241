//! What the measurements have in common: the inputs.

pub mod fixture;
