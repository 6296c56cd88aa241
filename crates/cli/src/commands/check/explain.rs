//! Explains a valid name.

use lambda_invoke_input::{FunctionName, QualifierKind, Target};
use lambda_invoke_protocol::path;
use lambda_invoke_sigv4::region;
use serde_json::{Value, json};

/// The parts of the name as text, one per line.
pub(super) fn text(target: &Target<'_>, accepted: &[&str]) -> String {
    let name = target.name();
    let mut lines = vec![("form", form(name).to_owned())];
    let mut part = |what, value: Option<&str>, otherwise: &str| {
        lines.push((
            what,
            value.map_or_else(|| format!("({otherwise})"), str::to_owned),
        ));
    };
    if name.is_arn() {
        part("partition", name.partition(), "empty");
    }
    part(
        "region",
        name.region(),
        "not in the name; the caller's is used",
    );
    part(
        "account",
        name.account(),
        "not in the name; the caller's is used",
    );
    part("name", Some(name.name()), "");
    lines.push(("qualifier", qualifier(target)));
    lines.push(("ARN", arn(target)));
    if let Some(host) = host(name) {
        lines.push(("host", host));
    }
    lines.push(("path", invoke_path(target)));
    lines.push(("accepted by", accepted.join(", ")));
    if let Some(resource) = name.other_resource() {
        let note = format!(
            "this is the ARN of {resource}; Lambda accepts it as the ARN of a function called {}",
            name.name()
        );
        lines.push(("note", note));
    } else if lacks_function(name) {
        let note =
            "'function:' is missing before the name; Lambda accepts that, IAM policies do not";
        lines.push(("note", note.to_owned()));
    }
    lines
        .into_iter()
        .map(|(what, value)| format!("{what:<12} {value}\n"))
        .collect()
}

/// The parts of the name as a JSON object.
pub(super) fn json(target: &Target<'_>) -> Value {
    let name = target.name();
    let effective = target.effective_qualifier();
    json!({
        "valid": true,
        "form": form(name),
        "partition": name.partition(),
        "region": name.region(),
        "account": name.account(),
        "name": name.name(),
        "qualifier": effective.as_ref().map(|qualifier| qualifier.as_str()),
        "qualifier_kind": effective.as_ref().map(|qualifier| kind(qualifier.kind()).0),
        "arn": arn(target),
        "host": host(name),
        "path": invoke_path(target),
        "lacks_function": lacks_function(name),
        "other_resource": name.other_resource().map(|resource| resource.to_string()),
    })
}

/// Whether an ARN, full or partial, lacks the `function:` before the name, which is easy to forget.
fn lacks_function(name: &FunctionName<'_>) -> bool {
    let unqualified = name.unqualified();
    unqualified
        .strip_suffix(name.name())
        .is_some_and(|before| !before.is_empty() && !before.ends_with("function:"))
}

fn form(name: &FunctionName<'_>) -> &'static str {
    let is_complete = name
        .partition()
        .and(name.region())
        .and(name.account())
        .is_some();
    match (name.is_arn(), is_complete) {
        (true, true) => "ARN",
        (true, false) => "incomplete ARN",
        (false, _) if name.unqualified() == name.name() => "name",
        (false, _) => "partial ARN",
    }
}

fn qualifier(target: &Target<'_>) -> String {
    let Some(qualifier) = target.effective_qualifier() else {
        return "(none; $LATEST is invoked)".to_owned();
    };
    let text = qualifier.as_str();
    let kind = kind(qualifier.kind()).1;
    match (
        target.qualifier().is_some(),
        target.name().qualifier().is_some(),
    ) {
        (true, false) => format!("{text} ({kind}; from the parameter)"),
        (true, true) => format!("{text} ({kind}; from the name and the parameter)"),
        (false, _) => format!("{text} ({kind})"),
    }
}

/// The kind of a qualifier, in JSON and in text.
fn kind(kind: QualifierKind) -> (&'static str, &'static str) {
    match kind {
        QualifierKind::Latest => ("latest", "the unpublished version"),
        QualifierKind::LatestPublished => ("latest-published", "the newest published version"),
        QualifierKind::Version => ("version", "a published version"),
        QualifierKind::Alias => ("alias", "an alias"),
        QualifierKind::Other => ("other", "valid, but never in use"),
        // `QualifierKind` is non_exhaustive.
        _ => ("unknown", "of an unknown kind"),
    }
}

/// The full ARN, with REGION and ACCOUNT in place of parts that are not in the name.
fn arn(target: &Target<'_>) -> String {
    let name = target.name();
    let partition = name.partition().unwrap_or("aws");
    let region = name.region().unwrap_or("REGION");
    let account = name.account().unwrap_or("ACCOUNT");
    let mut arn = format!(
        "arn:{partition}:lambda:{region}:{account}:function:{}",
        name.name()
    );
    if let Some(qualifier) = target.effective_qualifier() {
        arn.push(':');
        arn.push_str(qualifier.as_str());
    }
    arn
}

fn host(name: &FunctionName<'_>) -> Option<String> {
    region::host("lambda", name.region()?, region::Variant::default()).ok()
}

fn invoke_path(target: &Target<'_>) -> String {
    let name = path::Encoded(target.name().as_str());
    let mut path = format!("/2015-03-31/functions/{name}/invocations");
    if let Some(qualifier) = target.qualifier() {
        path.push_str(&format!("?Qualifier={}", path::Encoded(qualifier.as_str())));
    }
    path
}
