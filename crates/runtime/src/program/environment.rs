//! The environment of a function's process.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::program::Program;

/// What a process inherits of the host's environment: where programs and the user's files are.
const INHERITED: &[&str] = &["PATH", "HOME", "TMPDIR"];

impl Program {
    /// Returns the whole environment of an instance that reaches the Runtime API at `api`
    /// (`host:port`).
    pub(crate) fn environment(&self, api: &str, instance: u64) -> BTreeMap<OsString, OsString> {
        let mut all = BTreeMap::new();
        let mut set = |key: &str, value: OsString| {
            all.insert(OsString::from(key), value);
        };
        for key in INHERITED {
            if let Some(value) = std::env::var_os(key) {
                set(key, value);
            }
        }
        set("AWS_LAMBDA_FUNCTION_NAME", self.name.as_str().into());
        set("AWS_LAMBDA_FUNCTION_VERSION", self.version.as_str().into());
        set(
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
            self.memory_mb.to_string().into(),
        );
        set(
            "AWS_LAMBDA_LOG_GROUP_NAME",
            format!("/aws/lambda/{}", self.name).into(),
        );
        set(
            "AWS_LAMBDA_LOG_STREAM_NAME",
            format!("local/[{}]{instance:032x}", self.version).into(),
        );
        set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand".into());
        set("AWS_REGION", self.region.as_str().into());
        set("AWS_DEFAULT_REGION", self.region.as_str().into());
        set("LAMBDA_TASK_ROOT", self.root.clone().into_os_string());
        set("LAMBDA_RUNTIME_DIR", "/var/runtime".into());
        set("TZ", ":UTC".into());
        set("LANG", "en_US.UTF-8".into());
        // The official Python client buffers standard output otherwise, and lines would come late.
        set("PYTHONUNBUFFERED", "1".into());
        set("PYTHONIOENCODING", "utf-8".into());
        if let Some(kind) = self.bootstrap {
            set("AWS_EXECUTION_ENV", kind.execution_env().into());
        }
        // A handler is required by some runtimes and ignored by others.
        set(
            "_HANDLER",
            self.handler.as_deref().unwrap_or("bootstrap").into(),
        );
        if self.multi_concurrency > 1 {
            set(
                "AWS_LAMBDA_MAX_CONCURRENCY",
                self.multi_concurrency.to_string().into(),
            );
        }
        if let Some((key, secret, token)) = &self.credentials {
            set("AWS_ACCESS_KEY_ID", key.as_str().into());
            set("AWS_SECRET_ACCESS_KEY", secret.as_str().into());
            if let Some(token) = token {
                set("AWS_SESSION_TOKEN", token.as_str().into());
            }
        }
        self.own_credentials(&mut all);
        for (key, value) in &self.env {
            all.insert(key.clone(), value.clone());
        }
        all.insert("AWS_LAMBDA_RUNTIME_API".into(), api.into());
        all
    }

    /// Removes the pool's credentials if the function sets any of its own, since key, secret and
    /// token must come from one source.
    fn own_credentials(&self, all: &mut BTreeMap<OsString, OsString>) {
        const KEYS: [&str; 3] = [
            "AWS_ACCESS_KEY_ID",
            "AWS_SECRET_ACCESS_KEY",
            "AWS_SESSION_TOKEN",
        ];
        if KEYS
            .iter()
            .any(|key| self.env.contains_key(std::ffi::OsStr::new(key)))
        {
            for key in KEYS {
                all.remove(std::ffi::OsStr::new(key));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::*;

    fn program() -> Program {
        let Ok(program) = Program::command(["true"]) else {
            unreachable!("the command has a word")
        };
        program
    }

    #[test]
    fn the_hosts_settings_do_not_reach_a_function() {
        let all = program().environment("127.0.0.1:1", 1);
        assert!(!all.contains_key(OsStr::new("CARGO_MANIFEST_DIR")));
        assert!(all.contains_key(OsStr::new("PATH")));
        assert_eq!(all[OsStr::new("AWS_LAMBDA_RUNTIME_API")], "127.0.0.1:1");
    }

    #[test]
    fn credentials_come_from_one_source() {
        let program = program()
            .credentials("AKIDHOST", "secret", Some("token".into()))
            .env("AWS_ACCESS_KEY_ID", "AKIDOWN")
            .env("AWS_SECRET_ACCESS_KEY", "own");
        let all = program.environment("127.0.0.1:1", 1);
        assert_eq!(all[OsStr::new("AWS_ACCESS_KEY_ID")], "AKIDOWN");
        assert_eq!(all[OsStr::new("AWS_SECRET_ACCESS_KEY")], "own");
        assert!(!all.contains_key(OsStr::new("AWS_SESSION_TOKEN")));
    }

    #[test]
    fn the_functions_own_variables_win_but_for_the_api() {
        let program = program()
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_LAMBDA_RUNTIME_API", "elsewhere");
        let all = program.environment("127.0.0.1:1", 1);
        assert_eq!(all[OsStr::new("AWS_REGION")], "eu-west-1");
        assert_eq!(all[OsStr::new("AWS_LAMBDA_RUNTIME_API")], "127.0.0.1:1");
    }
}
