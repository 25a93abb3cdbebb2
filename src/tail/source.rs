//! One source: its patterns and the paths that they lead to at present.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::body::Body;
use super::event::{FailureKind, FileId, Outside, TailEvent};
use super::glob::Pattern;
use super::walk::Walk;
use crate::format::Encoding;

/// A path that is looked at with every scan.
#[derive(Default, Debug)]
pub(super) struct Place {
    pub path: PathBuf,
    /// The generation seen here last.
    pub holder: Option<FileId>,
    /// When that one last changed, by the clock of the file system: what came after it is younger.
    pub since: Option<SystemTime>,
    /// It led to a file since the last listing.
    pub was_seen: bool,
    pub failing: Option<FailureKind>,
    pub retry_at: Duration,
}

impl Place {
    /// Takes note of a failure; `true` if it is a new one.
    pub fn fails(&mut self, kind: FailureKind, retry_at: Duration) -> bool {
        self.retry_at = retry_at;
        self.failing.replace(kind) != Some(kind)
    }
}

/// What the caller wants followed under one name.
pub(super) struct Source {
    pub name: Arc<str>,
    pub patterns: Vec<Pattern>,
    pub encoding: Encoding,
    /// Where rotated files may lie that are not beside their old place.
    pub archive: Vec<Pattern>,
    /// Sorted by path.
    pub places: Vec<Place>,
    pub directories: BTreeSet<PathBuf>,
    /// Directories that could not be listed.
    pub blocked: Vec<(PathBuf, FailureKind)>,
    /// How many generations its places lead to.
    pub files: usize,
    /// That was none, and has been reported.
    pub is_empty: bool,
    /// More matches than the limit allows.
    pub is_crowded: bool,
}

/// Whether a link leads from `containers` to `pods` beside it, as those that Kubernetes makes below `/var/log`.
fn is_log_of_a_pod(root: &Path, real: &Path) -> bool {
    root.ends_with("containers") && real.starts_with(root.with_file_name("pods"))
}

impl Source {
    pub fn new(name: Arc<str>, patterns: Vec<Pattern>, encoding: Encoding) -> Source {
        Source {
            name,
            patterns,
            encoding,
            archive: Vec::new(),
            places: Vec::new(),
            directories: BTreeSet::new(),
            blocked: Vec::new(),
            files: 0,
            is_empty: false,
            is_crowded: false,
        }
    }

    /// Looks for files anew. A path that led to a generation which `is_followed` is kept although it
    /// leads nowhere now, or its directory cannot be listed; and once more if that went since the last time,
    /// so that what came and went after it is looked for.
    pub fn list(
        &mut self,
        entries: usize,
        is_followed: impl Fn(FileId) -> bool,
        events: &mut Vec<TailEvent>,
    ) {
        let walk = Walk::through(&self.patterns, entries);
        let old = std::mem::take(&mut self.places);
        let is_kept = |place: &&Place| place.was_seen || place.holder.is_some_and(&is_followed);
        let kept = old.iter().filter(is_kept);
        let mut paths: Vec<PathBuf> = kept.map(|place| place.path.clone()).collect();
        for blocked in &walk.blocked {
            if !self.blocked.contains(&(blocked.directory.clone(), blocked.kind)) {
                events.push(TailEvent::Failed {
                    source: self.name.clone(),
                    path: Some(blocked.directory.clone()),
                    kind: blocked.kind,
                    error: blocked.error.clone(),
                });
            }
        }
        self.blocked = walk.blocked.into_iter().map(|b| (b.directory, b.kind)).collect();
        self.directories = walk.directories;
        paths.extend(walk.paths);
        paths.sort();
        paths.dedup();
        let mut old = old.into_iter().peekable();
        let reuse = |path: PathBuf| {
            while old.next_if(|place| place.path < path).is_some() {}
            let known = old.next_if(|place| place.path == path);
            known.map_or_else(
                || Place { path, ..Place::default() },
                |place| Place { was_seen: false, ..place },
            )
        };
        self.places = paths.into_iter().map(reuse).collect();
    }

    /// Whether an open file may be read as the one at `path`. Whoever may write to the directory of a pattern with
    /// wildcards could put a link there to anything: such a link is not followed out of that directory. A path
    /// that is written out was meant, wherever it leads.
    pub fn allows(&self, path: &Path, file: &Body) -> io::Result<()> {
        let real = match file.real_path() {
            Some(real) => real,
            None => path.canonicalize()?,
        };
        let mut fitting = self.patterns.iter().filter(|pattern| pattern.fits(path)).peekable();
        let is_within = |pattern: &Pattern| match pattern.root() {
            Some(root) => root
                .canonicalize()
                .is_ok_and(|root| real.starts_with(&root) || is_log_of_a_pod(&root, &real)),
            None => true,
        };
        if fitting.peek().is_none() || fitting.any(is_within) {
            return Ok(());
        }
        Err(io::Error::other(Outside(real)))
    }

    /// Whether a pattern matches a path.
    pub fn fits(&self, path: &Path) -> bool {
        self.patterns.iter().any(|pattern| pattern.fits(path))
    }

    /// The place of a path, if it is looked at.
    pub fn place(&self, path: &Path) -> Option<&Place> {
        self.position(path).and_then(|at| self.places.get(at))
    }

    /// The position of a path among the places.
    pub fn position(&self, path: &Path) -> Option<usize> {
        self.places.binary_search_by(|place| place.path.as_path().cmp(path)).ok()
    }

    /// Why something of this source cannot be read, if that is so.
    pub fn failing(&self) -> Option<FailureKind> {
        let blocked = self.blocked.first().map(|(_, kind)| *kind);
        let crowded = self.is_crowded.then_some(FailureKind::TooManyFiles);
        let empty = self.is_empty.then_some(FailureKind::NotFound);
        let failing = self.places.iter().find_map(|place| place.failing);
        failing.or(blocked).or(crowded).or(empty)
    }
}
