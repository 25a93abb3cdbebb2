//! How far a generation has been read, in a form that outlives the process.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::Arc;

use super::body::Body;
use super::event::FileId;
use super::signature::Signature;

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
    /// The last bytes before the offset, at most [`super::MARKER_BYTES`].
    pub marker: Signature,
    /// How many bytes behind the offset are known to belong to one line that is longer than the
    /// limit and not ended; 0 unless one is being skipped.
    pub skipped: u64,
    /// Closed: nothing more will come of it. It is kept to be recognised and to keep its id unused.
    pub finished: bool,
    /// Whatever the caller wants to find again with it.
    pub memo: String,
}

impl Checkpoint {
    /// Whether the file holds what was read, so that reading can go on at the offset.
    pub(super) fn fits(&self, file: &Body, metadata: &Metadata) -> io::Result<bool> {
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
