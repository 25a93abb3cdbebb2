//! The form of entries on disk, version 1: one JSON object an entry.
//!
//! The domain types are not serializable on purpose: this file alone says what is on disk, and a change here
//! is a new version. Fields are only ever added, with a default.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::change::{Plan, Planned, Revision};
use crate::event::{ChangeType, Kind, Status, Trigger};
use crate::ledger::chain::Head;
use crate::ledger::{Entry, Shown, What};
use crate::run::{Acknowledgement, Irregularity, Labels, Phase, Place, Run, State};
use crate::store::scalar::{At, Word};
use crate::tail::{Checkpoint, FileId, Signature};
use crate::verdict::{Finding, Reason, Verdict};

/// An entry as it is written.
#[derive(Serialize, Deserialize)]
pub(super) struct EntryForm {
    c: At,
    p: Arc<str>,
    w: WhatForm,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WhatForm {
    Revised {
        change: Arc<str>,
        rev: RevisionForm,
        place: Option<PlaceForm>,
    },
    Started {
        run: Box<RunForm>,
        verdict: Word<Verdict>,
    },
    Phase {
        run: u64,
        phase: PhaseForm,
        place: Option<PlaceForm>,
    },
    Ended {
        run: u64,
        state: Word<State>,
        at: At,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<Box<str>>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        shown: Option<(i128, i128)>,
        place: Option<PlaceForm>,
    },
    Lost {
        run: u64,
    },
    Verified {
        run: u64,
        at: At,
        place: Option<PlaceForm>,
    },
    Approved {
        change: Option<Arc<str>>,
        id: Option<Arc<str>>,
        run: Option<u64>,
        at: At,
        by: Option<String>,
        note: Option<String>,
        place: Option<PlaceForm>,
    },
    Found {
        run: u64,
        f: FindingForm,
        latch: bool,
    },
    Refuted {
        run: u64,
        reason: Word<Reason>,
    },
    Sealed {
        run: u64,
        verdict: Word<Verdict>,
        business: i64,
        outside: i64,
        digest: Arc<str>,
    },
    Amended {
        run: u64,
        note: String,
        place: Option<PlaceForm>,
    },
    Irregular {
        kind: Word<Irregularity>,
        at: At,
        detail: String,
        place: Option<PlaceForm>,
    },
    Acknowledged {
        run: u64,
        at: At,
        by: String,
        note: String,
    },
    TimeShown {
        /// Service and procedure as they are counted.
        labels: (Arc<str>, Arc<str>),
        shown: (i128, i128),
    },
}

#[derive(Serialize, Deserialize)]
struct PlaceForm {
    s: Arc<str>,
    p: Arc<str>,
    f: u64,
    o: u64,
}

#[derive(Serialize, Deserialize)]
struct RevisionForm {
    n: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Word<Status>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    services: Vec<Box<str>>,
    #[serde(flatten)]
    procedures: ProceduresForm,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    r#type: Option<Word<ChangeType>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    start: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<At>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    accepted: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    record: bool,
    stamp: At,
    /// Missing in what was written before it was kept: the stamp stands for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<At>,
}

/// One procedure or several: one was all that there could be at first.
#[derive(Serialize, Deserialize)]
struct ProceduresForm {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    procedure: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    procedures: Vec<Box<str>>,
}

impl From<&[Box<str>]> for ProceduresForm {
    fn from(named: &[Box<str>]) -> ProceduresForm {
        match named {
            [one] => ProceduresForm { procedure: Some(one.clone()), procedures: Vec::new() },
            several => ProceduresForm { procedure: None, procedures: several.to_vec() },
        }
    }
}

impl From<ProceduresForm> for Vec<Box<str>> {
    fn from(form: ProceduresForm) -> Vec<Box<str>> {
        form.procedure.into_iter().chain(form.procedures).collect()
    }
}

#[derive(Serialize, Deserialize)]
struct PlanForm {
    change: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slot: Option<Box<str>>,
    n: u64,
    status: Word<Status>,
    services: Vec<Box<str>>,
    #[serde(flatten)]
    procedures: ProceduresForm,
    r#type: Word<ChangeType>,
    planned: Option<(At, At)>,
    confirmed: Option<At>,
}

#[derive(Serialize, Deserialize)]
struct PhaseForm {
    kind: Word<Kind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<Box<str>>,
    at: At,
}

#[derive(Serialize, Deserialize)]
struct FindingForm {
    reason: Word<Reason>,
    at: At,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waived: bool,
    detail: String,
}

/// A run, as it started or as it stands.
#[derive(Serialize, Deserialize)]
pub(super) struct RunForm {
    no: u64,
    partner: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    service: Option<Arc<str>>,
    procedure: Arc<str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    change: Option<Arc<str>>,
    trigger: Word<Trigger>,
    start: At,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ambiguous: bool,
    stamped: At,
    observed: At,
    /// Service and procedure as they are counted.
    labels: (Arc<str>, Arc<str>),
    group: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanForm>,
    state: Word<State>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Box<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PhaseForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved: Option<At>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingForm>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    uncovered: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    latched: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<(At, String, String)>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sealed: bool,
    place: Option<PlaceForm>,
}

impl From<&Entry> for EntryForm {
    fn from(e: &Entry) -> EntryForm {
        EntryForm { c: At(e.clock), p: e.partner.clone(), w: (&e.what).into() }
    }
}

impl From<EntryForm> for Entry {
    fn from(e: EntryForm) -> Entry {
        Entry { clock: e.c.0, what: e.w.said_of(&e.p), partner: e.p }
    }
}

impl From<&What> for WhatForm {
    fn from(what: &What) -> WhatForm {
        let place = |p: &Option<Place>| p.as_ref().map(PlaceForm::from);
        match what {
            What::Revised { change_id, revision, place: p } => WhatForm::Revised {
                change: change_id.clone(),
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
                outcome: outcome.clone(),
                shown: shown.as_ref().map(nanos_of),
                place: place(p),
            },
            What::Lost { run } => WhatForm::Lost { run: *run },
            What::Verified { run, at, place: p } => {
                WhatForm::Verified { run: *run, at: At(*at), place: place(p) }
            }
            What::Approved { change_id, run_id, run, at, by, note, place: p } => {
                WhatForm::Approved {
                    change: change_id.clone(),
                    id: run_id.clone(),
                    run: *run,
                    at: At(*at),
                    by: by.clone(),
                    note: note.clone(),
                    place: place(p),
                }
            }
            What::Found { run, finding, latch } => {
                WhatForm::Found { run: *run, f: finding.into(), latch: *latch }
            }
            What::Refuted { run, reason } => WhatForm::Refuted { run: *run, reason: Word(*reason) },
            What::Sealed { run, verdict, business_nanos, outside_nanos, digest } => {
                WhatForm::Sealed {
                    run: *run,
                    verdict: Word(*verdict),
                    business: *business_nanos,
                    outside: *outside_nanos,
                    digest: digest.clone(),
                }
            }
            What::Amended { run, note, place: p } => {
                WhatForm::Amended { run: *run, note: note.clone(), place: place(p) }
            }
            What::Irregular { kind, at, detail, place: p } => WhatForm::Irregular {
                kind: Word(*kind),
                at: At(*at),
                detail: detail.clone(),
                place: place(p),
            },
            What::Acknowledged { run, acknowledgement: a } => WhatForm::Acknowledged {
                run: *run,
                at: At(a.at),
                by: a.by.clone(),
                note: a.note.clone(),
            },
            What::TimeShown { labels, shown } => {
                WhatForm::TimeShown { labels: counted_as(labels), shown: nanos_of(shown) }
            }
        }
    }
}

impl WhatForm {
    /// What it says of this partner.
    fn said_of(self, partner: &Arc<str>) -> What {
        let place = |p: Option<PlaceForm>| p.map(Place::from);
        match self {
            WhatForm::Revised { change, rev, place: p } => {
                What::Revised { change_id: change, revision: rev.into(), place: place(p) }
            }
            WhatForm::Started { run, verdict } => {
                What::Started { run: Arc::new((*run).into()), verdict: verdict.0 }
            }
            WhatForm::Phase { run, phase, place: p } => {
                What::Phase { run, phase: phase.into(), place: place(p) }
            }
            WhatForm::Ended { run, state, at, outcome, shown, place: p } => What::Ended {
                run,
                state: state.0,
                at: at.0,
                outcome,
                shown: shown
                    .map(|(business_nanos, outside_nanos)| Shown { business_nanos, outside_nanos }),
                place: place(p),
            },
            WhatForm::Lost { run } => What::Lost { run },
            WhatForm::Verified { run, at, place: p } => {
                What::Verified { run, at: at.0, place: place(p) }
            }
            WhatForm::Approved { change, id, run, at, by, note, place: p } => What::Approved {
                change_id: change,
                run_id: id,
                run,
                at: at.0,
                by,
                note,
                place: place(p),
            },
            WhatForm::Found { run, f, latch } => What::Found { run, finding: f.into(), latch },
            WhatForm::Refuted { run, reason } => What::Refuted { run, reason: reason.0 },
            WhatForm::Sealed { run, verdict, business, outside, digest } => What::Sealed {
                run,
                verdict: verdict.0,
                business_nanos: business,
                outside_nanos: outside,
                digest,
            },
            WhatForm::Amended { run, note, place: p } => {
                What::Amended { run, note, place: place(p) }
            }
            WhatForm::Irregular { kind, at, detail, place: p } => {
                What::Irregular { kind: kind.0, at: at.0, detail, place: place(p) }
            }
            WhatForm::Acknowledged { run, at, by, note } => {
                What::Acknowledged { run, acknowledgement: Acknowledgement { at: at.0, by, note } }
            }
            WhatForm::TimeShown { labels: (service, procedure), shown } => {
                let (business_nanos, outside_nanos) = shown;
                What::TimeShown {
                    labels: Labels { partner: partner.clone(), service, procedure },
                    shown: Shown { business_nanos, outside_nanos },
                }
            }
        }
    }
}

/// Service and procedure as they are counted.
fn counted_as(labels: &Labels) -> (Arc<str>, Arc<str>) {
    (labels.service.clone(), labels.procedure.clone())
}

fn nanos_of(shown: &Shown) -> (i128, i128) {
    (shown.business_nanos, shown.outside_nanos)
}

impl From<&Place> for PlaceForm {
    fn from(p: &Place) -> PlaceForm {
        PlaceForm { s: p.source.clone(), p: p.path.clone(), f: p.file, o: p.offset }
    }
}

impl From<PlaceForm> for Place {
    fn from(p: PlaceForm) -> Place {
        Place { source: p.s, path: p.p, file: p.f, offset: p.o }
    }
}

impl From<&Revision> for RevisionForm {
    fn from(r: &Revision) -> RevisionForm {
        RevisionForm {
            n: r.number,
            slot: r.slot.clone(),
            status: r.status.map(Word),
            services: r.services.clone(),
            procedures: r.procedures.as_slice().into(),
            r#type: r.change_type.map(Word),
            start: r.planned_start.map(At),
            end: r.planned_end.map(At),
            accepted: r.accepted,
            record: r.is_record,
            stamp: At(r.stamp),
            seen: Some(At(r.seen)),
        }
    }
}

impl From<RevisionForm> for Revision {
    fn from(r: RevisionForm) -> Revision {
        Revision {
            slot: r.slot,
            number: r.n,
            status: r.status.map(|s| s.0),
            services: r.services,
            procedures: r.procedures.into(),
            change_type: r.r#type.map(|t| t.0),
            planned_start: r.start.map(|t| t.0),
            planned_end: r.end.map(|t| t.0),
            accepted: r.accepted,
            is_record: r.record,
            seen: r.seen.map_or(r.stamp.0, |t| t.0),
            stamp: r.stamp.0,
        }
    }
}

impl From<&Plan> for PlanForm {
    fn from(p: &Plan) -> PlanForm {
        PlanForm {
            change: p.change_id.clone(),
            slot: p.slot.clone(),
            n: p.revision,
            status: Word(p.status),
            services: p.services.clone(),
            procedures: p.procedures.as_slice().into(),
            r#type: Word(p.change_type),
            planned: p.planned.map(|p| (At(p.start), At(p.end))),
            confirmed: p.confirmed_at.map(At),
        }
    }
}

impl From<PlanForm> for Plan {
    fn from(p: PlanForm) -> Plan {
        Plan {
            change_id: p.change,
            slot: p.slot,
            revision: p.n,
            status: p.status.0,
            services: p.services,
            procedures: p.procedures.into(),
            change_type: p.r#type.0,
            planned: p.planned.map(|(start, end)| Planned { start: start.0, end: end.0 }),
            confirmed_at: p.confirmed.map(|c| c.0),
        }
    }
}

impl From<&Phase> for PhaseForm {
    fn from(p: &Phase) -> PhaseForm {
        PhaseForm { kind: Word(p.kind), name: p.name.clone(), at: At(p.at) }
    }
}

impl From<PhaseForm> for Phase {
    fn from(p: PhaseForm) -> Phase {
        Phase { kind: p.kind.0, name: p.name, at: p.at.0 }
    }
}

impl From<&Finding> for FindingForm {
    fn from(f: &Finding) -> FindingForm {
        FindingForm {
            reason: Word(f.reason),
            at: At(f.at),
            waived: f.waived,
            detail: f.detail.clone(),
        }
    }
}

impl From<FindingForm> for Finding {
    fn from(f: FindingForm) -> Finding {
        Finding { reason: f.reason.0, at: f.at.0, waived: f.waived, detail: f.detail }
    }
}

impl From<&Run> for RunForm {
    fn from(r: &Run) -> RunForm {
        RunForm {
            no: r.no,
            partner: r.partner.clone(),
            service: r.service.clone(),
            procedure: r.procedure.clone(),
            id: r.run_id.clone(),
            change: r.change_id.clone(),
            trigger: Word(r.trigger),
            start: At(r.start),
            ambiguous: r.ambiguous,
            stamped: At(r.stamped),
            observed: At(r.observed),
            labels: counted_as(&r.labels),
            group: r.group,
            plan: r.plan.as_ref().map(PlanForm::from),
            state: Word(r.state),
            end: r.end.map(At),
            outcome: r.outcome.clone(),
            phases: r.phases.iter().map(PhaseForm::from).collect(),
            verified: r.verified.map(At),
            approved: r.approved.map(At),
            findings: r.findings.values().map(FindingForm::from).collect(),
            uncovered: r.uncovered,
            latched: r.latched,
            acknowledged: r.acknowledged.as_ref().map(|a| (At(a.at), a.by.clone(), a.note.clone())),
            sealed: r.sealed,
            place: r.place.as_ref().map(PlaceForm::from),
        }
    }
}

impl From<RunForm> for Run {
    fn from(r: RunForm) -> Run {
        let (service, procedure) = r.labels;
        let findings = r.findings.into_iter().map(Finding::from);
        Run {
            no: r.no,
            labels: Labels { partner: r.partner.clone(), service, procedure },
            partner: r.partner,
            service: r.service,
            procedure: r.procedure,
            run_id: r.id,
            change_id: r.change,
            trigger: r.trigger.0,
            start: r.start.0,
            ambiguous: r.ambiguous,
            stamped: r.stamped.0,
            observed: r.observed.0,
            group: r.group,
            plan: r.plan.map(Plan::from),
            state: r.state.0,
            end: r.end.map(|e| e.0),
            outcome: r.outcome,
            phases: r.phases.into_iter().map(Phase::from).collect(),
            verified: r.verified.map(|v| v.0),
            approved: r.approved.map(|a| a.0),
            findings: findings.map(|f| (f.reason, f)).collect(),
            uncovered: r.uncovered,
            latched: r.latched,
            acknowledged: r.acknowledged.map(|(at, by, note)| Acknowledgement {
                at: at.0,
                by,
                note,
            }),
            sealed: r.sealed,
            place: r.place.map(Place::from),
        }
    }
}

/// A checkpoint as it is written. Hashes in hexadecimal.
#[derive(Serialize, Deserialize)]
struct CheckpointForm {
    file: u64,
    source: Arc<str>,
    path: String,
    dev: u64,
    ino: u64,
    offset: u64,
    head: (u32, String),
    marker: (u32, String),
    skipped: u64,
    finished: bool,
    memo: String,
}

/// Writes a checkpoint.
pub(super) fn write_checkpoint(c: &Checkpoint) -> Result<String, serde_json::Error> {
    let signature = |s: &Signature| (s.len, Head(s.hash).hex());
    serde_json::to_string(&CheckpointForm {
        file: c.file.0,
        source: c.source.clone(),
        path: c.path.to_string_lossy().into_owned(),
        dev: c.dev,
        ino: c.ino,
        offset: c.offset,
        head: signature(&c.head),
        marker: signature(&c.marker),
        skipped: c.skipped,
        finished: c.finished,
        memo: c.memo.clone(),
    })
}

/// Reads a checkpoint.
pub(super) fn read_checkpoint(text: &str) -> Result<Checkpoint, serde_json::Error> {
    let form: CheckpointForm = serde_json::from_str(text)?;
    let signature = |(len, hex): (u32, String)| {
        let bytes = (0..32).map(|i| {
            let pair = hex.get(i * 2..i * 2 + 2);
            pair.and_then(|p| u8::from_str_radix(p, 16).ok())
        });
        let hash: Option<Vec<u8>> = bytes.collect();
        let hash = hash.and_then(|h| h.try_into().ok());
        let hash = hash.ok_or_else(|| serde::de::Error::custom("a hash is not 64 hex digits"));
        hash.map(|hash| Signature { len, hash })
    };
    Ok(Checkpoint {
        file: FileId(form.file),
        source: form.source,
        path: form.path.into(),
        dev: form.dev,
        ino: form.ino,
        offset: form.offset,
        head: signature(form.head)?,
        marker: signature(form.marker)?,
        skipped: form.skipped,
        finished: form.finished,
        memo: form.memo,
    })
}
