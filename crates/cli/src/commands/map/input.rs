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

/// An input, which may be read twice if it is a regular file or a folder.
#[derive(Debug)]
pub(super) struct Input {
    place: Place,
    /// The name of a file in messages.
    name: String,
    format: Format,
    template: Option<Template>,
    fields: Fields,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    /// A regular file, and the offset to start at.
    File(File, u64),
    /// A pipe or a device. Whatever was read from it is gone, so it is opened and read only once.
    Once(File),
    Stdin,
}

impl Input {
    /// Opens the input and determines what it is. Nothing is read yet.
    ///
    /// # Errors
    ///
    /// If it does not exist, or does not match the options.
    pub(super) fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let path = arguments.input.as_deref();
        let path = path.filter(|path| *path != Path::new("-"));
        let folder = path.filter(|path| path.is_dir());
        let is_csv = |path: &Path| {
            path.extension()
                .is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
        };
        let format = match (arguments.format, folder, path) {
            (Some(format), _, _) => format,
            (None, Some(_), _) => Format::Folder,
            (None, None, Some(path)) if is_csv(path) => Format::Csv,
            (None, None, _) => Format::Lines,
        };
        match (folder, format) {
            (None, Format::Folder) => {
                return Err(Failure::usage("--format folder needs a folder as --input"));
            }
            (Some(folder), Format::Lines | Format::Nul | Format::Csv) => {
                return Err(Failure::usage(format!(
                    "{} is a folder\n  hint: use --format folder",
                    folder.display()
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
        let template = template.map_err(Failure::usage)?;
        let name = path.map_or("stdin".to_owned(), |path| path.display().to_string());
        let place = match (folder, path) {
            (Some(folder), _) => Place::Folder(folder.to_owned()),
            (None, Some(path)) => File::open(path)
                .and_then(of_file)
                .map_err(|error| Failure::usage(format!("{name}: {}", SourceError::io(error))))?,
            (None, None) => stdin(),
        };
        if matches!(place, Place::Stdin) && io::IsTerminal::is_terminal(&io::stdin()) {
            return Err(Failure::usage(
                "no payloads: stdin is a terminal\n  hint: redirect a file, as in map NAME < \
                 payloads.jsonl, or use --input",
            ));
        }
        let selector = |field: &Option<String>| field.as_deref().map(Selector::new);
        Ok(Self {
            place,
            name,
            format,
            template,
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
        if matches!(self.place, Place::Once(_) | Place::Stdin) {
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
            Place::Folder(path) => return Ok(Box::new(Folder::open(path, fields)?)),
            Place::File(file, start) => {
                let mut file = file.try_clone().map_err(SourceError::io)?;
                file.seek(SeekFrom::Start(*start))
                    .map_err(SourceError::io)?;
                Box::new(file)
            }
            Place::Once(file) => Box::new(file.try_clone().map_err(SourceError::io)?),
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
        match self.place {
            Place::Folder(_) => Failure::usage(error),
            _ => Failure::usage(format!("{}: {error}", self.name)),
        }
    }
}

/// Stdin, as a file if it is one.
fn stdin() -> Place {
    #[cfg(unix)]
    let owned = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned();
    #[cfg(windows)]
    let owned = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned();
    match owned.map(File::from).and_then(of_file) {
        Ok(place @ Place::File(..)) => place,
        _ => Place::Stdin,
    }
}

/// The place of an open file, whose offset is not 0 if the shell or another program has read a part.
fn of_file(mut file: File) -> io::Result<Place> {
    match file.metadata()?.is_file() {
        true => {
            let start = file.stream_position()?;
            Ok(Place::File(file, start))
        }
        false => Ok(Place::Once(file)),
    }
}
