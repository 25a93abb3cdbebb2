//! How far a generation has been read, in a form that outlives the process.

use std::collections::HashSet;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::Tail;
use super::body::{Body, Packed};
use super::event::FileId;
use super::sibling::{born, live};
use super::signature::{HEAD_BYTES, Likeness, Rungs, Signature, begins_with_nul, read_full};
use super::trail::Trail;

/// Everything needed to find a generation again and to go on where it was left.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    pub file: FileId,
    pub source: Arc<str>,
    /// Where it was when it was last followed; it may have been renamed since.
    pub path: PathBuf,
    pub dev: u64,
    pub ino: u64,
    /// Byte offset of the next line.
    pub offset: u64,
    /// The first bytes of the file before the offset, at most [`super::HEAD_BYTES`].
    pub head: Signature,
    /// The beginnings of those.
    pub rungs: Rungs,
    /// The last bytes before the offset, at most [`super::MARKER_BYTES`].
    pub marker: Signature,
    /// Pieces of what was read, to find it again in a file that lost its first lines.
    pub trail: Trail,
    /// How many bytes behind the offset are known to belong to one line that is longer than the
    /// limit and not ended; 0 unless one is being skipped.
    pub skipped: u64,
    /// When the file had changed last as it was followed last, by the clock of its file system: one that came into
    /// being later is another, whatever its inode. `None` if that is not known.
    pub changed_at: Option<SystemTime>,
    /// When it had been written to last.
    pub written_at: Option<SystemTime>,
    /// It left its path, and that is counted: `path` may still be the old one, if its new one was not found.
    pub has_left: bool,
    /// Closed: nothing more will come of it. It is kept to be recognised and to keep its id unused.
    pub finished: bool,
    /// Whatever the caller wants to find again with it.
    pub memo: String,
}

impl Checkpoint {
    /// Whether what was read may begin with everything that comes out of a compressed file.
    pub(super) fn may_begin_with(&self, file: &Body) -> io::Result<bool> {
        let Some(packed) = file.packed() else { return Ok(false) };
        let length = packed.length()?;
        let is_too_short_to_tell = length < u64::from(self.head.len);
        Ok(length < self.offset && (is_too_short_to_tell || self.head.stands_in(file, 0)?))
    }

    /// How the file, whatever its inode, stands to what was read, of which the file has not been found.
    pub(super) fn likeness(&self, file: &Body, metadata: &Metadata) -> io::Result<Likeness> {
        if self.rungs.0.is_empty() || self.marker.is_of_nothing() || file.packed().is_some() {
            return Ok(Likeness::Other);
        }
        let size = metadata.size();
        if self.offset <= size {
            if self.fits(file, metadata)? {
                return Ok(Likeness::Same);
            }
            if self.ends_at(file, self.offset, 0)? && begins_with_nul(file)? {
                return Ok(Likeness::LostHead(self.offset));
            }
        } else {
            let may_become = if metadata.size() < u64::from(self.head.len) {
                let mut begin = vec![0; HEAD_BYTES];
                let n = read_full(file, &mut begin, 0)?;
                self.rungs.may_begin(begin.get(..n).unwrap_or_default())
            } else {
                self.head.stands_in(file, 0)?
            };
            if may_become {
                return Ok(Likeness::MayBecome);
            }
        }
        let ends_at = |end, count| self.ends_at(file, end, count);
        self.trail.find(self.offset, (file, size), ends_at)
    }

    /// Whether what was read ends here in the file, of which so many pieces stand in it.
    fn ends_at(&self, file: &Body, end: u64, count: usize) -> io::Result<bool> {
        match end.checked_sub(u64::from(self.marker.len)) {
            Some(before) => self.marker.stands_in(file, before),
            // Too little is left for the marker.
            None => Ok(2 <= count),
        }
    }

    /// Whether a file came into being after its own had changed last.
    pub(super) fn is_older_than(&self, metadata: &Metadata) -> bool {
        self.changed_at.is_some_and(|at| born(metadata).is_some_and(|born| at < born))
    }

    /// Whether the file holds what was read, so that reading can go on at the offset. If nothing was read, it may
    /// be the file of that inode, unless it is younger than that was.
    pub(super) fn fits(&self, file: &Body, metadata: &Metadata) -> io::Result<bool> {
        let is_same_inode = (self.dev, self.ino) == (metadata.dev(), metadata.ino());
        if self.offset == 0 {
            return Ok(is_same_inode && !self.is_older_than(metadata));
        }
        if self.marker.is_of_nothing() {
            // It was cut off before this was written down: it is to be had from a copy only.
            return Ok(!is_same_inode && self.head.stands_in(file, 0)? && {
                let length = file.packed().map_or(Ok(metadata.size()), Packed::length)?;
                self.offset <= length
            });
        }
        let Some(before) = self.offset.checked_sub(u64::from(self.marker.len)) else {
            return Ok(false);
        };
        // How much comes out of a compressed file is not known yet; if it is too little, the marker is missing.
        let is_long_enough = file.packed().is_some() || self.offset <= metadata.size();
        Ok(is_long_enough
            && self.head.stands_in(file, 0)?
            && self.marker.stands_in(file, before)?)
    }
}

impl Tail {
    /// Checkpoints belong to files: those of a source that is not followed any more go to the one that follows the
    /// file now, unless that has read it itself.
    pub(super) fn with_sources(&self, mut all: Vec<Checkpoint>) -> Vec<Checkpoint> {
        let is_followed = |c: &Checkpoint| self.sources.iter().any(|s| s.name == c.source);
        let of_followed = all.iter().filter(|c| is_followed(c));
        let known: HashSet<(u64, u64)> = of_followed.map(|c| (c.dev, c.ino)).collect();
        for checkpoint in &mut all {
            if is_followed(checkpoint) || known.contains(&(checkpoint.dev, checkpoint.ino)) {
                continue;
            }
            let (path, before) = (&checkpoint.path, live(&checkpoint.path));
            let heir = self.sources.iter().find(|s| s.fits(path) || s.fits(&before));
            if let Some(heir) = heir {
                checkpoint.source = heir.name.clone();
            }
        }
        all
    }
}
