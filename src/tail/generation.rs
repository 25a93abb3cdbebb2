//! One generation of one file: where it is, how far it has been read, and whether it is still itself.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;

use super::body::{Body, Bytes, Packed};
use super::event::{FailureKind, FileId};
use super::signature::Seen;

/// For how long a copy in the making may stand still.
pub(super) const COPY_PAUSE: Duration = Duration::from_secs(5);

/// For how long a copy may be in the making before it is read like any other file.
pub(super) const COPY_LONGEST: Duration = Duration::from_secs(60);

/// Which file this is for the operating system, for as long as it exists.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub(super) struct Identity {
    pub source: usize,
    pub dev: u64,
    pub ino: u64,
}

impl Identity {
    pub fn of(source: usize, metadata: &Metadata) -> Identity {
        Identity { source, dev: metadata.dev(), ino: metadata.ino() }
    }
}

/// What shows that a file has changed since it was last looked at.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Stat {
    pub size: u64,
    pub links: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stat {
    pub fn of(metadata: &Metadata) -> Stat {
        Stat {
            size: metadata.size(),
            links: metadata.nlink(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// When the file last got other content, another name or other rights.
    pub fn changed_at(&self) -> SystemTime {
        at(self.changed)
    }

    /// When the file last got other content.
    pub fn written_at(&self) -> SystemTime {
        at(self.modified)
    }

    /// Whether somebody wrote in between; a new name or mode alone does not count.
    pub fn was_written_after(&self, earlier: &Stat) -> bool {
        (self.size, self.modified) != (earlier.size, earlier.modified)
    }
}

/// Seconds and nanoseconds since 1970 as the file system tells them.
fn at((seconds, nanos): (i64, i64)) -> SystemTime {
    let seconds = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    let nanos = Duration::from_nanos(u64::try_from(nanos).unwrap_or(0));
    SystemTime::UNIX_EPOCH.checked_add(seconds + nanos).unwrap_or(SystemTime::UNIX_EPOCH)
}

/// Opens a regular file, without ever waiting for one that is not.
pub(super) fn open_regular(path: &Path) -> io::Result<(File, Metadata)> {
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(rustix::io::Errno::ISDIR.into()) }
}

/// Where a generation stands in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Life {
    /// A followed path leads to it.
    Listed,
    /// None does any more; whoever has it open may still write to it.
    Unlisted,
    /// It has been quiet for so long that what is left of it is handed out, ended or not.
    Ending,
    /// Its content does not exist any more.
    Gone,
    /// Every byte of it is also in this generation, of which somebody is making a copy.
    CopyOf(FileId),
}

/// What the scan under way knows of a generation from the paths it has looked at.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Sight {
    /// The number of the scan; an older one means that no path led here.
    pub scan: u64,
    /// The place, among those of its source, at which it was seen if it was not seen at its path.
    pub elsewhere: Option<usize>,
    /// `None` if its path could not be looked at, which says nothing about the file.
    pub stat: Option<Stat>,
}

/// A file being followed.
#[derive(Debug)]
pub(super) struct Generation {
    pub id: FileId,
    pub identity: Identity,
    pub path: PathBuf,
    /// Closed while nothing happens and descriptors are short.
    pub file: Option<Body>,
    /// Of a compressed file, with the size of what comes out of it.
    pub stat: Stat,
    pub seen: Seen,
    /// Up to here there is nothing to be had at present: a line without its end, or the end.
    pub examined: u64,
    /// What the caller has stored.
    pub committed: u64,
    pub memo: String,
    pub life: Life,
    pub sight: Sight,
    /// When it was last seen to grow.
    pub quiet_since: Duration,
    /// It is read and nothing more will come: the caller need not keep anything of it back.
    pub is_over: bool,
    /// A read found other bytes than expected: the next scan finds out why.
    pub suspect: bool,
    /// The generation that was at its path before: this may be a copy of it. Nothing is read until that is known.
    pub after: Option<FileId>,
    /// It is shorter than what was read, and may be a copy in the making.
    pub doubt: Option<Doubt>,
    pub failing: Option<FailureKind>,
    pub retry_at: Duration,
}

/// For how long a file has been looked at that may be a copy in the making.
#[derive(Clone, Copy, Debug)]
pub(super) struct Doubt {
    size: u64,
    began: Duration,
    /// When it was last seen to grow.
    grew: Duration,
}

impl Doubt {
    /// Whether a file of this size may still turn out to be a copy: it grows, or did so a moment ago. Nobody copies
    /// with long pauses or for ever.
    pub fn lasts(doubt: &mut Option<Doubt>, size: u64, now: Duration) -> bool {
        let doubt = doubt.get_or_insert(Doubt { size, began: now, grew: now });
        if doubt.size != size {
            (doubt.size, doubt.grew) = (size, now);
        }
        now.saturating_sub(doubt.grew) < COPY_PAUSE
            && now.saturating_sub(doubt.began) < COPY_LONGEST
    }
}

impl Generation {
    /// A generation read up to `seen`, found at `path` at the moment `now`.
    pub fn new(
        id: FileId,
        source: usize,
        path: PathBuf,
        (file, metadata): (Body, &Metadata),
        seen: Seen,
        now: Duration,
    ) -> Generation {
        Generation {
            id,
            identity: Identity::of(source, metadata),
            path,
            stat: Stat { size: file.size(metadata), ..Stat::of(metadata) },
            file: Some(file),
            examined: seen.offset(),
            committed: seen.offset(),
            seen,
            memo: String::new(),
            life: Life::Listed,
            sight: Sight::default(),
            quiet_since: now,
            is_over: false,
            suspect: false,
            after: None,
            doubt: None,
            failing: None,
            retry_at: Duration::ZERO,
        }
    }

    /// The offset of the next line.
    pub fn offset(&self) -> u64 {
        self.seen.offset()
    }

    /// Whether nothing can be had from it at present.
    pub fn is_read(&self) -> bool {
        let end = if self.life == Life::Ending { self.offset() } else { self.examined };
        self.stat.size <= end
    }

    /// Bytes that have not been handed out.
    pub fn lag_bytes(&self) -> u64 {
        match self.life {
            Life::Gone | Life::CopyOf(_) => 0,
            _ => self.stat.size.saturating_sub(self.offset()),
        }
    }

    /// A path led here.
    pub fn saw(&mut self, scan: u64, place: usize, path: &Path, stat: Stat) {
        let home = self.path == path;
        if home || self.sight.scan != scan || self.sight.stat.is_none() {
            let elsewhere = if home { None } else { Some(place) };
            self.sight = Sight { scan, elsewhere, stat: Some(stat) };
        }
    }

    /// The path that led here cannot be looked at.
    pub fn could_not_see(&mut self, scan: u64) {
        if self.sight.scan != scan {
            self.sight = Sight { scan, elsewhere: None, stat: None };
        }
    }

    /// Whether this scan has to do anything about it.
    pub fn needs_attention(&self, scan: u64, now: Duration) -> bool {
        if now < self.retry_at || self.life == Life::Gone {
            return false;
        }
        let Sight { elsewhere, stat, .. } = self.sight;
        let is_copy = matches!(self.life, Life::CopyOf(_));
        self.sight.scan != scan
            || stat.is_some_and(|stat| stat != self.stat)
            || elsewhere.is_some()
            || stat.is_some() && !is_copy && (self.suspect || self.life != Life::Listed)
    }

    /// Opens the file again if it was closed. False if its path leads to another one now.
    pub fn reopen(&mut self) -> io::Result<bool> {
        if self.file.is_none() && self.life != Life::Gone {
            match open_regular(&self.path) {
                Ok((file, metadata)) => {
                    if Identity::of(self.identity.source, &metadata) == self.identity {
                        self.file = Some(Body::Plain(file));
                    }
                }
                Err(e) if FailureKind::of(&e) == FailureKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Ok(self.file.is_some())
    }

    /// Whether the open file came into being after this one had been seen last: while it was closed its inode was
    /// given to another.
    pub fn is_younger(&self) -> io::Result<bool> {
        let Some(file) = &self.file else { return Ok(false) };
        let born = file.metadata()?.created();
        // Not every file system tells.
        Ok(born.is_ok_and(|born| self.stat.changed_at() < born))
    }

    /// Whether the file still holds what was read of it.
    pub fn is_itself(&self, size: u64) -> io::Result<bool> {
        match &self.file {
            None => Ok(true),
            Some(Body::Packed(packed)) => {
                packed.begin_again()?;
                self.seen.stands_in(&**packed)
            }
            Some(file) => self.holds_what_was_read(file, size),
        }
    }

    /// Whether a file of this size holds what was read of this one.
    pub fn holds_what_was_read(&self, file: &impl Bytes, size: u64) -> io::Result<bool> {
        Ok(self.offset() <= size && self.seen.stands_in(file)?)
    }

    /// Whether the file that `holder` had when it was last seen is still the holder's, and no copy of this one.
    ///
    /// An inode that became free goes to the next file: only a holder whose content stands there has it. The
    /// nothing that was read of an empty one stands in every file, and weighs less than what was read of this one.
    pub fn is_kept_from(&self, holder: &Generation, file: &Body) -> bool {
        holder.life != Life::CopyOf(self.id)
            && (0 < holder.offset() || self.offset() == 0)
            && holder.seen.stands_in(file).unwrap_or(true)
    }

    /// Takes note of a change that left the bytes already read as they were.
    pub fn changed(&mut self, stat: Stat, now: Duration) -> io::Result<()> {
        if stat.was_written_after(&self.stat) {
            self.quiet_since = now;
            self.is_over = false;
            // Written without growing: what was held back may be another thing now.
            if stat.size <= self.stat.size {
                self.examined = self.offset();
            }
        }
        self.stat = stat;
        self.suspect = false;
        self.doubt = None;
        self.failing = None;
        match &self.file {
            Some(file) => {
                self.stat.size = file.packed().map_or(stat.size, Packed::size);
                self.seen.look_ahead(file)
            }
            None => Ok(()),
        }
    }

    /// Goes on in another file that begins with everything that was read of this one.
    pub fn move_to(&mut self, path: PathBuf, (file, metadata): (Body, &Metadata), now: Duration) {
        self.identity = Identity::of(self.identity.source, metadata);
        self.path = path;
        self.stat = Stat { size: file.size(metadata), ..Stat::of(metadata) };
        self.file = Some(file);
        self.examined = self.offset();
        self.quiet_since = now;
        self.is_over = false;
        self.suspect = false;
        self.doubt = None;
        self.sight = Sight::default();
    }

    /// The content is gone: nothing is left to read.
    pub fn end(&mut self) {
        self.life = Life::Gone;
        self.is_over = true;
        self.file = None;
        self.examined = self.offset();
        self.stat.size = self.offset();
        self.suspect = false;
        self.doubt = None;
        self.failing = None;
    }

    /// Whether it is what comes out of a compressed file.
    pub fn is_packed(&self) -> bool {
        self.file.as_ref().is_some_and(|file| file.packed().is_some())
    }

    /// The state of the file itself, for one that no path leads to.
    pub fn fstat(&self) -> io::Result<Option<Stat>> {
        let Some(file) = &self.file else { return Ok(None) };
        let metadata = file.metadata()?;
        let mut stat = Stat::of(&metadata);
        if file.packed().is_some_and(|packed| !packed.has_changed(&metadata)) {
            stat.size = self.stat.size;
        }
        Ok(Some(stat))
    }
}

/// The state of whatever a path leads to, if it is a regular file.
pub(super) fn regular(path: &Path) -> io::Result<Metadata> {
    let metadata = fs::metadata(path)?;
    if metadata.is_file() { Ok(metadata) } else { Err(rustix::io::Errno::ISDIR.into()) }
}
