//! The differential property of signers: the project's signer satisfies it over thousands of random
//! inputs, and the property detects the fault of each flawed signer.

// Test helpers may panic just as tests may.
#![allow(clippy::expect_used)]

use core::time::Duration;

use http::request::Parts;
use lambda_invoke_testing::signer::{Keys, LambdaInvoke, Signer, differential};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::proptest;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1000) })]

    #[test]
    fn our_signatures_convince_the_naive_judge(kind in 0..3_u8, data in vec(any::<u8>(), 0..300)) {
        differential::<LambdaInvoke>(&[&[kind][..], &data].concat());
    }
}

/// The project's signer, with a fault.
struct Flawed<const FAULT: u8>(LambdaInvoke);

const NONE: u8 = 0;
const SIGNS_ANOTHER_BODY: u8 = 1;
const CHANGES_A_HEADER: u8 = 2;
const LOSES_THE_DATE: u8 = 3;

impl<const FAULT: u8> Signer for Flawed<FAULT> {
    const NAME: &'static str = "flawed";
    type Request = Parts;
    type Error = <LambdaInvoke as Signer>::Error;

    fn new(keys: &Keys, time: Duration) -> Self {
        Self(LambdaInvoke::new(keys, time))
    }

    fn prepare(&self, request: Parts) -> Parts {
        request
    }

    fn sign(&self, request: &mut Parts, body: &[u8]) -> Result<(), Self::Error> {
        let body = if FAULT == SIGNS_ANOTHER_BODY {
            b"{}"
        } else {
            body
        };
        if FAULT == CHANGES_A_HEADER {
            request
                .headers
                .insert("host", http::HeaderValue::from_static("example.com"));
        }
        self.0.sign(request, body)?;
        if FAULT == LOSES_THE_DATE {
            request.headers.remove("x-amz-date");
        }
        Ok(())
    }

    fn signed(request: Parts) -> Parts {
        request
    }
}

fn holds<S: Signer>() -> bool {
    // An ordinary request at some time, without a body.
    let seed = [vec![0; 5], (0..100).collect()].concat();
    std::panic::catch_unwind(|| differential::<S>(&seed)).is_ok()
}

#[test]
fn the_property_finds_every_fault() {
    assert!(holds::<Flawed<NONE>>());
    assert!(!holds::<Flawed<SIGNS_ANOTHER_BODY>>());
    assert!(!holds::<Flawed<CHANGES_A_HEADER>>());
    assert!(!holds::<Flawed<LOSES_THE_DATE>>());
}
