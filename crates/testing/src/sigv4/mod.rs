//! Properties of `lambda-invoke-sigv4`.

mod chains;
mod claims;
mod requests;
mod rules;
mod sequences;
mod twin;

use arbitrary::{Arbitrary, Unstructured};
use lambda_invoke_sigv4::{
    CanonicalRequest, Credentials, HttpDate, PayloadHash, Timestamp, VerifyError,
};

pub use chains::{chunks, messages};
pub use claims::verify_any;
pub(crate) use requests::Request;
use requests::{EXPIRES, Made};
pub use rules::rules;
pub use sequences::sequence;
pub(crate) use twin::canonical as canonical_request;
use twin::{BLANK, canonical, canonical_with, covered};

/// Every request is signed, by headers and by its query, unless its query is that of a presigned one. A
/// signed request verifies, and the result says who signed it and when.
pub fn sign_verify(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let case = made.case();
    let signed = case.signed();
    // The second time, the signer uses its caches.
    assert_eq!(case.signed(), signed);
    for (request, expires) in [(signed, None), (case.presigned(), Some(EXPIRES))] {
        let Some(request) = request else { continue };
        let verified = case
            .verify(&request)
            .expect("a request")
            .expect("its own signature");
        assert_eq!(verified.access_key_id(), "AKIDEXAMPLE");
        assert_eq!(
            (verified.timestamp(), verified.expires()),
            (case.time, expires)
        );
        // With another secret, the request does not verify.
        let other = Credentials::new("AKIDEXAMPLE", "other").expect("a key");
        let rejected = request.with(|raw| {
            case.verifier
                .verify_raw(raw, &case.payload, &other, case.time)
                .map(drop)
        });
        assert!(matches!(
            rejected,
            Some(Err(VerifyError::SignatureMismatch(_)))
        ));
    }
}

/// The canonical request equals the naive reference's, which builds it as a string.
pub fn canonical_twin(data: &[u8]) {
    let Ok(made) = Made::arbitrary(&mut Unstructured::new(data)) else {
        return;
    };
    let case = made.case();
    let settings = case.signer.settings();
    let payload = case.payload.to_string();
    for request in [Some(case.request.clone()), case.signed()]
        .into_iter()
        .flatten()
    {
        let names = covered(&request, settings);
        let expected = canonical(&request, settings, &payload, &names);
        let compared = request.with(|raw| {
            let ours = CanonicalRequest::of(raw, &case.payload, settings);
            // A query that claims to be presigned leaves two more headers uncovered; neither is
            // generated here.
            assert_eq!(
                String::from_utf8_lossy(&ours.to_bytes()),
                String::from_utf8_lossy(&expected)
            );
            assert_eq!(ours.to_bytes(), expected);
            assert_eq!(ours.signed_headers(), names);
            let hash = PayloadHash::of(&expected);
            assert_eq!(PayloadHash::Sha256(ours.hash()), hash);
        });
        compared.expect("a request");
    }
}

/// A change of one byte is rejected, unless it changes nothing that is covered.
pub fn tampered(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok((place, at, byte, presign)) = <(u8, u16, u8, bool)>::arbitrary(&mut input) else {
        return;
    };
    let Ok(made) = Made::arbitrary(&mut input) else {
        return;
    };
    let case = made.case();
    let original = if presign {
        case.presigned()
    } else {
        case.signed()
    };
    let Some(original) = original else { return };
    let verified = case
        .verify(&original)
        .expect("a request")
        .expect("its own signature");
    let names = verified.signed_headers().collect::<Vec<_>>().join(";");

    let mut changed = original.clone();
    let count = changed.headers.len();
    let bytes = match usize::from(place) % (3 + 2 * count) {
        0 => &mut changed.method,
        1 => &mut changed.path,
        2 => &mut changed.query,
        place if place % 2 == 1 => &mut changed.headers[(place - 3) / 2].0,
        place => &mut changed.headers[(place - 3) / 2].1,
    };
    if bytes.is_empty() {
        return;
    }
    let at = usize::from(at) % bytes.len();
    bytes[at] = byte;
    if !matches!(case.verify(&changed), Some(Ok(_))) {
        return;
    }
    let settings = case.signer.settings();
    let payload = case.payload.to_string();
    let signed = canonical(&original, settings, &payload, &names);
    let same = BLANK
        .iter()
        .any(|blank| canonical_with(&changed, settings, &payload, &names, *blank) == signed);
    assert!(same, "{changed:?}");
    // Apart from blanks and empty pieces, the authorization header is unchanged; so is the token.
    let authorization = |request: &Request| {
        let mut value = header(request, "authorization").unwrap_or_default();
        value.retain(|byte| !matches!(byte, b' ' | b'\t' | b','));
        value
    };
    assert_eq!(authorization(&changed), authorization(&original));
    let token = "x-amz-security-token";
    assert_eq!(header(&changed, token), header(&original, token));
}

fn header(request: &Request, name: &str) -> Option<Vec<u8>> {
    let found = request
        .headers
        .iter()
        .find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, value)| value.clone())
}

/// A text is read as a timestamp exactly if the timestamp is written like that.
pub fn timestamp(data: &[u8]) {
    if let Some((seconds, _)) = data.split_first_chunk() {
        if let Ok(time) = Timestamp::from_secs(u64::from_be_bytes(*seconds) >> 24) {
            assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
    let text = String::from_utf8_lossy(data);
    if let Ok(time) = text.parse::<Timestamp>() {
        assert_eq!(time.to_string(), text);
        assert_eq!(Timestamp::from_secs(time.as_secs()), Ok(time));
    }
    if let Ok(date) = text.parse::<HttpDate>() {
        let written = Timestamp::from(date).to_string();
        // Day, year and time of day occur in both formats.
        assert_eq!(
            (&written[6..8], &written[..4]),
            (&text[5..7], &text[12..16])
        );
        assert_eq!(written[9..15], text[17..25].replace(':', ""));
    }
}
