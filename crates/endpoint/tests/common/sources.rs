//! Source files of programs.

use std::path::PathBuf;

use lambda_invoke_endpoint::runtime::Program;

/// A folder of source files, removed when dropped.
pub struct Sources(pub PathBuf);

impl Sources {
    pub fn new(name: &str) -> Self {
        let folder = format!("lambda-invoke-programs-{}-{name}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    pub fn program(&self, file: &str, text: &str) -> Program {
        let path = self.0.join(file);
        std::fs::write(&path, text).unwrap();
        Program::source(path).unwrap()
    }

    /// A function that sleeps for as many seconds as its event says, and returns its event.
    pub fn slow(&self, file: &str) -> Program {
        self.program(
            file,
            "import time\ndef handler(event, context):\n    time.sleep(event)\n    return event\n",
        )
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
