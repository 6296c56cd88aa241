//! From a source file to the command that runs it.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::error::ProgramError;
use crate::program::Program;

/// The embedded runtime clients. Each is given to its interpreter as an argument, so that no file
/// has to be written or found again.
const PYTHON: &str = include_str!("../bootstrap/bootstrap.py");
const NODE: &str = include_str!("../bootstrap/bootstrap.mjs");

/// The names of handlers that are looked for, the first first.
const HANDLERS: [&str; 2] = ["lambda_handler", "handler"];

/// An embedded runtime client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bootstrap {
    Python,
    Node,
}

impl Bootstrap {
    fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "py" => Some(Self::Python),
            "js" | "mjs" | "cjs" => Some(Self::Node),
            _ => None,
        }
    }

    pub(crate) fn execution_env(self) -> &'static str {
        match self {
            Self::Python => "AWS_Lambda_python3",
            Self::Node => "AWS_Lambda_nodejs",
        }
    }

    /// Returns the command that runs a handler within `root`.
    fn command(self, root: &Path) -> Vec<OsString> {
        match self {
            Self::Python => {
                // The function's own virtual environment has its dependencies.
                let own = root.join(".venv/bin/python");
                let python = if own.is_file() {
                    own.into_os_string()
                } else {
                    "python3".into()
                };
                vec![python, "-u".into(), "-c".into(), PYTHON.into()]
            }
            Self::Node => ["node", "--input-type=module", "-e", NODE]
                .map(OsString::from)
                .into(),
        }
    }
}

/// Makes the program of `path`, or of `path:handler`.
pub(crate) fn program(path: &Path) -> Result<Program, ProgramError> {
    let (path, named) = split(path);
    let absolute = std::path::absolute(&path).map_err(|source| ProgramError::File {
        path: path.clone(),
        source,
    })?;
    let about = std::fs::metadata(&absolute).map_err(|source| ProgramError::File {
        path: path.clone(),
        source,
    })?;
    let root = absolute.parent().unwrap_or(Path::new("/")).to_owned();
    let stem = absolute
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    let Some(bootstrap) = Bootstrap::of(&absolute) else {
        if !about.is_file() || !executable(&about) {
            return Err(ProgramError::Kind { path });
        }
        let program = Program::command([absolute.into_os_string()])?;
        let program = program.root(root).name(stem);
        return Ok(match named {
            Some(handler) => program.handler(handler),
            None => program,
        });
    };
    let handler = match named {
        Some(handler) => handler,
        None => {
            let text = std::fs::read(&absolute).map_err(|source| ProgramError::File {
                path: path.clone(),
                source,
            })?;
            let text = String::from_utf8_lossy(&text);
            HANDLERS
                .into_iter()
                .find(|name| defines(bootstrap, &text, name))
                .ok_or(ProgramError::NoHandler {
                    path,
                    looked_for: "lambda_handler, handler",
                })?
                .to_owned()
        }
    };
    let mut program = Program::command(bootstrap.command(&root))?;
    program.bootstrap = Some(bootstrap);
    Ok(program
        .root(root)
        .handler(format!("{stem}.{handler}"))
        .name(stem))
}

impl Program {
    /// Runs a handler by its name in a folder, as a function's configuration states it: `root` and
    /// `src/app.handler` with a `runtime` such as `python3.13` or `nodejs22.x`.
    ///
    /// # Errors
    ///
    /// The runtime is neither Python nor Node.js.
    pub fn configured(
        root: impl AsRef<Path>,
        runtime: &str,
        handler: &str,
    ) -> Result<Self, ProgramError> {
        let root = root.as_ref();
        let bootstrap = if runtime.starts_with("python") {
            Bootstrap::Python
        } else if runtime.starts_with("nodejs") {
            Bootstrap::Node
        } else {
            return Err(ProgramError::Kind {
                path: PathBuf::from(runtime),
            });
        };
        let absolute = std::path::absolute(root).map_err(|source| ProgramError::File {
            path: root.to_owned(),
            source,
        })?;
        let mut program = Self::command(bootstrap.command(&absolute))?;
        program.bootstrap = Some(bootstrap);
        Ok(program.root(absolute).handler(handler))
    }
}

/// Splits `path:handler`. A file whose own name has a colon is taken as it is.
fn split(path: &Path) -> (PathBuf, Option<String>) {
    if path.exists() {
        return (path.to_owned(), None);
    }
    match path.to_str().and_then(|text| text.rsplit_once(':')) {
        Some((file, handler)) if !file.is_empty() && !handler.is_empty() => {
            (PathBuf::from(file), Some(handler.to_owned()))
        }
        _ => (path.to_owned(), None),
    }
}

#[cfg(unix)]
fn executable(about: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    about.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn executable(_: &std::fs::Metadata) -> bool {
    true
}

/// Whether a source file defines `name` at its top level, judged by its lines. A wrong guess is
/// reported by the runtime client, which loads the file.
fn defines(bootstrap: Bootstrap, text: &str, name: &str) -> bool {
    text.lines().any(|line| match bootstrap {
        Bootstrap::Python => {
            let line = line.strip_prefix("async ").unwrap_or(line);
            let (definition, rest) = match line.strip_prefix("def ") {
                Some(rest) => (true, rest.trim_start()),
                None => (false, line),
            };
            rest.strip_prefix(name).is_some_and(|rest| {
                let rest = rest.trim_start();
                if definition {
                    rest.starts_with('(')
                } else {
                    rest.starts_with('=') || rest.starts_with(':')
                }
            })
        }
        Bootstrap::Node => {
            let exports = line.contains("export") && word(line, name);
            exports && !line.trim_start().starts_with("//")
        }
    })
}

/// Whether `line` contains `name` as a whole identifier.
fn word(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        !line[..at].ends_with(part) && !line[at + name.len()..].starts_with(part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handlers_are_found_by_their_definitions() {
        use Bootstrap::{Node, Python};
        let cases = [
            (Python, "def lambda_handler(event, context):", true),
            (Python, "async def lambda_handler(e, c):", true),
            (Python, "lambda_handler = make()", true),
            (Python, "    def lambda_handler(self):", false),
            (Python, "def lambda_handler_two(e, c):", false),
            (Python, "# def lambda_handler(e, c):", false),
            (Node, "export const lambda_handler = async () => 1;", true),
            (Node, "exports.lambda_handler = (e, c, done) => {}", true),
            (Node, "module.exports = { lambda_handler };", true),
            (Node, "export const lambda_handlers = 1;", false),
            (Node, "// export const lambda_handler = 1;", false),
        ];
        for (bootstrap, line, found) in cases {
            assert_eq!(defines(bootstrap, line, "lambda_handler"), found, "{line}");
        }
    }

    #[test]
    fn a_missing_file_is_an_error_with_its_name() {
        let error = program(Path::new("no/such.py"))
            .map(drop)
            .map_err(|error| error.to_string());
        assert!(error.is_err_and(|text| text.contains("no/such.py")));
    }
}
