//! Signs a request and sends it with ureq, a blocking HTTP client.
//!
//! ```text
//! AWS_ACCESS_KEY_ID=.. AWS_SECRET_ACCESS_KEY=.. cargo run -p lambda-invoke-sigv4 --example ureq
//! ```
//!
//! Without credentials in the environment, it only prints the request.

use std::error::Error;
use std::time::SystemTime;

use lambda_invoke_sigv4::{Credentials, PayloadHash, Signer, Timestamp};

fn main() -> Result<(), Box<dyn Error>> {
    let keys = (
        std::env::var("AWS_ACCESS_KEY_ID"),
        std::env::var("AWS_SECRET_ACCESS_KEY"),
    );
    let (credentials, is_real) = match keys {
        (Ok(id), Ok(secret)) => (Credentials::new(id, secret)?, true),
        _ => (Credentials::new("AKIDEXAMPLE", "secret")?, false),
    };
    let signer = Signer::new(credentials, "us-east-1", "sts")?;
    let url = "https://sts.us-east-1.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    let mut request = http::Request::get(url).body(())?;
    let now = Timestamp::try_from(SystemTime::now())?;
    signer.sign_request(&mut request, &PayloadHash::EMPTY, now)?;
    if !is_real {
        println!("{request:#?}");
        return Ok(());
    }
    // ureq takes requests of the crate `http` as they are.
    let mut response = ureq::Agent::new_with_defaults().run(request)?;
    println!("{}", response.body_mut().read_to_string()?);
    Ok(())
}
