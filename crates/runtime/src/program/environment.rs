//! The environment of a function: empty at first, then the variables that the service sets, then
//! the function's own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::time::{Duration, SystemTime};

use super::{MAX_CONCURRENCY, Program};

const CREDENTIALS: [&str; 3] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
];

impl Program {
    /// All variables of one instance. Of the host's environment only `PATH` and `HOME` are passed.
    pub(crate) fn environment(
        &self,
        api: &str,
        stream: &str,
        version: &str,
    ) -> BTreeMap<OsString, OsString> {
        let mut all: BTreeMap<OsString, OsString> = ["PATH", "HOME"]
            .into_iter()
            .filter_map(|name| Some((name.into(), std::env::var_os(name)?)))
            .collect();
        let mut set = |name: &str, value: &str| all.insert(name.into(), value.into());
        let root = self.root.to_string_lossy();
        set("LANG", "en_US.UTF-8");
        set("TZ", ":UTC");
        set("LAMBDA_TASK_ROOT", &root);
        set("LAMBDA_RUNTIME_DIR", "/var/runtime");
        set("AWS_REGION", &self.region);
        set("AWS_DEFAULT_REGION", &self.region);
        set("AWS_LAMBDA_FUNCTION_NAME", &self.name);
        set("AWS_LAMBDA_FUNCTION_VERSION", version);
        set(
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            &self.memory_mb.to_string(),
        );
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
        set(
            "AWS_LAMBDA_LOG_GROUP_NAME",
            &format!("/aws/lambda/{}", self.name),
        );
        set("AWS_LAMBDA_LOG_STREAM_NAME", stream);
        set("AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR");
        // Key, secret and token come from one source: if the function has one of them, its own
        // variables replace all three.
        let own = self
            .env
            .iter()
            .any(|(name, _)| CREDENTIALS.contains(&name.as_str()));
        if let Some((key, secret, token)) = self.credentials.as_ref().filter(|_| !own) {
            set("AWS_ACCESS_KEY_ID", key);
            set("AWS_SECRET_ACCESS_KEY", secret);
            if let Some(token) = token {
                set("AWS_SESSION_TOKEN", token);
            }
        }
        set("_HANDLER", &self.handler);
        for (name, value) in &self.env {
            set(name, value);
        }
        let is_own = self.env.iter().any(|(name, _)| name == MAX_CONCURRENCY);
        if self.multi_concurrency > 1 || is_own {
            set(MAX_CONCURRENCY, &self.multi_concurrency.to_string());
        }
        set("AWS_LAMBDA_RUNTIME_API", api);
        all
    }
}

/// The name of an instance's log stream: `2026/11/26/[$LATEST]` and 32 digits.
pub(crate) fn log_stream(now: SystemTime, version: &str, unique: u128) -> String {
    let seconds = now
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO)
        .as_secs();
    let (year, month, day) = date(seconds / 86_400);
    format!("{year:04}/{month:02}/{day:02}/[{version}]{unique:032x}")
}

/// The Gregorian date of a day since 1970-01-01.
fn date(mut days: u64) -> (u64, u64, u64) {
    let leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [
        31,
        28 + u64::from(leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
        31,
    ];
    let mut month = 1;
    for length in lengths {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    (year, month, days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(program: &Program) -> [Option<String>; 3] {
        let all = program.environment("127.0.0.1:1", "stream", "1");
        CREDENTIALS.map(|name| {
            let value = all.get(&OsString::from(name))?;
            Some(value.to_str().unwrap().to_owned())
        })
    }

    #[test]
    fn key_secret_and_token_come_from_one_source() {
        let plain = Program::command(["true"]).unwrap();
        // The tests may run where these are set.
        assert_eq!(credentials(&plain), [None, None, None]);
        let some = |text: &str| Some(text.to_owned());
        let token = some("token");
        let with_token = plain.clone().credentials("key", "secret", token);
        let expected = [some("key"), some("secret"), some("token")];
        assert_eq!(credentials(&with_token), expected);
        let without = plain.credentials("key", "secret", None);
        assert_eq!(credentials(&without), [some("key"), some("secret"), None]);
        // One variable of the function's own replaces all three.
        for (place, name) in CREDENTIALS.into_iter().enumerate() {
            let mut expected = [None, None, None];
            expected[place] = some("own");
            assert_eq!(credentials(&with_token.clone().env(name, "own")), expected);
        }
    }

    #[test]
    fn only_the_path_and_the_home_are_the_host_s() {
        let all = Program::command(["true"])
            .unwrap()
            .environment("a:1", "s", "1");
        let host = |name: &String| std::env::var_os(name);
        for (name, value) in &all {
            let name = name.to_str().unwrap().to_owned();
            let is_passed = ["PATH", "HOME"].contains(&&*name);
            assert!(
                is_passed
                    || name.starts_with("AWS_")
                    || name.starts_with("LAMBDA_")
                    || ["_HANDLER", "LANG", "TZ"].contains(&&*name),
                "{name}"
            );
            if is_passed {
                assert_eq!(host(&name).as_ref(), Some(value));
            }
        }
    }

    #[test]
    fn days_become_dates() {
        assert_eq!(date(0), (1970, 1, 1));
        assert_eq!(date(11_016), (2000, 2, 29));
        assert_eq!(date(20_783), (2026, 11, 26));
        assert_eq!(date(20_818), (2026, 12, 31));
        // 2100 is not a leap year.
        assert_eq!(date(47_541), (2100, 3, 1));
    }

    #[test]
    fn a_log_stream_has_the_date_the_version_and_a_number() {
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(20_783 * 86_400 + 86_399);
        let stream = log_stream(day, "7", 255);
        assert_eq!(stream, format!("2026/11/26/[7]{}ff", "0".repeat(30)));
    }
}
