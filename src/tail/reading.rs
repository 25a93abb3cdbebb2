//! The caller's side: what there is to read, reading it, and remembering how far.

use std::io;

use super::Tail;
use super::block::Block;
use super::body::Bytes;
use super::checkpoint::Checkpoint;
use super::event::{FailureKind, FileId};
use super::generation::{Generation, Life};
use super::rotate::find_moved;
use super::signature::read_full;
use crate::format::{Encoding, FileEncoding};

impl Tail {
    /// The generations that have bytes to read, oldest first. A file that failed is left out until it
    /// may be tried again.
    pub fn unread(&self) -> impl Iterator<Item = FileId> + '_ {
        self.generations.values().filter(|g| self.is_unread(g)).map(|g| g.id)
    }

    fn is_unread(&self, g: &Generation) -> bool {
        let is_lost = matches!(g.life, Life::Gone | Life::CopyOf(_));
        !is_lost && g.after.is_none() && !g.suspect && g.retry_at <= self.now && !g.is_read()
    }

    /// The generations that are read to their ends and of which nothing more will come. They are closed once all that
    /// was read of them is committed.
    pub fn ended(&self) -> impl Iterator<Item = FileId> + '_ {
        let is_ended = |g: &&Generation| g.is_over && g.committed < g.offset();
        self.generations.values().filter(is_ended).map(|g| g.id)
    }

    /// Whether everything that is complete in this generation has been read.
    pub fn at_end(&self, file: FileId) -> bool {
        self.generations.get(&file).is_none_or(Generation::is_read)
    }

    /// The next piece of a generation, its bytes in `into`; `None` if nothing is complete at present.
    /// The buffer is the caller's to reuse: it is not cleared between calls for nothing.
    ///
    /// # Errors
    /// Those of reading the file, which is then left alone for a while, and `NotFound` if the
    /// generation is not followed.
    pub fn read(&mut self, file: FileId, into: &mut Vec<u8>) -> io::Result<Option<Block>> {
        let limits = self.limits;
        let told = self.encoding_of(file);
        let taken = self.with_file(file, |g| g.take(into, &limits, told));
        if !matches!(taken, Ok(Some(_))) {
            into.clear();
        }
        if let Some(g) = self.generations.get_mut(&file) {
            g.failing = taken.as_ref().err().map(FailureKind::of);
            if g.failing.is_some() {
                g.retry_at = self.now.saturating_add(self.limits.retry);
            }
        }
        taken.map(Option::flatten)
    }

    /// What was said of the encoding of a file.
    pub(super) fn encoding_of(&self, file: FileId) -> Encoding {
        let source = self.generations.get(&file).map(|g| g.identity.source);
        let source = source.and_then(|source| self.sources.get(source));
        source.map_or(Encoding::Auto, |source| source.encoding)
    }

    /// Does something with an open file, and closes it again if there are too many. `None` if the
    /// file is not where it was, of which the next scan finds the reason.
    pub(super) fn with_file<T>(
        &mut self,
        file: FileId,
        what: impl FnOnce(&mut Generation) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        let g = self.generations.get_mut(&file).ok_or_else(unknown)?;
        let was_open = g.file.is_some();
        if !g.reopen()? {
            return Ok(None);
        }
        let done = what(g)?;
        let is_spare = g.life == Life::Listed && !g.is_packed();
        if !was_open && self.limits.descriptors <= self.descriptors && is_spare {
            g.file = None;
        } else if !was_open && g.file.is_some() {
            self.descriptors += 1;
        }
        Ok(Some(done))
    }

    /// The first line of a file, without its `\n`, which may be the names of its columns; `None` if it
    /// is not complete yet or too long.
    ///
    /// # Errors
    /// Those of reading the file, and `NotFound` if the generation is not followed.
    pub fn first_line(&mut self, file: FileId) -> io::Result<Option<Vec<u8>>> {
        let (limit, told) = (self.limits.line_bytes, self.encoding_of(file));
        let line = self.with_file(file, |g| match &g.file {
            Some(file) => read_first_line(file, limit, told),
            None => Ok(None),
        })?;
        Ok(line.flatten())
    }

    /// How far a generation has been read, to be stored with what came of it. `offset` is the start of
    /// a line, not behind what was read. If the bytes before it are gone the checkpoint fits no
    /// file, so that a restart reports a possible loss rather than going on in other content.
    ///
    /// # Errors
    /// Those of reading the file, `NotFound` if the generation is not followed, and `InvalidInput` if
    /// `offset` lies behind what was read.
    pub fn checkpoint(&mut self, file: FileId, offset: u64) -> io::Result<Checkpoint> {
        let g = self.generations.get_mut(&file).ok_or_else(unknown)?;
        let here = g.offset();
        if here < offset {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "offset was not read yet"));
        }
        // Rotated since the last scan, it is beside its path; what cannot be had has no marker.
        if offset < here && !g.reopen()? {
            find_moved(g).unwrap_or(false);
        }
        let source = self.sources.get(g.identity.source).ok_or_else(unknown)?;
        let is_long = (self.limits.line_bytes as u64) < g.examined.saturating_sub(here);
        Ok(Checkpoint {
            file,
            source: source.name.clone(),
            path: g.path.clone(),
            dev: g.identity.dev,
            ino: g.identity.ino,
            offset,
            head: g.seen.head_at(offset),
            rungs: g.seen.rungs_at(offset),
            marker: g.seen.marker_at(offset, g.file.as_ref().map(|file| file as &dyn Bytes))?,
            trail: g.seen.trail_at(offset),
            skipped: if is_long && offset == here { g.examined - here } else { 0 },
            changed_at: Some(g.stat.changed_at()),
            written_at: Some(g.stat.written_at()),
            has_left: matches!(g.life, Life::Unlisted | Life::Ending | Life::Gone),
            finished: false,
            memo: g.memo.clone(),
        })
    }

    /// Everything before `offset` is stored. A generation is closed only once that is its end.
    pub fn committed(&mut self, file: FileId, offset: u64) {
        if let Some(g) = self.generations.get_mut(&file) {
            g.committed = offset.min(g.offset());
        }
    }
}

/// The error for a generation that is closed or never was.
fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "no such file is followed")
}

fn read_first_line(file: &impl Bytes, limit: usize, told: Encoding) -> io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let mut want = limit.min(4096);
    loop {
        bytes.resize(want.saturating_add(1), 0);
        let n = read_full(file, &mut bytes, 0)?;
        bytes.truncate(n);
        let encoding = FileEncoding::of(told, &bytes, true);
        if let Some(end) = encoding.first_end(&bytes) {
            bytes.truncate(end - encoding.width());
            return Ok(Some(bytes));
        }
        if n <= want || limit <= want {
            return Ok(None);
        }
        want = want.saturating_mul(4).min(limit);
    }
}
