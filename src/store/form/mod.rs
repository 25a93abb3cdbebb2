//! The form of entries on disk, version 1: one JSON object an entry.
//!
//! The domain types are not serializable on purpose: these files alone say what is on disk, and a change here
//! is a new version. Fields are only ever added, with a default.

mod asked;
mod checkpoint;
mod parts;
mod run;

pub(super) use checkpoint::{read_checkpoint, write_checkpoint};
pub(crate) use parts::AcknowledgementForm;
pub(super) use run::SinceForm;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::asked::AskedForm;
use self::parts::{FindingForm, PhaseForm, PlaceForm, PlanForm, RevisionForm};
use self::run::StartForm;
use crate::ledger::{Entry, Shown, What};
use crate::run::{Irregularity, Labels, State};
use crate::store::scalar::{At, Text, Word};
use crate::verdict::{Reason, Verdict};

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct EntryForm<'a> {
    c: At,
    #[serde(borrow)]
    p: Text<'a>,
    #[serde(borrow)]
    w: WhatForm<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhatForm<'a> {
    Revised {
        #[serde(borrow)]
        change: Text<'a>,
        #[serde(borrow)]
        rev: RevisionForm<'a>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Started {
        #[serde(borrow)]
        run: Box<StartForm<'a>>,
        verdict: Word<Verdict>,
    },
    Phase {
        run: u64,
        #[serde(borrow)]
        phase: PhaseForm<'a>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Ended {
        run: u64,
        state: Word<State>,
        at: At,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<(i128, i128)>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Lost {
        run: u64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<At>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<(i128, i128)>,
    },
    Verified {
        run: u64,
        at: At,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Approved {
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        change: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        id: Option<Text<'a>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<u64>,
        at: At,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        by: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        note: Option<Text<'a>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Found {
        run: u64,
        #[serde(borrow)]
        f: FindingForm<'a>,
        latch: bool,
    },
    Refuted {
        run: u64,
        reason: Word<Reason>,
    },
    Replanned {
        run: u64,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        plan: Option<Box<PlanForm<'a>>>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Sealed {
        run: u64,
        verdict: Word<Verdict>,
        business: i64,
        outside: i64,
        #[serde(borrow)]
        digest: Text<'a>,
    },
    Amended {
        run: u64,
        #[serde(borrow)]
        note: Text<'a>,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Irregular {
        kind: Word<Irregularity>,
        at: At,
        #[serde(borrow)]
        detail: Text<'a>,
        /// Missing: once.
        #[serde(default = "once", skip_serializing_if = "is_once")]
        times: u64,
        #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
        place: Option<PlaceForm<'a>>,
    },
    Acknowledged {
        run: u64,
        #[serde(borrow)]
        said: AcknowledgementForm<'a>,
    },
    Asked(#[serde(borrow)] Box<AskedForm<'a>>),
    TimeShown {
        /// Service and procedure as they are counted.
        #[serde(borrow)]
        labels: (Text<'a>, Text<'a>),
        shown: (i128, i128),
    },
}

impl<'a> From<&'a Entry> for EntryForm<'a> {
    fn from(e: &'a Entry) -> EntryForm<'a> {
        EntryForm { c: At(e.clock), p: (&*e.partner).into(), w: (&e.what).into() }
    }
}

impl From<EntryForm<'_>> for Entry {
    fn from(e: EntryForm) -> Entry {
        let partner: Arc<str> = e.p.into();
        Entry { clock: e.c.0, what: e.w.what_of(&partner), partner }
    }
}

impl<'a> From<&'a What> for WhatForm<'a> {
    fn from(what: &'a What) -> WhatForm<'a> {
        let place = PlaceForm::maybe;
        match what {
            What::Revised { change_id, revision, place: p } => WhatForm::Revised {
                change: (&**change_id).into(),
                rev: revision.into(),
                place: place(p),
            },
            What::Started { run, verdict } => {
                WhatForm::Started { run: Box::new((&**run).into()), verdict: Word(*verdict) }
            }
            What::Phase { run, phase, place: p } => {
                WhatForm::Phase { run: *run, phase: phase.into(), place: place(p) }
            }
            What::Ended { run, state, at, outcome, shown, place: p } => WhatForm::Ended {
                run: *run,
                state: Word(*state),
                at: At(*at),
                outcome: Text::maybe(outcome),
                shown: shown.as_ref().map(nanos_of),
                place: place(p),
            },
            What::Lost { run, at, shown } => {
                WhatForm::Lost { run: *run, at: at.map(At), shown: shown.as_ref().map(nanos_of) }
            }
            What::Verified { run, at, place: p } => {
                WhatForm::Verified { run: *run, at: At(*at), place: place(p) }
            }
            What::Approved { change_id, run_id, run, at, by, note, place: p } => {
                WhatForm::Approved {
                    change: Text::maybe(change_id),
                    id: Text::maybe(run_id),
                    run: *run,
                    at: At(*at),
                    by: Text::maybe(by),
                    note: Text::maybe(note),
                    place: place(p),
                }
            }
            What::Found { run, finding, latch } => {
                WhatForm::Found { run: *run, f: finding.into(), latch: *latch }
            }
            What::Refuted { run, reason } => WhatForm::Refuted { run: *run, reason: Word(*reason) },
            What::Replanned { run, plan, place: p } => {
                WhatForm::Replanned { run: *run, plan: PlanForm::maybe(plan), place: place(p) }
            }
            What::Sealed { run, verdict, business_nanos, outside_nanos, digest } => {
                WhatForm::Sealed {
                    run: *run,
                    verdict: Word(*verdict),
                    business: *business_nanos,
                    outside: *outside_nanos,
                    digest: (&**digest).into(),
                }
            }
            What::Amended { run, note, place: p } => {
                WhatForm::Amended { run: *run, note: (&**note).into(), place: place(p) }
            }
            What::Irregular { kind, at, detail, times, place: p } => {
                let (kind, at, detail) = (Word(*kind), At(*at), (&**detail).into());
                WhatForm::Irregular { kind, at, detail, times: *times, place: place(p) }
            }
            What::Acknowledged { run, acknowledgement } => {
                WhatForm::Acknowledged { run: *run, said: acknowledgement.into() }
            }
            What::Asked(asked) => WhatForm::Asked(Box::new((&**asked).into())),
            What::TimeShown { labels, shown } => WhatForm::time_shown(labels, shown),
        }
    }
}

impl<'a> WhatForm<'a> {
    fn time_shown(labels: &'a Labels, shown: &Shown) -> WhatForm<'a> {
        let labels = ((&*labels.service).into(), (&*labels.procedure).into());
        WhatForm::TimeShown { labels, shown: nanos_of(shown) }
    }
}

impl WhatForm<'_> {
    fn what_of(self, partner: &Arc<str>) -> What {
        let place = |p: Option<PlaceForm>| p.map(|p| p.into());
        match self {
            WhatForm::Revised { change, rev, place: p } => {
                What::Revised { change_id: change.into(), revision: rev.into(), place: place(p) }
            }
            WhatForm::Started { run, verdict } => {
                What::Started { run: Arc::new(run.run_of(partner.clone())), verdict: verdict.0 }
            }
            WhatForm::Phase { run, phase, place: p } => {
                What::Phase { run, phase: phase.into(), place: place(p) }
            }
            WhatForm::Ended { run, state, at, outcome, shown, place: p } => What::Ended {
                run,
                state: state.0,
                at: at.0,
                outcome: outcome.map(Text::into),
                shown: shown.map(shown_of),
                place: place(p),
            },
            WhatForm::Lost { run, at, shown } => {
                What::Lost { run, at: at.map(|at| at.0), shown: shown.map(shown_of) }
            }
            WhatForm::Verified { run, at, place: p } => {
                What::Verified { run, at: at.0, place: place(p) }
            }
            WhatForm::Approved { change, id, run, at, by, note, place: p } => What::Approved {
                change_id: change.map(Text::into),
                run_id: id.map(Text::into),
                run,
                at: at.0,
                by: by.map(Text::into),
                note: note.map(Text::into),
                place: place(p),
            },
            WhatForm::Found { run, f, latch } => What::Found { run, finding: f.into(), latch },
            WhatForm::Refuted { run, reason } => What::Refuted { run, reason: reason.0 },
            WhatForm::Replanned { run, plan, place: p } => What::Replanned {
                run,
                plan: plan.map(|plan| Box::new((*plan).into())),
                place: place(p),
            },
            WhatForm::Sealed { run, verdict, business, outside, digest } => What::Sealed {
                run,
                verdict: verdict.0,
                business_nanos: business,
                outside_nanos: outside,
                digest: digest.into(),
            },
            WhatForm::Amended { run, note, place: p } => {
                What::Amended { run, note: note.into(), place: place(p) }
            }
            WhatForm::Irregular { kind, at, detail, times, place: p } => What::Irregular {
                kind: kind.0,
                at: at.0,
                detail: detail.into(),
                times,
                place: place(p),
            },
            WhatForm::Acknowledged { run, said } => {
                What::Acknowledged { run, acknowledgement: said.into() }
            }
            WhatForm::Asked(asked) => What::Asked(Arc::new((*asked).into())),
            WhatForm::TimeShown { labels: (service, procedure), shown } => {
                let (service, procedure) = (service.into(), procedure.into());
                let labels = Labels { partner: partner.clone(), service, procedure };
                What::TimeShown { labels, shown: shown_of(shown) }
            }
        }
    }
}

fn once() -> u64 {
    1
}

fn is_once(times: &u64) -> bool {
    *times == 1
}

fn nanos_of(shown: &Shown) -> (i128, i128) {
    (shown.business_nanos, shown.outside_nanos)
}

fn shown_of((business_nanos, outside_nanos): (i128, i128)) -> Shown {
    Shown { business_nanos, outside_nanos }
}
