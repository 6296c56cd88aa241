//! A judge of signatures that shares no code with any signer: SHA-256, HMAC, dates, and the canonical
//! request as a string, step by step as the reference describes them.

use core::time::Duration;

use http::request::Parts;
use lambda_invoke_sigv4::{PathEncoding, SessionTokenMode, SigningSettings};

use super::Keys;
use crate::sigv4::{Request, canonical_request};

/// Checks the signature of a request that was `original` before it was signed, at a time as
/// `YYYYMMDDTHHMMSSZ`.
///
/// # Errors
///
/// What is wrong with it.
pub fn judge(
    signed: &Parts,
    original: &Parts,
    body: &[u8],
    keys: &Keys,
    date: &str,
) -> Result<(), String> {
    let scope = scope(keys, date);
    for (name, value) in &original.headers {
        if !signed
            .headers
            .get_all(name)
            .iter()
            .any(|kept| kept == value)
        {
            return Err(format!("the header {name} was changed"));
        }
    }
    if (&signed.method, &signed.uri) != (&original.method, &original.uri) {
        return Err("the method or the URI was changed".to_owned());
    }
    let header = |name: &str| signed.headers.get(name).map(|value| value.as_bytes());
    if header("x-amz-date") != Some(date.as_bytes()) {
        return Err(format!("x-amz-date is not {date}"));
    }
    if header("x-amz-security-token") != keys.session_token.as_deref().map(str::as_bytes) {
        return Err("x-amz-security-token is not the token".to_owned());
    }
    let authorization = header("authorization").and_then(|value| std::str::from_utf8(value).ok());
    let authorization = authorization.ok_or("no authorization")?;
    let named = |start: &str| {
        let (_, rest) = authorization.split_once(start)?;
        Some(rest.split(',').next().unwrap_or(rest))
    };
    let credential = format!("{}/{scope}", keys.access_key_id);
    if !authorization.starts_with("AWS4-HMAC-SHA256 ") || named("Credential=") != Some(&credential)
    {
        return Err(format!(
            "the credential is not {credential}: {authorization}"
        ));
    }
    let names = named("SignedHeaders=").ok_or("no signed headers")?;
    let covered: Vec<&str> = names.split(';').collect();
    if !covered.is_sorted() {
        return Err(format!("the signed headers are not in order: {names}"));
    }
    for name in signed.headers.keys().map(http::HeaderName::as_str) {
        let must = name == "host" || name.starts_with("x-amz-");
        if must && !covered.contains(&name) {
            return Err(format!("{name} is not signed"));
        }
    }
    let request = Request::from_parts(signed);
    let canonical = canonical_request(&request, &rules(), &hex(&sha256(body)), names);
    let hash = hex(&sha256(&canonical));
    let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hash}");
    let right = hex(&hmac(&key(keys, &scope), text.as_bytes()));
    if named("Signature=") != Some(&right) {
        let canonical = String::from_utf8_lossy(&canonical);
        return Err(format!(
            "the signature is not {right}: {authorization}\n{canonical}"
        ));
    }
    Ok(())
}

/// The rules of every service but S3. None of them is left to the signer's defaults.
fn rules() -> SigningSettings {
    let mut rules = SigningSettings::default();
    rules.path_encoding = PathEncoding::Double;
    rules.normalize_path = true;
    rules.session_token = SessionTokenMode::Signed;
    rules
}

fn scope(keys: &Keys, date: &str) -> String {
    let day = date.get(..8).unwrap_or(date);
    format!("{day}/{}/{}/aws4_request", keys.region, keys.service)
}

fn key(keys: &Keys, scope: &str) -> [u8; 32] {
    let mut key = format!("AWS4{}", keys.secret).into_bytes();
    for part in scope.split('/') {
        key = hmac(&key, part.as_bytes()).to_vec();
    }
    key.try_into().expect("as long as a hash")
}

/// The time as `YYYYMMDDTHHMMSSZ`.
#[must_use]
pub fn timestamp(time: Duration) -> String {
    let (mut days, seconds) = (time.as_secs() / 86_400, time.as_secs() % 86_400);
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!(
        "{year:04}{:02}{:02}T{:02}{:02}{:02}Z",
        month + 1,
        days + 1,
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

/// Computes SHA-256, as FIPS 180-4 describes it.
#[must_use]
pub fn sha256(data: &[u8]) -> [u8; 32] {
    let primes: Vec<u32> = (2..312)
        .filter(|n| (2..*n).all(|divisor| n % divisor != 0))
        .collect();
    // The first 32 bits of the fractional parts of roots, computed exactly with integers.
    let mut state: Vec<u32> = primes[..8].iter().map(|n| root(*n, 2)).collect();
    let constants: Vec<u32> = primes.iter().map(|n| root(*n, 3)).collect();

    let mut padded = data.to_vec();
    padded.push(0x80);
    padded.resize((padded.len() + 8).next_multiple_of(64) - 8, 0);
    padded.extend((data.len() as u64 * 8).to_be_bytes());
    for block in padded.chunks(64) {
        let mut words: Vec<u32> = block
            .chunks(4)
            .map(|word| u32::from_be_bytes(word.try_into().expect("four bytes")))
            .collect();
        for at in 16..64 {
            let (a, b) = (words[at - 15], words[at - 2]);
            let a = a.rotate_right(7) ^ a.rotate_right(18) ^ (a >> 3);
            let b = b.rotate_right(17) ^ b.rotate_right(19) ^ (b >> 10);
            let sum = words[at - 16].wrapping_add(a).wrapping_add(words[at - 7]);
            words.push(sum.wrapping_add(b));
        }
        let mut s = state.clone();
        for (word, constant) in words.iter().zip(&constants) {
            let big = s[4].rotate_right(6) ^ s[4].rotate_right(11) ^ s[4].rotate_right(25);
            let choice = (s[4] & s[5]) ^ (!s[4] & s[6]);
            let first = s[7].wrapping_add(big).wrapping_add(choice);
            let first = first.wrapping_add(*constant).wrapping_add(*word);
            let big = s[0].rotate_right(2) ^ s[0].rotate_right(13) ^ s[0].rotate_right(22);
            let majority = (s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]);
            s.rotate_right(1);
            s[4] = s[4].wrapping_add(first);
            s[0] = first.wrapping_add(big).wrapping_add(majority);
        }
        for (total, word) in state.iter_mut().zip(s) {
            *total = total.wrapping_add(word);
        }
    }
    let bytes: Vec<u8> = state.into_iter().flat_map(u32::to_be_bytes).collect();
    bytes.try_into().expect("eight words")
}

/// The first 32 bits of the fractional part of the `power`-th root of a small number.
fn root(number: u32, power: u32) -> u32 {
    // The largest x with x^power <= number * 2^(32 * power), by bisection over 36 bits.
    let (mut low, mut high) = (0_u128, 1_u128 << 37);
    while high - low > 1 {
        let middle = (low + high) / 2;
        // Up to 111 bits; the target has up to 105.
        if middle.pow(power) <= u128::from(number) << (32 * power) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low as u32
}

/// Computes HMAC-SHA-256, as RFC 2104 describes it.
#[must_use]
pub fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut block = match key.len() {
        0..=64 => key.to_vec(),
        _ => sha256(key).to_vec(),
    };
    block.resize(64, 0);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = sha256(&[&pad(0x36), data].concat());
    sha256(&[&pad(0x5c)[..], &inner].concat())
}

/// Bytes in lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_the_standards() {
        // FIPS 180-4's examples, and test case 2 of RFC 4231.
        for (text, hash) in [
            (
                "abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                "",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ] {
            assert_eq!(hex(&sha256(text.as_bytes())), hash);
        }
        assert_eq!(
            hex(&hmac(b"Jefe", b"what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_827_696, "20000229T123456Z"),
            (1_440_938_160, "20150830T123600Z"),
            (4_102_444_799, "20991231T235959Z"),
        ] {
            assert_eq!(timestamp(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn the_official_example_is_right() {
        // `get-vanilla` of the official test suite.
        let keys = Keys {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "us-east-1".to_owned(),
            service: "service".to_owned(),
        };
        let request = |signed: bool| {
            let mut request = http::Request::get("/").header("host", "example.amazonaws.com");
            if signed {
                request = request.header("x-amz-date", "20150830T123600Z").header(
                    "authorization",
                    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, \
                     SignedHeaders=host;x-amz-date, \
                     Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
                );
            }
            request.body(()).unwrap().into_parts().0
        };
        let time = "20150830T123600Z";
        assert_eq!(
            judge(&request(true), &request(false), b"", &keys, time),
            Ok(())
        );
        assert!(judge(&request(true), &request(false), b"x", &keys, time).is_err());
    }
}
