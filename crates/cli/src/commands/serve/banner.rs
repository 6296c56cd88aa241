//! The text that `serve` prints at the start: what it serves, and three lines to paste.

use std::borrow::Cow;

use lambda_invoke_endpoint::Server;

use super::options::Arguments;
use crate::functions::spec::{Code, FunctionSpec};
use crate::number::counted;

/// The lines of the banner.
pub(super) fn lines(arguments: &Arguments, server: &Server, own: &[FunctionSpec]) -> Vec<String> {
    let functions = server.endpoint().functions();
    let names = match functions.as_slice() {
        [] => "no functions".to_owned(),
        names => names.join(", "),
    };
    let Arguments {
        region, account, ..
    } = arguments;
    let keys = match (arguments.no_verify, arguments.credential.is_empty()) {
        (true, _) => "; signatures are not verified",
        (false, true) => "; access key 'local', secret key 'local'",
        (false, false) => "",
    };
    let mut lines = vec![format!(
        "serving {names} in {region} as account {account}{keys}"
    )];
    lines.extend(own.iter().map(described));
    if let Some(first) = own.first() {
        let url = server.url();
        lines.push("to call it from another terminal:".to_owned());
        lines.extend(pasted(arguments, &url, first).map(|line| format!("  {line}")));
    }
    lines
}

/// A function, with its program and its limits.
fn described(spec: &FunctionSpec) -> String {
    let what = match &spec.code {
        Code::Handler { handler, .. } => handler.clone(),
        Code::Command(words) => {
            let words: Vec<_> = words.iter().map(|word| pasteable(word)).collect();
            words.join(" ")
        }
    };
    let FunctionSpec {
        name, root, memory, ..
    } = spec;
    let timeout = humantime::format_duration(spec.timeout);
    let mut instances = counted(spec.concurrency, "instance");
    if spec.queue > 0 {
        instances.push_str(&format!(", {} may wait", counted(spec.queue, "call")));
    }
    let root = root.display();
    format!("  {name}: {what} in {root}, timeout {timeout}, {memory} MiB, {instances}")
}

/// Lines for a shell: the environment of an SDK or tool, a call with the AWS CLI, and one with curl.
fn pasted(arguments: &Arguments, url: &str, own: &FunctionSpec) -> [String; 3] {
    let region = &arguments.region;
    let name = &own.name;
    // Secrets that the user chose are not shown.
    let has_own_keys = !arguments.credential.is_empty();
    let (id, secret) = match has_own_keys {
        false => ("local", "local"),
        true => ("ACCESS_KEY", "SECRET_KEY"),
    };
    let is_open = match &own.url {
        Some(settings) => settings.signed != Some(true),
        None => !has_own_keys,
    };
    let signed = match is_open || arguments.no_verify {
        true => String::new(),
        false => format!("--aws-sigv4 aws:amz:{region}:lambda --user {id}:{secret} "),
    };
    [
        format!(
            "export AWS_ENDPOINT_URL_LAMBDA={url} AWS_REGION={region} AWS_DEFAULT_REGION={region} \
             AWS_ACCESS_KEY_ID={id} AWS_SECRET_ACCESS_KEY={secret} && \
             unset AWS_PROFILE AWS_SESSION_TOKEN"
        ),
        format!("aws lambda invoke --region {region} --function-name {name} /dev/stdout"),
        format!(
            "curl -N {signed}{}",
            pasteable(&format!("{url}/url/{name}/"))
        ),
    ]
}

/// A word for a shell: the brackets of an IPv6 address are a pattern for zsh, which looks for files.
fn pasteable(word: &str) -> Cow<'_, str> {
    // Fails for a NUL, which no argument can contain.
    shlex::try_quote(word).unwrap_or(Cow::Borrowed(word))
}
