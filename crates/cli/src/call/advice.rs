//! Advice about a failed call, in terms of this program's options.

use std::error::Error as _;
use std::io;

use lambda_invoke::{Error, ErrorKind, TimeoutKind};

use crate::exit::causes;

/// The functions of the endpoint of `--local`.
pub(crate) const BUILT_IN: [&str; 4] = ["hello", "echo", "count", "fail"];

/// How similar two names must be for one to be a misspelling of the other, from 0 to 1.
const SIMILAR: f64 = 0.8;

/// The advice for an error, if there is any beyond the client's own.
pub(crate) fn of(error: &Error) -> Option<String> {
    if let Some(kind) = error.timeout_kind() {
        return Some(format!("{} sets this timeout", option_of(kind)?));
    }
    match error.kind() {
        ErrorKind::Connect => connection(error),
        ErrorKind::Transport if is_not_http(error) => Some(
            "if the server expects TLS on this port, begin the address with https://".to_owned(),
        ),
        _ => None,
    }
}

/// The function, among those that are served, whose name was probably meant.
pub(crate) fn similar<'k>(name: &str, known: &'k [String]) -> Option<&'k str> {
    let similarity = |known: &&str| strsim::jaro_winkler(name, known);
    let best = known
        .iter()
        .map(String::as_str)
        .max_by(|one, other| similarity(one).total_cmp(&similarity(other)))?;
    (similarity(&best) >= SIMILAR).then_some(best)
}

/// The option that sets a timeout.
pub(crate) const fn option_of(kind: TimeoutKind) -> Option<&'static str> {
    match kind {
        TimeoutKind::Connect => Some("--connect-timeout"),
        TimeoutKind::FirstByte => Some("--first-byte-timeout"),
        TimeoutKind::Idle => Some("--idle-timeout"),
        TimeoutKind::Total => Some("--timeout"),
        // This version does not know the kind.
        _ => None,
    }
}

fn connection(error: &Error) -> Option<String> {
    let is_refused = causes(error).any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|io| io.kind() == io::ErrorKind::ConnectionRefused)
    });
    if is_refused {
        return Some(
            "nothing is listening there: is the endpoint running? lambda-invoke serve starts a local one"
                .to_owned(),
        );
    }
    if is_unresolved(error) {
        return Some(
            "the name does not resolve: check the region and the network; not every region has FIPS \
             and dual-stack endpoints, and they are not replaced by others"
                .to_owned(),
        );
    }
    // This is how rustls names bytes that are not TLS.
    let is_plain = causes(error).any(|cause| cause.to_string().contains("InvalidContentType"));
    is_plain.then(|| {
        "the server does not speak TLS on this port: if that is intended, begin the address with \
         http://"
            .to_owned()
    })
}

/// Whether the host has no address, or its address could not be found.
fn is_unresolved(error: &Error) -> bool {
    // This is hyper-util's name for it; the operating system's error has no kind of its own.
    causes(error).any(|cause| cause.to_string() == "dns error")
}

fn is_not_http(error: &Error) -> bool {
    let of_transport = error
        .source()
        .and_then(|source| source.downcast_ref::<lambda_invoke::transport::Error>());
    of_transport.is_some_and(|error| error.kind() == lambda_invoke::transport::ErrorKind::Protocol)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelled_name_suggests_the_right_one() {
        let known = BUILT_IN.map(str::to_owned);
        for (name, meant) in [
            ("helo", Some("hello")),
            ("Hello", Some("hello")),
            ("ehco", Some("echo")),
            ("counter", Some("count")),
            ("orders", None),
            ("", None),
        ] {
            assert_eq!(similar(name, &known), meant, "{name}");
        }
    }
}
