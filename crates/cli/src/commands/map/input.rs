//! Where payloads come from: a thread reads them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use lambda_invoke_map::Item;
use lambda_invoke_map::journal::SourceId;
use lambda_invoke_map::source::{
    Csv, Fields, Folder, Selector, Separator, SourceError, Template, Texts, identify,
};

use super::ahead::{self, Items, Reading};
use super::options::{Arguments, Format};
use crate::exit::{Exit, Failure};

/// How much of a file is read at once, in bytes.
const BUFFER: usize = 128 << 10;

/// An input, which may be read twice if it is a file or a folder.
#[derive(Debug)]
pub(super) struct Input {
    place: Place,
    format: Format,
    template: Option<Template>,
    fields: Fields,
}

#[derive(Debug)]
enum Place {
    Path(PathBuf),
    /// Stdin, redirected from a file: the file, and the offset to start at.
    Redirected(File, u64),
    Stdin,
}

impl Input {
    /// Determines what the input is. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// If it does not exist, or does not match the options.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let place = match arguments.input.as_deref() {
            Some(path) if path != Path::new("-") => Place::Path(path.to_owned()),
            _ => stdin(),
        };
        if matches!(place, Place::Stdin) && io::IsTerminal::is_terminal(&io::stdin()) {
            return Err(Failure::usage(
                "no payloads: stdin is a terminal\n  hint: redirect a file, as in map NAME < \
                 payloads.jsonl, or use --input",
            ));
        }
        let folder = |path: &Path| path.is_dir();
        let format = match (&place, arguments.format) {
            (_, Some(format)) => format,
            (Place::Path(path), None) if folder(path) => Format::Folder,
            (Place::Path(path), None) => {
                let is_csv = |name: &std::ffi::OsStr| name.eq_ignore_ascii_case("csv");
                match path.extension().is_some_and(is_csv) {
                    true => Format::Csv,
                    false => Format::Lines,
                }
            }
            (_, None) => Format::Lines,
        };
        match (&place, format) {
            (Place::Path(path), Format::Folder) if folder(path) => {}
            (_, Format::Folder) => {
                return Err(Failure::usage("--format folder needs a folder as --input"));
            }
            (Place::Path(path), _) if folder(path) => {
                return Err(Failure::usage(format!(
                    "{} is a folder\n  hint: use --format folder",
                    path.display()
                )));
            }
            _ => {}
        }
        let template = match &arguments.template {
            Some(_) if format != Format::Csv => {
                return Err(Failure::usage(
                    "--template is for rows of CSV\n  hint: use it with --format csv",
                ));
            }
            template => template.as_deref().map(str::parse).transpose(),
        };
        let selector = |field: &Option<String>| field.as_deref().map(Selector::new);
        Ok(Self {
            place,
            format,
            template: template.map_err(Failure::usage)?,
            fields: Fields::default()
                .key(selector(&arguments.key))
                .execution_name(selector(&arguments.idempotency_key)),
        })
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    /// Reads everything once, if it can be read again: to count the items, and to find mistakes before
    /// anything is sent.
    ///
    /// # Errors
    ///
    /// If something cannot be read, or is not a payload.
    pub(super) fn identify(&self) -> Result<Option<SourceId>, Failure> {
        if matches!(self.place, Place::Stdin) {
            return Ok(None);
        }
        let items = self.open().map_err(|error| self.failure(&error))?;
        let source = identify(items).map_err(|error| self.failure(&error))?;
        Ok(Some(source))
    }

    /// Reads the first items.
    ///
    /// # Errors
    ///
    /// As [`identify`](Self::identify).
    pub(super) fn first(&self, most: usize) -> Result<Vec<Item>, Failure> {
        let items = self.open().map_err(|error| self.failure(&error))?;
        let first: Result<_, _> = items.take(most).collect();
        first.map_err(|error| self.failure(&error))
    }

    /// Reads everything, and keeps the first items: for an input that cannot be read again.
    ///
    /// # Errors
    ///
    /// As [`identify`](Self::identify).
    pub(super) fn count(&self, most: usize) -> Result<(SourceId, Vec<Item>), Failure> {
        let items = self.open().map_err(|error| self.failure(&error))?;
        let mut first = Vec::new();
        let items = items.inspect(|item| {
            if let (Ok(item), true) = (item, first.len() < most) {
                first.push(item.clone());
            }
        });
        let source = identify(items).map_err(|error| self.failure(&error))?;
        Ok((source, first))
    }

    /// Opens the input at its beginning.
    fn open(&self) -> Result<Items, SourceError> {
        let fields = self.fields.clone();
        let reader: Box<dyn Read + Send> = match &self.place {
            Place::Path(path) if self.format == Format::Folder => {
                return Ok(Box::new(Folder::open(path, fields)?));
            }
            Place::Path(path) => Box::new(File::open(path).map_err(SourceError::io)?),
            Place::Redirected(file, start) => {
                let mut file = file.try_clone().map_err(SourceError::io)?;
                file.seek(SeekFrom::Start(*start))
                    .map_err(SourceError::io)?;
                Box::new(file)
            }
            Place::Stdin => Box::new(io::stdin()),
        };
        let reader = BufReader::with_capacity(BUFFER, reader);
        Ok(match self.format {
            Format::Csv => Box::new(Csv::new(reader, self.template.clone(), fields)?),
            Format::Nul => Box::new(Texts::new(reader, Separator::Nul, fields)),
            Format::Lines | Format::Folder => Box::new(Texts::new(reader, Separator::Line, fields)),
        })
    }

    /// Starts to read on a thread.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub(super) fn start(&self) -> Result<Reading, Failure> {
        let items = self.open().map_err(|error| self.failure(&error))?;
        ahead::read(items).map_err(|error| Failure::new(Exit::Transport, error))
    }

    /// The failure of an input that is not usable.
    pub(super) fn failure(&self, error: &dyn std::fmt::Display) -> Failure {
        let name = match &self.place {
            Place::Path(path) if self.format != Format::Folder => path.display().to_string(),
            Place::Path(_) => return Failure::usage(error),
            Place::Redirected(..) | Place::Stdin => "stdin".to_owned(),
        };
        Failure::usage(format!("{name}: {error}"))
    }
}

/// Stdin, as a file if it is one.
fn stdin() -> Place {
    #[cfg(unix)]
    let owned = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let owned = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    if let Ok(mut file) = owned.map(File::from) {
        let is_file = file.metadata().is_ok_and(|found| found.is_file());
        if let (true, Ok(start)) = (is_file, file.stream_position()) {
            return Place::Redirected(file, start);
        }
    }
    Place::Stdin
}
