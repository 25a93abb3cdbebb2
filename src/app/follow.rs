//! The files on their way to the loop: the tail, the intake and the watch over the sources, tied together.

mod hints;
mod looking;
mod progress;
mod refused;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant as Moment};

use chrono::TimeDelta;

use crate::app::documents::Documents;
use crate::app::intake::{Batch, Intake, Memo, Progress, Settle};
use crate::app::shared::Shared;
use crate::app::watch::{GAP, Watch};
use crate::config::Config;
use crate::store::{Store, Tally};
use crate::tail::{Block, Checkpoint, Content, FileId, Follow, Limits, SourceStatus, Tail, Waker};
use crate::time::Instant;

/// Directories are listed for new files this often; a hint makes it come earlier.
pub const GLOB_EVERY: Duration = Duration::from_millis(500);

/// A turn of reading: so many bytes, or so long, before what was found is judged and committed and it is looked for
/// what was written meanwhile. Nobody's line waits longer for the files of others.
pub const TURN_BYTES: u64 = 8 << 20;
const TURN: Duration = Duration::from_millis(25);

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
    /// When files that were there at the first look were last written to, until they are read to their ends.
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
            encoding: s.spec.encoding,
        };
        let follows = logs.iter().map(follow).collect();
        let mut tail = Tail::new(follows, checkpoints.clone(), Limits::of_process())
            .map_err(|e| e.to_string())?;
        for source in &logs {
            tail.look_also_in(&source.name, &source.archive).map_err(|e| e.to_string())?;
        }
        let names = sources.iter().enumerate().map(|(i, s)| (s.name.clone(), i));
        let mut watch = Watch::new(&sources, &config.policy, tallies);
        for checkpoint in &checkpoints {
            if let Some(last) = Memo::read(&checkpoint.memo, checkpoint.offset).last {
                watch.saw_event(&checkpoint.source, last);
            }
        }
        Ok(Follower {
            tail,
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

    /// Whether hints of the operating system are asked for.
    pub fn uses_notify(&self) -> bool {
        self.notify
    }

    /// Finds out how the sources are doing, after something was read, and makes it visible.
    pub fn take_stock(&mut self, shared: &Shared, now: Instant) {
        if !self.rests {
            self.status = self.tail.status().into_iter().chain(self.documents.status()).collect();
            self.watch.take_unseen(self.intake.unseen());
        }
        let elapsed = self.last_stock.map_or(Duration::ZERO, |last| last.elapsed());
        self.last_stock = Some(Moment::now());
        self.watch.take_stock(&self.status, &self.intake.misread(), now, elapsed);
        shared.set_sources(self.watch.views());
    }

    /// Reads for one turn, in which every partner gets its share; `true`: there is more.
    pub fn read(&mut self, now: Instant) -> bool {
        if self.rests {
            return false;
        }
        let (began, mut left) = (Moment::now(), TURN_BYTES);
        let before = self.intake.blocks();
        let more = loop {
            let mut unread: Vec<FileId> = self.tail.unread().collect();
            unread.sort_unstable();
            let Some(file) = self.intake.next_to_read(&unread) else { break false };
            let is_late = TURN <= began.elapsed() && self.intake.was_served(file, before);
            if left == 0 || is_late {
                break true;
            }
            left = left.saturating_sub(self.read_block(file, now).max(1));
            self.intake.served(file);
        };
        self.intake.follow(now, TimeDelta::from_std(GAP).unwrap_or(TimeDelta::MAX));
        more
    }

    /// Reads a block of a file; how many bytes were read for it.
    fn read_block(&mut self, file: FileId, now: Instant) -> u64 {
        match self.tail.read(file, &mut self.buffer) {
            Ok(Some(block)) => {
                self.bytes_read += block.bytes;
                self.take_block(&block, now);
                return block.cost;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(file = file.0, %error, "cannot be read"),
        }
        self.mtimes.remove(&file);
        self.intake.nothing_complete(file);
        0
    }

    fn take_block(&mut self, block: &Block, now: Instant) {
        // What stood in a file when the program began was last written to before that.
        let written = self.mtimes.get(&block.file).copied();
        if self.tail.at_end(block.file) {
            self.mtimes.remove(&block.file);
        }
        self.watch.saw_line(block.source, written.unwrap_or(now).min(now));
        match block.content {
            Content::Lines | Content::Unterminated => {
                let bytes = std::mem::take(&mut self.buffer);
                self.intake.read(block.file, (block.offset, block.encoding), &bytes, now);
                self.buffer = bytes;
                if block.content == Content::Unterminated {
                    self.intake.ended(block.file, now);
                }
            }
            Content::Oversize => self.intake.skipped(block.file, block.offset, block.bytes, now),
            Content::Nuls => {
                self.intake.passed_over(block.file, block.offset + block.bytes, now);
            }
            Content::Passing => {}
        }
    }

    /// What is ready to be judged; `settle`: see [`Intake::take`].
    pub fn take(&mut self, now: Instant, live: bool, settle: Settle<'_>) -> Batch {
        if self.rests && self.still.is_none() && !self.intake.holds_anything() {
            self.still = Some(self.intake.behind());
        }
        let mut batch = match self.still {
            Some(_) => Batch::default(),
            None => self.intake.take(now, live, settle),
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

    /// Whether everything that is written of this partner has been read and taken.
    pub fn is_caught_up(&self, partner: &str) -> bool {
        let is_read = match &self.still {
            Some(behind) => !behind.contains(partner),
            None => self.intake.is_caught_up(partner),
        };
        is_read && self.documents.is_caught_up(partner)
    }

    /// Whether something was read and not taken yet.
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

    /// Whether something was counted since the last commit.
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
