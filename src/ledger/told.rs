//! What was told already: a line that is delivered again adds nothing.
//!
//! Every line that was taken leaves a [`Mark`] or more: its stamp, and a digest of what makes it the line that it is.
//! A log that is read for the first time comes in the order of its stamps, so its marks are newer than all that are
//! kept here, and the store is not asked. Only for a line that is older than those in memory the store is asked, in an
//! index that is sorted by stamps: see [`Draft::unsure`].
//!
//! What makes two lines the same:
//! - a start: partner, run id, service and stamp; without an id: everything that the line says, also whether it tells
//!   a whole run;
//! - a one-line run: partner, run id, service, start and end; without an id: everything that the line says but the
//!   moment at which it was written;
//! - an end, a phase, a verification, an approval: likewise, each with its stamp.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::event::{Event, Kind, Notice, RunLine};
use crate::ledger::draft::{Draft, Taking};
use crate::ledger::{Entry, What};
use crate::policy::Policy;
use crate::run::{Irregularity, Run};
use crate::time::{Instant, rfc3339};

/// Marks kept in memory for each partner: the newest by their stamps.
pub const MARKS_KEPT: usize = 16_384;

/// That something was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark {
    /// Stamp in microseconds since 1970, the order of the index. The digest has the exact stamp.
    pub at: i64,
    /// First 64 bits of a SHA-256 over what makes the line the line that it is.
    pub digest: i64,
}

/// Collects what makes a line the line that it is.
struct Digester(Sha256);

impl Digester {
    fn new(kind: &str) -> Digester {
        Digester(Sha256::new()).with(Some(kind))
    }

    /// Each text with its length, so that no two lists of texts look alike.
    fn with(mut self, text: Option<&str>) -> Digester {
        let length = text.map_or(u64::MAX, |text| text.len() as u64);
        self.0.update(length.to_le_bytes());
        self.0.update(text.unwrap_or_default());
        self
    }

    fn at(mut self, t: Instant) -> Digester {
        self.0.update(t.timestamp().to_le_bytes());
        self.0.update(t.timestamp_subsec_nanos().to_le_bytes());
        self
    }

    fn mark(self, at: Instant) -> Mark {
        let [a, b, c, d, e, f, g, h, ..]: [u8; 32] = self.at(at).0.finalize().into();
        let digest = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
        Mark { at: at.timestamp_micros(), digest }
    }
}

/// The marks that are known of one partner without asking the store.
#[derive(Clone, Debug)]
pub(super) struct Marks {
    /// Every mark with a stamp at or after this is in `recent`.
    floor: i64,
    recent: BTreeSet<Mark>,
    /// Older ones that the store may not have yet.
    early: HashSet<Mark>,
    /// Older ones that the store has, of lines that are about to be taken.
    recalled: HashSet<Mark>,
    /// Since the last call of [`Marks::drain`].
    fresh: Vec<Mark>,
}

impl Default for Marks {
    fn default() -> Marks {
        let none = Vec::new();
        Marks {
            floor: i64::MIN,
            recent: BTreeSet::new(),
            early: HashSet::new(),
            recalled: HashSet::new(),
            fresh: none,
        }
    }
}

impl Marks {
    fn has(&self, mark: &Mark) -> bool {
        self.recent.contains(mark) || self.early.contains(mark) || self.recalled.contains(mark)
    }

    fn is_unsure(&self, mark: &Mark) -> bool {
        mark.at < self.floor && !self.has(mark)
    }

    fn add(&mut self, mark: Mark) {
        let is_new = match self.floor <= mark.at {
            true => self.recent.insert(mark),
            false => !self.recalled.contains(&mark) && self.early.insert(mark),
        };
        if is_new {
            self.fresh.push(mark);
        }
    }

    /// The marks to be stored; of the older ones no more than `keep` stay in memory.
    fn drain(&mut self, keep: usize) -> Vec<Mark> {
        let fresh = std::mem::take(&mut self.fresh);
        self.recalled.clear();
        self.early.clear();
        while keep < self.recent.len() {
            let Some(oldest) = self.recent.pop_first() else { break };
            self.floor = oldest.at.saturating_add(1);
        }
        // Those that the store is about to get, and that are not in memory any more.
        self.early.extend(fresh.iter().filter(|mark| mark.at < self.floor));
        fresh
    }
}

impl Draft {
    /// The newest marks of a partner that the store has; `all`: it has no others.
    pub fn remember_told(&mut self, partner: &Arc<str>, marks: Vec<Mark>, all: bool) {
        let known = self.told.entry(partner.clone()).or_default();
        known.floor = match marks.iter().map(|mark| mark.at).min() {
            Some(oldest) if !all => oldest.saturating_add(1),
            _ => i64::MIN,
        };
        let floor = known.floor;
        known.recent.extend(marks.into_iter().filter(|mark| floor <= mark.at));
    }

    /// The marks of a line that only the store can know. Mostly none: the line is newer than those in memory.
    pub fn unsure(&self, policy: &Policy, taking: &Taking) -> Vec<Mark> {
        let Some(known) = self.told.get(&taking.partner) else { return Vec::new() };
        if known.floor == i64::MIN {
            return Vec::new();
        }
        let mut marks = Vec::new();
        for at in taking.event.readings() {
            marks.extend(marks_of(policy, taking, at));
        }
        marks.retain(|mark| known.is_unsure(mark));
        marks
    }

    /// The store has this mark.
    pub fn recall(&mut self, partner: &Arc<str>, mark: Mark) {
        self.told.entry(partner.clone()).or_default().recalled.insert(mark);
    }

    /// The marks since the last call, to be stored with the entries.
    pub fn drain_told(&mut self) -> Vec<(Arc<str>, Mark)> {
        let keep = if self.ledger.keeps_all() { usize::MAX } else { MARKS_KEPT };
        let mut drained = Vec::new();
        for (partner, marks) in &mut self.told {
            drained.extend(marks.drain(keep).into_iter().map(|mark| (partner.clone(), mark)));
        }
        drained
    }

    /// Whether a line that leaves this mark is on record; `None`: only the store knows.
    pub fn knows(&self, partner: &str, mark: &Mark) -> Option<bool> {
        let Some(known) = self.told.get(partner) else { return Some(false) };
        (!known.is_unsure(mark)).then(|| known.has(mark))
    }

    pub(super) fn was_told(&self, partner: &str, mark: &Mark) -> bool {
        self.told.get(partner).is_some_and(|known| known.has(mark))
    }

    /// Whether a line that found no open run is on record by its id and stamp: without a service, or for another one.
    pub(super) fn was_told_for_others(
        &self,
        policy: &Policy,
        taking: &Taking,
        line: &RunLine,
    ) -> bool {
        if line.run_id.is_none() {
            return false;
        }
        let others = policy.services.iter().map(|service| vec![Box::from(&*service.name)]);
        std::iter::once(Vec::new()).chain(others).any(|services| {
            let line = RunLine { services, ..line.clone() };
            let mut marks = taking.event.readings().flat_map(|at| of_later(&line, at));
            marks.any(|mark| self.was_told(&taking.partner, &mark))
        })
    }

    pub(super) fn note_told(&mut self, partner: &Arc<str>, mark: Mark) {
        self.told.entry(partner.clone()).or_default().add(mark);
    }

    /// Counts a line that was told before. Of one file and commit they are put on record together: a log that is
    /// delivered again may have a million of them.
    pub(super) fn note_repeated(&mut self, clock: Instant, taking: &Taking) {
        let file = |place: &crate::run::Place| (place.file, place.path.clone());
        if let Some(last) = self.entries.last_mut()
            && last.partner == taking.partner
            && let What::Irregular { kind: Irregularity::Repeated, times, place, .. } =
                &mut last.what
            && place.as_ref().map(file) == taking.place.as_ref().map(file)
        {
            *times += 1;
            return self.ledger.repeated_once_more(&taking.partner);
        }
        let detail = format!("stamped {}, on record already", rfc3339(taking.event.at));
        self.irregular(clock, taking, Irregularity::Repeated, detail);
    }
}

/// What a line would leave, stamped `at`.
pub(super) fn marks_of(policy: &Policy, taking: &Taking, at: Instant) -> Vec<Mark> {
    match &taking.event.body {
        crate::event::Body::Notice(notice) if notice.is_record => Vec::new(),
        crate::event::Body::Notice(notice) => vec![of_notice(notice, at)],
        crate::event::Body::Run(line) => {
            let services = super::pairing::services_of(policy, taking, line);
            let readings = |whole| readings_of(&taking.event, whole);
            let mut marks: Vec<Mark> = match (line.kind, line.whole) {
                (Kind::Started, _) => services.iter().map(|s| of_start(line, s, at)).collect(),
                (_, Some(whole)) => {
                    let of = |service| readings(whole).map(move |w| of_whole(line, service, w));
                    services.iter().flat_map(of).collect()
                }
                _ => return of_later(line, at),
            };
            match line.whole {
                Some(whole) => marks.extend(readings(whole).filter_map(|w| of_all(line, w))),
                None => marks.extend(of_all(line, (at, at))),
            }
            marks
        }
    }
}

/// A start for one service. An id says which run it is; without one everything that the line says does.
pub(super) fn of_start(line: &RunLine, service: &Option<Arc<str>>, at: Instant) -> Mark {
    let digest = Digester::new("start").with(line.run_id.as_deref()).with(service.as_deref());
    without_id(digest, line).mark(at)
}

/// A line that names no service, with the start and the end that it tells (a start: twice itself). It is the same line
/// whichever services its procedure has when it comes again.
pub(super) fn of_all(line: &RunLine, (start, end): (Instant, Instant)) -> Option<Mark> {
    let kind = match line.kind {
        Kind::Started => "start of all",
        _ => "whole of all",
    };
    let digest = Digester::new(kind).with(line.run_id.as_deref());
    let digest = match line.run_id {
        Some(_) => digest,
        None => without_id(digest.with(Some(line.kind.as_str())), line),
    };
    line.services.is_empty().then(|| digest.at(end).mark(start))
}

/// A one-line run of one service.
pub(super) fn of_whole(
    line: &RunLine,
    service: &Option<Arc<str>>,
    (start, end): (Instant, Instant),
) -> Mark {
    let digest = Digester::new("whole").with(line.run_id.as_deref()).with(service.as_deref());
    let digest = match line.run_id {
        Some(_) => digest,
        None => without_id(digest.with(Some(line.kind.as_str())), line),
    };
    digest.at(end).mark(start)
}

/// The spans that a line may mean that tells a run whole: the first is what it was read as. Where its stamp could be read
/// twice, so may its start and its end.
pub(super) fn readings_of(
    event: &Event,
    (start, end): (Instant, Instant),
) -> impl Iterator<Item = (Instant, Instant)> {
    let other = event.other_reading.map(|other| other.at - event.at);
    let others = other.map(|by| [(start + by, end + by), (start, end + by), (start + by, end)]);
    std::iter::once((start, end)).chain(others.into_iter().flatten())
}

/// A run whose start and end were told by two lines: who tells it in one tells the same.
pub(super) fn of_ended(run: &Run, end: Instant) -> Option<Mark> {
    let id = run.run_id.as_deref()?;
    let digest = Digester::new("whole").with(Some(id)).with(run.service.as_deref());
    Some(digest.at(end).mark(run.start))
}

/// A line about what began before: one mark for each service that it names, or one.
pub(super) fn of_later(line: &RunLine, at: Instant) -> Vec<Mark> {
    let mark = |service: Option<&str>| {
        let kind = if line.kind.is_end() { "end" } else { line.kind.as_str() };
        let digest = Digester::new(kind).with(line.run_id.as_deref()).with(service);
        let digest = match (&line.run_id, line.kind) {
            (None, _) => without_id(digest.with(Some(line.kind.as_str())), line),
            (Some(_), Kind::Approved) => digest.with(line.change_id.as_deref()),
            (Some(_), _) => digest.with(line.phase.as_deref().filter(|_| !line.kind.is_end())),
        };
        digest.mark(at)
    };
    match line.services.as_slice() {
        [] => vec![mark(None)],
        named => named.iter().map(|service| mark(Some(service))).collect(),
    }
}

fn without_id(digest: Digester, line: &RunLine) -> Digester {
    match line.run_id {
        Some(_) => digest,
        None => digest
            .with(line.procedure.as_deref())
            .with(line.change_id.as_deref())
            .with(Some(line.trigger.as_str()))
            .with(line.phase.as_deref())
            .with(line.outcome.as_deref()),
    }
}

/// A change notice.
pub(super) fn of_notice(notice: &Notice, at: Instant) -> Mark {
    let mut digest = Digester::new("notice")
        .with(Some(&notice.change_id))
        .with(notice.slot.as_deref())
        .with(notice.revision.map(|number| number.to_string()).as_deref())
        .with(notice.status.map(|status| status.as_str()))
        .with(notice.change_type.map(|kind| kind.as_str()))
        .with(notice.accepted.then_some("accepted"))
        .with(notice.planned_start.map(rfc3339).as_deref())
        .with(notice.planned_end.map(rfc3339).as_deref())
        .with(notice.confirmed_at.map(rfc3339).as_deref());
    for names in [&notice.services, &notice.procedures] {
        digest = names.iter().fold(digest, |d, name| d.with(Some(name))).with(None);
    }
    digest.mark(at)
}

/// What the lines of an entry left, as far as it says: for a ledger that was written before marks were kept.
pub fn marks_of_entry(entry: &Entry, run: Option<&Run>) -> Vec<Mark> {
    let line = |run: &Run, kind: Kind| RunLine {
        kind,
        services: Vec::new(),
        procedure: Some((&*run.procedure).into()),
        run_id: run.run_id.as_deref().map(Into::into),
        change_id: run.change_id.as_deref().map(Into::into),
        trigger: run.trigger,
        phase: None,
        outcome: None,
        whole: None,
    };
    let both = |run: &Run, line: RunLine, at: Instant| {
        let services = run.service.iter().map(|service| (&**service).into()).collect();
        let named = RunLine { services, ..line.clone() };
        [of_later(&line, at), of_later(&named, at)].concat()
    };
    match (&entry.what, run) {
        (What::Started { run, .. }, _) => {
            vec![of_start(&line(run, Kind::Started), &run.service, run.start)]
        }
        (What::Ended { at, .. }, Some(run)) => {
            let mut marks = both(run, line(run, Kind::Finished), *at);
            marks.extend(of_ended(run, *at));
            marks
        }
        (What::Phase { phase, .. }, Some(run)) => {
            let told = RunLine { phase: phase.name.clone(), ..line(run, phase.kind) };
            both(run, told, phase.at)
        }
        (What::Verified { at, .. }, Some(run)) => both(run, line(run, Kind::Verified), *at),
        _ => Vec::new(),
    }
}
