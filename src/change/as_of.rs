//! Which revisions were on record when a run began.

use super::Revision;
use crate::time::Instant;

/// Until when something has to be stamped, and read, to be on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AsOf {
    pub stamped: Instant,
    /// `None`: everything that was read so far. What is ours counts whenever it was read.
    pub read: Option<Instant>,
}

impl AsOf {
    /// Everything stamped by then, among all that was read so far.
    pub fn stamped(stamped: Instant) -> AsOf {
        AsOf { stamped, read: None }
    }

    pub(super) fn has(self, revision: &Revision) -> bool {
        let is_read = |read: Instant| revision.ours || revision.seen <= read;
        revision.stamp <= self.stamped && self.read.is_none_or(is_read)
    }
}
