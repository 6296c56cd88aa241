//! Makes the request of a call and reads its response without any HTTP library: the two functions
//! take and return the types of the crate `http`.
//!
//! ```text
//! cargo run -p lambda-invoke-protocol --example any_http_library
//! ```

use std::error::Error;

use http::Uri;
use lambda_invoke_input::{FunctionName, InvocationType, Target};
use lambda_invoke_protocol::{InvokeRequest, Reply};

fn main() -> Result<(), Box<dyn Error>> {
    let target = Target::new(FunctionName::try_from("hello")?, None)?;
    let mut call = InvokeRequest::new(target);
    call.payload = r#"{"name":"Ada"}"#.into();
    let request = call.to_http(&Uri::from_static("https://lambda.eu-west-1.amazonaws.com"))?;
    println!("{} {}", request.method(), request.uri());

    // Here, sign the request, send it with any library, and pass on the response.
    let response = http::Response::builder()
        .header("x-amzn-requestid", "4e0a1f7c-2a5c-4b1e-9d3f-0c1d2e3f4a5b")
        .header("x-amz-executed-version", "$LATEST")
        .body(())?;
    let (parts, ()) = response.into_parts();
    let reply = Reply::from_http(InvocationType::RequestResponse, &parts, "\"Hello\"".into())?;
    println!("{:?}", reply.payload);
    Ok(())
}
