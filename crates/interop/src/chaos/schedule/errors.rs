//! Every error of the table, as the service sends it and as proxies alter it.

use lambda_invoke_error::{Execution, KnownError, known_errors};

use super::scripts::{Expect, Named, Script, Step, script, write};
use super::text::{HTML, JSON, REQUEST_ID, head, sized};

/// The forms in which an error arrives.
const FORMS: [&str; 9] = [
    "full",
    "no-body",
    "body-only",
    "wrong-type",
    "html",
    "cut",
    "cut-body-only",
    "unframed",
    "other-status",
];

/// The statuses with which a server only rejects a request, by RFC 9110, section 15.5, and RFC 6585: it has
/// not run anything.
const REJECTING: [u16; 18] = [
    400, 401, 402, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 421, 426, 428, 429, 431,
];

/// All errors in all forms.
pub fn scripts() -> Vec<Named> {
    let mut all = Vec::new();
    for known in known_errors() {
        for form in FORMS {
            let script = Script {
                // The worst that the error allows: where the function may have run, it ran.
                runs: known.execution != Execution::NotStarted,
                ..error(known, form)
            };
            all.push((format!("{}-{form}", known.code), script));
        }
    }
    all.extend(without_code());
    all
}

/// The statuses of errors, without a code that says more: in JSON, in a page, and without a body.
fn without_code() -> Vec<Named> {
    let mut all = Vec::new();
    for status in 400..600 {
        // The worst that such a status allows.
        let runs = !REJECTING.contains(&status);
        let line = format!("{status} Error");
        for (form, bytes) in [
            (
                "json",
                sized(&line, &[REQUEST_ID, JSON], "{\"message\":\"no\"}"),
            ),
            (
                "html",
                sized(&line, &[HTML], "<html>Something went wrong</html>"),
            ),
            ("empty", sized(&line, &[], "")),
        ] {
            let script = Script {
                runs,
                ..script(Expect::Error, [write(bytes), Step::Close])
            };
            all.push((format!("status-{status}-{form}"), script));
        }
    }
    all
}

fn error(known: &KnownError, form: &str) -> Script {
    let status = format!("{} Error", known.status);
    let code = ("x-amzn-errortype", known.code);
    let member = known.message_member;
    let body = format!("{{\"{member}\":\"{}\",\"Type\":\"User\"}}", known.meaning);
    let with_code = format!(
        "{{\"code\":\"{}\",\"{member}\":\"no\",\"Type\":\"User\"}}",
        known.code
    );
    let half = with_code.len() / 4;
    let line = format!("HTTP/1.1 {status}");
    let bytes = match form {
        "full" => sized(&status, &[code, REQUEST_ID, JSON], body),
        "no-body" => sized(&status, &[code, REQUEST_ID], ""),
        "body-only" => sized(&status, &[REQUEST_ID, JSON], with_code),
        "wrong-type" => sized(&status, &[code, ("content-type", "image/png")], body),
        "html" => sized(&status, &[code, HTML], "<html>Something went wrong</html>"),
        "cut" => {
            let whole = sized(&status, &[code, REQUEST_ID, JSON], &body);
            whole[..whole.len() - body.len() / 2].to_vec()
        }
        // The code is in the missing part of the body.
        "cut-body-only" => {
            let whole = sized(&status, &[REQUEST_ID, JSON], &with_code);
            whole[..whole.len() - with_code.len() + half].to_vec()
        }
        "unframed" => [head(&line, &[code, JSON]), body.into_bytes()].concat(),
        _ => sized("502 Bad Gateway", &[code, HTML], "<html>"),
    };
    script(Expect::Error, [write(bytes), Step::Close])
}
