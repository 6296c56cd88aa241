//! Renewed logins whose files cannot be written.

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zeroize::Zeroizing;

use crate::System;

/// The content of a file, which has secrets.
type Content = Zeroizing<Vec<u8>>;

/// Keeps what could not be saved: a refresh token may be valid only once, so that the one in the file
/// is of no use after a renewal.
#[derive(Default)]
pub(crate) struct Unsaved(Mutex<HashMap<PathBuf, Renewed>>);

struct Renewed {
    /// What the file contains.
    old: Content,
    /// What it should contain.
    new: Content,
}

impl Unsaved {
    /// Reads the file of a login.
    ///
    /// # Errors
    ///
    /// If the file cannot be read.
    pub(crate) async fn read(&self, system: &System, path: &Path) -> io::Result<Content> {
        let content = Content::new(system.read(path.to_owned()).await?);
        Ok(match self.lock().get(path) {
            Some(Renewed { old, new }) if *old == content => new.clone(),
            // If it has changed, another program has renewed the login since.
            _ => content,
        })
    }

    /// Saves a renewed login for this program and others, or only for this one if its file cannot be
    /// written.
    pub(crate) async fn save(&self, system: &System, path: PathBuf, new: Vec<u8>) {
        let new = Content::new(new);
        if system.write(path.clone(), new.to_vec()).await.is_ok() {
            self.lock().remove(&path);
            return;
        }
        if let Ok(old) = system.read(path.clone()).await {
            let old = Content::new(old);
            self.lock().insert(path, Renewed { old, new });
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Renewed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Unsaved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.lock().keys()).finish()
    }
}
