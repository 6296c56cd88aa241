//! Opens the journal of a run, and explains why a journal cannot be used.

use std::collections::BTreeMap;
use std::path::Path;

use lambda_invoke_map::journal::{Header, SourceId, check_of};
use lambda_invoke_map::{Journal, JournalError};

use super::input::Input;
use super::options::Arguments;
use crate::call::Prepared;
use crate::exit::{Exit, Failure};

/// Opens the journal, or creates it.
///
/// # Errors
///
/// If it cannot be used.
pub(super) fn open(
    path: &Path,
    arguments: &Arguments,
    input: &Input,
    prepared: &Prepared<'_>,
    source: Option<SourceId>,
) -> Result<Journal, Failure> {
    let header = header(arguments, input, prepared).with_source(source);
    let journal = Journal::open(path, &header, arguments.sync_window);
    journal.map_err(|error| unusable(path, &error, Exit::Usage))
}

/// The header: the function, its region and endpoint, and the options that change the effect of a
/// payload.
fn header(arguments: &Arguments, input: &Input, prepared: &Prepared<'_>) -> Header {
    let yes_no = |yes: bool| if yes { "yes" } else { "no" };
    let call = &arguments.call;
    let mut header = Header::new(prepared.name.as_str())
        .with_option("batch", arguments.batch.to_string())
        .with_option("event", yes_no(arguments.event))
        .with_option("stream", yes_no(arguments.stream))
        .with_option("format", input.format().as_str())
        .with_option("region", prepared.client.region())
        .with_option(
            "endpoint-url",
            match call.is_local() {
                // The port of `--local` differs each time.
                true => "that of --local".to_owned(),
                false => prepared.client.endpoint_url(),
            },
        );
    let options = [
        ("qualifier", &call.qualifier),
        ("tenant-id", &call.tenant_id),
        ("template", &arguments.template),
        ("key", &arguments.key),
        ("idempotency-key", &arguments.idempotency_key),
    ];
    for (name, value) in options {
        if let Some(value) = value {
            header = header.with_option(name, value.clone());
        }
    }
    // These values may be long, or secret.
    let mut hidden: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    if let Some(context) = &prepared.client_context {
        hidden.insert("client-context".to_owned(), context.as_base64().into());
    }
    for each in &call.headers {
        let values = hidden.entry(format!("header {}", each.name)).or_default();
        values.extend_from_slice(each.value.as_bytes());
        values.push(b'\n');
    }
    for (name, value) in hidden {
        let sum = format!("one with the checksum {:08x}", check_of(&value));
        header = header.with_option(name, sum);
    }
    header
}

/// The failure of a journal that cannot be used, with the exit code of a file that cannot be read or
/// written.
pub(super) fn unusable(path: &Path, error: &JournalError, io: Exit) -> Failure {
    let hint = match error {
        JournalError::Differs(_) | JournalError::State(_) => {
            "\n  hint: nothing was sent again; use a new journal for other payloads, options or \
             functions"
        }
        JournalError::Header(_) | JournalError::NotAFile => {
            "\n  hint: --journal takes a new file, or one that this version of map made"
        }
        JournalError::Damaged(_) => {
            "\n  hint: restore the file; without it, it is unknown which items ran"
        }
        JournalError::TooLong(_) => {
            "\n  hint: with --output-dir, results are files, and the journal only names them; the same \
             command with --retry-unknown sends this item again"
        }
        JournalError::Io(_) if io == Exit::Usage => {
            "\n  hint: --journal takes a file in a folder that exists and that you may write to"
        }
        _ => "",
    };
    let exit = match error {
        JournalError::Io(_) => io,
        JournalError::Closed => Exit::Transport,
        _ => Exit::Usage,
    };
    Failure::new(exit, format!("{}: {error}{hint}", path.display()))
}
