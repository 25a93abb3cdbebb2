//! Judging finished logs: every line of every file, in the order of the stamps.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::documents;
use crate::app::intake::in_order;
use crate::config::{Config, Source};
use crate::event::{Body, Event};
use crate::format::{
    FileEncoding, FileState, Joiner, Part, Piece, Reader, Reading, Reason, Rejection, count_lines,
};
use crate::ledger::settling::Readings;
use crate::ledger::{Draft, Evidence, Ledger, Taken, Taking, judging};
use crate::policy::Policy;
use crate::report::run::RunReport;
use crate::run::{Place, Run};
use crate::time::Instant;
use crate::verdict::Verdict;

/// Bytes read from a file at a time.
const BLOCK_BYTES: usize = 1 << 20;

/// A log and the source that says how to read it.
pub struct Log<'a> {
    pub path: PathBuf,
    pub source: &'a Source,
}

/// What was read, by its fate.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Counts {
    pub lines: u64,
    pub events: u64,
    pub ignored: u64,
    /// Rejected lines by reason.
    pub rejected: BTreeMap<&'static str, u64>,
    /// Irregularities by kind.
    pub irregularities: BTreeMap<&'static str, u64>,
}

/// A line that was rejected, for people.
#[derive(Clone, Debug)]
pub struct RejectedLine {
    pub path: PathBuf,
    pub offset: u64,
    pub rejection: Rejection,
}

/// Everything that a replay brought to light.
pub struct Outcome {
    /// By start, then as read.
    pub runs: Vec<(Arc<Run>, RunReport)>,
    pub counts: Counts,
    pub rejected: Vec<RejectedLine>,
    /// Which of the keys that are named no record of a source has had, as sentences.
    pub unseen: Vec<(Arc<str>, String)>,
}

impl Outcome {
    /// Whether any run is in violation.
    pub fn has_violation(&self) -> bool {
        self.runs.iter().any(|(run, _)| run.verdict() == Verdict::Violation)
    }
}

/// An I/O error and the file that it is about.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Unreadable {
    pub path: PathBuf,
    pub source: std::io::Error,
}

/// Rejected lines that are kept to be shown.
const REJECTED_SHOWN: usize = 1_000;

/// Reads and judges `logs`. Lines stamped after `until` have not happened. `progress` is told of bytes read.
///
/// # Errors
/// A file that cannot be read.
pub fn replay(
    config: &Config,
    logs: &[Log],
    until: Option<Instant>,
    mut progress: impl FnMut(u64),
) -> Result<Outcome, Unreadable> {
    let mut intake = Intake::new(&config.policy, until);
    for log in logs {
        intake
            .read(log, &mut progress)
            .map_err(|source| Unreadable { path: log.path.clone(), source })?;
    }
    Ok(intake.judge(config))
}

struct Intake<'c> {
    policy: &'c Policy,
    until: Option<Instant>,
    /// As read; also those that have not happened.
    events: Vec<Taking>,
    readings: Readings,
    counts: Counts,
    rejected: Vec<RejectedLine>,
    readers: BTreeMap<Arc<str>, Arc<Reader>>,
    /// The latest stamp of all events and of each file's last line.
    clock: Option<Instant>,
}

impl<'c> Intake<'c> {
    fn new(policy: &'c Policy, until: Option<Instant>) -> Intake<'c> {
        Intake {
            policy,
            until,
            events: Vec::new(),
            readings: Readings::default(),
            counts: Counts::default(),
            rejected: Vec::new(),
            readers: BTreeMap::new(),
            clock: None,
        }
    }

    fn read(&mut self, log: &Log, progress: &mut impl FnMut(u64)) -> std::io::Result<()> {
        if log.source.spec.document.is_some() {
            return self.read_document(log, progress);
        }
        let mut file = File::open(&log.path)?;
        let near = match self.until {
            Some(until) => until,
            None => file.metadata()?.modified()?.into(),
        };
        let reader = self.reader(log.source);
        let mut reading = LogReading {
            log,
            path: log.path.to_string_lossy().into(),
            reader: &reader,
            state: None,
            near,
            offset: 0,
            last: Vec::new(),
            last_event: None,
            ends_with_event: false,
        };
        let mut joiner = Joiner::default();
        let mut pending: Vec<u8> = Vec::new();
        let mut encoding = None;
        loop {
            let old = pending.len();
            pending.resize(old + BLOCK_BYTES, 0);
            let n = file.read(pending.get_mut(old..).unwrap_or_default())?;
            pending.truncate(old + n);
            progress(n as u64);
            let told = log.source.spec.encoding;
            let encoding = *encoding.get_or_insert_with(|| FileEncoding::of(told, &pending, false));
            let end = match n {
                // A finished log may lack its last line break.
                0 => pending.len(),
                _ => encoding.last_end(&pending).unwrap_or(0),
            };
            let block = pending.get(..end).unwrap_or_default();
            let offset = reading.offset;
            reading.offset += end as u64;
            encoding.parts(block, &mut |at, part| {
                let offset = offset + at as u64;
                match part {
                    Part::Text(text) => {
                        self.counts.lines += count_lines(&text) as u64;
                        let take = &mut |piece: Piece<'_>| {
                            reading.records(piece.bytes, piece.offset, self)
                        };
                        joiner.push(&reader, offset, &text, take);
                    }
                    Part::Bad(_, rejection) => {
                        joiner.flush(&mut |piece| reading.records(piece.bytes, piece.offset, self));
                        self.counts.lines += 1;
                        self.reject(&log.path, offset, rejection);
                    }
                }
            });
            pending.drain(..end);
            if n == 0 {
                joiner.flush(&mut |piece| reading.records(piece.bytes, piece.offset, self));
                break;
            }
        }
        self.reach(reading.last_stamp());
        Ok(())
    }

    /// One reader for all logs of a source: it knows which keys none of them had.
    fn reader(&mut self, source: &Source) -> Arc<Reader> {
        let make = || Arc::new(Reader::new(source.spec.clone()));
        Arc::clone(self.readers.entry(source.name.clone()).or_insert_with(make))
    }

    fn read_document(&mut self, log: &Log, progress: &mut impl FnMut(u64)) -> std::io::Result<()> {
        let (bytes, written) = documents::read(&log.path)?;
        progress(bytes.len() as u64);
        let reader = self.reader(log.source);
        let records = reader.read_document(&bytes, written);
        let path: Arc<str> = log.path.to_string_lossy().into();
        for record in records.map_err(|r| std::io::Error::other(r.detail))? {
            self.counts.lines += 1;
            match record.reading {
                Reading::Ignored => {}
                Reading::Rejected(rejection) => self.reject(&log.path, record.offset, rejection),
                Reading::Event(event) => {
                    let source = log.source.name.clone();
                    let place =
                        Place { source, path: path.clone(), file: 0, offset: record.offset };
                    self.take(log.source, event, place);
                }
            }
        }
        Ok(())
    }

    fn reach(&mut self, t: Option<Instant>) {
        if t.is_some_and(|t| self.until.is_none_or(|until| t <= until)) {
            self.clock = self.clock.max(t);
        }
    }

    /// Gives back the stamp, which is settled now.
    fn take(&mut self, source: &Source, event: Event, place: Place) -> Instant {
        self.counts.events += 1;
        let mut taking = Taking {
            partner: source.whose(&event),
            ours: source.ours,
            read: 0,
            observed: event.at,
            event,
            place: Some(place),
            followed_since: None,
            live: false,
            line: None,
        };
        self.readings.settle(self.policy, &self.events, &mut taking, &mut |_| false);
        let at = taking.event.at;
        taking.observed = at;
        if self.until.is_none_or(|until| at <= until) {
            self.reach(Some(at));
            if let Body::Run(line) = &taking.event.body {
                self.reach(line.whole.map(|(_, end)| end));
            }
        }
        self.events.push(taking);
        at
    }

    fn reject(&mut self, path: &Path, offset: u64, rejection: Rejection) {
        *self.counts.rejected.entry(rejection.reason.as_str()).or_default() += 1;
        if self.rejected.len() < REJECTED_SHOWN {
            self.rejected.push(RejectedLine { path: path.into(), offset, rejection });
        }
    }

    fn judge(mut self, config: &Config) -> Outcome {
        let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Stamps);
        let mut events = std::mem::take(&mut self.events);
        events.retain(|taking| self.until.is_none_or(|until| taking.event.at <= until));
        in_order(&mut events);
        // What was on record is decided by the stamps, so all notices come first.
        let (notices, lines): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|t| matches!(t.event.body, Body::Notice(_)));
        draft.expect(&config.policy, &lines);
        for taking in notices.iter().chain(&lines) {
            let taken = draft.take(&config.policy, taking);
            self.counts.events -= u64::from(matches!(taken, Ok(Taken::Known) | Err(_)));
            if let Err(bad) = taken {
                let place = taking.place.as_ref();
                let path = PathBuf::from(place.map_or("", |p| &*p.path));
                let rejection = Rejection::new(Reason::BadPlan, bad.to_string());
                self.reject(&path, place.map_or(0, |p| p.offset), rejection);
            }
            draft.drain();
        }
        let clock = self.until.or(self.clock);
        if let Some(clock) = clock {
            for partner in &config.policy.partners {
                draft.advance(&config.policy, &partner.name, clock, clock, true);
            }
        }
        self.finish(config, draft.ledger(), clock)
    }

    fn finish(mut self, config: &Config, ledger: &Ledger, clock: Option<Instant>) -> Outcome {
        let mut runs: Vec<Arc<Run>> = ledger.runs().cloned().collect();
        runs.sort_by_key(|run| (run.start, run.no));
        let report = |run: &Arc<Run>| {
            let partner = config.policy.partner(&run.partner);
            let terms = partner.map(|p| p.terms(run.service.as_deref(), &run.procedure));
            let clock = clock.unwrap_or(run.start);
            let (business, outside) =
                terms.map_or((0, 0), |t| judging::time_counted(run, t, clock));
            RunReport::new(run, business, outside)
        };
        for sums in ledger.board().partners.values() {
            for (kind, n) in &sums.irregularities {
                *self.counts.irregularities.entry(kind.as_str()).or_default() += n;
            }
        }
        let rejected: u64 = self.counts.rejected.values().sum();
        self.counts.ignored = self.counts.lines - self.counts.events - rejected;
        let runs = runs.into_iter().map(|run| (run.clone(), report(&run))).collect();
        let told = |(name, reader): (&Arc<str>, &Arc<Reader>)| {
            reader.unseen().into_iter().map(|detail| (name.clone(), detail)).collect::<Vec<_>>()
        };
        let unseen = self.readers.iter().flat_map(told).collect();
        Outcome { runs, counts: self.counts, rejected: self.rejected, unseen }
    }
}

/// One log while it is being read.
struct LogReading<'a> {
    log: &'a Log<'a>,
    path: Arc<str>,
    reader: &'a Reader,
    /// `None`: nothing has been read yet.
    state: Option<FileState>,
    /// The moment to which stamps without a year are near.
    near: Instant,
    /// Of the next block in the file.
    offset: u64,
    /// The last line (record, where lines are joined) that is not blank.
    last: Vec<u8>,
    /// The stamp of the last event.
    last_event: Option<Instant>,
    /// The last line is that event.
    ends_with_event: bool,
}

impl LogReading<'_> {
    /// Takes whole records apart; `offset` is where they begin in the file.
    fn records(&mut self, block: &[u8], offset: u64, intake: &mut Intake<'_>) {
        if block.is_empty() {
            return;
        }
        let mut state = match self.state.take() {
            Some(state) => state,
            None => self.first_state(block),
        };
        let mut accepted = state.last;
        let mut last_at = None;
        // Candidates borrow the state that they were found with; stamps need the latest one.
        let found: Vec<(usize, &[u8])> = self.reader.hits(block, &state).collect();
        for (at, line) in found {
            let offset = offset + at as u64;
            state.last = accepted;
            match self.reader.read(line, &state, self.near) {
                Reading::Ignored => {}
                Reading::Rejected(rejection) => {
                    intake.reject(&self.log.path, offset, rejection);
                }
                Reading::Event(event) => {
                    let read = event.at;
                    let source = self.log.source;
                    let place = Place {
                        source: source.name.clone(),
                        path: self.path.clone(),
                        file: 0,
                        offset,
                    };
                    let settled = intake.take(source, event, place);
                    // A line that is told again does not take the file back into the hour before.
                    accepted = Some(read.max(settled));
                    (self.last_event, last_at) = (Some(settled), Some(at));
                }
            }
        }
        state.last = accepted;
        self.state = Some(state);
        if let Some(last) = self.reader.last_record(block) {
            self.last = last.to_vec();
            let start = block.trim_ascii_end().len() - last.len();
            self.ends_with_event = last_at == Some(start);
        }
    }

    /// The stamp of the last line; that of an event has been settled and counted.
    fn last_stamp(self) -> Option<Instant> {
        if self.ends_with_event {
            return None;
        }
        let mut state = self.state.unwrap_or_default();
        state.last = self.last_event;
        self.reader.stamp(&self.last, &state, self.near)
    }

    fn first_state(&self, block: &[u8]) -> FileState {
        let first = block.split(|b| *b == b'\n').next().unwrap_or_default();
        FileState::with_header(self.reader, first)
            .unwrap_or_else(|rejection| FileState::without_header(first, rejection))
    }
}
