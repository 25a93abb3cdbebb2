//! One file on its way through: what was read of it and not taken yet.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::event::{Body, Event};
use crate::format::{
    FileEncoding, FileState, Joiner, Part, Piece, Reader, Reading, Rejection, Told, count_lines,
};
use crate::ledger::Taking;
use crate::time::Instant;

/// How long a file must be quiet before its last line counts as the end of a record: whoever writes a record of
/// several lines is done with it by then.
pub const RECORD_QUIET: TimeDelta = TimeDelta::seconds(2);

/// Bytes kept of a rejected line.
pub const REJECTED_LINE_BYTES: usize = 4_096;

/// One line that is more than noise.
pub struct Item {
    /// Byte offset of the line.
    pub start: u64,
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
    /// Lines read since the last item.
    pub trailing: u64,
    /// Offset behind the last byte read.
    pub read_to: u64,
    /// Offset behind the last line taken.
    pub taken_to: u64,
    /// Stamp of the last event taken: what the checkpoint must remember.
    pub taken_last: Option<Instant>,
    /// The latest stamp read.
    pub high: Option<Instant>,
    pub at_end: bool,
    /// Nothing complete was found at its end: it is not read again before the next look.
    pub is_stuck: bool,
    pub followed_since: Option<Instant>,
    /// Its last telling line was of another encoding than told.
    pub is_misread: bool,
}

impl Queue {
    /// A file of which `offset` bytes are taken; `state` knows the last event of those.
    pub fn new(
        source: usize,
        path: Arc<str>,
        state: FileState,
        offset: u64,
        followed_since: Option<Instant>,
    ) -> Queue {
        Queue {
            source,
            path,
            items: VecDeque::new(),
            joiner: Joiner::default(),
            joined_at: None,
            trailing: 0,
            read_to: offset,
            taken_to: offset,
            taken_last: state.last,
            high: state.last,
            at_end: false,
            is_stuck: false,
            followed_since,
            is_misread: false,
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
        let mut joiner = std::mem::take(&mut self.joiner);
        let told = encoding.parts(block, &mut |at, part| {
            let offset = offset + at as u64;
            match part {
                Part::Text(text) => {
                    let take = &mut |piece: Piece<'_>| self.take_apart(reader, &piece, now);
                    joiner.push(reader, offset, &text, take);
                }
                Part::Bad(line, rejection) => {
                    joiner.flush(&mut |piece| self.take_apart(reader, &piece, now));
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
        self.items.push_back(Item { start, noise, lines: 1, stamp: None, what });
    }

    /// Whether it was read to its end, as far as lines are complete.
    pub fn is_at_end(&self) -> bool {
        self.at_end || self.is_stuck
    }

    /// Whether nothing is left that others have to wait for.
    pub fn is_done(&self) -> bool {
        self.is_at_end() && !self.joiner.is_wanted()
    }

    /// Whether the record that is held back will not go on.
    pub fn is_quiet(&self, now: Instant) -> bool {
        // A clock that was set back must not hold a record for ever.
        self.is_at_end() && self.joined_at.is_none_or(|at| now < at || at + RECORD_QUIET <= now)
    }

    /// What is held back is complete.
    pub fn flush(&mut self, reader: &Reader, now: Instant) {
        let mut joiner = std::mem::take(&mut self.joiner);
        joiner.flush(&mut |piece| self.take_apart(reader, &piece, now));
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

    /// Finds the events of whole records.
    fn take_apart(&mut self, reader: &Reader, piece: &Piece, now: Instant) {
        let block = piece.bytes;
        let found: Vec<(usize, &[u8])> = reader.hits(block, &self.state).collect();
        let mut counted = 0;
        for (at, line) in found {
            let what = match reader.read(line, &self.state, now) {
                Reading::Ignored => continue,
                Reading::Event(event) => {
                    let is_notice = matches!(event.body, Body::Notice(_));
                    Fate::Event(event, is_notice.then(|| kept(line)))
                }
                Reading::Rejected(rejection) => Fate::Rejected(rejection, kept(line)),
            };
            let stamp = match &what {
                Fate::Event(event, _) => Some(event.at),
                Fate::Rejected(..) => None,
            };
            if stamp.is_some() {
                self.state.last = stamp;
                self.high = self.high.max(stamp);
            }
            let end = at + line.len();
            let end = end + usize::from(block.get(end) == Some(&b'\r'));
            let count = |from: usize, to: usize| {
                count_lines(block.get(from..to).unwrap_or_default()) as u64
            };
            let noise = count(counted, at) + std::mem::take(&mut self.trailing);
            let lines = count(at, end).max(1);
            counted = block.len().min(end + 1);
            let start = piece.offset + at as u64;
            self.items.push_back(Item { start, noise, lines, stamp, what });
        }
        self.trailing += count_lines(block.get(counted..).unwrap_or_default()) as u64;
        self.trailing += piece.dropped_lines;
    }
}

/// What is kept of a line that may be wanted again.
pub(in crate::app) fn kept(line: &[u8]) -> Vec<u8> {
    line.get(..REJECTED_LINE_BYTES).unwrap_or(line).to_vec()
}
