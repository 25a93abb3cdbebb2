//! What is put on record: one entry for each thing that happened or was found. Entries are only ever added.

use std::sync::Arc;

use crate::change::{Plan, Revision};
use crate::run::{Acknowledgement, Asked, Irregularity, Labels, Phase, Place, Run, RunNo, State};
use crate::time::Instant;
use crate::verdict::{Finding, Reason, Verdict};

/// One entry of the ledger.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The instant as of which this was judged: just before the line, at the bound, or when somebody spoke.
    pub clock: Instant,
    pub partner: Arc<str>,
    pub what: What,
}

/// What an entry says.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A change notice was accepted as a revision.
    Revised { change_id: Arc<str>, revision: Revision, place: Option<Place> },
    /// A run began. It carries the reasons that held at the start; `verdict` is theirs.
    Started { run: Arc<Run>, verdict: Verdict },
    /// A phase, a pause or a resumption of an open run.
    Phase { run: RunNo, phase: Phase, place: Option<Place> },
    /// An end was recorded. `shown` keeps the counters of time from falling when it was stamped before the
    /// clock that they had been counted to.
    Ended {
        run: RunNo,
        state: State,
        at: Instant,
        outcome: Option<Box<str>>,
        shown: Option<Shown>,
        place: Option<Place>,
    },
    /// The run was given up. `at`: when; missing in old ledgers, where it was `lost_after` its start. `shown` as for an
    /// end.
    Lost { run: RunNo, at: Option<Instant>, shown: Option<Shown> },
    /// An ended run was verified.
    Verified { run: RunNo, at: Instant, place: Option<Place> },
    /// An emergency was approved, by a line of the log or by somebody here (`by`).
    Approved {
        change_id: Option<Arc<str>>,
        run_id: Option<Arc<str>>,
        /// The run, where the approval was given here for exactly one.
        run: Option<RunNo>,
        at: Instant,
        by: Option<String>,
        note: Option<String>,
        place: Option<Place>,
    },
    /// A reason became true. `latch`: it is fresh enough to ask for an acknowledgement.
    Found { run: RunNo, finding: Finding, latch: bool },
    /// A late line refuted a reason that had been published.
    Refuted { run: RunNo, reason: Reason },
    /// A change of our own that was delivered after the start and stamped before it is what the run is judged by.
    Replanned { run: RunNo, plan: Option<Box<Plan>>, place: Option<Place> },
    /// The verdict is final. Durations in nanoseconds; `digest` is the policy's.
    Sealed {
        run: RunNo,
        verdict: Verdict,
        business_nanos: i64,
        outside_nanos: i64,
        digest: Arc<str>,
    },
    /// Something came to light about a sealed run; its verdict stands.
    Amended { run: RunNo, note: String, place: Option<Place> },
    /// The log contradicts itself, so many times.
    Irregular { kind: Irregularity, at: Instant, detail: String, times: u64, place: Option<Place> },
    /// Somebody took note of a violation.
    Acknowledged { run: RunNo, acknowledgement: Acknowledgement },
    /// Somebody asked whether a run may start.
    Asked(Arc<Asked>),
    /// How far the counters of time of one series had come before another policy counted them.
    TimeShown { labels: Labels, shown: Shown },
}

/// What the counters of time of one series stood at (nanoseconds).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    pub business_nanos: i128,
    pub outside_nanos: i128,
}

impl Shown {
    /// The higher of both, counter by counter.
    pub(super) fn at_least(self, floor: Shown) -> Shown {
        Shown {
            business_nanos: self.business_nanos.max(floor.business_nanos),
            outside_nanos: self.outside_nanos.max(floor.outside_nanos),
        }
    }
}

impl What {
    /// The run that this entry is about.
    pub fn run(&self) -> Option<RunNo> {
        match self {
            What::Started { run, .. } => Some(run.no),
            What::Phase { run, .. }
            | What::Ended { run, .. }
            | What::Lost { run, .. }
            | What::Verified { run, .. }
            | What::Found { run, .. }
            | What::Refuted { run, .. }
            | What::Replanned { run, .. }
            | What::Sealed { run, .. }
            | What::Amended { run, .. }
            | What::Acknowledged { run, .. } => Some(*run),
            What::Approved { run, .. } => *run,
            What::Revised { .. }
            | What::Irregular { .. }
            | What::Asked(_)
            | What::TimeShown { .. } => None,
        }
    }

    /// Whether time has come to this entry's clock for the log: people speak and policies change at any time,
    /// also before every line is read.
    pub(super) fn is_about_the_log(&self) -> bool {
        !matches!(self, What::Acknowledged { .. } | What::Asked(_) | What::TimeShown { .. })
    }

    /// The line that this entry comes from.
    pub fn place(&self) -> Option<&Place> {
        match self {
            What::Revised { place, .. }
            | What::Phase { place, .. }
            | What::Ended { place, .. }
            | What::Verified { place, .. }
            | What::Approved { place, .. }
            | What::Amended { place, .. }
            | What::Replanned { place, .. }
            | What::Irregular { place, .. } => place.as_ref(),
            What::Started { run, .. } => run.place.as_ref(),
            What::Lost { .. }
            | What::Found { .. }
            | What::Refuted { .. }
            | What::Sealed { .. }
            | What::Acknowledged { .. }
            | What::Asked(_)
            | What::TimeShown { .. } => None,
        }
    }

    /// One word for people.
    pub fn name(&self) -> &'static str {
        match self {
            What::Revised { .. } => "revised",
            What::Started { .. } => "started",
            What::Phase { .. } => "phase",
            What::Ended { .. } => "ended",
            What::Lost { .. } => "lost",
            What::Verified { .. } => "verified",
            What::Approved { .. } => "approved",
            What::Found { .. } => "found",
            What::Refuted { .. } => "refuted",
            What::Replanned { .. } => "replanned",
            What::Sealed { .. } => "sealed",
            What::Amended { .. } => "amended",
            What::Irregular { .. } => "irregular",
            What::Acknowledged { .. } => "acknowledged",
            What::Asked(_) => "asked",
            What::TimeShown { .. } => "time_shown",
        }
    }
}
