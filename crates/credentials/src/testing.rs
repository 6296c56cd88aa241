//! Machines for unit tests: files, variables and a clock in memory.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::{Error, Files, Settings, SettingsBuilder, System, Variables};

/// Files in memory, by their path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory(Arc<Mutex<HashMap<PathBuf, Vec<u8>>>>);

impl Memory {
    pub(crate) fn put(&self, path: impl Into<PathBuf>, data: impl Into<Vec<u8>>) {
        self.0.lock().unwrap().insert(path.into(), data.into());
    }
}

impl Files for Memory {
    fn read(&self, path: &Path, _: usize) -> io::Result<Vec<u8>> {
        let files = self.0.lock().unwrap();
        files
            .get(path)
            .cloned()
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn write_private(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        self.put(path, data);
        Ok(())
    }
}

/// A machine whose home is `/home`.
#[derive(Debug, Default)]
pub(crate) struct Machine {
    pub(crate) variables: Vec<(String, String)>,
    pub(crate) files: Memory,
}

impl Machine {
    pub(crate) fn variables(mut self, variables: &[(&str, &str)]) -> Self {
        for (name, value) in variables {
            self.variables.push((name.to_string(), value.to_string()));
        }
        self
    }

    pub(crate) fn config(self, text: &str) -> Self {
        self.files.put("/home/.aws/config", text);
        self
    }

    pub(crate) fn credentials(self, text: &str) -> Self {
        self.files.put("/home/.aws/credentials", text);
        self
    }

    pub(crate) fn system(&self) -> System {
        let mut variables = self.variables.clone();
        variables.push(("HOME".to_owned(), "/home".to_owned()));
        System::default()
            .with_files(self.files.clone())
            .with_environment(Variables::of(variables))
    }
}

pub(crate) fn settings_of(
    machine: &Machine,
    set: impl FnOnce(SettingsBuilder) -> SettingsBuilder,
) -> Result<Settings, Error> {
    set(Settings::builder().system(machine.system())).load()
}
