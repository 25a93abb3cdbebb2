//! The ledger on disk: entries and checkpoints in one transaction, in an embedded SQLite database.
//!
//! One process writes (a lock file says so); others may read. Because the place up to which a file has been
//! read is part of the same transaction as what was read from it, every line counts exactly once.

mod block;
mod document;
mod form;
mod place;
mod policies;
mod read;
mod rows;
mod scalar;
mod schema;
mod told;
mod write;

pub use block::Block;
pub use policies::{PolicyText, Stored};
pub use read::{Counted, Link, Reader, Rejected, RunFilter};
pub use rows::RowCheck;
pub use told::Told;
pub use write::{Commit, Store, Tally};

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::ledger::Entry;
use crate::run::{Acknowledgement, Run, State};
use serde::Deserialize as _;

/// The version of what is on disk. A ledger of another version is refused.
pub const VERSION: &str = "1";

/// Rejected lines kept for triage; beyond it the oldest go (they stay counted).
pub const REJECTED_KEPT: i64 = 100_000;

/// Files that are read to their end and still recognised when they come back under another name.
pub const FINISHED_KEPT: i64 = 1_000;

/// Why the ledger cannot be used. The text names the file.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "{path}: another offhours is using this ledger (it holds the lock); stop it first, or give this one another --storage.path"
    )]
    Locked { path: PathBuf },
    #[error("{path}: there is no ledger here; `offhours serve` makes one")]
    Missing { path: PathBuf },
    #[error(
        "{path}: this ledger has format version {found}, this offhours reads version {VERSION}; use the offhours that wrote it, or give this one another --storage.path"
    )]
    Version { path: PathBuf, found: String },
    #[error(
        "{path}: this is not a ledger, or it is damaged ({source}); restore a backup, or move it away to start a new ledger: what the logs still hold is then read again"
    )]
    Broken { path: PathBuf, source: rusqlite::Error },
    #[error(
        "{path}: entry {entry} cannot be read: {why}; put a backup in its place, or move the ledger away: what the logs still hold is then read again"
    )]
    Damaged { path: PathBuf, entry: u64, why: String },
    #[error(
        "{path}: {what}; restore a backup, or empty the folder to start a new ledger: what the logs still hold is then read again"
    )]
    Remains { path: PathBuf, what: &'static str },
    #[error(
        "{path}: it {what} while offhours was running, and what would be written now would be lost; put it back, or start again: what the logs still hold is then read again"
    )]
    Replaced { path: PathBuf, what: &'static str },
    #[error("{path}: {source}{}", io_hint(.source.kind()))]
    Io { path: PathBuf, source: std::io::Error },
    #[error("{path}: {source}{}", sqlite_hint(.source.sqlite_error_code()))]
    Sqlite { path: PathBuf, source: rusqlite::Error },
}

const MUST_BE_WRITABLE: &str =
    "; the ledger must be a file in a folder, and both writable by the user that offhours runs as";

fn io_hint(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => MUST_BE_WRITABLE,
        ErrorKind::StorageFull => "; free some space",
        _ => "",
    }
}

fn sqlite_hint(code: Option<ErrorCode>) -> &'static str {
    match code {
        Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            MUST_BE_WRITABLE
        }
        Some(ErrorCode::DiskFull) => "; free some space",
        _ => "",
    }
}

impl StoreError {
    fn replaced(path: &Path, what: &'static str) -> StoreError {
        StoreError::Replaced { path: path.into(), what }
    }

    /// Whether it will be the same however long one waits, unlike a disk that is full.
    pub fn is_lasting(&self) -> bool {
        match self {
            StoreError::Io { .. } | StoreError::Locked { .. } => false,
            StoreError::Sqlite { source, .. } => {
                source.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
            }
            StoreError::Missing { .. }
            | StoreError::Version { .. }
            | StoreError::Broken { .. }
            | StoreError::Remains { .. }
            | StoreError::Replaced { .. }
            | StoreError::Damaged { .. } => true,
        }
    }
}

/// Attaches the file's name to an error of the database.
pub(crate) trait InFile<T> {
    fn in_file(self, path: &Path) -> Result<T, StoreError>;
}

impl<T> InFile<T> for Result<T, rusqlite::Error> {
    fn in_file(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                StoreError::Broken { path: path.into(), source }
            }
            _ => StoreError::Sqlite { path: path.into(), source },
        })
    }
}

impl<T> InFile<T> for Result<T, std::io::Error> {
    fn in_file(self, path: &Path) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Io { path: path.into(), source })
    }
}

fn write_entry(entry: &Entry, into: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    serde_json::to_writer(into, &form::EntryForm::from(entry))
}

fn read_entry(bytes: &[u8]) -> Result<Entry, serde_json::Error> {
    serde_json::from_slice::<form::EntryForm>(bytes).map(Entry::from)
}

/// What has become of a run since it started, for its row.
fn write_since(run: &Run) -> Result<String, serde_json::Error> {
    serde_json::to_string(&form::SinceForm::from(run))
}

/// What a row says of an acknowledgement.
fn read_acknowledgement(said: &serde_json::Value) -> Result<Acknowledgement, serde_json::Error> {
    form::AcknowledgementForm::deserialize(said).map(Acknowledgement::from)
}

/// The run that started as `run`, as its row has it.
fn read_since(run: Run, state: &str, since: &str) -> Result<Run, serde_json::Error> {
    let state = State::parse(state).ok_or_else(|| serde::de::Error::custom("an unknown state"))?;
    let since: form::SinceForm = serde_json::from_str(since)?;
    Ok(since.applied_to(run, state))
}

#[cfg(test)]
mod tests;
