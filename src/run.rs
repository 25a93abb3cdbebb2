//! What events add up to: runs, their phases, and the contradictions of a log.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::change::Plan;
use crate::event::{ChangeType, Kind, Trigger, words};
use crate::time::{Instant, Span};
use crate::verdict::{Finding, Findings, Reason, Verdict};

/// Labels of a domain series: names from the configuration or `other`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Labels {
    pub partner: Arc<str>,
    pub service: Arc<str>,
    pub procedure: Arc<str>,
}

/// Number of a run in its ledger, from 1, in the order of the starts as they were taken.
pub type RunNo = u64;

words! {
    /// What has become of a run.
    State {
        Running = "running",
        Finished = "finished",
        Failed = "failed",
        Aborted = "aborted",
        Lost = "lost",
    }
}

impl State {
    /// The state that an ending event leads to.
    pub fn after(kind: Kind) -> Option<State> {
        match kind {
            Kind::Finished => Some(State::Finished),
            Kind::Failed => Some(State::Failed),
            Kind::Aborted => Some(State::Aborted),
            _ => None,
        }
    }
}

words! {
    /// A contradiction in a log: counted by kind, never guessed away.
    Irregularity {
        /// A line that was told before.
        Repeated = "repeated",
        /// A start for what is open, within the tolerance of its clocks.
        SecondStart = "second_start",
        /// An end without an open run.
        EndWithoutStart = "end_without_start",
        /// An end for a run that has ended.
        SecondEnd = "second_end",
        /// A run was given up because the same began again.
        Superseded = "superseded",
        /// An end stamped before its start.
        EndBeforeStart = "end_before_start",
        /// An end for a run that was given up.
        EndAfterLost = "end_after_lost",
        /// A phase, pause or resumption without an open run.
        PhaseWithoutStart = "phase_without_start",
        /// A verification without an ended run.
        VerifiedWithoutEnd = "verified_without_end",
        /// A verification stamped before the end that it verifies.
        VerifiedBeforeEnd = "verified_before_end",
        /// A verification of a run that is verified.
        SecondVerification = "second_verification",
        /// A change notice stamped before a start that was read before it.
        Backdated = "backdated",
        /// A revision of a change with the number, but not the status, of another.
        SecondRevision = "second_revision",
        /// The log of a partner approves: only we do, so it has no effect.
        ApprovalByPartner = "approval_by_partner",
        /// Read long after its stamp although the file was being followed.
        Late = "late",
        /// Stamped after the moment at which it was read.
        Future = "future",
        /// A late line refuted a reason that had been published.
        Refuted = "refuted",
        /// A run began although it was asked whether it may, and the answer was no.
        StartedAfterNo = "started_after_no",
        /// Nobody asked before a run whether it may start, although that was agreed.
        NotAsked = "not_asked",
        /// The clock of the machine was set while a run was not final.
        ClockSet = "clock_set",
    }
}

/// Where a line stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub source: Arc<str>,
    pub path: Arc<str>,
    /// Number of the file generation in the ledger.
    pub file: u64,
    /// Byte offset of the first byte of the line.
    pub offset: u64,
}

/// Part of a run, as its log names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phase {
    /// `phase`, `paused` or `resumed`.
    pub kind: Kind,
    pub name: Option<Box<str>>,
    pub at: Instant,
}

/// Somebody took note of a violation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledgement {
    pub at: Instant,
    pub by: String,
    pub note: String,
}

/// Somebody asked whether a run may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// When it was asked; of a question that was repeated, for the last time.
    pub at: Instant,
    pub by: Option<Box<str>>,
    /// Where from: an address, or this machine.
    pub from: Option<Box<str>>,
    /// As named, else the procedure's only one.
    pub service: Option<Arc<str>>,
    pub procedure: Arc<str>,
    pub change_id: Option<Arc<str>>,
    pub trigger: Trigger,
    /// The start that was asked for.
    pub start: Instant,
    /// As it was said to last.
    pub lasts: Option<TimeDelta>,
    /// The answer.
    pub may_start: bool,
    /// Every reason, waived ones as well.
    pub reasons: Vec<Reason>,
    /// A start later than this is another one than was asked for.
    pub holds_until: Instant,
    /// It was said that it would start whatever the answer is.
    pub overriding: Option<Override>,
    /// How often the same was asked, where that was put on record together.
    pub times: u64,
}

/// Somebody starts a run whatever the answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Override {
    pub by: Box<str>,
    pub reason: Box<str>,
}

/// One execution of a procedure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub no: RunNo,
    pub partner: Arc<str>,
    /// As the start named it, else one of the procedure's.
    pub service: Option<Arc<str>>,
    pub procedure: Arc<str>,
    pub run_id: Option<Arc<str>>,
    /// As the start named it.
    pub change_id: Option<Arc<str>>,
    pub trigger: Trigger,
    pub start: Instant,
    /// The start was stamped in an autumn fold without an offset.
    pub ambiguous: bool,
    /// The stamp of the line that told of the start; for a one-line finished run its end.
    pub stamped: Instant,
    /// When offhours read that line.
    pub observed: Instant,
    /// Names under which the run is counted.
    pub labels: Labels,
    /// Runs of one start line share it: the number of the first of them.
    pub group: RunNo,
    /// What was on record of the matched change at the start.
    pub plan: Option<Plan>,
    /// That is another plan than was on record when the start was read.
    pub replanned: bool,
    /// Until then changes of our own that were stamped before the start may still be delivered; `None`: it had all of
    /// them at once.
    pub delivered_by: Option<Instant>,
    pub state: State,
    /// Empty while running and when lost.
    pub end: Option<Instant>,
    /// When it was given up, if it was; `None` for one of an old ledger.
    pub lost_at: Option<Instant>,
    /// The log's word as given.
    pub outcome: Option<Box<str>>,
    pub phases: Vec<Phase>,
    pub verified: Option<Instant>,
    /// Earliest approval that names this run or its change.
    pub approved: Option<Instant>,
    /// Earliest approval of this very run by one of us: it makes it an emergency, whatever was declared.
    pub approved_as_emergency: Option<Instant>,
    pub findings: Findings,
    /// Reasons were found or refuted since the start.
    pub refound: bool,
    /// A calendar that decides a rule ends before the start: the evidence is missing.
    pub uncovered: bool,
    /// A violation to be acknowledged (not one found while reading old logs).
    pub latched: bool,
    pub acknowledged: Option<Acknowledgement>,
    pub sealed: bool,
    /// What was asked before it began.
    pub asked: Option<Arc<Asked>>,
    /// It began after a no, or nobody asked.
    pub irregular_start: Option<Irregularity>,
    pub place: Option<Place>,
}

/// Phases kept of one run; later ones are counted as events but not kept.
pub const PHASES_KEPT: usize = 1_000;

impl Run {
    /// What its findings add up to so far; final once it is sealed.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.findings.values().map(|f| (f.reason, f.waived)), self.uncovered)
    }

    /// What makes it a violation, in the order in which it became true.
    pub fn broken(&self) -> impl Iterator<Item = &Finding> {
        let mut found: Vec<&Finding> =
            self.findings.values().filter(|f| !f.waived && !f.reason.is_doubt()).collect();
        found.sort_by_key(|f| (f.at, f.reason));
        found.into_iter()
    }

    /// It was declared as one when it began, or one of us approved it as one.
    pub fn is_emergency(&self) -> bool {
        let declared = self.plan.as_ref().is_some_and(|p| p.change_type == ChangeType::Emergency);
        declared || self.approved_as_emergency.is_some()
    }

    /// As named, else the matched one's.
    pub fn change(&self) -> Option<&Arc<str>> {
        self.change_id.as_ref().or(self.plan.as_ref().map(|p| &p.change_id))
    }

    /// When it was given up, or will be if no end is told.
    pub fn given_up(&self, lost_after: TimeDelta) -> Instant {
        self.lost_at.unwrap_or(self.start + lost_after)
    }

    /// Neither its end nor that it was lost is known.
    pub fn is_open(&self) -> bool {
        self.state == State::Running
    }

    /// The span in which it ran as far as is known at `clock`: up to the end, the clock, or `lost_at`.
    pub fn ran(&self, clock: Instant, lost_at: Instant) -> Span {
        let until = match self.end {
            Some(end) => end,
            None => clock.min(lost_at),
        };
        Span { start: self.start, end: until.max(self.start) }
    }
}
