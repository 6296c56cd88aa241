//! Takes a function's ARN apart, and shows where an invalid one goes wrong.
//!
//! ```text
//! cargo run -p lambda-invoke-input --example parse_arn -- arn:aws:lambda:eu-west-1:123456789012:function:sum:live
//! ```

use lambda_invoke_input::FunctionName;

fn main() {
    let default = "arn:aws:lambda:eu-west-1:123456789012:function:sum:live".to_owned();
    let text = std::env::args().nth(1).unwrap_or(default);
    match FunctionName::try_from(&text) {
        Ok(name) => println!(
            "name {}, region {}, account {}, qualifier {}",
            name.name(),
            name.region().unwrap_or("-"),
            name.account().unwrap_or("-"),
            name.qualifier()
                .map_or("-".to_owned(), |qualifier| qualifier.to_string()),
        ),
        Err(error) => println!("{error}\n{}", error.snippet(&text)),
    }
}
