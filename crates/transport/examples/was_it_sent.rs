//! Sends a request to a port on which no server listens, and learns that it may be sent again.
//!
//! ```text
//! cargo run -p lambda-invoke-transport --example was_it_sent
//! ```

use std::error::Error;

use lambda_invoke_transport::{Sent, Transport};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let request = http::Request::post("http://127.0.0.1:1/").body("ping".into())?;
    match Transport::new().send(request).await {
        Ok(response) => println!("{}", response.status()),
        Err(error) => {
            println!("{error}: {:?}", error.sent());
            // Not a byte left this machine, so that another attempt is safe.
            if error.sent() != Sent::No {
                return Err("something may have been sent".into());
            }
        }
    }
    Ok(())
}
