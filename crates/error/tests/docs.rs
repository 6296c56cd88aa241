//! `docs/errors.md` is generated from the table: this test generates the page again and compares.
//!
//! `UPDATE_DOCS=1 cargo test -p lambda-invoke-error --test docs` updates the page.

// Test helpers may unwrap just as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::PathBuf;

use lambda_invoke_error::{KnownError, Operation, RetryClass, ThrottleReason, known_errors};

const HEAD: &str = "\
# Errors

<!-- Generated from the table in crates/error. Do not edit: change the table, then run
     UPDATE_DOCS=1 cargo test -p lambda-invoke-error --test docs -->

Every error that the service returns for an invocation, with its code and status, and:

- **from**: the service's model lists *modelled* errors under the operation; the published reference
  lists *common* ones as common to all operations; *observed* ones are in neither, but the service has
  been observed to return them.
- **operations**: *invoke* is `Invoke`, *stream* `InvokeWithResponseStream`, *async* the deprecated
  `InvokeAsync`.
- **class**: what has to happen before the same request can succeed. *Permanent*: somebody has to
  change something. *Throttled*: wait as long as the service asks. *Pending*: wait until the function
  is ready. *Transient*: it may pass within an ordinary backoff. *Clock skew* and *expired
  credentials*: correct those and sign the request again.
- **execution**: what the response says about the function. *Not started*: sending the request again
  cannot run it twice. *Unknown*: it may have run.

The class follows from what an error means, not from its status. Many of the service's 502s are
mistakes in the function's configuration; the SDKs retry those because of the status, and send each
request three times in vain.

A code that is not listed here is classified by its status. The execution is *not started* for 400 to
407, 411, 413, 414, 415, 417, 421, 426, 428, 429 and 431, which reject a request (the only known exception is
in the table: `RequestAbortedException`), and *unknown* for any other. The class is *throttled* for 429, *transient* for 408, 500, 502, 503 and 504,
and *permanent* for the others. If a listed code comes with a status of another kind than listed (4xx
instead of 5xx or the reverse), its execution is classified by that status too, except for throttling.
";

fn operations(known: &KnownError) -> String {
    let short = |operation: &Operation| match operation {
        Operation::Invoke => "invoke",
        Operation::InvokeWithResponseStream => "stream",
        _ => "async",
    };
    known
        .operations
        .iter()
        .map(short)
        .collect::<Vec<_>>()
        .join(", ")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let out = &mut page;

    out.push_str("\n## Misleading statuses\n\n");
    out.push_str("These have a 5xx status, but are permanent:\n\n| code | why |\n|---|---|\n");
    let misleading = known_errors().iter().filter(|known| known.status >= 500);
    for known in misleading.filter(|known| known.class == RetryClass::Permanent) {
        writeln!(out, "| {} | {} |", known.code, known.reason).unwrap();
    }

    out.push_str("\n## Reasons for throttling\n\n");
    out.push_str(
        "The member `Reason` of `TooManyRequestsException` names the limit that was reached:\n\n",
    );
    for reason in ThrottleReason::KNOWN {
        writeln!(out, "- `{reason}`").unwrap();
    }

    for errors in known_errors().chunk_by(|a, b| a.category == b.category) {
        let name = errors[0].category.as_str();
        writeln!(out, "\n## {}{}\n", name[..1].to_uppercase(), &name[1..]).unwrap();
        out.push_str("| code | status | fault | from | operations | class | execution |\n");
        out.push_str("|---|---|---|---|---|---|---|\n");
        for known in errors {
            let KnownError {
                code,
                status,
                fault,
                origin,
                class,
                execution,
                ..
            } = known;
            let operations = operations(known);
            writeln!(
                out,
                "| {code} | {status} | {fault} | {origin} | {operations} | {class} | {execution} |"
            )
            .unwrap();
        }
        for known in errors {
            writeln!(
                out,
                "\n**{}**: {} {}",
                known.code, known.meaning, known.advice
            )
            .unwrap();
            writeln!(
                out,
                "*Why {}, {}*: {}.",
                known.class, known.execution, known.reason
            )
            .unwrap();
            if !known.aliases.is_empty() {
                writeln!(out, "*Aliases*: `{}`.", known.aliases.join("`, `")).unwrap();
            }
        }
    }
    page
}

#[test]
fn the_page_is_the_table() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors.md");
    let page = page();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/errors.md is out of date; run \
         UPDATE_DOCS=1 cargo test -p lambda-invoke-error --test docs"
    );
}

#[test]
fn the_readme_states_the_right_numbers() {
    let readme = include_str!("../README.md");
    let spellings: usize = known_errors().iter().map(|known| known.aliases.len()).sum();
    assert!(readme.contains(&format!("of {} errors", known_errors().len())));
    assert!(readme.contains(&format!("{spellings} further spellings")));
}
