//! Documents: files that are read as a whole, and read again when they have changed.
//!
//! What was read is told by [`Mark`]s, which the caller stores with what came of it; a document with the content of
//! its mark is not handed out again.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use super::event::FailureKind;
use super::generation::open_regular;
use super::glob::{Pattern, PatternError};
use super::walk::Walk;
use super::{Follow, Limits, SourceStatus, TailEvent};

/// Bytes read in one scan; what is left comes with the next.
const SCAN_BYTES: u64 = 32 << 20;

/// Vanished documents that are remembered, so that one that comes back is no news. Of more the oldest are forgotten.
pub const VANISHED_KEPT: usize = 10_000;

/// What is remembered of a document that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mark {
    pub source: Arc<str>,
    pub path: PathBuf,
    pub stat: Stat,
    /// SHA-256 of its content.
    pub digest: [u8; 32],
    /// Whatever the caller wants to find again with it.
    pub memo: String,
}

/// What tells that a file may have changed without reading it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stat {
    pub ino: u64,
    pub size: u64,
    /// Nanoseconds since 1970 at which it was last written to.
    pub modified_nanos: i64,
}

impl Stat {
    fn of(metadata: &Metadata) -> Stat {
        let nanos = metadata.mtime().saturating_mul(1_000_000_000);
        Stat {
            ino: metadata.ino(),
            size: metadata.size(),
            modified_nanos: nanos.saturating_add(metadata.mtime_nsec()),
        }
    }
}

/// A document that is new or has changed.
#[derive(Debug)]
pub struct Document {
    pub mark: Mark,
    pub written: SystemTime,
    pub bytes: Vec<u8>,
}

#[derive(Default, Debug)]
struct Known {
    /// As it was when it was read.
    read: Option<(Stat, [u8; 32])>,
    /// As it was at the last scan, if that was not read.
    seen: Option<Stat>,
    failing: Option<FailureKind>,
    /// Nothing more is read of this version: it failed.
    given_up: Option<Stat>,
}

/// The documents of one source.
pub struct Folder {
    source: Arc<str>,
    patterns: Vec<Pattern>,
    limits: Limits,
    document_bytes: u64,
    /// Whether a content looks as if nothing of it were missing. One that does not is left until it stays the same.
    is_whole: fn(&[u8]) -> bool,
    known: BTreeMap<PathBuf, Known>,
    vanished_kept: usize,
    forgotten: Vec<PathBuf>,
    status: SourceStatus,
    directories: std::collections::BTreeSet<PathBuf>,
}

impl Folder {
    /// `marks` are those of this source. A file of more than `document_bytes` is refused.
    ///
    /// # Errors
    /// A pattern that is not absolute.
    pub fn new(
        follow: Follow,
        marks: impl Iterator<Item = Mark>,
        document_bytes: u64,
        is_whole: fn(&[u8]) -> bool,
    ) -> Result<Folder, PatternError> {
        let known = |mark: Mark| {
            (mark.path, Known { read: Some((mark.stat, mark.digest)), ..Known::default() })
        };
        let patterns = follow.patterns.iter().map(|text| Pattern::parse(text));
        Ok(Folder {
            patterns: patterns.collect::<Result<_, _>>()?,
            limits: Limits::default(),
            document_bytes,
            is_whole,
            known: marks.map(known).collect(),
            vanished_kept: VANISHED_KEPT,
            forgotten: Vec::new(),
            status: SourceStatus {
                source: follow.source.clone(),
                files: 0,
                lag_bytes: 0,
                is_read: true,
                failing: None,
            },
            source: follow.source,
            directories: Default::default(),
        })
    }

    /// How the source is doing after the last scan; documents that wait are its lag.
    pub fn status(&self) -> &SourceStatus {
        &self.status
    }

    /// The directories in which a change may matter.
    pub fn directories(&self) -> impl Iterator<Item = &Path> {
        self.directories.iter().map(PathBuf::as_path)
    }

    /// A document that was handed out could not be understood: the source is failing until it changes.
    pub fn unreadable(&mut self, path: &Path) {
        if let Some(known) = self.known.get_mut(path) {
            known.failing = Some(FailureKind::Unreadable);
        }
        self.status.failing = self.status.failing.or(Some(FailureKind::Unreadable));
    }

    /// Looks for what is new or has changed, the oldest first.
    pub fn scan(&mut self, events: &mut Vec<TailEvent>) -> Vec<Document> {
        let walk = Walk::through(&self.patterns, self.limits.entries);
        self.directories = walk.directories;
        let mut paths = walk.paths;
        paths.sort();
        paths.dedup();
        let failing = walk.blocked.first().map(|blocked| blocked.kind);
        let crowded = (self.limits.files < paths.len()).then_some(FailureKind::TooManyFiles);
        paths.truncate(self.limits.files);
        let mut found: Vec<(Stat, PathBuf)> = Vec::new();
        for path in &paths {
            match std::fs::metadata(path) {
                Ok(metadata) => found.push((Stat::of(&metadata), path.clone())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.fails(path, Stat::default(), &error, events),
            }
        }
        let files = found.len();
        found.sort_by_key(|(stat, _)| stat.modified_nanos);
        let (mut documents, mut left, mut lag) = (Vec::new(), SCAN_BYTES, 0);
        for (stat, path) in found {
            if !self.is_news(&path, stat) {
                continue;
            }
            if left < stat.size && !documents.is_empty() {
                lag += stat.size.max(1);
                continue;
            }
            left = left.saturating_sub(stat.size);
            match self.read(&path) {
                Ok(Some(document)) => documents.push(document),
                Ok(None) => lag += self.waits(&path, stat),
                Err(error) => self.fails(&path, stat, &error, events),
            }
        }
        let failing = failing.or(crowded);
        if failing.is_none() {
            self.forget_vanished(&paths);
        }
        let known = || paths.iter().filter_map(|path| self.known.get(path)?.failing).next();
        self.status.failing = failing.or_else(known);
        (self.status.files, self.status.lag_bytes, self.status.is_read) = (files, lag, lag == 0);
        documents
    }

    /// Documents that are not remembered any more since this was asked last.
    pub fn take_forgotten(&mut self) -> Vec<PathBuf> {
        std::mem::take(&mut self.forgotten)
    }

    /// `paths`, sorted: those that are there.
    fn forget_vanished(&mut self, paths: &[PathBuf]) {
        if self.known.len() <= paths.len() + self.vanished_kept {
            return;
        }
        let gone = self.known.iter().filter(|(path, _)| paths.binary_search(path).is_err());
        let written = |known: &Known| known.read.map_or(0, |(stat, _)| stat.modified_nanos);
        let mut gone: Vec<(i64, PathBuf)> =
            gone.map(|(path, known)| (written(known), path.clone())).collect();
        gone.sort_unstable();
        gone.truncate(gone.len().saturating_sub(self.vanished_kept));
        for (_, path) in gone {
            self.known.remove(&path);
            self.forgotten.push(path);
        }
    }

    fn is_news(&mut self, path: &Path, stat: Stat) -> bool {
        let known = self.known.entry(path.to_path_buf()).or_default();
        known.read.is_none_or(|(read, _)| read != stat) && known.given_up != Some(stat)
    }

    /// How many bytes wait in a document that was not read: none if it has the content that it had before.
    fn waits(&self, path: &Path, stat: Stat) -> u64 {
        let is_read = self.known.get(path).is_some_and(|k| k.read.is_some_and(|(s, _)| s == stat));
        if is_read { 0 } else { stat.size.max(1) }
    }

    /// The document, unless it is as it was or seems to be still written.
    fn read(&mut self, path: &Path) -> io::Result<Option<Document>> {
        let (file, _) = open_regular(path)?;
        let before = Stat::of(&file.metadata()?);
        let too_large = |size: u64| {
            let most = self.document_bytes;
            io::Error::other(format!("the document has {size} bytes, at most {most} are read"))
        };
        if self.document_bytes < before.size {
            return Err(too_large(before.size));
        }
        let bytes = content(&file, self.document_bytes)?;
        if self.document_bytes < bytes.len() as u64 {
            return Err(too_large(bytes.len() as u64));
        }
        let metadata = file.metadata()?;
        let (stat, written) = (Stat::of(&metadata), metadata.modified()?);
        let Some(known) = self.known.get_mut(path) else { return Ok(None) };
        let is_quiet = known.seen == Some(stat) || (self.is_whole)(&bytes);
        known.seen = Some(stat);
        if stat != before || !is_quiet {
            return Ok(None);
        }
        let digest: [u8; 32] = Sha256::digest(&bytes).into();
        let is_known = known.read.is_some_and(|(_, read)| read == digest);
        known.read = Some((stat, digest));
        if is_known {
            return Ok(None);
        }
        (known.failing, known.given_up) = (None, None);
        let (source, path) = (self.source.clone(), path.to_path_buf());
        let mark = Mark { source, path, stat, digest, memo: String::new() };
        Ok(Some(Document { mark, written, bytes }))
    }

    fn fails(&mut self, path: &Path, stat: Stat, error: &io::Error, events: &mut Vec<TailEvent>) {
        let known = self.known.entry(path.to_path_buf()).or_default();
        let kind = FailureKind::of(error);
        known.given_up = (stat != Stat::default()).then_some(stat);
        if known.failing.replace(kind) != Some(kind) {
            events.push(TailEvent::failed(&self.source, path, error));
        }
    }
}

fn content(file: &File, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than is accepted tells a document that grew too large from one that just fits.
    file.take(most + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
