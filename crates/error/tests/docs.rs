//! `docs/errors.md` is the table as a page: this test writes it anew and compares.
//!
//! `UPDATE_DOCS=1 cargo test -p lambda-invoke-error --test docs` writes it.

// Helpers of tests may unwrap as tests may.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::path::PathBuf;

use lambda_invoke_error::{Operation, RetryClass, Row, ThrottleReason, table};

const HEAD: &str = "\
# Errors

<!-- Generated from the table in crates/error. Do not edit: change the table, then run
     UPDATE_DOCS=1 cargo test -p lambda-invoke-error --test docs -->

Every error that the service answers an invocation with. Beside its code and status:

- **from**: *modelled* is in the service's model under the operation, *common* in the published
  reference's list of common errors, *observed* in neither, but the service has been seen to send it.
- **operations**: *invoke* is `Invoke`, *stream* `InvokeWithResponseStream`, *async* the old
  `InvokeAsync`.
- **class**: what has to happen before the same request can succeed. *Permanent*: somebody has to
  change something. *Throttled*: wait as long as the service asks. *Pending*: wait until the function
  is ready. *Transient*: may pass within the ordinary backoff. *Clock skew* and *expired
  credentials*: mend those and sign again.
- **execution**: what the answer says of the function. *Not started*: sending it again cannot run it
  twice. *Unknown*: it may have run.

The class follows what an error means and not its status. Many of the service's 502s are mistakes in
the function's configuration: the SDKs send those three times because of the status, to no avail.

A code that is not here is judged by its status: 400 to 407, 411, 413, 414, 415, 417, 421, 426, 428,
429 and 431 only ever refuse a request (*not started*), everything else is *unknown*; 429 is
*throttled*, 408, 500, 502, 503 and 504 are *transient*, the others *permanent*. The same goes for
the execution that a code from here tells under a status of another hundred, except throttling.
";

fn operations(row: &Row) -> String {
    let short = |operation: &Operation| match operation {
        Operation::Invoke => "invoke",
        Operation::InvokeWithResponseStream => "stream",
        _ => "async",
    };
    row.operations
        .iter()
        .map(short)
        .collect::<Vec<_>>()
        .join(", ")
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    let out = &mut page;

    out.push_str("\n## Statuses that mislead\n\n");
    out.push_str("5xx by their status, permanent by their meaning:\n\n| code | why |\n|---|---|\n");
    let misleading = table().iter().filter(|row| row.status >= 500);
    for row in misleading.filter(|row| row.class == RetryClass::Permanent) {
        writeln!(out, "| {} | {} |", row.code, row.reason).unwrap();
    }

    out.push_str("\n## Reasons for throttling\n\n");
    out.push_str("`TooManyRequestsException` says in `Reason` which limit was reached:\n\n");
    for reason in ThrottleReason::KNOWN {
        writeln!(out, "- `{reason}`").unwrap();
    }

    for rows in table().chunk_by(|a, b| a.topic == b.topic) {
        let name = rows[0].topic.as_str();
        writeln!(out, "\n## {}{}\n", name[..1].to_uppercase(), &name[1..]).unwrap();
        out.push_str("| code | status | fault | from | operations | class | execution |\n");
        out.push_str("|---|---|---|---|---|---|---|\n");
        for row in rows {
            let Row {
                code,
                status,
                fault,
                origin,
                class,
                execution,
                ..
            } = row;
            let operations = operations(row);
            writeln!(
                out,
                "| {code} | {status} | {fault} | {origin} | {operations} | {class} | {execution} |"
            )
            .unwrap();
        }
        for row in rows {
            writeln!(out, "\n**{}**: {} {}", row.code, row.meaning, row.advice).unwrap();
            writeln!(
                out,
                "*Why {}, {}*: {}.",
                row.class, row.execution, row.reason
            )
            .unwrap();
            if !row.aliases.is_empty() {
                writeln!(out, "*Also spelt* `{}`.", row.aliases.join("`, `")).unwrap();
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
        "docs/errors.md is not the table's page; run \
         UPDATE_DOCS=1 cargo test -p lambda-invoke-error --test docs"
    );
}

#[test]
fn the_readme_counts_right() {
    let readme = include_str!("../README.md");
    let spellings: usize = table().iter().map(|row| row.aliases.len()).sum();
    assert!(readme.contains(&format!("of {} errors", table().len())));
    assert!(readme.contains(&format!("{spellings} further spellings")));
}
