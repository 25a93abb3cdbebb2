//! Follows files: finds them, notices how they are rotated, and hands out their complete lines.
//!
//! What is followed is a *generation*: what was written to one file between two rotations. It is known
//! by device, inode and content ([`Signature`]), never by its path, and it is read to its end wherever
//! it goes. Nothing here reads a clock, starts a thread or calls back; the caller runs
//!
//! ```text
//! for event in tail.scan(depth, now)              what was found, rotated, lost
//! for file in tail.unread()                       oldest first
//!     while let Some(block) = tail.read(file, &mut buffer)?
//!     let checkpoint = tail.checkpoint(file, offset)?     stored together with what came of the lines
//!     tail.committed(file, offset)                once it is; if that failed: a new tail from what is stored
//! ```
//!
//! What is [`Content::Lines`] was read exactly once: if every checkpoint is stored in one transaction
//! with what the lines before it led to, nothing is lost and nothing counted twice. Where that cannot
//! be known there is a [`TailEvent::PossibleLoss`].

mod archive;
mod between;
mod block;
mod body;
mod checkpoint;
mod copy;
mod event;
mod folder;
mod found;
mod generation;
mod glob;
mod reading;
mod remainder;
mod resume;
mod rewrite;
mod rotate;
mod scan;
mod sibling;
mod signature;
mod source;
mod trail;
mod trimmed;
mod unpack;
mod waker;
mod walk;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

pub use block::{Block, Content};
pub use checkpoint::Checkpoint;
pub use event::{FailureKind, FileId, LossReason, RotationKind, TailEvent};
pub use folder::{Document, Folder, Mark, Stat};
pub use glob::{Pattern, PatternError};
pub use signature::{HEAD_BYTES, MARKER_BYTES, Rungs, Signature};
pub use trail::Trail;
pub use waker::Waker;

use generation::{Generation, Identity};
use remainder::Remainder;
use resume::Waiting;
use sibling::is_compressed;
use source::Source;

use crate::format::Encoding;
use crate::process::Written;

/// What to follow under one name.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Follow {
    pub source: Arc<str>,
    /// Absolute paths or patterns, see [`Pattern`].
    pub patterns: Vec<String>,
    /// What was said of the files: where their lines end depends on it.
    pub encoding: Encoding,
}

/// The bounds within which the tail works.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// The size of a block, unless one line is longer; at most `line_bytes`.
    pub block_bytes: usize,
    /// The longest line that is handed out, without its `\n`.
    pub line_bytes: usize,
    /// How many files are followed at a time, over all sources.
    pub files: usize,
    /// How many idle files are kept open. One that no path leads to stays open beyond that.
    pub descriptors: usize,
    /// How many directory entries a source may look through to find its files.
    pub entries: usize,
    /// How long a file that moved away must be quiet before it is released, if nobody has it open for writing.
    pub linger: Duration,
    /// The same for a file that is deleted.
    pub linger_deleted: Duration,
    /// The same for both where nobody can tell whether it is open for writing, unless descriptors are short.
    pub linger_unseen: Duration,
    /// Tells which files are open for writing.
    pub writers: fn() -> Option<Written>,
    /// How long a path that failed is left alone.
    pub retry: Duration,
    /// How many bytes may come out of a compressed file.
    pub unpacked_bytes: u64,
    /// How many times its own size may come out of a compressed file, if that is much.
    pub unpacked_ratio: u64,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            block_bytes: 256 << 10,
            line_bytes: 1 << 20,
            files: 10_000,
            descriptors: 512,
            entries: 1_000_000,
            linger: Duration::from_secs(300),
            linger_deleted: Duration::from_secs(60),
            linger_unseen: Duration::from_secs(24 * 3600),
            writers: crate::process::written_files,
            retry: Duration::from_millis(500),
            unpacked_bytes: 16 << 30,
            unpacked_ratio: 250,
        }
    }
}

impl Limits {
    /// The usual ones, with no more idle files open than half of what this process may have.
    pub fn of_process() -> Limits {
        let most = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        let half = most.map_or(usize::MAX, |most| usize::try_from(most / 2).unwrap_or(usize::MAX));
        let usual = Limits::default();
        Limits { descriptors: usual.descriptors.min(half), ..usual }
    }
}

/// How thoroughly a scan looks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Depth {
    /// At every path that is known: one system call each.
    Stat,
    /// For new files as well: every directory of every pattern is listed.
    Glob,
}

/// How a source is doing, after the last scan and what was read since.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SourceStatus {
    pub source: Arc<str>,
    /// Files that its patterns lead to; with none the source is not up.
    pub files: usize,
    /// Bytes that are written and not read yet, in all its generations.
    pub lag_bytes: u64,
    /// Nothing more can be had of it at present: all that may lag is a line without an end.
    pub is_read: bool,
    /// Why something of it cannot be read at present.
    pub failing: Option<FailureKind>,
}

/// Follows the files of several sources.
pub struct Tail {
    limits: Limits,
    sources: Vec<Source>,
    generations: BTreeMap<FileId, Generation>,
    identities: HashMap<Identity, FileId>,
    waiting: BTreeMap<(Identity, FileId), Waiting>,
    /// Compressed files from which nothing comes that is not known, by what shows that one is another.
    known_packed: RefCell<BTreeSet<(Identity, u64, SystemTime)>>,
    /// Files that were replaced by copies: who has one open may still write to it.
    replaced: Vec<Remainder>,
    /// Where the files of checkpoints were that have not been found yet, as far as this scan has asked.
    waiting_at: Option<HashMap<(usize, PathBuf), FileId>>,
    next: u64,
    scans: u64,
    now: Duration,
    /// Open files, as far as this module opened them.
    descriptors: usize,
    /// When it was asked which files are open for writing, and the answer.
    written: Option<(Duration, Option<Written>)>,
}

impl Tail {
    /// Nothing is opened before the first scan. Of the checkpoints, those of finished generations
    /// and of sources that are not followed any more serve to keep their ids unused.
    ///
    /// # Errors
    /// A pattern that is not absolute.
    pub fn new(
        follows: Vec<Follow>,
        checkpoints: Vec<Checkpoint>,
        limits: Limits,
    ) -> Result<Tail, PatternError> {
        let mut sources = Vec::new();
        for follow in follows {
            let patterns = follow.patterns.iter().map(|text| Pattern::parse(text));
            sources.push(Source::new(
                follow.source,
                patterns.collect::<Result<_, _>>()?,
                follow.encoding,
            ));
        }
        let last = checkpoints.iter().map(|checkpoint| checkpoint.file.0).max();
        let line_bytes = limits.line_bytes.max(1);
        let mut tail = Tail {
            limits: Limits {
                line_bytes,
                block_bytes: limits.block_bytes.clamp(1, line_bytes),
                ..limits
            },
            sources,
            generations: BTreeMap::new(),
            identities: HashMap::new(),
            waiting: BTreeMap::new(),
            known_packed: RefCell::default(),
            replaced: Vec::new(),
            waiting_at: None,
            next: last.map_or(1, |last| last.saturating_add(1)),
            scans: 0,
            now: Duration::ZERO,
            descriptors: 0,
            written: None,
        };
        for checkpoint in tail.with_sources(checkpoints) {
            tail.wait_for(checkpoint);
        }
        Ok(tail)
    }

    /// The caller's note on a generation, stored with its checkpoint.
    pub fn memo(&self, file: FileId) -> &str {
        self.generations.get(&file).map_or("", |g| &g.memo)
    }

    /// Replaces the caller's note.
    pub fn set_memo(&mut self, file: FileId, memo: String) {
        if let Some(g) = self.generations.get_mut(&file) {
            g.memo = memo;
        }
    }

    /// How each source is doing, in the order of the follows.
    pub fn status(&self) -> Vec<SourceStatus> {
        let status = |source: &Source| SourceStatus {
            source: source.name.clone(),
            files: source.files,
            lag_bytes: 0,
            is_read: true,
            failing: source.failing(),
        };
        let mut all: Vec<SourceStatus> = self.sources.iter().map(status).collect();
        for g in self.generations.values() {
            if let Some(status) = all.get_mut(g.identity.source) {
                status.lag_bytes += g.lag_bytes();
                status.is_read &= g.lag_bytes() == 0 || g.is_read();
                status.failing = status.failing.or(g.failing);
            }
        }
        all
    }

    /// The source to which a file at this path would belong, if none is followed there.
    pub fn awaits(&self, path: &Path) -> Option<Arc<str>> {
        let name = path.file_name().unwrap_or_default();
        let is_seen = |source: &Source| source.place(path).is_some_and(|p| p.holder.is_some());
        if is_compressed(name.as_encoded_bytes())
            || self.sources.iter().any(is_seen)
            || self.generations.values().any(|g| g.path == path)
        {
            return None;
        }
        self.sources.iter().find(|source| source.fits(path)).map(|source| source.name.clone())
    }

    /// The directories in which a change may matter, for [`Waker::watch`].
    pub fn directories(&self) -> BTreeSet<&Path> {
        let lists = self.sources.iter().map(|source| &source.directories);
        lists.flatten().map(std::path::PathBuf::as_path).collect()
    }
}

#[cfg(test)]
mod tests;
