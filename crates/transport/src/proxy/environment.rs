//! The environment variables that select a proxy.

use std::ffi::{OsStr, OsString};

use super::{Exceptions, Proxy, Rule};
use crate::Error;

/// Reads the rules of an environment; `variable` looks up a variable in it.
pub(super) fn rules(variable: impl Fn(&str) -> Option<OsString>) -> Proxy {
    // An empty variable counts as absent, so it does not hide the other spelling.
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let is_cgi = variable("REQUEST_METHOD").is_some();
    let rule = |lower: &'static str, upper: &'static str| {
        // The caller of a CGI program can set `HTTP_PROXY` by a header named `Proxy`.
        let upper = (!is_cgi || upper != "HTTP_PROXY").then_some(upper);
        let name_and_value = [Some(lower), upper]
            .into_iter()
            .flatten()
            .find_map(|name| Some((name, set(name)?)));
        name_and_value.map(|(name, value)| match value.to_str() {
            Some(address) => Rule::parse(name, address),
            None => Rule::Unusable(Error::configuration(format!("{name} is not UTF-8"))),
        })
    };
    let all = rule("all_proxy", "ALL_PROXY");
    let except = set("no_proxy").or_else(|| set("NO_PROXY"));
    Proxy::new(
        rule("http_proxy", "HTTP_PROXY").or_else(|| all.clone()),
        rule("https_proxy", "HTTPS_PROXY").or(all),
        Exceptions::parse(&except.as_deref().map_or("".into(), OsStr::to_string_lossy)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where a request goes: the proxy's host, `direct`, or the error.
    fn via(environment: &[(&str, &str)], uri: &str) -> String {
        let proxy = rules(|name| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(*value))
        });
        match proxy.via(&uri.parse().unwrap()) {
            Ok(Some(proxy)) => proxy.authority().unwrap().to_string(),
            Ok(None) => "direct".to_owned(),
            Err(error) => {
                assert_eq!(error.kind(), crate::ErrorKind::Configuration);
                error.to_string()
            }
        }
    }

    #[test]
    fn each_scheme_has_its_variables_and_all_proxy_is_for_what_has_none() {
        for (environment, http, https) in [
            (&[][..], "direct", "direct"),
            (&[("http_proxy", "http://p:1")], "p:1", "direct"),
            (&[("HTTP_PROXY", "http://p:1")], "p:1", "direct"),
            (&[("https_proxy", "http://p:1")], "direct", "p:1"),
            (&[("HTTPS_PROXY", "p:1")], "direct", "p:1"),
            (&[("all_proxy", "http://p:1")], "p:1", "p:1"),
            (&[("ALL_PROXY", "a:1"), ("HTTP_PROXY", "p:1")], "p:1", "a:1"),
            // Lower case takes precedence, and an empty variable counts as absent.
            (
                &[("HTTP_PROXY", "U:1"), ("http_proxy", "l:1")],
                "l:1",
                "direct",
            ),
            (
                &[("HTTP_PROXY", ""), ("http_proxy", "l:1")],
                "l:1",
                "direct",
            ),
            (
                &[("HTTP_PROXY", "u:1"), ("http_proxy", "")],
                "u:1",
                "direct",
            ),
            (&[("HTTPS_PROXY", ""), ("ALL_PROXY", "a:1")], "a:1", "a:1"),
            (
                &[("NO_PROXY", ""), ("no_proxy", "host"), ("ALL_PROXY", "a:1")],
                "direct",
                "direct",
            ),
            (
                &[("NO_PROXY", "host"), ("no_proxy", ""), ("ALL_PROXY", "a:1")],
                "direct",
                "direct",
            ),
            (
                &[
                    ("NO_PROXY", "host"),
                    ("no_proxy", "x"),
                    ("ALL_PROXY", "a:1"),
                ],
                "a:1",
                "a:1",
            ),
            // In a CGI program, only the variable that a caller could set is ignored.
            (
                &[
                    ("REQUEST_METHOD", "GET"),
                    ("HTTP_PROXY", "p:1"),
                    ("HTTPS_PROXY", "p:2"),
                ],
                "direct",
                "p:2",
            ),
            (
                &[("REQUEST_METHOD", ""), ("HTTP_PROXY", "p:1")],
                "direct",
                "direct",
            ),
            (
                &[("REQUEST_METHOD", "GET"), ("http_proxy", "p:1")],
                "p:1",
                "direct",
            ),
        ] {
            assert_eq!(via(environment, "http://host/"), http, "{environment:?}");
            assert_eq!(via(environment, "https://host/"), https, "{environment:?}");
        }
    }

    #[test]
    fn an_address_that_cannot_be_used_matters_only_if_it_would_be() {
        for (environment, uri) in [
            (
                &[("ALL_PROXY", "socks5://p:1"), ("HTTP_PROXY", "p:2")][..],
                "http://host/",
            ),
            (
                &[("ALL_PROXY", "socks5://p:1"), ("NO_PROXY", "host")],
                "https://host/",
            ),
            (&[("HTTPS_PROXY", "http://p:99999")], "http://host/"),
        ] {
            assert!(["direct", "p:2"].contains(&via(environment, uri).as_str()));
        }
        for (environment, uri, why) in [
            (
                &[("ALL_PROXY", "socks5://p:1")][..],
                "http://host/",
                "ALL_PROXY has an unsupported scheme",
            ),
            (
                &[("all_proxy", "socks5://p:1")],
                "https://host/",
                "all_proxy has an unsupported scheme",
            ),
            (
                &[("ALL_PROXY", "p:1"), ("HTTPS_PROXY", "socks5://p:1")],
                "https://host/",
                "HTTPS_PROXY has an unsupported scheme",
            ),
            (
                &[("HTTP_PROXY", "http://p:99999")],
                "http://host/",
                "HTTP_PROXY: the text after",
            ),
            (
                &[("HTTP_PROXY", "http://u:hunter2@p:0")],
                "http://host/",
                "1 to 65535",
            ),
        ] {
            let said = via(environment, uri);
            assert!(said.contains(why), "{environment:?}: {said}");
            assert!(!said.contains("hunter2"), "{said}");
        }
    }
}
