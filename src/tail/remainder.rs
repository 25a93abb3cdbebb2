//! What somebody still writes to a file that was replaced by a copy of itself.

use std::fs::{File, Metadata};
use std::path::PathBuf;
use std::time::Duration;

use super::Tail;
use super::body::{Body, Bytes};
use super::event::{FileId, TailEvent};
use super::generation::{Generation, Identity, Life};
use super::signature::{Seen, read_full};
use crate::format::FileEncoding;

/// A file that was replaced by a copy. Somebody may have it open and still write to it.
pub(super) struct Remainder {
    file: File,
    source: usize,
    path: PathBuf,
    /// Where the line begins in which the part ends that is in the copy.
    line: u64,
    /// How much of it is in the copy.
    copied: u64,
    since: Duration,
    memo: String,
}

impl Tail {
    /// Keeps a file that was replaced by a copy of its bytes up to `copied`.
    pub(super) fn keep_remainder(&mut self, id: FileId, file: File, copied: u64) {
        let longest = self.limits.line_bytes as u64;
        let Some(g) = self.generations.get(&id) else { return };
        let (source, path, memo) = (g.identity.source, g.path.clone(), g.memo.clone());
        let encoding = FileEncoding::of(self.encoding_of(id), g.seen.head(), false);
        let from = g.offset().max(copied.saturating_sub(longest));
        // What is not handed out yet begins with a line.
        let first = Some(from).filter(|from| *from == g.offset());
        let line = line_before(&file, from, copied, encoding).or(first).unwrap_or(copied);
        let since = self.now;
        self.replaced.push(Remainder { file, source, path, line, copied, since, memo });
    }

    /// Reads what is written to a file after it was replaced.
    pub(super) fn look_at_remainders(&mut self, events: &mut Vec<TailEvent>) {
        for remainder in std::mem::take(&mut self.replaced) {
            let age = self.now.saturating_sub(remainder.since);
            match remainder.file.metadata() {
                Ok(metadata) if remainder.copied < metadata.len() => {
                    self.follow_remainder(remainder, &metadata, events);
                }
                Ok(_) if age < self.limits.linger_deleted => self.replaced.push(remainder),
                Ok(_) | Err(_) => {}
            }
        }
    }

    fn follow_remainder(&mut self, r: Remainder, metadata: &Metadata, events: &mut Vec<TailEvent>) {
        let identity = Identity::of(r.source, metadata);
        let Ok(Some(seen)) = Seen::load_all(&r.file, r.line) else { return };
        if self.identities.contains_key(&identity) {
            return;
        }
        let id = FileId(self.next);
        self.next = self.next.saturating_add(1);
        let opened = (Body::Plain(r.file), metadata);
        let mut g = Generation::new(id, r.source, r.path, opened, seen, self.now);
        (g.life, g.memo, g.sight.scan) = (Life::Unlisted, r.memo, self.scans);
        events.push(TailEvent::Opened {
            file: id,
            source: self.source_name(r.source),
            path: g.path.clone(),
            resumed_at: g.offset(),
            mtime: metadata.modified().ok(),
        });
        self.hold(g, None);
    }
}

/// Where the line begins in which `end` lies; `None` if it begins before `start`.
fn line_before(file: &impl Bytes, start: u64, end: u64, encoding: FileEncoding) -> Option<u64> {
    // A character is not looked at from its middle.
    let start = start.next_multiple_of(encoding.width() as u64);
    let mut bytes = vec![0; usize::try_from(end.checked_sub(start)?).ok()?];
    read_full(file, &mut bytes, start).ok().filter(|n| *n == bytes.len())?;
    encoding.last_end(&bytes).map(|at| start + at as u64)
}
