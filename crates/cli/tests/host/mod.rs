//! An endpoint in the test's process for the program to call, so that a test can observe its
//! functions.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::process::Command;

use lambda_invoke_endpoint::{Endpoint, EndpointBuilder, Server};
use tokio::runtime::Runtime;

use crate::program::calling;

/// Serves from other threads until it is dropped.
pub struct Host {
    pub url: String,
    server: Option<Server>,
    runtime: Option<Runtime>,
}

impl Host {
    pub fn start(builder: EndpointBuilder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let server = runtime.block_on(builder.bind_local()).unwrap();
        Self {
            url: server.url(),
            server: Some(server),
            runtime: Some(runtime),
        }
    }

    /// Serves the built-in functions with this fault rule.
    pub fn with_fault(fault: &str) -> Self {
        Self::start(Endpoint::builder().builtins().fault(fault.parse().unwrap()))
    }

    /// Returns how often each fault rule was applied.
    pub fn strikes(&self) -> Vec<u64> {
        self.server.as_ref().unwrap().fault_strikes()
    }

    /// The program, configured for the endpoint.
    pub fn program(&self, arguments: &[&str]) -> Command {
        calling(&self.url, arguments)
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        drop(self.server.take());
        if let Some(runtime) = self.runtime.take() {
            // If a test has failed, its function may never end.
            runtime.shutdown_background();
        }
    }
}
