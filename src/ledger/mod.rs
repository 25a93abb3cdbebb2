//! What is on record: the ledger, and the drafts that add to it.
//!
//! A [`Draft`] takes events, judges, and hands out entries; once they are stored, [`Ledger::adopt`] makes them
//! visible. Adopting is mechanical and knows no policy, so the same code remembers at start-up.

mod approving;
pub mod asking;
pub mod board;
pub mod book;
pub mod chain;
mod delivery;
pub mod draft;
mod ending;
pub mod entry;
mod every_service;
pub mod judging;
mod pairing;
mod present;
pub mod rejudging;
mod seeking;
pub mod settling;
mod starting;
pub mod told;
mod waiting;

pub use approving::Approval;
pub use asking::{Answer, Asker, Question};
pub use board::{Board, Histogram, PartnerSums, Sums};
pub use book::Book;
pub use draft::{Draft, Evidence, Taken, Taking};
pub use entry::{Entry, Shown, What};
pub use judging::case_of;
pub use present::{approval_waits_until, asks_until, terms_of};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::Plan;
use crate::policy::Policy;
use crate::run::{Irregularity, Run, RunNo, State};
use crate::time::Instant;
use crate::verdict::Verdict;

/// Ended runs kept in memory for each partner, so that late lines find them. A line about an older one is
/// counted as a line about none.
pub const CLOSED_KEPT: usize = 4_096;

/// The state that all entries so far add up to.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Number of entries.
    height: u64,
    last_run: RunNo,
    /// Runs that something can still happen to.
    /// In a tree, because numbers come and go in their order: what is touched together lies together.
    runs: BTreeMap<RunNo, Arc<Run>>,
    unsealed: BTreeSet<RunNo>,
    /// How far each of them has been judged.
    judged: BTreeMap<RunNo, Instant>,
    /// Runs in violation that nobody acknowledged, as far as this ledger knows.
    latched: BTreeSet<RunNo>,
    books: BTreeMap<Arc<str>, Book>,
    board: Board,
    /// Runs that left memory since [`Ledger::take_forgotten`].
    forgotten: Vec<Arc<Run>>,
    /// Keep every run in memory (a replay lists them all).
    keep_all: bool,
}

impl Ledger {
    /// A ledger that keeps every run in memory.
    pub fn keeping_all() -> Ledger {
        Ledger { keep_all: true, ..Ledger::default() }
    }

    /// Number of entries on record.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// Number of the newest run; 0 without any.
    pub fn last_run(&self) -> RunNo {
        self.last_run
    }

    /// A run that something can still happen to.
    pub fn run(&self, no: RunNo) -> Option<&Arc<Run>> {
        self.runs.get(&no)
    }

    /// Every run in memory, in no particular order.
    pub fn runs(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.runs.values()
    }

    /// Runs whose verdict is not final.
    pub fn unsealed(&self) -> impl Iterator<Item = &Arc<Run>> {
        self.unsealed.iter().filter_map(|no| self.runs.get(no))
    }

    /// How far a run has been judged whose verdict is not final.
    fn judged(&self, no: RunNo) -> Option<Instant> {
        self.judged.get(&no).copied()
    }

    /// Runs in violation that nobody acknowledged. The caller drops those whose time is up.
    pub fn latched(&self) -> impl Iterator<Item = &Arc<Run>> {
        let runs = self.latched.iter().filter_map(|no| self.runs.get(no));
        runs.filter(|run| run.acknowledged.is_none() && run.verdict() == Verdict::Violation)
    }

    /// The sums that a scrape shows.
    pub fn board(&self) -> &Board {
        &self.board
    }

    /// What is on record of one partner.
    pub fn book(&self, partner: &str) -> Option<&Book> {
        self.books.get(partner)
    }

    fn book_mut(&mut self, partner: &Arc<str>) -> &mut Book {
        self.books.entry(partner.clone()).or_default()
    }

    fn edit(&mut self, no: RunNo) -> Option<&mut Run> {
        self.runs.get_mut(&no).map(Arc::make_mut)
    }

    /// Makes one entry visible.
    pub fn adopt(&mut self, entry: &Entry) {
        self.height += 1;
        let book = self.book_mut(&entry.partner);
        if entry.what.is_about_the_log() {
            book.clock = book.clock.max(Some(entry.clock));
            self.judge_to(entry.what.run(), entry.clock);
        }
        match &entry.what {
            What::Revised { change_id, revision, .. } => {
                let changes = &mut self.book_mut(&entry.partner).changes;
                changes.adopt(change_id, revision.clone());
            }
            What::Started { run, verdict } => {
                self.adopt_start(run, *verdict);
                self.judge_to(Some(run.no), entry.clock);
            }
            What::Phase { run, phase, .. } => {
                if let Some(run) = self.edit(*run)
                    && run.phases.len() < crate::run::PHASES_KEPT
                {
                    run.phases.push(phase.clone());
                }
            }
            What::Ended { run, state, at, outcome, shown, .. } => {
                self.adopt_end(*run, *state, *at, outcome.clone(), *shown);
            }
            What::Lost { run, at, shown } => self.adopt_lost(*run, *at, *shown),
            What::Verified { run, at, .. } => self.adopt_verified(*run, *at),
            What::Approved { change_id, run_id, run, at, .. } => {
                let names = [change_id, run_id];
                self.adopt_approved(&entry.partner, names, *run, *at, entry.clock);
            }
            What::Found { run, finding, latch } => {
                let Some(run) = self.edit(*run) else { return };
                run.findings.insert(finding.clone());
                run.refound = true;
                run.latched |= *latch;
                let (no, labels, latched) = (run.no, run.labels.clone(), run.latched);
                let sums = self.board.series.entry(labels).or_default();
                sums.found(finding.reason, finding.at, finding.waived);
                if latched {
                    self.latched.insert(no);
                }
            }
            What::Refuted { run, reason } => {
                if let Some(run) = self.edit(*run) {
                    run.findings.remove(reason);
                    run.refound = true;
                }
                self.irregular(&entry.partner, Irregularity::Refuted, 1);
            }
            What::Replanned { run, plan, .. } => self.adopt_plan(*run, plan.as_deref()),
            What::Sealed { run, verdict, business_nanos, outside_nanos, .. } => {
                self.adopt_seal(*run, *verdict, *business_nanos, *outside_nanos);
            }
            What::Amended { .. } => {}
            What::Irregular { kind, times: n, .. } => self.irregular(&entry.partner, *kind, *n),
            What::Asked(asked) => self.book_mut(&entry.partner).asked(asked),
            What::TimeShown { labels, shown } => {
                self.board.keep_time(labels, *shown);
            }
            What::Acknowledged { run: no, acknowledgement } => {
                if let Some(run) = self.edit(*no) {
                    run.acknowledged = Some(acknowledgement.clone());
                }
                self.latched.remove(no);
                self.forget(*no);
            }
        }
    }

    fn judge_to(&mut self, run: Option<RunNo>, clock: Instant) {
        let Some(no) = run.filter(|no| self.unsealed.contains(no)) else { return };
        let judged = self.judged.entry(no).or_insert(clock);
        *judged = clock.max(*judged);
    }

    fn irregular(&mut self, partner: &Arc<str>, kind: Irregularity, times: u64) {
        *self.board.partner(partner).irregularities.entry(kind).or_default() += times;
    }

    /// The latest entry tells of one more line that was told before.
    fn repeated_once_more(&mut self, partner: &Arc<str>) {
        self.irregular(partner, Irregularity::Repeated, 1);
    }

    /// Whether every run stays in memory.
    fn keeps_all(&self) -> bool {
        self.keep_all
    }

    fn adopt_start(&mut self, run: &Arc<Run>, verdict: Verdict) {
        self.last_run = self.last_run.max(run.no);
        self.board.started(run, verdict);
        self.unsealed.insert(run.no);
        if run.latched {
            self.latched.insert(run.no);
        }
        self.book_mut(&run.partner).opened(run);
        self.runs.insert(run.no, run.clone());
    }

    fn adopt_end(
        &mut self,
        no: RunNo,
        state: State,
        at: Instant,
        outcome: Option<Box<str>>,
        shown: Option<Shown>,
    ) {
        let Some(run) = self.edit(no) else { return };
        (run.state, run.end, run.outcome) = (state, Some(at), outcome);
        let Some(run) = self.runs.get(&no).cloned() else { return };
        self.board.ended(&run, at);
        if let Some(shown) = shown {
            self.board.keep_time(&run.labels, shown);
        }
        self.close(&run);
    }

    fn adopt_lost(&mut self, no: RunNo, at: Option<Instant>, shown: Option<Shown>) {
        let Some(run) = self.edit(no) else { return };
        (run.state, run.lost_at) = (State::Lost, at);
        let Some(run) = self.runs.get(&no).cloned() else { return };
        if let Some(shown) = shown {
            self.board.keep_time(&run.labels, shown);
        }
        self.close(&run);
    }

    fn close(&mut self, run: &Arc<Run>) {
        let keep = if self.keep_all { usize::MAX } else { CLOSED_KEPT };
        for old in self.book_mut(&run.partner).closed(run, keep) {
            self.forget(old);
        }
    }

    fn adopt_verified(&mut self, no: RunNo, at: Instant) {
        let Some(run) = self.edit(no) else { return };
        run.verified = run.verified.or(Some(at));
        if let Some(run) = self.runs.get(&no).cloned() {
            self.book_mut(&run.partner).verified(&run);
        }
    }

    fn adopt_approved(
        &mut self,
        partner: &Arc<str>,
        names: [&Option<Arc<str>>; 2],
        one: Option<RunNo>,
        at: Instant,
        clock: Instant,
    ) {
        let [change_id, run_id] = names;
        self.book_mut(partner).approved(change_id, run_id, at);
        let named: Vec<RunNo> = self
            .unsealed()
            .filter(|r| r.partner == *partner)
            .filter(|r| {
                one == Some(r.no)
                    || change_id.is_some() && r.change() == change_id.as_ref()
                    || run_id.is_some() && r.run_id == *run_id
            })
            .map(|r| r.no)
            .collect();
        for no in named {
            self.judge_to(Some(no), clock);
            if let Some(run) = self.edit(no) {
                let first = |known: Option<Instant>| Some(known.map_or(at, |known| known.min(at)));
                run.approved = first(run.approved);
                if one == Some(no) {
                    run.approved_as_emergency = first(run.approved_as_emergency);
                }
            }
        }
    }

    fn adopt_plan(&mut self, no: RunNo, plan: Option<&Plan>) {
        let Some(run) = self.edit(no) else { return };
        let had_notice = run.plan.as_ref().is_some_and(|plan| plan.notice().is_some());
        (run.plan, run.replanned) = (plan.cloned(), true);
        let run = run.clone();
        let approval = |book: &Book| book.approval(run.change(), run.run_id.as_ref());
        let approved = self.book(&run.partner).and_then(approval);
        if !had_notice {
            self.board.noticed(&run);
        }
        if let Some(run) = self.edit(no) {
            run.approved = run.approved.into_iter().chain(approved).min();
        }
    }

    fn adopt_seal(&mut self, no: RunNo, verdict: Verdict, business: i64, outside: i64) {
        if let Some(run) = self.edit(no) {
            run.sealed = true;
        }
        let Some(run) = self.runs.get(&no).cloned() else { return };
        self.board.sealed(&run, verdict, business, outside);
        self.unsealed.remove(&no);
        self.judged.remove(&no);
        if verdict != Verdict::Violation {
            self.latched.remove(&no);
        }
        self.forget(no);
    }

    /// Drops the latches whose time is up, and what is in memory of partners that are not configured any more.
    pub fn unlatch(&mut self, policy: &Policy, now: Instant) {
        let is_due = |run: &&Arc<Run>| asks_until(policy, run).is_some_and(|until| until <= now);
        let runs = self.latched.iter().filter_map(|no| self.runs.get(no));
        let due: Vec<RunNo> = runs.filter(is_due).map(|run| run.no).collect();
        for no in due {
            self.latched.remove(&no);
            self.forget(no);
        }
        if self.keep_all || self.books.keys().all(|partner| policy.partner(partner).is_some()) {
            return;
        }
        let is_left = |run: &&Arc<Run>| policy.partner(&run.partner).is_none() && is_due(run);
        let left: Vec<RunNo> = self.runs().filter(is_left).map(|run| run.no).collect();
        for no in left {
            self.let_go(no);
        }
    }

    /// Lets go of a run whose partner is not configured any more, also if its verdict is not final: nothing judges
    /// it. It stays on record, and comes back with the next start.
    fn let_go(&mut self, no: RunNo) {
        self.latched.remove(&no);
        self.unsealed.remove(&no);
        self.judged.remove(&no);
        if let Some(run) = self.runs.remove(&no) {
            self.book_mut(&run.partner).left(&run);
            self.forgotten.push(run);
        }
    }

    /// Lets go of a run that nothing can happen to any more.
    fn forget(&mut self, no: RunNo) {
        let Some(run) = self.runs.get(&no) else { return };
        let kept = self.keep_all || !run.sealed || self.latched.contains(&no);
        if kept || self.books.get(&run.partner).is_some_and(|b| b.remembers(no)) {
            return;
        }
        if let Some(run) = self.runs.remove(&no) {
            self.book_mut(&run.partner).dropped(&run);
            self.forgotten.push(run);
        }
    }

    /// The runs that left memory since the last call, as they stood: they are to be stored before that.
    pub fn take_forgotten(&mut self) -> Vec<Arc<Run>> {
        std::mem::take(&mut self.forgotten)
    }
}
