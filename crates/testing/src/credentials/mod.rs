//! Properties of `lambda-invoke-credentials`: its shared files, and the responses of services and
//! programs.

mod files;
mod responses;

pub use files::files;
pub use responses::responses;
