//! Blank space in the values of signed headers: the official form collapses spaces; botocore and
//! the AWS SDK for JavaScript also collapse tabs and similar characters. The verifier accepts what
//! each of them signs.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "support/signed.rs"]
mod support;

use lambda_invoke_sigv4::{PayloadHash, RawRequest, Signer, SigningKey, StringToSign, VerifyError};
use support::{ID, SECRET, credentials, time, verifier};

/// Signs a GET whose header `x-note` has the canonical value that a client computed, and verifies
/// it with the value that the client sent.
fn verify(sent: &[u8], canonical: &[u8]) -> Result<(), VerifyError> {
    let date = time().to_string();
    let mut request = b"GET\n/\n\nhost:h\nx-amz-date:".to_vec();
    request.extend_from_slice(date.as_bytes());
    request.extend_from_slice(b"\nx-note:");
    request.extend_from_slice(canonical);
    request.extend_from_slice(b"\n\nhost;x-amz-date;x-note\n");
    request.extend_from_slice(PayloadHash::EMPTY.to_string().as_bytes());
    let PayloadHash::Sha256(hash) = PayloadHash::of(&request) else {
        panic!("a hash");
    };
    let text = StringToSign::new(time(), "us-east-1", "lambda", hash);
    let key = SigningKey::derive(SECRET, time(), "us-east-1", "lambda");
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={ID}/20160928/us-east-1/lambda/aws4_request, \
         SignedHeaders=host;x-amz-date;x-note, Signature={}",
        key.sign(text.as_bytes())
    );
    let headers = [
        ("Host", b"h".as_slice()),
        ("X-Amz-Date", date.as_bytes()),
        ("X-Note", sent),
        ("Authorization", authorization.as_bytes()),
    ];
    let request = RawRequest::new("GET", "/", None, headers).unwrap();
    let verified = verifier().verify_raw(&request, &PayloadHash::EMPTY, &credentials(), time());
    verified.map(|_| ())
}

/// `value.replace(/[ \t]+/g, " ").replace(/^ | $/g, "")`, as in `getCanonicalHeaders` of
/// `@smithy/signature-v4`.
fn javascript(sent: &[u8]) -> Vec<u8> {
    words(sent, " \t")
}

/// `value.trim().replace(/\s+/g, " ")`, as in earlier versions.
fn older_javascript(sent: &[u8]) -> Vec<u8> {
    // `\s`: WhiteSpace and LineTerminator in ECMA-262.
    words(
        sent,
        "\t\u{b}\u{c} \u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\u{2005}\u{2006}\u{2007}\u{2008}\
         \u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}\u{feff}",
    )
}

/// `' '.join(value.split())`, as in `_header_value` of `botocore.auth`.
fn python(sent: &[u8]) -> Vec<u8> {
    // Every character for which `str.isspace()` is true in Python 3.11.
    words(
        sent,
        "\t\u{b}\u{c}\u{1c}\u{1d}\u{1e}\u{1f} \u{85}\u{a0}\u{1680}\u{2000}\u{2001}\u{2002}\u{2003}\u{2004}\
         \u{2005}\u{2006}\u{2007}\u{2008}\u{2009}\u{200a}\u{2028}\u{2029}\u{202f}\u{205f}\u{3000}",
    )
}

/// Decodes the value as UTF-8 or, if it is not UTF-8, as Latin-1.
fn words(sent: &[u8], blank: &str) -> Vec<u8> {
    match std::str::from_utf8(sent) {
        Ok(text) => {
            let words = text.split(|letter| blank.contains(letter));
            let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
            words.join(" ").into_bytes()
        }
        Err(_) => collapsed(sent, |byte| blank.contains(char::from(byte))),
    }
}

fn collapsed(value: &[u8], is_blank: impl Fn(u8) -> bool) -> Vec<u8> {
    let words = value.split(|&byte| is_blank(byte));
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

#[test]
fn takes_what_each_client_signs() {
    for sent in [
        b"a b".as_slice(),
        b"a  b",
        b"a\tb",
        b"a\t\tb",
        b"a \t b\tc  d",
        b"a\x0bb\x0cc",
        b"a\x1c\x1fb",
        b"\t a \t",
        b"\t",
        b"a\xa0b",
        b"a\x85b",
        b"\xa0a\xa0\tb",
        b"\xe9\tb",
        "a\u{a0}b".as_bytes(),
        "a\u{85}b\tc".as_bytes(),
        "\u{2003}a\u{3000}\u{2028}b".as_bytes(),
        "\u{feff}a\u{feff}b".as_bytes(),
        "a\u{feff}b\u{a0}c".as_bytes(),
        "\u{e9}\tb".as_bytes(),
    ] {
        let official = collapsed(sent, |byte| byte == b' ');
        for canonical in [
            official,
            javascript(sent),
            older_javascript(sent),
            python(sent),
        ] {
            assert_eq!(verify(sent, &canonical), Ok(()), "{sent:?} {canonical:?}");
        }
    }
}

#[test]
fn rejects_what_none_of_them_signs() {
    for (sent, canonical) in [
        (b"a\tb".as_slice(), b"a  b".as_slice()),
        (b"a\tb", b"ab"),
        (b"a\tb", b"a\t b"),
        (b"a\tb  c", b"a b  c"),
        (b"a\t\tb", b"a\tb"),
        (b"ab", b"a b"),
        (b"a b", b"a\tb"),
        // Letters are not blank, in Latin-1 or in UTF-8.
        (b"a\xe9b", b"a b"),
        (b"a\tb\xe9c", b"a b c"),
        (b"a\xc3\xa9b", b"a b"),
        (b"a\xc2\xa0b", b"ab"),
        // No client collapses both of these.
        ("a\u{85}b\u{feff}c".as_bytes(), b"a b c"),
    ] {
        let rejected = verify(sent, canonical);
        assert!(
            matches!(rejected, Err(VerifyError::SignatureMismatch(_))),
            "{sent:?} {canonical:?}: {rejected:?}"
        );
    }
}

/// A value does not include the blanks around it (RFC 9110, section 5.5), which not every parser of HTTP
/// removes.
#[test]
fn takes_headers_with_blanks_around_their_values() {
    let credentials = credentials().with_session_token("token").unwrap();
    let signer = Signer::new(credentials.clone(), "us-east-1", "lambda").unwrap();
    let sent = [
        ("Host", b"h".as_slice()),
        ("X-Amz-Content-Sha256", b"".as_slice()),
    ];
    let request = RawRequest::new("GET", "/", None, sent).unwrap();
    let added = signer.sign_raw(&request, &PayloadHash::EMPTY, time());
    let added = added.unwrap();
    let with = |before: &str, after: &str| {
        let headers = [("host", "h".to_owned())].into_iter().chain(
            added
                .iter()
                .map(|(name, value)| (name, value.to_str().unwrap().to_owned())),
        );
        let headers: Vec<_> = headers
            .map(|(name, value)| (name, [before, value.as_str(), after].concat()))
            .collect();
        let headers = headers
            .iter()
            .map(|(name, value)| (*name, value.as_bytes()));
        let request = RawRequest::new("GET", "/", None, headers).unwrap();
        let verified = verifier().verify_raw(&request, &PayloadHash::EMPTY, &credentials, time());
        verified.map(|_| ())
    };
    for (before, after) in [("", ""), (" ", ""), ("", "  "), ("\t", " "), (" ", "\t\t")] {
        assert_eq!(with(before, after), Ok(()), "{before:?} {after:?}");
    }
}

/// Whoever has to find the difference is shown the form of the official vectors.
#[test]
fn a_mismatch_shows_the_official_form() {
    let Err(VerifyError::SignatureMismatch(mismatch)) = verify(b"a\t  b", b"another") else {
        panic!("taken");
    };
    assert!(mismatch.canonical_request().contains("\nx-note:a\t b\n"));
}
