//! Decides who may use the console: the page that was opened with the one-time token.
//!
//! A session's key is kept by the page and sent in a header of its own: unlike a cookie, no other
//! page's request carries it, and no other server on this machine receives it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use http::header::{HOST, HeaderName};
use http::{HeaderMap, HeaderValue};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::service::cors::{Caller, Origins, is_local};

/// The header with the session's key.
const SESSION: HeaderName = HeaderName::from_static("x-console-session");
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The maximum number of sessions; a further one ends the oldest.
const SESSIONS: usize = 8;

/// The token that opens the next session, and the keys of the open ones.
pub(super) struct Access {
    secrets: Mutex<Secrets>,
}

struct Secrets {
    token: String,
    sessions: VecDeque<String>,
}

/// The system has no random numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NoRandomness;

impl Access {
    pub(super) fn new() -> Result<Self, NoRandomness> {
        let secrets = Secrets {
            token: secret()?,
            sessions: VecDeque::new(),
        };
        Ok(Self {
            secrets: Mutex::new(secrets),
        })
    }

    /// Returns the token that opens the next session.
    pub(super) fn token(&self) -> String {
        self.lock().token.clone()
    }

    /// Opens a session and returns its key; `None` if the token is not the current one. The token is
    /// replaced, so that it cannot be used again.
    pub(super) fn open(&self, token: &[u8]) -> Option<String> {
        let (next, key) = (secret().ok()?, secret().ok()?);
        let mut secrets = self.lock();
        if !is_same(token, secrets.token.as_bytes()) {
            return None;
        }
        secrets.token = next;
        if secrets.sessions.len() >= SESSIONS {
            secrets.sessions.pop_front();
        }
        secrets.sessions.push_back(key.clone());
        Some(key)
    }

    /// Whether a request belongs to an open session.
    pub(super) fn is_open(&self, headers: &HeaderMap) -> bool {
        let Some(key) = headers.get(SESSION).map(HeaderValue::as_bytes) else {
            return false;
        };
        let is_key = |open: &String| is_same(key, open.as_bytes());
        self.lock().sessions.iter().any(is_key)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Secrets> {
        self.secrets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Access")
    }
}

/// Whether a request addresses this machine by an address or a local name. Other names may be those
/// of another site, whose DNS resolves them to this machine.
pub(super) fn is_for_this_machine(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    host.to_str().is_ok_and(is_local)
}

/// Whether a request comes from the console's own page, according to the browser.
pub(super) fn is_own_page(headers: &HeaderMap) -> bool {
    // The endpoint's CORS settings do not apply: pages that may call the API may still not use the
    // console.
    let page = Origins::default().caller(headers);
    let site = headers.get(FETCH_SITE).map(HeaderValue::as_bytes);
    matches!(page, Caller::NoPage | Caller::Own)
        && site.is_none_or(|site| matches!(site, b"same-origin" | b"none"))
}

/// Returns 256 random bits in hexadecimal.
fn secret() -> Result<String, NoRandomness> {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| NoRandomness)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Compares in a time that does not depend on where the texts differ.
fn is_same(one: &[u8], two: &[u8]) -> bool {
    let differences = one.iter().zip(two).fold(0, |bits, (a, b)| bits | (a ^ b));
    one.len() == two.len() && differences == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(key: &str) -> HeaderMap {
        HeaderMap::from_iter([(SESSION, HeaderValue::from_str(key).unwrap())])
    }

    #[test]
    fn a_token_opens_one_session() {
        let access = Access::new().unwrap();
        let token = access.token();
        assert_eq!(token.len(), 64);
        assert_eq!(access.open(b""), None);
        assert_eq!(access.open(token.to_uppercase().as_bytes()), None);
        let key = access.open(token.as_bytes()).unwrap();
        assert_eq!(access.open(token.as_bytes()), None);
        assert!(access.is_open(&with(&key)));
        assert!(!access.is_open(&with(&token)));
        assert!(!access.is_open(&with("")));
        assert!(!access.is_open(&HeaderMap::new()));
    }

    #[test]
    fn a_session_too_many_ends_the_oldest() {
        let access = Access::new().unwrap();
        let open = || access.open(access.token().as_bytes()).unwrap();
        let first = open();
        let keys: Vec<_> = (0..SESSIONS).map(|_| open()).collect();
        assert!(!access.is_open(&with(&first)));
        assert!(keys.iter().all(|key| access.is_open(&with(key))));
    }

    #[test]
    fn other_pages_and_other_names_do_not_pass() {
        let headers = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.append(*name, HeaderValue::from_static(value));
            }
            headers
        };
        for (host, expected) in [
            ("127.0.0.1:9001", true),
            ("localhost:9001", true),
            ("[::1]:9001", true),
            ("evil.example:9001", false),
            ("localhost.evil.example", false),
            ("a@localhost", false),
            ("", false),
        ] {
            assert_eq!(
                is_for_this_machine(&headers(&[("host", host)])),
                expected,
                "{host}"
            );
        }
        assert!(!is_for_this_machine(&headers(&[])));
        assert!(!is_for_this_machine(&headers(&[
            ("host", "localhost"),
            ("host", "localhost")
        ])));
        let host = ("host", "localhost:9001");
        for (header, expected) in [
            (("origin", "http://localhost:9001"), true),
            (("origin", "http://localhost:3000"), false),
            (("origin", "http://127.0.0.1:9001"), false),
            (("origin", "https://evil.example"), false),
            (("origin", "null"), false),
            (("sec-fetch-site", "same-origin"), true),
            (("sec-fetch-site", "none"), true),
            (("sec-fetch-site", "same-site"), false),
            (("sec-fetch-site", "cross-site"), false),
        ] {
            assert_eq!(
                is_own_page(&headers(&[host, header])),
                expected,
                "{header:?}"
            );
        }
    }
}
