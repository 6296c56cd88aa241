//! Finds out from an error response whether the function ran, and what to do.
//!
//! ```text
//! cargo run -p lambda-invoke-error --example classify
//! ```

use lambda_invoke_error::{Execution, RetryClass, ServiceError};

fn main() -> Result<(), String> {
    let error = ServiceError::parse(
        429,
        |name| (name == "x-amzn-errortype").then_some("TooManyRequestsException"),
        br#"{"Reason":"CallerRateLimitExceeded","message":"Rate exceeded"}"#,
    );
    println!("{error}");
    println!("{:?}, {:?}", error.execution(), error.retry_class());
    println!("{}", error.advice().unwrap_or("no advice"));
    match (error.execution(), error.retry_class()) {
        (Execution::NotStarted, RetryClass::Throttled) => Ok(()),
        other => Err(format!("{other:?}")),
    }
}
