//! Checks a signer with the naive judge.

use core::time::Duration;

use arbitrary::{Arbitrary as _, Unstructured};

use super::{Keys, Signer, hostile, naive, near_miss, well_formed};

/// Signs a request made from the bytes: an ordinary one, one that touches the rules of the canonical
/// form, or a hostile one; and checks the signature with the naive judge.
///
/// ```
/// use lambda_invoke_testing::signer::{LambdaInvoke, differential};
///
/// differential::<LambdaInvoke>(b"whatever the fuzzer sends");
/// ```
///
/// # Panics
///
/// If the signer does not sign a request that it claims, or the signature, its scope, its date or the
/// headers that it covers are wrong. A signer may reject a hostile request, and must not panic.
pub fn differential<S: Signer>(data: &[u8]) {
    let mut u = Unstructured::new(data);
    let Ok((kind, time, token, body)) = <(u8, u32, bool, Vec<u8>)>::arbitrary(&mut u) else {
        return;
    };
    let request = match kind % 3 {
        0 => well_formed(&mut u),
        1 => near_miss(&mut u),
        _ => hostile(&mut u),
    };
    let Ok(original) = request else { return };
    let keys = Keys {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
        session_token: token.then(|| "FwoGZXIvYXdzEPT//w==".to_owned()),
        region: "us-east-1".to_owned(),
        service: "lambda".to_owned(),
    };
    let time = Duration::from_secs(time.into());
    let signer = S::new(&keys, time);
    // The second time, the signer uses its caches.
    for _ in 0..2 {
        let mut request = signer.prepare(original.clone());
        match signer.sign(&mut request, &body) {
            Ok(()) if S::claims(&original) => {
                let signed = S::signed(request);
                let date = match signed.headers.get("x-amz-date") {
                    Some(own) if S::READS_CLOCK => String::from_utf8_lossy(own.as_bytes()).into(),
                    _ => naive::timestamp(time),
                };
                if let Err(reason) = naive::judge(&signed, &original, &body, &keys, &date) {
                    panic!("{} signs {original:?}: {reason}", S::NAME);
                }
            }
            Err(error) if S::claims(&original) && kind % 3 < 2 => {
                panic!("{} does not sign {original:?}: {error}", S::NAME);
            }
            _ => {}
        }
    }
}
