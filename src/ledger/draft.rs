//! A draft: the ledger as it will be once the entries that it hands out are stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::change::{Accepted, BadPlan, Changes, Resolved, Revision};
use crate::event::{Body, Event, Notice, RunLine};
use crate::ledger::told::{self, Marks};
use crate::ledger::waiting::Waiting;
use crate::ledger::{Entry, Ledger, What};
use crate::policy::{Policy, defaults};
use crate::run::{Acknowledgement, Irregularity, Place, Run, RunNo};
use crate::time::{Instant, rfc3339};

/// A stamp this far ahead of the reading is put down to the other clock and not counted as future.
pub(super) const CLOCKS_DIFFER: TimeDelta = TimeDelta::seconds(5);

/// The smallest step of time: just before an instant is this much earlier.
pub(super) const TICK: TimeDelta = TimeDelta::nanoseconds(1);

/// What counts as evidence of the order of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The stamps alone (a replay): readings are taken to have happened at them.
    Stamps,
    /// Stamps and the moments of reading (live).
    Readings,
}

/// One event on its way into the ledger.
#[derive(Clone, Debug)]
pub struct Taking {
    pub partner: Arc<str>,
    /// Its source is a system of our own: it may approve.
    pub ours: bool,
    pub event: Event,
    pub place: Option<Place>,
    /// Its number among the lines that are taken together, in the order in which they were read.
    pub read: u64,
    /// When the line was read.
    pub observed: Instant,
    /// Since when its file has been followed without a gap; `None`: it has not.
    pub followed_since: Option<Instant>,
    /// Counters of time may have been shown up to the moment of reading.
    pub live: bool,
    /// The line itself, where it is wanted if the event is refused.
    pub line: Option<Vec<u8>>,
}

impl Taking {
    fn is_record(&self) -> bool {
        matches!(&self.event.body, Body::Notice(notice) if notice.is_record)
    }

    /// The stamp by which it is held against its reading: of a line that tells a run whole the end of that run, whenever
    /// the line was written.
    pub(super) fn stamped(&self) -> Instant {
        match &self.event.body {
            Body::Run(RunLine { whole: Some((start, end)), .. }) => *start.max(end),
            Body::Run(_) | Body::Notice(_) => self.event.at,
        }
    }
}

/// What came of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New,
    /// A line that was told before: it is counted, and nothing else.
    Repeated,
    /// A record that is on record already: nothing was added.
    Known,
}

/// The ledger as it will be, and the entries that make it so.
#[derive(Clone, Debug)]
pub struct Draft {
    pub(super) ledger: Ledger,
    pub(super) evidence: Evidence,
    /// What was told already, by partner.
    pub(super) told: BTreeMap<Arc<str>, Marks>,
    pub(super) waiting: Waiting,
    pub(super) entries: Vec<Entry>,
    /// The latest run among the entries that were handed out: nobody has seen a later one yet.
    pub(super) shown_runs: RunNo,
    /// By partner: the next instant at which something is to be judged again.
    pub(super) deadlines: BTreeMap<Arc<str>, BTreeSet<(Instant, RunNo)>>,
    pub(super) due: BTreeMap<RunNo, Instant>,
    /// Until when an earlier process may have shown the counters of time.
    pub(super) shown_until: Option<Instant>,
    /// Reasons older than this at the moment of finding ask for no acknowledgement.
    pub(super) backfill_horizon: TimeDelta,
}

impl Draft {
    /// A draft on top of `ledger`. Call [`Draft::rejudge`] when the ledger was not empty.
    pub fn new(ledger: Ledger, evidence: Evidence) -> Draft {
        Draft {
            shown_runs: ledger.last_run(),
            ledger,
            evidence,
            told: BTreeMap::new(),
            waiting: Waiting::default(),
            entries: Vec::new(),
            deadlines: BTreeMap::new(),
            due: BTreeMap::new(),
            shown_until: None,
            backfill_horizon: defaults::BACKFILL_HORIZON,
        }
    }

    /// How old a reason may be when it is found and still ask for an acknowledgement.
    pub fn set_backfill_horizon(&mut self, horizon: TimeDelta) {
        self.backfill_horizon = horizon;
    }

    /// Until when an earlier process may have shown the counters of time: an end that was stamped before and is
    /// read now does not take back what was counted beyond it.
    pub fn set_shown_until(&mut self, until: Option<Instant>) {
        self.shown_until = until;
    }

    /// The ledger with everything taken so far.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The entries since the last call.
    pub fn drain(&mut self) -> Vec<Entry> {
        self.shown_runs = self.ledger.last_run();
        let next = Vec::with_capacity(self.entries.len());
        std::mem::replace(&mut self.entries, next)
    }

    /// See [`Ledger::unlatch`].
    pub fn unlatch(&mut self, policy: &Policy, now: Instant) {
        self.ledger.unlatch(policy, now);
    }

    /// See [`Ledger::take_forgotten`].
    pub fn take_forgotten(&mut self) -> Vec<Arc<Run>> {
        self.ledger.take_forgotten()
    }

    /// Takes one event. Events are to come in the order of their stamps as far as they are at hand; a replay
    /// takes all notices first, because what was on record is decided by the stamps alone.
    ///
    /// A record of a document moves no time: documents are read as a whole, before the lines of the logs.
    ///
    /// # Errors
    /// A notice without usable times; the line is then to be counted as rejected.
    pub fn take(&mut self, policy: &Policy, taking: &Taking) -> Result<Taken, BadPlan> {
        if !taking.is_record() {
            let at = taking.event.at.min(taking.observed);
            self.advance(policy, &taking.partner, at, taking.observed, false);
        }
        let clock = self.clock(taking);
        match &taking.event.body {
            Body::Notice(notice) => {
                let mark = told::of_notice(notice, taking.event.at);
                let was_told = |at| self.was_told(&taking.partner, &told::of_notice(notice, at));
                if taking.event.readings().any(was_told) {
                    self.note_repeated(clock, taking);
                    return Ok(Taken::Repeated);
                }
                if self.take_notice(policy, clock, taking, notice)? == Taken::Known {
                    return Ok(Taken::Known);
                }
                if !notice.is_record {
                    self.note_told(&taking.partner, mark);
                }
            }
            Body::Run(line) => {
                if !self.take_run_line(policy, clock, taking, line) {
                    return Ok(Taken::Repeated);
                }
            }
        }
        if self.evidence == Evidence::Readings {
            self.doubt_stamp(policy, clock, taking);
        }
        Ok(Taken::New)
    }

    /// Just before the event: bounds at the very stamp of an event are still open, because another line with
    /// the same stamp may keep them.
    ///
    /// This may lie before the time that the partner has come to. Lines that were held up and arrive together
    /// are judged in their own order: an end that is already there keeps the bounds of its run.
    fn clock(&self, taking: &Taking) -> Instant {
        let is_notice = matches!(taking.event.body, Body::Notice(_));
        if taking.is_record() || self.evidence == Evidence::Stamps && is_notice {
            // A replay takes all notices first and looks them up by their stamps: time stands still.
            return Instant::MIN_UTC;
        }
        taking.event.at.min(taking.observed) - TICK
    }

    /// Puts an entry on record: it holds here at once, and is handed out for the next commit.
    pub(super) fn record(&mut self, clock: Instant, partner: &Arc<str>, what: What) {
        let entry = Entry { clock, partner: partner.clone(), what };
        self.ledger.adopt(&entry);
        self.entries.push(entry);
    }

    /// Puts on record that a line contradicts what is known.
    pub(super) fn irregular(
        &mut self,
        clock: Instant,
        taking: &Taking,
        kind: Irregularity,
        detail: String,
    ) {
        let (at, place) = (taking.event.at, taking.place.clone());
        let what = What::Irregular { kind, at, detail, times: 1, place };
        self.record(clock, &taking.partner, what);
    }

    /// Puts on record, for each partner with a run that is not final, that the clock was set by which bounds are kept.
    pub fn clock_was_set(&mut self, now: Instant, detail: &str) {
        let partners: BTreeSet<Arc<str>> =
            self.ledger.unsealed().map(|run| run.partner.clone()).collect();
        for partner in partners {
            let (kind, detail) = (Irregularity::ClockSet, detail.into());
            let what = What::Irregular { kind, at: now, detail, times: 1, place: None };
            self.record(now, &partner, what);
        }
    }

    fn doubt_stamp(&mut self, policy: &Policy, clock: Instant, taking: &Taking) {
        let (at, observed) = (taking.stamped(), taking.observed);
        let late_after =
            policy.partner(&taking.partner).map_or(defaults::LATE_AFTER, |p| p.late_after);
        let read = rfc3339(observed);
        let latest = at.max(taking.event.at);
        if observed + CLOCKS_DIFFER < latest {
            let detail = format!("stamped {}, read {read}", rfc3339(latest));
            self.irregular(clock, taking, Irregularity::Future, detail);
        } else if taking.followed_since.is_some_and(|since| since <= at)
            && late_after < observed - at
        {
            let detail = format!("stamped {}, read {read}", rfc3339(at));
            self.irregular(clock, taking, Irregularity::Late, detail);
        }
    }

    /// Takes one revision, stamped `stamp`.
    pub(super) fn take_revision(
        &mut self,
        clock: Instant,
        taking: &Taking,
        notice: &Notice,
        stamp: Instant,
    ) -> Result<Taken, BadPlan> {
        let none = Changes::default();
        let changes = self.ledger.book(&taking.partner).map_or(&none, |b| &b.changes);
        let accepted = changes.accept(notice, stamp, taking.observed, taking.ours)?;
        let Accepted::New(revision) = accepted else { return Ok(Taken::Known) };
        let change_id = changes.id(&notice.change_id);
        let change_id = change_id.unwrap_or_else(|| Arc::from(&*notice.change_id));
        // What one record tells as two is no contradiction.
        let is_whole =
            matches!(&taking.event.body, Body::Notice(told) if told.confirmed_at.is_none());
        let is_numbered = notice.is_record && notice.revision.is_some() && is_whole;
        let other = changes.contradicted(&change_id, &revision).filter(|_| is_numbered);
        let place = taking.place.clone();
        let (id, added) = (change_id.clone(), revision.clone());
        let what = What::Revised { change_id: id, revision: added, place };
        self.record(clock, &taking.partner, what);
        if let (Some(other), Some(status)) = (other, revision.status) {
            let no = revision.number;
            let detail = format!("revision {no} of {change_id} is {status} and was {other}");
            self.irregular(clock, taking, Irregularity::SecondRevision, detail);
        }
        // An answer of ours changes nothing that a run is judged by.
        let is_answer = notice.accepted && notice.status.is_none();
        if self.evidence == Evidence::Readings && !is_answer && !taking.ours {
            self.note_backdated(clock, taking, &change_id, &revision);
        }
        Ok(Taken::New)
    }

    /// A notice that was stamped before a start and is read after it confirms nothing for that run.
    fn note_backdated(
        &mut self,
        clock: Instant,
        taking: &Taking,
        change_id: &Arc<str>,
        revision: &Revision,
    ) {
        let Some(book) = self.ledger.book(&taking.partner) else { return };
        let slots = book.changes.latest(change_id);
        let Some(change) = slots.into_iter().find(|slot| slot.slot == revision.slot) else {
            return;
        };
        let started = book.started_after(taking.event.at).filter_map(|no| self.ledger.run(no));
        let about: Vec<Arc<Run>> =
            started.filter(|run| is_about(run, change_id, &change)).cloned().collect();
        let Some(first) = about.first() else { return };
        let detail = format!(
            "revision {} of {change_id} is stamped {} and was read after the start of run {}",
            revision.number,
            rfc3339(taking.event.at),
            first.no
        );
        for run in about.iter().filter(|r| r.sealed) {
            let (note, place) = (detail.clone(), taking.place.clone());
            self.record(clock, &taking.partner, What::Amended { run: run.no, note, place });
        }
        self.irregular(clock, taking, Irregularity::Backdated, detail);
    }

    /// Somebody took note of a violation. The caller has made sure that there is one.
    pub fn acknowledge(&mut self, run: &Run, acknowledgement: Acknowledgement) {
        let clock = acknowledgement.at;
        let what = What::Acknowledged { run: run.no, acknowledgement };
        self.record(clock, &run.partner, what);
    }
}

/// Whether a change speaks of a run: by its id, or, for a run that named none, by what it plans.
fn is_about(run: &Run, change_id: &Arc<str>, change: &Resolved) -> bool {
    if let Some(id) = &run.change_id {
        return id == change_id;
    }
    let plans_it = change.planned.is_some_and(|p| p.start <= run.start && run.start < p.end)
        && change.procedures.iter().any(|named| **named == *run.procedure)
        && run.service.as_deref().is_none_or(|s| change.services.iter().any(|n| &**n == s));
    plans_it || run.plan.as_ref().is_some_and(|p| p.change_id == *change_id)
}
