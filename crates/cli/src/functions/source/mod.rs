//! Functions named on the command line: `app.py`, `pay.py:handle`, `./binary`, `NAME=COMMAND`.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::functions::error::{ConfigError, Problem};
use crate::functions::handler;
use crate::functions::spec::{Code, FunctionSpec, Language, NAME, is_name};

/// The maximum length, in bytes, of a source that is searched for a handler, and of a
/// configuration.
pub(crate) const LARGEST: u64 = 4 << 20;

/// Reads `SOURCE` or `NAME=SOURCE` or `NAME='COMMAND'`; relative paths start at the folder.
///
/// # Errors
///
/// If there is no such file, or it cannot be run.
pub(crate) fn argument(text: &str, folder: &Path) -> Result<FunctionSpec, ConfigError> {
    let wrong = |problem| ConfigError::new(format_args!("'{text}'"), problem);
    let Some((name, what)) = text
        .split_once('=')
        .filter(|(name, _)| !name.contains(['/', '.']))
    else {
        let (code, root, stem) = source(text, folder)?;
        return match is_name(&stem) {
            true => Ok(FunctionSpec::new(stem, code, root)),
            false => Err(wrong(Problem::Invalid {
                setting: "the name of the function".to_owned(),
                value: stem,
                expected: format!("{NAME}; choose one with --function NAME={text}"),
            })),
        };
    };
    if !is_name(name) {
        return Err(wrong(Problem::Invalid {
            setting: "the name of the function".to_owned(),
            value: name.to_owned(),
            expected: NAME.to_owned(),
        }));
    }
    // A path may contain spaces.
    let is_file = is_source(what) && folder.join(split_handler(what).0).is_file();
    let words = match is_file {
        true => vec![what.to_owned()],
        false => shlex::split(what)
            .ok_or_else(|| wrong(Problem::Syntax("a quote is not closed".to_owned())))?,
    };
    match words.as_slice() {
        [] => Err(wrong(Problem::Missing {
            setting: "what to run".to_owned(),
            expected: "NAME=SOURCE or NAME='COMMAND'",
        })),
        // A folder is not a command, whatever `PATH` has.
        [only] if is_source(only) || is_executable(&folder.join(only).join("bootstrap")) => {
            let (code, root, _) = source(only, folder)?;
            Ok(FunctionSpec::new(name.to_owned(), code, root))
        }
        _ => Ok(FunctionSpec::new(
            name.to_owned(),
            Code::Command(words),
            folder.to_owned(),
        )),
    }
}

/// Whether a single word is a path rather than a command to be found in `PATH`.
fn is_source(word: &str) -> bool {
    let (path, _) = split_handler(word);
    word.contains('/') || language(Path::new(path)).is_some()
}

/// The name of the function of a source file in this folder; `None` for everything else.
pub(crate) fn name_of(word: &str) -> Option<&str> {
    let (file, _) = split_handler(word);
    let path = Path::new(file);
    (language(path).is_some() && path.is_file())
        .then(|| path.file_stem()?.to_str())
        .flatten()
}

fn language(path: &Path) -> Option<Language> {
    path.extension()
        .and_then(|extension| Language::of_extension(extension.to_str()?))
}

/// Splits `pay.py:handle`.
fn split_handler(text: &str) -> (&str, Option<&str>) {
    let is_handler = |name: &str| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "_$.".contains(c))
    };
    match text.rsplit_once(':') {
        Some((path, name)) if is_handler(name) && !path.is_empty() => (path, Some(name)),
        _ => (text, None),
    }
}

/// The code of a source file, its root, and its name without the extension.
pub(crate) fn source(text: &str, folder: &Path) -> Result<(Code, PathBuf, String), ConfigError> {
    let (file, name) = match folder.join(text).exists() {
        true => (text, None),
        false => split_handler(text),
    };
    let wrong = |problem| ConfigError::new(file, problem);
    let path = fs::canonicalize(folder.join(file)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => ConfigError::new(
            format_args!("'{text}'"),
            Problem::NotFound {
                path: file.to_owned(),
                advice: "expected a source file, a program, or NAME='COMMAND'".to_owned(),
            },
        ),
        _ => wrong(Problem::Unreadable(error)),
    })?;
    // The last part of a folder's path may be `.`.
    let named = match path.is_dir() {
        true => path.as_path(),
        false => Path::new(file),
    };
    let name_of_file = named
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    if path.is_dir() {
        let bootstrap = path.join("bootstrap");
        return match is_executable(&bootstrap) {
            true => Ok((command(&bootstrap), path, name_of_file)),
            false => Err(wrong(Problem::Unsupported {
                what: "is a folder without an executable file 'bootstrap'".to_owned(),
                instead: "name the file with the handler, or a program".to_owned(),
            })),
        };
    }
    let root = path.parent().unwrap_or(&path).to_owned();
    let Some(language) = language(&path) else {
        return match (is_executable(&path), name) {
            (true, None) => Ok((command(&path), root, name_of_file)),
            (true, Some(name)) => Err(wrong(Problem::Unsupported {
                what: format!("is a program, which has no handler '{name}' to choose"),
                instead: "remove the colon and the name after it".to_owned(),
            })),
            (false, _) => Err(wrong(not_runnable(&path))),
        };
    };
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem.contains('.') {
        return Err(wrong(Problem::Unsupported {
            what: "has a dot in its name, where a handler's name would begin".to_owned(),
            instead: "rename the file".to_owned(),
        }));
    }
    let name = match name {
        Some(name) => name.to_owned(),
        None => {
            let text = read(&path).map_err(wrong)?;
            handler::find(language, &text).map_err(wrong)?
        }
    };
    let handler = format!("{stem}.{name}");
    match module(&root, language, &handler) {
        Some(found) if found == path => {
            Ok((Code::Handler { language, handler }, root, name_of_file))
        }
        Some(found) => Err(wrong(Problem::Unsupported {
            what: format!("would not be run, but {}", found.display()),
            instead: "a handler names its module without the extension; rename one of the two"
                .to_owned(),
        })),
        None => Err(wrong(Problem::Unsupported {
            what: format!("cannot have the handler '{name}'"),
            instead: "in Python, a handler is a name without dots".to_owned(),
        })),
    }
}

fn command(path: &Path) -> Code {
    Code::Command(vec![path.to_string_lossy().into_owned()])
}

/// What to do with a file that is neither a module with a handler nor a program.
fn not_runnable(path: &Path) -> Problem {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let (what, instead) = match extension.as_ref() {
        "toml" => ("is a configuration", "use --config"),
        "yaml" | "yml" | "json" => ("is not a program", "for a SAM template, use --sam"),
        "ts" | "mts" | "cts" | "tsx" => (
            "is TypeScript",
            "serve the compiled file, or --function NAME='npx tsx bootstrap.ts'",
        ),
        "rs" | "go" | "java" | "cs" | "c" | "cpp" => {
            ("is not compiled", "serve the compiled program")
        }
        "zip" => (
            "is an archive",
            "unpack it, and serve the file with the handler",
        ),
        _ => (
            "is neither executable nor a .py, .js, .mjs or .cjs file",
            "make it executable, or use --function NAME='COMMAND'",
        ),
    };
    Problem::Unsupported {
        what: what.to_owned(),
        instead: instead.to_owned(),
    }
}

/// Reads a file of at most [`LARGEST`] bytes as text. Pipes and devices do not state their length.
pub(crate) fn read(path: &Path) -> Result<String, Problem> {
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes))
        .map_err(Problem::Unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Problem::TooLarge { limit: LARGEST });
    }
    String::from_utf8(bytes)
        .map_err(|_| Problem::Unreadable(io::Error::other("it is not UTF-8 text")))
}

/// The folder at which the relative paths in a file start: that of the name it was given by, so that a
/// link has its own; for a pipe, which is in none, the current one.
pub(crate) fn folder_of(path: &Path) -> Result<PathBuf, Problem> {
    let is_file = fs::metadata(path).is_ok_and(|found| found.is_file());
    let named = path.parent().filter(|_| is_file);
    let folder = named.filter(|folder| *folder != Path::new(""));
    fs::canonicalize(folder.unwrap_or(Path::new("."))).map_err(Problem::Unreadable)
}

/// Whether a path is a file that may be executed.
#[cfg(unix)]
pub(crate) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// The file of a handler such as `app.lambda_handler`, `src/app.handler` or `./a.b.handler`, if there
/// are several the one that the bootstraps import.
///
/// Python's modules may be named with dots or slashes; for Node, the module's name ends at the first
/// dot of the last part, since exports may be nested.
pub(crate) fn module(root: &Path, language: Language, handler: &str) -> Option<PathBuf> {
    let handler = handler.trim_start_matches("./");
    let (module, _) = split_module(language, handler)?;
    let endings: &[&str] = match language {
        // Python's own order.
        Language::Python => &["/__init__.py", ".py"],
        // As in `bootstrap.js`, which has it from the service's client.
        Language::Node => &["", ".js", ".mjs", ".cjs"],
    };
    let module = match language {
        Language::Python => module.replace('.', "/"),
        Language::Node => module.to_owned(),
    };
    endings
        .iter()
        .map(|ending| root.join(format!("{module}{ending}")))
        .find(|path| path.is_file())
}

/// Splits a handler into its module and its name there.
fn split_module(language: Language, handler: &str) -> Option<(&str, &str)> {
    match language {
        Language::Python => handler.rsplit_once('.'),
        Language::Node => {
            let begin = handler.rfind('/').map_or(0, |slash| slash + 1);
            let end = begin + handler.get(begin..)?.find('.')?;
            Some((handler.get(..end)?, handler.get(end + 1..)?))
        }
    }
}

/// The language of the module that contains a handler.
///
/// # Errors
///
/// If there is no module, or one in each language.
pub(crate) fn language_of(root: &Path, handler: &str) -> Result<Language, Problem> {
    let found = |language| module(root, language, handler);
    match (found(Language::Python), found(Language::Node)) {
        (Some(_), None) => Ok(Language::Python),
        (None, Some(_)) => Ok(Language::Node),
        (Some(python), Some(node)) => Err(Problem::Unsupported {
            what: format!(
                "handler '{handler}' is in {} and in {}",
                python.display(),
                node.display()
            ),
            instead: "name the file with source = \"FILE:NAME\"".to_owned(),
        }),
        (None, None) => Err(Problem::NotFound {
            path: handler.to_owned(),
            advice: "there is no module for it in the root".to_owned(),
        }),
    }
}

/// A handler as `FILE:NAME`, if the file can be found.
pub(crate) fn file_of(root: &Path, language: Language, handler: &str) -> Option<String> {
    let file = module(root, language, handler)?;
    let (_, name) = split_module(language, handler.trim_start_matches("./"))?;
    let file = file.strip_prefix(root).ok()?;
    Some(format!("{}:{name}", file.display()))
}

#[cfg(test)]
mod tests;
