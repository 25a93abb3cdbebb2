//! The files on their way to the loop: the tail, the intake and the watch over the sources, tied together.

mod hints;
mod progress;
mod refused;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment, SystemTime};

use crate::app::documents::Documents;
use crate::app::intake::{Batch, Intake, Progress, memo};
use crate::app::shared::Shared;
use crate::app::watch::Watch;
use crate::config::Config;
use crate::store::{Store, Tally};
use crate::tail::{
    Block, Checkpoint, Content, Depth, FileId, Follow, Limits, SourceStatus, Tail, TailEvent, Waker,
};
use crate::time::Instant;

/// Directories are listed for new files this often; a hint makes it come earlier.
pub const GLOB_EVERY: Duration = Duration::from_millis(500);

/// Bytes read before what was found is judged and committed.
pub const READ_BYTES: u64 = 32 << 20;

/// Follows the files of all sources.
pub struct Follower {
    tail: Tail,
    waker: Waker,
    notify: bool,
    intake: Intake,
    documents: Documents,
    watch: Watch,
    names: HashMap<Arc<str>, usize>,
    /// The latest progress of each file that is not on disk yet.
    progress: BTreeMap<FileId, Progress>,
    /// The checkpoints on disk, to be marked when their files are closed.
    stored: HashMap<FileId, Checkpoint>,
    closed: Vec<FileId>,
    mtimes: HashMap<FileId, Instant>,
    buffer: Vec<u8>,
    began: Moment,
    /// When files were looked at and listed last, and how long that took.
    last_scan: Option<(Moment, Duration)>,
    last_glob: Option<(Moment, Duration)>,
    /// Nothing has happened and it is too soon to look.
    rests: bool,
    /// While it rests and nothing waits to be taken: the partners whose files are not read to their ends. So
    /// thousands of idle files are not gone through at every tick.
    still: Option<BTreeSet<Arc<str>>>,
    status: Vec<SourceStatus>,
    last_stock: Option<Moment>,
    /// When the files were looked at before: what appears later was not there then.
    last_look: Option<Instant>,
    bytes_read: u64,
    is_first: bool,
    /// What was noted is to be on disk at once.
    is_urgent: bool,
}

impl Follower {
    /// Follows the sources of `config` from where the store left them.
    ///
    /// # Errors
    /// A pattern that cannot be followed, or a store that cannot be read, as a sentence.
    pub fn new(
        config: &Config,
        store: &Store,
        shared: &Arc<Shared>,
        notify: bool,
    ) -> Result<Follower, String> {
        let reader = store.reader();
        let checkpoints = reader.checkpoints().map_err(|e| e.to_string())?;
        let tallies = reader.tallies().map_err(|e| e.to_string())?;
        let marks = reader.documents().map_err(|e| e.to_string())?;
        let is_log = |s: &crate::config::Source| s.spec.document.is_none();
        let (logs, documents): (Vec<_>, Vec<_>) = config.sources.iter().cloned().partition(is_log);
        let sources = [logs.as_slice(), documents.as_slice()].concat();
        let follow = |s: &crate::config::Source| Follow {
            source: s.name.clone(),
            patterns: s.patterns.clone(),
        };
        let follows = logs.iter().map(follow).collect();
        let tail = Tail::new(follows, checkpoints.clone(), Limits::of_process());
        let names = sources.iter().enumerate().map(|(i, s)| (s.name.clone(), i));
        let mut watch = Watch::new(&sources, &config.policy, tallies);
        for checkpoint in &checkpoints {
            if let Some(last) = memo::read(&checkpoint.memo).1 {
                watch.saw_event(&checkpoint.source, last);
            }
        }
        Ok(Follower {
            tail: tail.map_err(|e| e.to_string())?,
            waker: if notify { hints::waker(shared) } else { Waker::none() },
            notify,
            intake: Intake::new(&logs),
            documents: Documents::new(&documents, &marks)?,
            watch,
            names: names.collect(),
            progress: BTreeMap::new(),
            stored: checkpoints.into_iter().map(|c| (c.file, c)).collect(),
            closed: Vec::new(),
            mtimes: HashMap::new(),
            buffer: Vec::new(),
            began: Moment::now(),
            last_scan: None,
            last_glob: None,
            rests: false,
            still: None,
            status: Vec::new(),
            last_stock: None,
            last_look: None,
            bytes_read: 0,
            is_first: true,
            is_urgent: false,
        })
    }

    /// Takes over what another follower knows of the same sources.
    pub fn inherit(&mut self, old: &Follower) {
        self.watch.inherit(&old.watch);
    }

    pub fn uses_notify(&self) -> bool {
        self.notify
    }

    /// Finds out what has changed in the files. `elapsed`: since the last look.
    pub fn look(&mut self, now: Instant, elapsed: Duration) {
        if super::watch::GAP < elapsed {
            self.intake.gap(None);
        }
        self.rests = self.may_rest();
        if self.rests {
            return;
        }
        self.still = None;
        self.waker.forget_news();
        let depth = self.depth();
        let begun = Moment::now();
        if depth == Depth::Glob {
            self.waker.forget_names();
        }
        let mut events = self.tail.scan(depth, self.began.elapsed());
        self.note_missed();
        self.last_scan = Some((Moment::now(), begun.elapsed()));
        if depth == Depth::Glob {
            self.last_glob = self.last_scan;
            events.extend(self.documents.look());
            let mut directories = self.tail.directories();
            directories.extend(self.documents.directories());
            for warning in self.waker.watch(&directories) {
                tracing::warn!(warning, "polling");
            }
        }
        self.intake.look();
        for event in events {
            self.note(event, now);
        }
        self.is_first = false;
        self.last_look = Some(now);
    }

    /// Finds out how the sources are doing, after something was read, and makes it visible.
    pub fn take_stock(&mut self, shared: &Shared, now: Instant) {
        if !self.rests {
            self.status = self.tail.status().into_iter().chain(self.documents.status()).collect();
        }
        let elapsed = self.last_stock.map_or(Duration::ZERO, |last| last.elapsed());
        self.last_stock = Some(Moment::now());
        self.watch.take_stock(&self.status, now, elapsed);
        shared.set_sources(self.watch.views());
    }

    fn note(&mut self, event: TailEvent, now: Instant) {
        match event {
            TailEvent::Opened { file, source, path, resumed_at, mtime } => {
                self.opened(file, &source, &path.to_string_lossy(), (resumed_at, mtime), now);
            }
            TailEvent::Rotated { file, source, kind } => {
                tracing::info!(source = &*source, file = file.0, kind = kind.as_str(), "rotated");
                self.watch.count(&source, "rotations", kind.as_str(), 1);
                self.moved(file);
            }
            TailEvent::Vanished { file, source, path } => {
                tracing::warn!(source = &*source, path = %path.display(), "file vanished");
                self.moved(file);
            }
            TailEvent::PossibleLoss { file, source, reason, from, to } => {
                let (file, reason) = (file.0, reason.as_str());
                tracing::error!(source = &*source, file, reason, from, to, "lines may be lost");
                self.watch.count(&source, "possible_loss", reason, 1);
                self.is_urgent = true;
            }
            TailEvent::Failed { source, path, kind, error } => {
                let (path, kind) = (path.map(|path| path.display().to_string()), kind.as_str());
                tracing::warn!(source = &*source, path, kind, error, "cannot be read");
                self.watch.count(&source, "read_errors", kind, 1);
                self.intake.gap(self.names.get(&source).copied());
            }
            TailEvent::Closed { file, .. } => {
                self.intake.close(file);
                self.mtimes.remove(&file);
                self.closed.push(file);
            }
        }
    }

    fn opened(
        &mut self,
        file: FileId,
        source: &Arc<str>,
        path: &str,
        (resumed_at, mtime): (u64, Option<SystemTime>),
        now: Instant,
    ) {
        let Some(index) = self.names.get(source).copied() else { return };
        tracing::info!(source = &**source, file = file.0, path, resumed_at, "following");
        if let Some(mtime) = mtime.map(Instant::from) {
            self.mtimes.insert(file, mtime);
            if 0 < resumed_at {
                self.watch.saw_line(index, mtime.min(now));
            }
        }
        let header = match self.intake.needs_header(index) {
            true => self.tail.first_line(file).ok().flatten(),
            false => None,
        };
        let memo = self.tail.memo(file).to_string();
        // Where it begins is to be on disk at once, also if nothing is read of it: a restart knows it by that.
        self.progress.insert(file, Progress { file, offset: resumed_at, memo: memo.clone() });
        self.is_urgent = true;
        // What was not there at the last look has been followed since then.
        let since = if self.is_first || 0 < resumed_at { None } else { self.last_look };
        let trouble = self.intake.opened(
            file,
            (index, path.into()),
            resumed_at,
            &memo,
            header.as_deref(),
            since,
        );
        if let Err(rejection) = trouble {
            tracing::warn!(source = &**source, path, detail = rejection.detail, "header refused");
        }
    }

    /// Reads until something is worth a commit; `true`: there is more.
    pub fn read(&mut self, now: Instant) -> bool {
        if self.rests {
            return false;
        }
        let mut left = READ_BYTES;
        loop {
            let mut unread: Vec<FileId> = self.tail.unread().collect();
            unread.sort_unstable();
            let Some(file) = self.intake.next_to_read(&unread) else { break };
            if left == 0 {
                return true;
            }
            match self.tail.read(file, &mut self.buffer) {
                Ok(Some(block)) => {
                    left = left.saturating_sub(block.bytes.max(1));
                    self.bytes_read += block.bytes;
                    self.take_block(&block, now);
                }
                Ok(None) => self.intake.nothing_complete(file),
                Err(error) => {
                    tracing::warn!(file = file.0, %error, "cannot be read");
                    self.intake.nothing_complete(file);
                }
            }
        }
        self.intake.follow(now);
        false
    }

    fn take_block(&mut self, block: &Block, now: Instant) {
        // An old file was last written to before it was opened.
        let written = self.mtimes.get(&block.file).copied().filter(|_| self.last_look.is_none());
        self.watch.saw_line(block.source, written.unwrap_or(now).min(now));
        match block.content {
            Content::Lines | Content::Unterminated => {
                let bytes = std::mem::take(&mut self.buffer);
                self.intake.read(block.file, block.offset, &bytes, now);
                self.buffer = bytes;
                if block.content == Content::Unterminated {
                    self.intake.ended(block.file, now);
                }
            }
            Content::Oversize => self.intake.skipped(block.file, block.offset, block.bytes, now),
            Content::Nuls => {
                self.intake.passed_over(block.file, block.offset + block.bytes, now);
            }
        }
    }

    /// What is ready to be judged.
    pub fn take(&mut self, now: Instant, live: bool) -> Batch {
        if self.rests && self.still.is_none() && !self.intake.holds_anything() {
            self.still = Some(self.intake.behind());
        }
        let mut batch = match self.still {
            Some(_) => Batch::default(),
            None => self.intake.take(now, live),
        };
        for event in self.documents.take(now, live, &mut batch) {
            self.note(event, now);
        }
        batch.events.sort_by_key(|taking| taking.event.at);
        for taking in &batch.events {
            if let Some(place) = &taking.place {
                self.watch.saw_event(&place.source, taking.event.at);
            }
        }
        batch
    }

    pub fn is_caught_up(&self, partner: &str) -> bool {
        let is_read = match &self.still {
            Some(behind) => !behind.contains(partner),
            None => self.intake.is_caught_up(partner),
        };
        is_read && self.documents.is_caught_up(partner)
    }

    pub fn has_unread(&self) -> bool {
        self.still.is_none() && self.intake.has_items() || self.documents.has_waiting()
    }

    /// Bytes read so far and bytes left.
    pub fn catch_up(&self) -> (u64, u64) {
        let status = self.tail.status().into_iter().chain(self.documents.status());
        let left = status.map(|s| s.lag_bytes).sum();
        (self.bytes_read, left)
    }

    /// A file appeared or moved, or lines may be lost: a restart must know of it.
    pub fn is_urgent(&self) -> bool {
        self.is_urgent
    }

    /// From now on, nothing says when a line that is read was written.
    pub fn gap(&mut self) {
        self.intake.gap(None);
    }

    pub fn has_tallies(&self) -> bool {
        self.watch.has_pending()
    }

    /// Keeps counts back until the next commit.
    pub fn hold(&mut self, tallies: &mut BTreeMap<Tally, u64>) {
        for ((source, name, label), n) in std::mem::take(tallies) {
            self.watch.count(&source, name, &label, n);
        }
    }
}

#[cfg(test)]
mod tests;
