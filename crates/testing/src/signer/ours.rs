//! The project's own signer, behind the same trait as every other signer.

use core::time::Duration;

use http::request::Parts;
use lambda_invoke_sigv4::{Credentials, PayloadHash, SignError, Timestamp};

use super::{Keys, Signer};

/// `lambda-invoke-sigv4`.
#[derive(Debug)]
pub struct LambdaInvoke {
    signer: lambda_invoke_sigv4::Signer,
    time: Timestamp,
}

impl Signer for LambdaInvoke {
    const NAME: &'static str = "lambda-invoke-sigv4";
    type Request = Parts;
    type Error = SignError;

    fn new(keys: &Keys, time: Duration) -> Self {
        let mut credentials = Credentials::new(&*keys.access_key_id, &*keys.secret).expect("a key");
        if let Some(token) = &keys.session_token {
            credentials = credentials.with_session_token(&**token).expect("a token");
        }
        let signer = lambda_invoke_sigv4::Signer::new(credentials, &*keys.region, &*keys.service);
        Self {
            signer: signer.expect("a scope"),
            time: Timestamp::from_secs(time.as_secs()).expect("a year of four digits"),
        }
    }

    fn prepare(&self, request: Parts) -> Parts {
        request
    }

    fn sign(&self, request: &mut Parts, body: &[u8]) -> Result<(), SignError> {
        self.signer
            .sign(request, &PayloadHash::of(body), self.time)
            .map(drop)
    }

    fn signed(request: Parts) -> Parts {
        request
    }
}
