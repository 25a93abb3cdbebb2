//! One file on its way through: what was read of it and not taken yet.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::TimeDelta;

use super::given::Given;
use crate::event::{Body, Event};
use crate::format::{
    FileEncoding, FileState, Joiner, Part, Piece, Reader, Reading, Rejection, Told, count_lines,
};
use crate::ledger::Taking;
use crate::time::Instant;

/// How long a file must be quiet before its last record is read, although more lines of it may come.
pub const RECORD_QUIET: TimeDelta = TimeDelta::seconds(2);

/// How long a record that cannot be read is given to become whole before it is rejected, unless the next one begins.
pub const RECORD_LONGEST: TimeDelta = TimeDelta::hours(1);

/// Bytes kept of a rejected line.
pub const REJECTED_LINE_BYTES: usize = 4_096;

/// One line that is more than noise.
pub struct Item {
    /// Byte offset of the line.
    pub start: u64,
    /// What was taken before of its record.
    pub after: Option<Given>,
    /// Lines of noise between the item before and this one.
    pub noise: u64,
    /// Its own lines: several for a record of several.
    pub lines: u64,
    /// Its own stamp; a rejected line goes with the event before it.
    pub stamp: Option<Instant>,
    pub what: Fate,
}

/// What became of a line.
pub enum Fate {
    /// With the line itself where the ledger may still refuse it (a notice).
    Event(Event, Option<Vec<u8>>),
    Rejected(Rejection, Vec<u8>),
}

/// One file on its way through.
pub struct Queue {
    pub source: usize,
    pub path: Arc<str>,
    pub state: FileState,
    pub items: VecDeque<Item>,
    /// Holds back the last record, which may go on. The checkpoint does not pass its beginning.
    pub joiner: Joiner,
    /// When something was last added to it.
    pub joined_at: Option<Instant>,
    /// What was taken of the record that is held back, or of the one that is read first.
    pub given: Option<Given>,
    /// The record that is held back cannot be read; it may not be whole yet.
    pub is_put_off: bool,
    /// Lines read since the last item.
    pub trailing: u64,
    /// Offset behind the last byte read.
    pub read_to: u64,
    /// Offset behind the last line taken.
    pub taken_to: u64,
    /// Where a restart goes on, as it was told last.
    pub resumes_at: (u64, Option<Given>),
    /// Stamp of the last event taken: what the checkpoint must remember.
    pub taken_last: Option<Instant>,
    /// The latest stamp read.
    pub high: Option<Instant>,
    pub at_end: bool,
    /// Nothing complete was found at its end: it is not read again before the next look.
    pub is_stuck: bool,
    pub followed_since: Option<Instant>,
    /// It has had something to be read ever since.
    pub behind_since: Option<Instant>,
    /// Its last telling line was of another encoding than told.
    pub is_misread: bool,
    /// Another file has its place, or none.
    pub is_gone: bool,
}

impl Queue {
    /// A file of which `offset` bytes are taken, and perhaps a part of the record there; `state` knows the last event
    /// of those.
    pub fn new(
        source: usize,
        path: Arc<str>,
        state: FileState,
        (offset, given): (u64, Option<Given>),
        followed_since: Option<Instant>,
    ) -> Queue {
        Queue {
            source,
            path,
            items: VecDeque::new(),
            joiner: Joiner::default(),
            joined_at: None,
            given,
            is_put_off: false,
            trailing: 0,
            read_to: offset,
            taken_to: given.map_or(offset, |given| given.end()),
            resumes_at: (offset, given),
            taken_last: state.last,
            high: state.last,
            at_end: false,
            is_stuck: false,
            followed_since,
            behind_since: None,
            is_misread: false,
            is_gone: false,
            state,
        }
    }

    /// Takes a block of complete lines apart, but for the record at its end.
    pub fn read(
        &mut self,
        reader: &Reader,
        (offset, encoding): (u64, FileEncoding),
        block: &[u8],
        now: Instant,
    ) {
        // What was skipped (an over-long line) was read all the same.
        self.read_to = offset + block.len() as u64;
        self.joined_at = Some(now);
        self.is_put_off = false;
        let mut joiner = std::mem::take(&mut self.joiner);
        let told = encoding.parts(block, &mut |at, part| {
            let offset = offset + at as u64;
            match part {
                Part::Text(text) => {
                    let take = &mut |piece: Piece<'_>| self.take_whole(reader, &piece, now);
                    joiner.push(reader, offset, &text, take);
                }
                Part::Bad(line, rejection) => {
                    joiner.flush(&mut |piece| self.take_whole(reader, &piece, now));
                    self.refuse(offset, line, rejection);
                }
            }
        });
        self.joiner = joiner;
        match told {
            Told::Nothing => {}
            Told::Right => self.is_misread = false,
            Told::Wrong => self.is_misread = true,
        }
    }

    /// A line is of another encoding than told.
    fn refuse(&mut self, start: u64, line: &[u8], rejection: Rejection) {
        let noise = std::mem::take(&mut self.trailing);
        let what = Fate::Rejected(rejection, kept(line));
        self.items.push_back(Item { start, after: None, noise, lines: 1, stamp: None, what });
    }

    /// Whether it was read to its end, as far as lines are complete.
    pub fn is_at_end(&self) -> bool {
        self.at_end || self.is_stuck
    }

    /// Whether nothing is left that others have to wait for.
    pub fn is_done(&self) -> bool {
        self.is_at_end() && (!self.joiner.is_wanted() || self.is_put_off || !self.holds_anything())
    }

    /// Whether something is held back that was not taken yet.
    pub fn holds_anything(&self) -> bool {
        let held = self.joiner.held_from();
        held.is_some_and(|from| self.given_to(from) < self.read_to)
    }

    /// How far the record at `from` was taken.
    fn given_to(&self, from: u64) -> u64 {
        self.given.filter(|given| given.from == from).map_or(from, |given| given.end())
    }

    /// Takes the record that is held back if its file is quiet. It stays held back: more of its lines may come.
    pub fn rest(&mut self, reader: &Reader, now: Instant) {
        // A clock that was set back must not hold a record for ever.
        let is_quiet_for = |quiet| self.joined_at.is_none_or(|at| now < at || at + quiet <= now);
        let quiet = if self.is_put_off { RECORD_LONGEST } else { RECORD_QUIET };
        if !self.is_at_end() || !is_quiet_for(quiet) || !self.holds_anything() {
            return;
        }
        if self.joiner.is_full() {
            return self.flush(reader, now);
        }
        let may_be_cut_off = !is_quiet_for(RECORD_LONGEST);
        let joiner = std::mem::take(&mut self.joiner);
        if let Some(held) = joiner.held() {
            let found = read_one(reader, held.bytes, &self.state, now);
            self.is_put_off = may_be_cut_off && matches!(found, Some((Reading::Rejected(_), _)));
            if !self.is_put_off {
                self.take_whole(reader, &held, now);
                let bytes = self.read_to.saturating_sub(held.offset);
                self.given = Some(Given::new(held.offset, bytes, held.bytes));
            }
        }
        self.joiner = joiner;
    }

    /// What is held back is complete.
    pub fn flush(&mut self, reader: &Reader, now: Instant) {
        let mut joiner = std::mem::take(&mut self.joiner);
        joiner.flush(&mut |piece| self.take_whole(reader, &piece, now));
    }

    /// How far its lines were taken, and where a restart goes on: at the beginning of a record whose next lines may
    /// still come.
    pub fn reached(&self) -> (u64, (u64, Option<Given>)) {
        if let Some(item) = self.items.front() {
            return (item.start, (item.after.map_or(item.start, |given| given.from), item.after));
        }
        // The record that is held back, or the next one to be read.
        let from = self.joiner.held_from().unwrap_or(self.read_to);
        let given = self.given.filter(|given| given.from == from);
        (given.map_or(from, |given| given.end()), (from, given))
    }

    /// Reads a stamp behind the events that were taken, and lets `settle` say what is known of the line.
    pub fn settle(
        &mut self,
        taking: &mut Taking,
        tolerance: TimeDelta,
        settle: &mut dyn FnMut(&mut Taking),
    ) {
        let read = taking.event.read_after(self.taken_last, tolerance);
        settle(taking);
        // A line that is told again does not take the file back into the hour before.
        self.taken_last = Some(read.max(taking.event.at));
    }

    /// Takes whole records, but for what was taken before of the first.
    fn take_whole(&mut self, reader: &Reader, piece: &Piece, now: Instant) {
        let given = self.given.take();
        let taken = given.and_then(|given| given.of(piece.offset, piece.bytes)).map(<[u8]>::len);
        let Some((given, taken)) = given.zip(taken) else {
            return self.take_apart(reader, piece, now);
        };
        let first = reader.records(piece.bytes).next().map_or(0, |(_, record)| record.len() + 1);
        let (record, others) =
            piece.bytes.split_at_checked(first.max(taken)).unwrap_or((piece.bytes, &[]));
        self.take_more(reader, (record, given, taken), now);
        self.trailing += if others.is_empty() { piece.dropped_lines } else { 0 };
        if !others.is_empty() {
            let offset = piece.offset + record.len() as u64;
            let dropped_lines = piece.dropped_lines;
            self.take_apart(reader, &Piece { offset, bytes: others, dropped_lines }, now);
        }
    }

    /// Takes a record that has become longer than it was when it was read first. Its new lines are noise if they change
    /// nothing.
    fn take_more(
        &mut self,
        reader: &Reader,
        (record, given, taken): (&[u8], Given, usize),
        now: Instant,
    ) {
        let (before, new) = record.split_at_checked(taken).unwrap_or((record, &[]));
        if new.is_empty() {
            return;
        }
        let lines = count_lines(new) as u64;
        let read = |text| read_one(reader, text, &self.state, now);
        let was = read(before).map(|(reading, _)| reading);
        let what = read(record).and_then(|(is, line)| match (&was, &is) {
            (Some(Reading::Rejected(_)), Reading::Rejected(_)) => None,
            (Some(was), is) if was == is => None,
            _ => fate(is, &line),
        });
        let Some(what) = what else {
            self.trailing += lines;
            return;
        };
        let stamp = self.stamp_of(&what);
        let (start, after) = (given.end(), Some(given));
        let noise = std::mem::take(&mut self.trailing);
        self.items.push_back(Item { start, after, noise, lines: lines.max(1), stamp, what });
    }

    /// The stamp of an item, which is the last of the file from now on.
    fn stamp_of(&mut self, what: &Fate) -> Option<Instant> {
        let stamp = match what {
            Fate::Event(event, _) => Some(event.at),
            Fate::Rejected(..) => None,
        };
        if stamp.is_some() {
            self.state.last = stamp;
            self.high = self.high.max(stamp);
        }
        stamp
    }

    /// Finds the events of whole records.
    fn take_apart(&mut self, reader: &Reader, piece: &Piece, now: Instant) {
        let block = piece.bytes;
        let found: Vec<(usize, &[u8])> = reader.hits(block, &self.state).collect();
        let mut counted = 0;
        for (at, line) in found {
            let Some(what) = fate(reader.read(line, &self.state, now), line) else { continue };
            let stamp = self.stamp_of(&what);
            let end = at + line.len();
            let end = end + usize::from(block.get(end) == Some(&b'\r'));
            let count = |from: usize, to: usize| {
                count_lines(block.get(from..to).unwrap_or_default()) as u64
            };
            let noise = count(counted, at) + std::mem::take(&mut self.trailing);
            let lines = count(at, end).max(1);
            counted = block.len().min(end + 1);
            let start = piece.offset + at as u64;
            self.items.push_back(Item { start, after: None, noise, lines, stamp, what });
        }
        self.trailing += count_lines(block.get(counted..).unwrap_or_default()) as u64;
        self.trailing += piece.dropped_lines;
    }
}

/// What becomes of a line; nothing of noise.
fn fate(reading: Reading, line: &[u8]) -> Option<Fate> {
    match reading {
        Reading::Ignored => None,
        Reading::Event(event) => {
            let is_notice = matches!(event.body, Body::Notice(_));
            Some(Fate::Event(event, is_notice.then(|| kept(line))))
        }
        Reading::Rejected(rejection) => Some(Fate::Rejected(rejection, kept(line))),
    }
}

/// What one record says, with its text; `None` for noise.
fn read_one(
    reader: &Reader,
    record: &[u8],
    state: &FileState,
    now: Instant,
) -> Option<(Reading, Vec<u8>)> {
    let (_, line) = reader.hits(record, state).next()?;
    Some((reader.read(line, state, now), line.to_vec()))
}

/// What is kept of a line that may be wanted again.
pub(in crate::app) fn kept(line: &[u8]) -> Vec<u8> {
    line.get(..REJECTED_LINE_BYTES).unwrap_or(line).to_vec()
}
