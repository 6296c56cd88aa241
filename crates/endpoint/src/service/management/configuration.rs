//! The configuration of a function, as the service describes it.

use std::time::SystemTime;

use humantime::format_rfc3339_millis;
use serde_json::{Value, json};

use crate::run::registry::Registered;

/// Returns a `FunctionConfiguration` of a version; `None` is `$LATEST`. `qualifier` is the end of
/// its ARN.
///
/// Members that the endpoint does not know, such as the size and the checksum of a package, are
/// absent.
pub(super) fn configuration(
    function: &Registered,
    version: Option<u64>,
    qualifier: Option<&str>,
) -> Value {
    let info = function.info();
    let version = version.map_or_else(|| "$LATEST".to_owned(), |number| number.to_string());
    let arn = match qualifier {
        Some(qualifier) => format!("{}:{qualifier}", info.arn),
        None => info.arn.clone(),
    };
    json!({
        "FunctionName": info.name,
        "FunctionArn": arn,
        "Version": version,
        "Description": "",
        "Timeout": info.timeout.as_nanos().div_ceil(1_000_000_000) as u64,
        "MemorySize": info.memory_mb,
        "LastModified": last_modified(info.registered),
        "PackageType": "Zip",
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "TracingConfig": { "Mode": "PassThrough" },
    })
}

/// Returns a `GetFunction` response.
pub(super) fn function(function: &Registered, configuration: &Value) -> Value {
    let mut response = json!({ "Configuration": configuration, "Code": {} });
    if let Some(limit) = function.reserved_concurrency() {
        response["Concurrency"] = json!({ "ReservedConcurrentExecutions": limit });
    }
    response
}

/// Formats a time as the service does: `2019-11-14T18:16:05.568+0000`.
fn last_modified(time: SystemTime) -> String {
    let text = format_rfc3339_millis(time).to_string();
    text.replace('Z', "+0000")
}
