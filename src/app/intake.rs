//! From blocks of lines to events in the order of their stamps, over all files of a partner.
//!
//! Files are read in turn, the one that is furthest behind in time first, and an event waits until every file
//! of its partner that is still being caught up with has come as far. So a start and the notice that confirms
//! it meet in the right order even if they stand in two files that are a year long.

mod given;
mod memo;
pub(super) mod queue;
mod turns;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::config::Source;
use crate::format::{Encoding, FileEncoding, FileState, Reader, Reason, Rejection};
use crate::ledger::Taking;
use crate::run::Place;
use crate::store::{Rejected, Tally};
use crate::tail::FileId;
use crate::time::Instant;

pub use memo::Memo;
use queue::{Fate, Item, Queue};
pub use queue::{RECORD_QUIET, REJECTED_LINE_BYTES};

/// Items that wait in memory before more is read, shared by the files.
pub const QUEUE_ITEMS: usize = 512;
/// However many files there are, each has room for so many.
pub const QUEUE_ITEMS_LEAST: usize = 256;

/// Events taken into one commit: many, because each commit has its price; not so many that they leave the caches.
pub const BATCH_ITEMS: usize = 512;

/// How far a file was taken, for its checkpoint.
pub struct Progress {
    pub file: FileId,
    pub offset: u64,
    pub memo: String,
}

/// What is ready to be judged and committed together.
#[derive(Default)]
pub struct Batch {
    /// In the order of their stamps; equal stamps as read.
    pub events: Vec<Taking>,
    pub rejected: Vec<Rejected>,
    pub tallies: BTreeMap<Tally, u64>,
    pub progress: Vec<Progress>,
    /// More is ready.
    pub more: bool,
}

impl Batch {
    /// Counts something of a source.
    pub fn count(&mut self, source: &Arc<str>, name: &'static str, label: &str, n: u64) {
        if n != 0 {
            *self.tallies.entry((source.clone(), name, label.into())).or_default() += n;
        }
    }
}

/// Settles the reading of the stamp of a line: shown are the lines that were read before it, and the line.
pub type Settle<'a> = &'a mut dyn FnMut(&[Taking], &mut Taking);

/// All files on their way through.
pub struct Intake {
    sources: Vec<Source>,
    readers: Vec<Reader>,
    queues: BTreeMap<FileId, Queue>,
    /// Blocks read so far, and which of them was the last one of each partner.
    blocks: u64,
    served: BTreeMap<Arc<str>, u64>,
}

impl Intake {
    /// An intake for these sources, which are named by their place in the list from now on.
    pub fn new(sources: &[Source]) -> Intake {
        Intake {
            sources: sources.to_vec(),
            readers: sources.iter().map(|s| Reader::new(s.spec.clone())).collect(),
            queues: BTreeMap::new(),
            blocks: 0,
            served: BTreeMap::new(),
        }
    }

    /// Whether the format of a source has a header line.
    pub fn needs_header(&self, source: usize) -> bool {
        self.readers.get(source).is_some_and(Reader::needs_header)
    }

    /// A file was opened and will be read from `offset`. `header` is its first line where the format has one;
    /// `memo` is what [`Progress::memo`] said. `followed_since`: it was not there before.
    ///
    /// # Errors
    /// The header cannot be used: every line of the file will be rejected.
    pub fn opened(
        &mut self,
        file: FileId,
        (source, path): (usize, Arc<str>),
        offset: u64,
        memo: &str,
        header: Option<&[u8]>,
        followed_since: Option<Instant>,
    ) -> Result<(), Rejection> {
        let Memo { header: remembered, last, is_misread, given } = Memo::read(memo, offset);
        let told = self.sources.get(source).map_or(Encoding::Auto, |s| s.spec.encoding);
        let text = header.map(|line| FileEncoding::of(told, line, false).lossy(line));
        let header = remembered.as_deref().map(str::as_bytes).or(text.as_deref());
        let reader = self.readers.get(source);
        let state = match (reader, header) {
            (Some(reader), Some(line)) => FileState::with_header(reader, line),
            _ => Ok(FileState::default()),
        };
        let (mut state, trouble) = match state {
            Ok(state) => (state, Ok(())),
            Err(rejection) => {
                let line = header.unwrap_or_default();
                (FileState::without_header(line, rejection.clone()), Err(rejection))
            }
        };
        state.last = last;
        let mut queue = Queue::new(source, path, state, (offset, given), followed_since);
        queue.is_misread = is_misread;
        self.queues.insert(file, queue);
        trouble
    }

    /// Whether something was read and not taken yet.
    pub fn has_items(&self) -> bool {
        self.queues.values().any(|q| !q.items.is_empty())
    }

    /// Whether a call of [`Intake::take`] may be good for anything.
    pub fn holds_anything(&self) -> bool {
        self.queues.values().any(|q| !q.items.is_empty() || q.holds_anything())
    }

    /// A file is no longer where it was: what is wrong with it says nothing of what is written now.
    pub fn moved(&mut self, file: FileId) {
        if let Some(queue) = self.queues.get_mut(&file) {
            queue.is_gone = true;
        }
    }

    /// A file is done with: nothing more comes of it.
    pub fn close(&mut self, file: FileId) {
        self.queues.remove(&file);
    }

    /// Takes a block of complete lines apart. `now` is the moment of reading.
    pub fn read(
        &mut self,
        file: FileId,
        (offset, encoding): (u64, FileEncoding),
        block: &[u8],
        now: Instant,
    ) {
        let Some(queue) = self.queues.get_mut(&file) else { return };
        let Some(reader) = self.readers.get(queue.source) else { return };
        queue.read(reader, (offset, encoding), block, now);
    }

    /// The sources that have a file of another encoding than told, or with a header that cannot be used.
    pub fn misread(&self) -> BTreeSet<usize> {
        let is_misread = |q: &&Queue| q.is_misread || q.state.is_refused() && !q.is_gone;
        self.queues.values().filter(is_misread).map(|q| q.source).collect()
    }

    /// What [`Reader::unseen`] says of each source.
    pub fn unseen(&self) -> impl Iterator<Item = Vec<String>> {
        self.readers.iter().map(Reader::unseen)
    }

    /// What was read last ends there: nothing will follow it.
    pub fn ended(&mut self, file: FileId, now: Instant) {
        let Some(queue) = self.queues.get_mut(&file) else { return };
        if let Some(reader) = self.readers.get(queue.source) {
            queue.flush(reader, now);
        }
    }

    /// Nothing complete is to be read in a file at present.
    pub fn nothing_complete(&mut self, file: FileId) {
        if let Some(queue) = self.queues.get_mut(&file) {
            queue.is_stuck = true;
        }
    }

    /// The files are looked at again.
    pub fn look(&mut self) {
        self.queues.values_mut().for_each(|q| q.is_stuck = false);
    }

    /// Bytes that are no line were passed over.
    pub fn passed_over(&mut self, file: FileId, read_to: u64, now: Instant) {
        self.ended(file, now);
        if let Some(queue) = self.queues.get_mut(&file) {
            queue.read_to = read_to;
        }
    }

    /// A line that is too long to be read was skipped.
    pub fn skipped(&mut self, file: FileId, start: u64, bytes: u64, now: Instant) {
        self.ended(file, now);
        let Some(queue) = self.queues.get_mut(&file) else { return };
        queue.read_to = start + bytes;
        let detail = format!("the line has {bytes} bytes or more");
        let what = Fate::Rejected(Rejection::new(Reason::LineTooLong, detail), Vec::new());
        let noise = std::mem::take(&mut queue.trailing);
        queue.items.push_back(Item { start, after: None, noise, lines: 1, stamp: None, what });
    }

    /// Whether a partner has nothing left to be read or taken.
    pub fn is_caught_up(&self, partner: &str) -> bool {
        self.of_partner(partner).all(|q| q.is_done() && q.items.is_empty())
    }

    /// The partners of which [`Intake::is_caught_up`] does not hold.
    pub fn behind(&self) -> BTreeSet<Arc<str>> {
        let behind = self.queues.values().filter(|q| !q.is_done() || !q.items.is_empty());
        let sources = behind.filter_map(|q| self.sources.get(q.source));
        sources.flat_map(|source| source.partners.iter().cloned()).collect()
    }

    fn of_partner(&self, partner: &str) -> impl Iterator<Item = &Queue> {
        self.queues.values().filter(move |q| self.partners_of(q).any(|own| *own == *partner))
    }

    fn partners_of(&self, queue: &Queue) -> impl Iterator<Item = &str> {
        let source = self.sources.get(queue.source);
        source.into_iter().flat_map(|source| source.partners.iter().map(|name| &**name))
    }

    /// How far every file of a partner has been read; `None`: all to their ends.
    fn watermark(&self, partner: &str) -> Option<Option<Instant>> {
        self.of_partner(partner).filter(|q| !q.is_done()).map(|q| q.high).min()
    }

    /// Takes what is ready of every file. `now` is the moment of reading; `live`: it may be seen at once. `settle` is
    /// shown each line, behind those that were read before it: see [`crate::ledger::settling`].
    pub fn take(&mut self, now: Instant, live: bool, settle: Settle<'_>) -> Batch {
        let mut batch = Batch::default();
        for queue in self.queues.values_mut() {
            if let Some(reader) = self.readers.get(queue.source) {
                queue.rest(reader, now);
            }
        }
        // Once for each partner: there may be many files.
        let mut watermarks = BTreeMap::new();
        for partner in self.sources.iter().flat_map(|source| &source.partners) {
            let partner = &**partner;
            watermarks.entry(partner).or_insert_with(|| self.watermark(partner));
        }
        // A file of several partners waits for the files of each of them.
        let of = |q: &Queue| {
            self.partners_of(q).filter_map(|name| watermarks.get(name).copied().flatten()).min()
        };
        let files: Vec<(FileId, Option<Option<Instant>>)> =
            self.queues.iter().map(|(file, q)| (*file, of(q))).collect();
        for (file, watermark) in files {
            self.take_file(file, watermark, (now, live), settle, &mut batch);
        }
        in_order(&mut batch.events);
        batch
    }

    fn take_file(
        &mut self,
        file: FileId,
        watermark: Option<Option<Instant>>,
        (now, live): (Instant, bool),
        settle: Settle<'_>,
        batch: &mut Batch,
    ) {
        let Some(queue) = self.queues.get_mut(&file) else { return };
        let Some(source) = self.sources.get(queue.source) else { return };
        let before = queue.taken_to;
        let (mut ignored, mut events) = (0, 0);
        let ready = |item: &Item| match watermark {
            None => true,
            Some(reached) => item.stamp.is_none_or(|t| Some(t) <= reached),
        };
        while batch.events.len() + batch.rejected.len() < BATCH_ITEMS {
            let Some(item) = queue.items.pop_front_if(|item| ready(item)) else { break };
            ignored += item.noise + item.lines - 1;
            let place = Place {
                source: source.name.clone(),
                path: queue.path.clone(),
                file: file.0,
                offset: item.after.map_or(item.start, |given| given.from),
            };
            match item.what {
                Fate::Event(event, line) => {
                    events += 1;
                    let mut taking = Taking {
                        partner: source.whose(&event),
                        ours: source.ours,
                        event,
                        place: Some(place),
                        read: 0,
                        observed: now,
                        followed_since: queue.followed_since,
                        live,
                        line,
                    };
                    let tolerance = source.spec.tolerance_of(&taking.partner);
                    queue.settle(&mut taking, tolerance, &mut |t| settle(&batch.events, t));
                    batch.events.push(taking);
                }
                Fate::Rejected(rejection, line) => {
                    let rejected = reject(place, &rejection, line, now);
                    batch.count(&source.name, "lines", "rejected", 1);
                    batch.count(&source.name, "rejected", rejection.reason.as_str(), 1);
                    batch.rejected.push(rejected);
                }
            }
        }
        batch.more |= queue.items.front().is_some_and(ready);
        // What stands before the next item is noise: it is done with, also if reading is broken off here.
        let (taken_to, resumes_at) = queue.reached();
        queue.taken_to = taken_to;
        let noise = queue.items.front_mut().map_or(&mut queue.trailing, |item| &mut item.noise);
        ignored += std::mem::take(noise);
        batch.count(&source.name, "lines", "ignored", ignored);
        batch.count(&source.name, "lines", "event", events);
        batch.count(&source.name, "bytes", "", queue.taken_to.saturating_sub(before));
        if queue.taken_to != before || queue.resumes_at != resumes_at {
            queue.resumes_at = resumes_at;
            let (offset, given) = resumes_at;
            let (last, is_misread) = (queue.taken_last, queue.is_misread);
            let header = queue.state.header.as_deref().map(Into::into);
            let memo = Memo { header, last, is_misread, given }.write();
            batch.progress.push(Progress { file, offset, memo });
        }
    }
}

/// Puts lines into the order of their stamps, equal stamps as read, and numbers them as they were read.
pub fn in_order(events: &mut [Taking]) {
    for (number, taking) in (0..).zip(events.iter_mut()) {
        taking.read = number;
    }
    events.sort_by_key(|taking| taking.event.at);
}

/// A rejected line as it is kept.
pub fn reject(place: Place, rejection: &Rejection, line: Vec<u8>, now: Instant) -> Rejected {
    let detail = match rejection.column {
        Some(column) => format!("column {column}: {}", rejection.detail),
        None => rejection.detail.clone(),
    };
    Rejected { place, reason: rejection.reason.as_str().into(), detail, line, read_at: now }
}

#[cfg(test)]
mod tests;
