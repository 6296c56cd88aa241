//! Machines with a home directory and environment variables of their own.

// Each test file uses only a part of this module.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)]

use std::path::{Path, PathBuf};

use lambda_invoke_credentials::{
    Chain, ChainBuilder, Error, Identity, Settings, System, Variables,
};

pub struct Machine {
    pub home: PathBuf,
    variables: Vec<(String, String)>,
    profile: Option<String>,
}

impl Machine {
    /// A machine with an empty home directory, named after the test.
    pub fn new(test: &str) -> Self {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join("credentials")
            .join(test);
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(home.join(".aws")).unwrap();
        let variables = vec![("HOME".to_owned(), home.to_str().unwrap().to_owned())];
        Self {
            home,
            variables,
            profile: None,
        }
    }

    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Turns off instance metadata.
    pub fn no_instance(self) -> Self {
        self.set("AWS_EC2_METADATA_DISABLED", "true")
    }

    pub fn profile(mut self, name: &str) -> Self {
        self.profile = Some(name.to_owned());
        self
    }

    pub fn file(self, path: &str, content: &str) -> Self {
        let path = self.home.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
        self
    }

    pub fn config(self, content: &str) -> Self {
        self.file(".aws/config", content)
    }

    pub fn credentials(self, content: &str) -> Self {
        self.file(".aws/credentials", content)
    }

    pub fn path(&self, path: &str) -> String {
        self.home.join(path).to_str().unwrap().to_owned()
    }

    pub fn system(&self) -> System {
        System::default().with_environment(Variables::of(self.variables.clone()))
    }

    pub fn builder(&self) -> ChainBuilder {
        self.builder_of(self.system())
    }

    pub fn builder_of(&self, system: System) -> ChainBuilder {
        let mut settings = Settings::builder().system(system);
        if let Some(profile) = &self.profile {
            settings = settings.profile(profile);
        }
        Chain::builder().settings(settings)
    }

    pub async fn identity(&self) -> Result<Identity, Error> {
        self.builder().build()?.identity().await
    }

    /// Returns the access key ID of the credentials that are found.
    pub async fn key(&self) -> String {
        let identity = self.identity().await.unwrap();
        identity.credentials().access_key_id().to_owned()
    }

    /// Returns the message of the error, with those of its causes.
    pub async fn error(&self) -> String {
        let error = self.identity().await.unwrap_err();
        let mut text = format!("{error} {error:?}");
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(&format!(" {cause} {cause:?}"));
            source = cause.source();
        }
        text
    }
}
