//! What a request addresses: a function's name, its version or alias, and both together.

mod function_name;
mod qualifier;
mod target;

pub use function_name::FunctionName;
pub use qualifier::{Qualifier, QualifierKind};
pub use target::Target;
