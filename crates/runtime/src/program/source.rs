//! Finds the interpreter and the handler of source code.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::Program;
use crate::ProgramError;
use crate::bootstrap;

/// The name of a function that is known only by its file: letters, digits, `-` and `_`.
pub(super) fn name_of(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let name: String = stem
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || c == '-' {
                c
            } else {
                '_'
            }
        })
        .take(64)
        .collect();
    if name.is_empty() {
        "function".to_owned()
    } else {
        name
    }
}

pub(super) fn from_path(path: &Path) -> Result<Program, ProgramError> {
    let text = path.to_string_lossy();
    let (file, handler) = match text.rsplit_once(':') {
        Some((file, handler)) if !path.exists() && !handler.contains('/') => {
            (PathBuf::from(file), Some(handler.to_owned()))
        }
        _ => (path.to_owned(), None),
    };
    let file = file
        .canonicalize()
        .ok()
        .filter(|file| file.is_file())
        .ok_or(ProgramError::NotFound(file))?;
    let root = file.parent().unwrap_or(Path::new("/")).to_owned();
    let stem = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let extension = file
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    let default = match extension {
        "py" => "lambda_handler",
        "js" | "mjs" | "cjs" => "handler",
        _ => return executable(&file, root, handler),
    };
    let function = match handler {
        Some(handler) if handler.is_empty() => {
            return Err(ProgramError::Handler(text.into_owned()));
        }
        Some(handler) => handler,
        None => find_handler(&file, default),
    };
    let handler = format!("{stem}.{function}");
    let program = match extension {
        "py" => python(root, &handler)?,
        _ => node(root, &handler)?,
    };
    let mut program = program.name(name_of(&file));
    // The bootstrap runs this file, whichever the handler's name alone would mean.
    program.argv.push(file.to_string_lossy().into_owned());
    Ok(program)
}

fn executable(
    file: &Path,
    root: PathBuf,
    handler: Option<String>,
) -> Result<Program, ProgramError> {
    let mode = fs::metadata(file).map_or(0, |data| data.permissions().mode());
    if mode & 0o111 == 0 {
        return Err(ProgramError::NotExecutable(file.to_owned()));
    }
    let program = Program::command([file.to_string_lossy()])?.root(root);
    Ok(match handler {
        Some(handler) => program.handler(handler),
        None => program,
    })
}

/// The first of the usual names that occurs in the source as a word.
fn find_handler(file: &Path, default: &str) -> String {
    let source = fs::read(file).unwrap_or_default();
    let source = String::from_utf8_lossy(&source);
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    ["lambda_handler", "handler"]
        .into_iter()
        .find(|name| source.split(|c| !is_word(c)).any(|word| word == *name))
        .unwrap_or(default)
        .to_owned()
}

/// Removes a leading `./`, and checks that a module and a function are named.
fn normalize(handler: &str) -> Result<&str, ProgramError> {
    let mut rest = handler;
    while let Some(shorter) = rest.strip_prefix("./") {
        rest = shorter.trim_start_matches('/');
    }
    let base = rest.rsplit('/').next().unwrap_or_default();
    match base.split_once('.') {
        Some((module, function)) if !module.is_empty() && !function.is_empty() => Ok(rest),
        _ => Err(ProgramError::Handler(handler.to_owned())),
    }
}

pub(super) fn python(root: PathBuf, handler: &str) -> Result<Program, ProgramError> {
    let handler = normalize(handler)?;
    let own = [
        ".venv/bin/python3",
        "venv/bin/python3",
        ".venv/bin/python",
        "venv/bin/python",
    ]
    .into_iter()
    .map(|path| root.join(path))
    .find(|path| path.is_file());
    let interpreter = match own {
        Some(path) => path.to_string_lossy().into_owned(),
        None => "python3".to_owned(),
    };
    with_bootstrap(
        [interpreter.as_str(), "-c", bootstrap::PYTHON],
        root,
        handler,
    )
}

pub(super) fn node(root: PathBuf, handler: &str) -> Result<Program, ProgramError> {
    let handler = normalize(handler)?;
    with_bootstrap(["node", "-e", bootstrap::NODE], root, handler)
}

fn with_bootstrap(argv: [&str; 3], root: PathBuf, handler: &str) -> Result<Program, ProgramError> {
    let root = root
        .canonicalize()
        .map_err(|_| ProgramError::NotFound(root))?;
    let name = name_of(Path::new(handler));
    Ok(Program::command(argv)?
        .root(root)
        .name(name)
        .handler(handler))
}
