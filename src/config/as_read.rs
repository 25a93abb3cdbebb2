//! A configuration as it was read, to be read again: its text, and the calendar files that it names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::{Config, Copy, Error, Library, parse_with};
use crate::time::Instant;

/// What a configuration was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct AsRead {
    /// The file.
    pub path: PathBuf,
    pub text: Arc<str>,
    /// The moment of loading.
    pub now: Instant,
    /// Path and content of each calendar file; `None`: it was not known any more.
    pub files: Vec<(PathBuf, Option<Arc<[u8]>>)>,
}

impl AsRead {
    /// The configuration that this was read as.
    ///
    /// # Errors
    /// It is wrong: it was written for another version.
    pub fn read(&self) -> Result<Config, Error> {
        let copies = self.files.iter().map(|(path, text)| {
            let is_stale = text.is_none();
            (path.clone(), Copy { text: text.clone().unwrap_or_default(), is_stale })
        });
        parse_with(&self.text, &self.path, self.now, &mut Copies(copies.collect()))
    }
}

/// The calendar files as they were.
#[derive(Debug)]
struct Copies(BTreeMap<PathBuf, Copy>);

impl Library for Copies {
    fn open(&mut self, path: &Path) -> Result<Copy, String> {
        self.0.get(path).cloned().ok_or_else(|| "it was not kept".to_owned())
    }
}
