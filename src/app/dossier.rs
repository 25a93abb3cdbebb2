//! Gathers what the case of a run is made of: entries, the ledger as it was, and what the log files hold now.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use crate::config::Config;
use crate::event::{Body, Event};
use crate::format::{FileState, Reader as LineReader, Reading};
use crate::ledger::{Answer, Entry, Ledger, What};
use crate::policy::Policy;
use crate::report::case::incident::Incident;
use crate::report::case::{CaseFile, Evidence, Line, Lines, answer_before};
use crate::run::{Place, Run};
use crate::store::{Reader, StoreError};
use crate::tail::Checkpoint;
use crate::time::Instant;

/// A line is looked for in so many bytes behind its place; a longer one is not shown.
const READ_BYTES: usize = 64 << 10;

/// Characters of a line that are shown.
pub const LINE_CHARS_MAX: usize = 2_000;

/// Stands at the end of what was cut.
const CUT: &str = " [cut]";

/// Questions about such a run are told that were asked this long before it began.
const QUESTIONS_WITHIN: TimeDelta = TimeDelta::days(1);

/// What is on record about one run, and what would have been answered just before it.
#[derive(Default)]
pub struct Dossier {
    pub entries: Vec<(u64, Entry)>,
    pub revisions: Vec<(u64, Entry)>,
    pub questions: Vec<(u64, Entry)>,
    answer: Option<Answer>,
}

impl Dossier {
    /// Reads the whole ledger once; one dossier for each run, in their order.
    ///
    /// # Errors
    /// An entry that cannot be read or does not fit the hash chain.
    pub fn of(reader: &Reader, runs: &[Run], policy: &Policy) -> Result<Vec<Dossier>, StoreError> {
        let mut dossiers: Vec<Dossier> = runs.iter().map(|_| Dossier::default()).collect();
        let (mut ledger, mut number) = (Ledger::default(), 0);
        reader.walk(|entry| {
            number += 1;
            for (run, dossier) in runs.iter().zip(&mut dossiers) {
                dossier.take(run, policy, number, &entry, &ledger);
            }
            ledger.adopt(&entry);
        })?;
        Ok(dossiers)
    }

    /// Keeps an entry if it is about the run; `before` is everything before it.
    fn take(&mut self, run: &Run, policy: &Policy, number: u64, entry: &Entry, before: &Ledger) {
        if matches!(&entry.what, What::Started { run: begun, .. } if begun.no == run.no) {
            self.answer = answer_before(policy, run, before);
        }
        let kept = if entry.what.run() == Some(run.no) || is_approval_of(entry, run) {
            &mut self.entries
        } else if is_of_its_change(entry, run) {
            &mut self.revisions
        } else if is_question_before(entry, run) {
            &mut self.questions
        } else {
            return;
        };
        kept.push((number, entry.clone()));
    }

    /// The case. `counted`: nanoseconds in business hours and outside the windows.
    pub fn case(&self, run: &Run, counted: (i64, i64), config: &Config, lines: &Lines) -> CaseFile {
        CaseFile::new(&self.evidence(run, counted, config, lines))
    }

    /// The timeline of events.
    pub fn incident(&self, run: &Run, config: &Config, lines: &Lines) -> Incident {
        Incident::new(&self.evidence(run, (0, 0), config, lines))
    }

    fn evidence<'a>(
        &'a self,
        run: &'a Run,
        counted: (i64, i64),
        config: &'a Config,
        lines: &'a Lines,
    ) -> Evidence<'a> {
        Evidence {
            run,
            counted: (counted.0.into(), counted.1.into()),
            entries: &self.entries,
            revisions: &self.revisions,
            questions: &self.questions,
            answer: self.answer.as_ref(),
            policy: &config.policy,
            lines,
        }
    }

    /// What the log files hold now at the places of the entries. A line counts as the same if it is still read as
    /// the event that was put on record: other bytes at the same place are told apart from it.
    pub fn lines(&self, run: &Run, config: &Config, checkpoints: &[Checkpoint]) -> Lines {
        let mut lines = Lines::new();
        for (_, entry) in self.entries.iter().chain(&self.revisions) {
            let (Some(place), Some(stamp)) = (entry.what.place(), stamp_of(&entry.what)) else {
                continue;
            };
            let source = config.sources.iter().find(|source| source.name == place.source);
            let Some(source) = source.filter(|source| source.spec.document.is_none()) else {
                continue;
            };
            let reader = LineReader::new(source.spec.clone());
            let near = run.observed;
            let found = paths(place, checkpoints).find_map(|path| {
                line_at(&path, place.offset, &reader, |event| is_it(event, stamp), near)
            });
            let line = found.map_or(Line::Gone, |text| Line::Same(cut(&text)));
            lines.insert((place.file, place.offset), line);
        }
        lines
    }
}

fn is_of_its_change(entry: &Entry, run: &Run) -> bool {
    matches!(&entry.what, What::Revised { change_id, .. }
        if entry.partner == run.partner && Some(change_id) == run.change())
}

/// An approval that names the run's change or id.
fn is_approval_of(entry: &Entry, run: &Run) -> bool {
    let What::Approved { change_id, run_id, .. } = &entry.what else { return false };
    let names_change = change_id.is_some() && change_id.as_ref() == run.change();
    let names_run = run_id.is_some() && *run_id == run.run_id;
    entry.partner == run.partner && (names_change || names_run)
}

fn is_question_before(entry: &Entry, run: &Run) -> bool {
    let What::Asked(asked) = &entry.what else { return false };
    let is_about = entry.partner == run.partner
        && asked.procedure == run.procedure
        && asked.service == run.service;
    is_about && asked.at <= run.start && run.start - QUESTIONS_WITHIN <= asked.at
}

/// The instant that the line of an entry is known by.
fn stamp_of(what: &What) -> Option<Instant> {
    match what {
        What::Started { run, .. } => Some(run.stamped),
        What::Phase { phase, .. } => Some(phase.at),
        What::Ended { at, .. } | What::Verified { at, .. } | What::Approved { at, .. } => Some(*at),
        What::Revised { revision, .. } => Some(revision.stamp),
        _ => None,
    }
}

fn is_it(event: &Event, stamp: Instant) -> bool {
    let end = match &event.body {
        Body::Run(line) => line.whole.map(|(_, end)| end),
        Body::Notice(_) => None,
    };
    event.readings().chain(end).any(|t| t == stamp)
}

/// Where the file was when the line was read, and where it was followed last.
fn paths<'a>(
    place: &'a Place,
    checkpoints: &'a [Checkpoint],
) -> impl Iterator<Item = PathBuf> + use<'a> {
    let known = checkpoints.iter().filter(|c| c.file.0 == place.file).map(|c| c.path.clone());
    std::iter::once(PathBuf::from(&*place.path)).chain(known)
}

/// The record at a place of a file, if it is read as what it should be. A file that cannot be read holds nothing.
fn line_at(
    path: &Path,
    offset: u64,
    reader: &LineReader,
    is_it: impl Fn(&Event) -> bool,
    near: Instant,
) -> Option<String> {
    // Opening a pipe would wait for whoever writes to it.
    std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?;
    let file = File::open(path).ok()?;
    let mut state = FileState::default();
    let head = bytes_at(&file, 0)?;
    let encoding = reader.encoding_of(&head, false);
    if reader.needs_header() {
        let head = encoding.lossy(&head);
        let header = head.split(|b| *b == b'\n').next()?;
        state = FileState::with_header(reader, header).ok()?;
    }
    let bytes = encoding.lossy(&bytes_at(&file, offset)?);
    let (_, record) = reader.records(&bytes).next()?;
    match reader.read(record, &state, near) {
        Reading::Event(event) if is_it(&event) => {
            Some(String::from_utf8_lossy(record.trim_ascii_end()).into_owned())
        }
        _ => None,
    }
}

fn bytes_at(file: &File, offset: u64) -> Option<Vec<u8>> {
    let mut bytes = vec![0; READ_BYTES];
    let n = file.read_at(&mut bytes, offset).ok()?;
    bytes.truncate(n);
    Some(bytes)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(LINE_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}{CUT}", text.get(..end).unwrap_or_default()),
    }
}
