//! AWS's test cases for console logins.
#![allow(clippy::unwrap_used, clippy::panic)]

#[path = "../src/official.rs"]
#[allow(dead_code, unreachable_pub, reason = "it is the root of another crate")]
mod official;

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use http::{Request, Response};
use lambda_invoke_credentials::{
    Chain, Clock, Files, HttpClient, HttpFuture, Settings, System, Variables,
};
use official::{json, suite};
use serde_json::Value;

#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<HashMap<PathBuf, Vec<u8>>>>);

impl Files for Memory {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        let files = self.0.lock().unwrap();
        files
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write_private(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.0
            .lock()
            .unwrap()
            .insert(path.to_owned(), data.to_owned());
        Ok(())
    }
}

/// The time at which the cases take place: 2025-11-19T00:00:00Z.
#[derive(Debug)]
struct CaseClock;

impl Clock for CaseClock {
    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(1_763_510_400)
    }
}

/// The calls that a case expects, in order.
#[derive(Clone, Debug)]
struct Calls(Arc<Mutex<Vec<Value>>>);

impl HttpClient for Calls {
    fn send(&self, request: Request<Bytes>) -> HttpFuture<'_> {
        let call = self.0.lock().unwrap().remove(0);
        let expected = "https://us-east-1.signin.aws.amazon.com/v1/token";
        assert_eq!(request.uri(), expected);
        assert!(request.headers().contains_key("dpop"));
        let body: Value = serde_json::from_slice(request.body()).unwrap();
        assert_eq!(body, call["request"]["tokenInput"]);
        let (status, body) = match &call["response"]["tokenOutput"] {
            Value::Null => (
                call["responseCode"].as_u64().unwrap_or(400),
                call["response"].clone(),
            ),
            output => (200, output.clone()),
        };
        Box::pin(async move {
            let response = Response::builder().status(u16::try_from(status)?);
            Ok(response.body(body.to_string().into())?)
        })
    }
}

#[test]
fn official_logins() {
    suite("credentials/login", |folder| {
        let path = "profile/smithy-rs/aws-config/test-data/login-provider-test-cases.json";
        let data = json(&folder.join(path));
        let cases = data.as_array().unwrap();
        for case in cases {
            let name = &case["documentation"];
            let files = Memory::default();
            let config = case["configContents"].as_str().unwrap();
            files
                .write_private(Path::new("/home/.aws/config"), config.as_bytes())
                .unwrap();
            let cache = Path::new("/home/.aws/login/cache");
            for (file, content) in case["cacheContents"].as_object().unwrap() {
                let content = content.to_string();
                files
                    .write_private(&cache.join(file), content.as_bytes())
                    .unwrap();
            }
            let calls = case["mockApiCalls"].as_array().cloned().unwrap_or_default();
            let calls = Calls(Arc::new(Mutex::new(calls)));
            let variables = [
                ("HOME", "/home"),
                ("AWS_REGION", "us-east-1"),
                ("AWS_EC2_METADATA_DISABLED", "true"),
            ];
            let system = System::default()
                .with_environment(Variables::of(variables))
                .with_files(files.clone())
                .with_http(calls.clone())
                .with_clock(CaseClock);
            let settings = Settings::builder().system(system).profile("signin");
            let chain = Chain::builder().settings(settings).build().unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            let found = runtime.unwrap().block_on(chain.identity());
            for outcome in case["outcomes"].as_array().unwrap() {
                let text = |member: &str| outcome[member].as_str().unwrap();
                match text("result") {
                    "error" => assert!(found.is_err(), "{name}"),
                    "credentials" => {
                        let identity = found
                            .as_ref()
                            .unwrap_or_else(|error| panic!("{name}: {error:?}"));
                        let credentials = identity.credentials();
                        assert_eq!(credentials.access_key_id(), text("accessKeyId"), "{name}");
                        assert_eq!(
                            credentials.secret_access_key(),
                            text("secretAccessKey"),
                            "{name}"
                        );
                        assert_eq!(
                            credentials.session_token(),
                            Some(text("sessionToken")),
                            "{name}"
                        );
                        let expiry = text("expiresAt").replace(['-', ':'], "");
                        assert_eq!(credentials.expiry().unwrap().to_string(), expiry, "{name}");
                    }
                    "cacheContents" => {
                        for (file, expected) in outcome.as_object().unwrap() {
                            if file == "result" {
                                continue;
                            }
                            let kept = files.read(&cache.join(file), usize::MAX).unwrap();
                            let kept: Value = serde_json::from_slice(&kept).unwrap();
                            assert_eq!(kept, *expected, "{name}");
                        }
                    }
                    other => panic!("{name}: {other}"),
                }
            }
            assert!(calls.0.lock().unwrap().is_empty(), "{name}");
        }
        cases.len()
    });
}
