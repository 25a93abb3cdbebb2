//! Copies that somebody makes of a followed file, under a name that the patterns match as well.
//!
//! With `copytruncate` and a pattern such as `app.log*` the copy holds lines that are read from the
//! original. It is left alone until the original is cut off; then reading goes on in the copy.

use std::fs::{File, Metadata};
use std::io;

use super::Tail;
use super::body::Bytes;
use super::event::{FileId, TailEvent};
use super::found::Found;
use super::generation::{Generation, Life};
use super::sibling::bases;
use super::signature::{Seen, is_prefix};

impl Tail {
    /// The generation of which a newly found file is a copy, or may become one: it has a name that
    /// rotation makes of the other's, and holds nothing that the other does not.
    pub(super) fn original_of(
        &self,
        found: &Found,
        file: &File,
        metadata: &Metadata,
    ) -> Option<FileId> {
        found.place?;
        let source = self.sources.get(found.identity.source)?;
        let name = found.path.file_name()?;
        bases(name).into_iter().find_map(|base| {
            let place = source.place(&found.path.with_file_name(base))?;
            let original = place.holder.and_then(|id| self.generations.get(&id))?;
            let is_here = original.life == Life::Listed && original.path == place.path;
            let is_copy = is_here && holds((file, metadata.len()), original).ok()?;
            is_copy.then_some(original.id)
        })
    }

    /// A copy stays one as long as the original has all of it. Otherwise it is a file in its own
    /// right, of which the part that was the original's has been read.
    pub(super) fn judge_copies(&mut self, events: &mut Vec<TailEvent>) {
        let copies = self.generations.values().filter_map(|g| match g.life {
            Life::CopyOf(original) => Some((g.id, original)),
            _ => None,
        });
        for (id, original) in copies.collect::<Vec<_>>() {
            let Some(mut copy) = self.generations.remove(&id) else { continue };
            if copy.sight.scan != self.scans {
                self.identities.remove(&copy.identity);
                continue;
            }
            match judge(&mut copy, self.generations.get(&original)) {
                Ok(true) => {}
                // Not readable at present: nothing is decided.
                Err(_) => {}
                Ok(false) => {
                    copy.life = Life::Listed;
                    events.push(TailEvent::Opened {
                        file: id,
                        source: self.source_name(copy.identity.source),
                        path: copy.path.clone(),
                        resumed_at: copy.offset(),
                        mtime: None,
                    });
                }
            }
            self.generations.insert(id, copy);
        }
    }
}

/// Whether it is still a copy, of which everything is then taken as read.
fn judge(copy: &mut Generation, original: Option<&Generation>) -> io::Result<bool> {
    let is_unchanged = copy.sight.stat == Some(copy.stat);
    if is_unchanged && original.is_some_and(|original| original.life != Life::Gone) {
        return Ok(true);
    }
    copy.reopen()?;
    let Some(file) = &copy.file else { return Ok(true) };
    let size = file.metadata()?.len();
    let read = match original {
        Some(original) if original.life != Life::Gone => {
            if holds((file, size), original)? {
                if size != copy.offset() {
                    copy.take_as_read(size)?;
                }
                return Ok(true);
            }
            copy.offset()
        }
        // The original was read further than it was copied.
        Some(original) if size <= original.offset() => size,
        _ => copy.offset(),
    };
    copy.take_as_read(if copy.seen.stands_in(file)? { read } else { 0 })?;
    Ok(false)
}

/// Whether an original has everything that the file has.
fn holds(copy: (&impl Bytes, u64), original: &Generation) -> io::Result<bool> {
    match &original.file {
        Some(file) => is_prefix(copy, (file, file.metadata()?.len())),
        None => {
            let (file, metadata) = super::generation::open_regular(&original.path)?;
            is_prefix(copy, (&file, metadata.len()))
        }
    }
}

impl Generation {
    fn take_as_read(&mut self, offset: u64) -> io::Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        if let Some(seen) = Seen::load(file, offset)? {
            self.seen = seen;
            self.examined = offset;
            self.committed = offset;
            self.stat = super::generation::Stat::of(&file.metadata()?);
        }
        Ok(())
    }
}
