//! The canonical request as a string, step by step as the reference describes it.

use lambda_invoke_sigv4::{NEVER_SIGNED, PathEncoding, SessionTokenMode, SigningSettings};

use super::requests::Request;

/// The naive reference: the canonical request as a string, step by step as AWS's reference describes it.
/// `payload` is its last line, and `names` are the headers that it covers.
pub(crate) fn canonical(
    request: &Request,
    settings: &SigningSettings,
    payload: &str,
    names: &str,
) -> Vec<u8> {
    canonical_with(request, settings, payload, names, BLANK[0])
}

/// Which characters are blank in the value of a header: in the official vectors, in JavaScript now
/// and formerly, and in Python.
pub(super) const BLANK: [fn(char) -> bool; 4] = [
    |letter| letter == ' ',
    |letter| matches!(letter, ' ' | '\t'),
    |letter| letter == '\u{feff}' || letter.is_whitespace() && letter != '\u{85}',
    |letter| letter.is_whitespace() || ('\x1c'..='\x1f').contains(&letter),
];

pub(super) fn canonical_with(
    request: &Request,
    settings: &SigningSettings,
    payload: &str,
    names: &str,
    blank: fn(char) -> bool,
) -> Vec<u8> {
    let mut built = request.method.clone();
    built.push(b'\n');
    built.extend(canonical_path(&request.path, settings));
    built.push(b'\n');
    built.extend(canonical_query(&request.query, settings));
    built.push(b'\n');
    for name in names.split(';') {
        let values: Vec<Vec<u8>> = request
            .headers
            .iter()
            .filter(|(other, _)| other.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| trimmed(value, blank))
            .collect();
        built.extend_from_slice(name.as_bytes());
        built.push(b':');
        built.extend(values.join(&b','));
        built.push(b'\n');
    }
    built.push(b'\n');
    built.extend_from_slice(names.as_bytes());
    built.push(b'\n');
    built.extend_from_slice(payload.as_bytes());
    built
}

fn trimmed(value: &[u8], blank: fn(char) -> bool) -> Vec<u8> {
    let words: Vec<&[u8]> = match std::str::from_utf8(value) {
        Ok(text) => text.split(blank).map(str::as_bytes).collect(),
        Err(_) => value.split(|byte| blank(char::from(*byte))).collect(),
    };
    let words: Vec<&[u8]> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.join(&b' ')
}

fn percent(bytes: &[u8], stays: impl Fn(u8) -> bool) -> Vec<u8> {
    let mut encoded = Vec::new();
    for &byte in bytes {
        if stays(byte) {
            encoded.push(byte);
        } else {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    encoded
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn canonical_path(path: &[u8], settings: &SigningSettings) -> Vec<u8> {
    let mut path = path.to_vec();
    if settings.normalize_path {
        let mut segments: Vec<&[u8]> = Vec::new();
        for segment in path.split(|byte| *byte == b'/') {
            match segment {
                b"" | b"." => {}
                b".." => drop(segments.pop()),
                other => segments.push(other),
            }
        }
        let folder = [&b"/"[..], b"/.", b"/.."]
            .iter()
            .any(|end| path.ends_with(end))
            || path == b"."
            || path == b"..";
        let mut normal: Vec<u8> = segments
            .iter()
            .flat_map(|name| [b"/", *name].concat())
            .collect();
        if folder || normal.is_empty() {
            normal.push(b'/');
        }
        path = normal;
    }
    if path.is_empty() {
        path.push(b'/');
    }
    match settings.path_encoding {
        PathEncoding::Double => percent(&path, |byte| is_unreserved(byte) || byte == b'/'),
        _ => percent(&path, |byte| byte.is_ascii_graphic()),
    }
}

pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| text[at] == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        match digits.and_then(|digits| std::str::from_utf8(digits).ok()) {
            Some(digits) => {
                decoded.push(u8::from_str_radix(digits, 16).expect("two digits"));
                at += 3;
            }
            None => {
                decoded.push(text[at]);
                at += 1;
            }
        }
    }
    decoded
}

fn canonical_query(query: &[u8], settings: &SigningSettings) -> Vec<u8> {
    let mut pairs: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for piece in query
        .split(|byte| *byte == b'&')
        .filter(|piece| !piece.is_empty())
    {
        let mut halves = piece.splitn(2, |byte| *byte == b'=').map(percent_decoded);
        let (name, value) = (
            halves.next().unwrap_or_default(),
            halves.next().unwrap_or_default(),
        );
        let appended = settings.session_token == SessionTokenMode::Appended;
        if name != b"X-Amz-Signature" && !(appended && name == b"X-Amz-Security-Token") {
            pairs.push((
                percent(&name, is_unreserved),
                percent(&value, is_unreserved),
            ));
        }
    }
    pairs.sort();
    let pairs: Vec<Vec<u8>> = pairs
        .into_iter()
        .map(|(name, value)| [name, b"=".to_vec(), value].concat())
        .collect();
    pairs.join(&b'&')
}

/// The names that signing by headers covers, by the naive reference.
pub(super) fn covered(request: &Request, settings: &SigningSettings) -> String {
    let mut names: Vec<String> = request
        .headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).to_ascii_lowercase())
        .filter(|name| !NEVER_SIGNED.contains(&name.as_str()))
        .filter(|name| {
            settings.session_token == SessionTokenMode::Signed || name != "x-amz-security-token"
        })
        .collect();
    names.sort();
    names.dedup();
    names.join(";")
}
