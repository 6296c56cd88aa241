//! Which web pages may call a URL that needs no secret.
//!
//! In the service such a URL is public. Here it runs code on the developer's machine, so a page of
//! another site must not reach it: neither by a request of its own nor by a name that its DNS resolves
//! to this machine (DNS rebinding).

use http::HeaderMap;
use http::header::ORIGIN;
use http::uri::{Authority, Uri};
use lambda_invoke_error::ServiceError;
use lambda_invoke_error::text::Excerpt;
use lambda_invoke_protocol::function_url::Cors;

use crate::service::cors::{Caller, Origins, check_host, is_local_page};
use crate::service::errors;

/// Checks a request's `Host` and `Origin`.
pub(super) fn check(
    headers: &HeaderMap,
    cors: Option<&Cors>,
    origins: &Origins,
) -> Result<(), ServiceError> {
    check_host(headers, origins)?;
    let text = match origins.caller(headers) {
        Caller::Foreign(text) => text,
        Caller::NoPage if is_embedded(headers) => {
            let every_page = origins.allow_all() || cors.is_some_and(Cors::allows_all);
            return if every_page { Ok(()) } else { Err(embedded()) };
        }
        Caller::NoPage | Caller::Own | Caller::Allowed(_) => return Ok(()),
    };
    let mut sent = headers.get_all(ORIGIN).iter();
    let (origin, None) = (sent.next(), sent.next()) else {
        return Err(foreign(&text, cors));
    };
    let is_allowed = origin.is_some_and(|origin| cors.is_some_and(|cors| cors.allows(origin)));
    let authority = text.split_once("://").map(|(_, authority)| authority);
    if is_allowed || authority.is_some_and(is_local_page) {
        return Ok(());
    }
    Err(foreign(&text, cors))
}

/// Whether a page of another site embeds the response, as an image or in a frame. Browsers send no
/// `Origin` with such a request, but they do send `Sec-Fetch-Site`. Following a link is not
/// embedding, and a local page may embed it.
fn is_embedded(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_link =
        text("sec-fetch-mode") == Some("navigate") && text("sec-fetch-dest") == Some("document");
    let referer = text("referer").and_then(|referer| referer.parse::<Uri>().ok());
    let is_of_local_page = referer.is_some_and(|referer| {
        let authority = referer.authority().map(Authority::as_str);
        authority.is_some_and(is_local_page)
    });
    text("sec-fetch-site") == Some("cross-site") && !is_link && !is_of_local_page
}

fn foreign(origin: &str, cors: Option<&Cors>) -> ServiceError {
    let origin = Excerpt(origin);
    // If a URL has settings of its own, they alone decide what a page may read.
    let or = match cors {
        Some(_) => String::new(),
        None => format!(", or serve with --cors {origin}"),
    };
    let message = format!(
        "A web page of the origin {origin} may not call this function URL. To allow it, add the \
         origin to the URL's CORS settings{or}."
    );
    errors::access_denied(&message)
}

fn embedded() -> ServiceError {
    // Only the permission of every page helps, since the request does not say from which one it
    // comes.
    errors::access_denied(
        "A web page of another site may not embed this function URL. To allow it, add \"*\" to the \
         origins of the URL's CORS settings, or serve with --cors \"*\".",
    )
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::HOST;

    use super::*;

    fn passes(host: &'static str, origin: Option<&'static str>, cors: Option<&Cors>) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        let mut origins = Origins::default();
        origins.add("https://tunnel.example".to_owned()).unwrap();
        check(&headers, cors, &origins).is_ok()
    }

    #[test]
    fn only_names_of_this_machine_and_allowed_ones_pass() {
        for (host, expected) in [
            ("127.0.0.1:9001", true),
            ("[::1]:9001", true),
            ("localhost:9001", true),
            ("chat.localhost", true),
            ("chat.localhost.:9001", true),
            // The name of a top-level domain, which may have an address.
            ("example.", false),
            ("lambda:9001", true),
            ("host.docker.internal:9001", true),
            ("tunnel.example", true),
            ("evil.example:9001", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("evil.example:80@127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(passes(host, None, None), expected, "{host}");
        }
    }

    #[test]
    fn the_error_gives_only_advice_that_helps() {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("127.0.0.1"));
        headers.insert(ORIGIN, HeaderValue::from_static("https://tunnel.example"));
        let other = Cors::new().allow_origin("https://app.example").unwrap();
        for (cors, advice) in [(None, true), (Some(&other), false)] {
            let error = check(&headers, cors, &Origins::default()).unwrap_err();
            let message = error.message().unwrap();
            assert!(message.contains("the URL's CORS settings"), "{message}");
            assert_eq!(message.contains("--cors"), advice, "{message}");
        }
    }

    #[test]
    fn another_site_cannot_embed_what_a_person_may_follow() {
        for (mode, dest, referer, expected) in [
            ("navigate", "document", "https://evil.example/", true),
            ("navigate", "iframe", "https://evil.example/", false),
            ("no-cors", "image", "https://evil.example/", false),
            ("no-cors", "script", "", false),
            ("no-cors", "image", "http://localhost:3000/", true),
            ("no-cors", "image", "http://localhost.evil.example/", false),
            ("no-cors", "image", "http://93.184.216.34/", false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in [
                ("host", "127.0.0.1:9001"),
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-mode", mode),
                ("sec-fetch-dest", dest),
                ("referer", referer),
            ] {
                headers.insert(name, HeaderValue::from_static(value));
            }
            let checked = check(&headers, None, &Origins::default());
            assert_eq!(checked.is_ok(), expected, "{mode} {dest} {referer}");
            if let Err(error) = checked {
                let message = error.message().unwrap_or_default().to_owned();
                assert!(message.starts_with("A web page of another site may not embed"));
            }
            // What the message advises.
            let any = Cors::new().allow_origin("*").unwrap();
            assert!(check(&headers, Some(&any), &Origins::default()).is_ok());
            let mut origins = Origins::default();
            origins.add("*".to_owned()).unwrap();
            assert!(check(&headers, None, &origins).is_ok());
        }
    }

    #[test]
    fn only_local_and_allowed_pages_pass() {
        let app = Cors::new().allow_origin("https://app.example").unwrap();
        let any = Cors::new().allow_origin("*").unwrap();
        for (origin, without, with_app) in [
            ("http://localhost:3000", true, true),
            ("http://127.0.0.1:3000", true, true),
            ("https://tunnel.example", true, true),
            ("https://app.example", false, true),
            ("https://evil.example", false, false),
            ("http://localhost.evil.example", false, false),
            ("http://192.168.1.7:3000", true, true),
            ("http://93.184.216.34", false, false),
            ("http://[2606:2800:220:1::1]", false, false),
            ("null", false, false),
        ] {
            let host = "127.0.0.1:9001";
            assert_eq!(passes(host, Some(origin), None), without, "{origin}");
            assert_eq!(passes(host, Some(origin), Some(&app)), with_app, "{origin}");
            assert!(passes(host, Some(origin), Some(&any)), "{origin}");
        }
    }
}
