//! The forms of what entries and runs are made of: places, revisions, plans, phases, findings.

use serde::{Deserialize, Serialize};

use crate::change::{Plan, Planned, Revision};
use crate::event::{ChangeType, Kind, Status};
use crate::run::{Acknowledgement, Phase, Place};
use crate::store::scalar::{At, Text, Word};
use crate::verdict::{Finding, Reason};

#[derive(Serialize, Deserialize)]
pub(super) struct PlaceForm<'a> {
    #[serde(borrow)]
    s: Text<'a>,
    p: Text<'a>,
    f: u64,
    o: u64,
}

impl<'a> PlaceForm<'a> {
    pub(super) fn maybe(place: &'a Option<Place>) -> Option<PlaceForm<'a>> {
        place.as_ref().map(|p| PlaceForm {
            s: (&*p.source).into(),
            p: (&*p.path).into(),
            f: p.file,
            o: p.offset,
        })
    }
}

impl From<PlaceForm<'_>> for Place {
    fn from(p: PlaceForm) -> Place {
        Place { source: p.s.into(), path: p.p.into(), file: p.f, offset: p.o }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct RevisionForm<'a> {
    n: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    slot: Option<Text<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<Word<Status>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    services: Vec<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    procedures: Vec<Text<'a>>,
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
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ours: bool,
    /// Missing: at the stamp, if at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    confirmed: Option<At>,
    stamp: At,
    /// Missing: at the stamp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seen: Option<At>,
}

impl<'a> From<&'a Revision> for RevisionForm<'a> {
    fn from(r: &'a Revision) -> RevisionForm<'a> {
        RevisionForm {
            n: r.number,
            slot: Text::maybe(&r.slot),
            status: r.status.map(Word),
            services: texts(&r.services),
            procedures: texts(&r.procedures),
            r#type: r.change_type.map(Word),
            start: r.planned_start.map(At),
            end: r.planned_end.map(At),
            accepted: r.accepted,
            record: r.is_record,
            ours: r.ours,
            confirmed: r.confirmed.map(At),
            stamp: At(r.stamp),
            seen: (r.seen != r.stamp).then_some(At(r.seen)),
        }
    }
}

impl From<RevisionForm<'_>> for Revision {
    fn from(r: RevisionForm) -> Revision {
        Revision {
            slot: r.slot.map(Text::into),
            number: r.n,
            status: r.status.map(|s| s.0),
            services: names(r.services),
            procedures: names(r.procedures),
            change_type: r.r#type.map(|t| t.0),
            planned_start: r.start.map(|t| t.0),
            planned_end: r.end.map(|t| t.0),
            accepted: r.accepted,
            is_record: r.record,
            ours: r.ours,
            confirmed: r.confirmed.map(|c| c.0),
            seen: r.seen.unwrap_or(r.stamp).0,
            stamp: r.stamp.0,
        }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PlanForm<'a> {
    #[serde(borrow)]
    change: Text<'a>,
    n: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    slot: Option<Text<'a>>,
    status: Word<Status>,
    #[serde(borrow)]
    services: Vec<Text<'a>>,
    #[serde(borrow)]
    procedures: Vec<Text<'a>>,
    r#type: Word<ChangeType>,
    planned: Option<(At, At)>,
    confirmed: Option<At>,
}

impl<'a> PlanForm<'a> {
    pub(super) fn maybe(plan: &'a Option<Box<Plan>>) -> Option<Box<PlanForm<'a>>> {
        plan.as_ref().map(|plan| Box::new((&**plan).into()))
    }
}

impl<'a> From<&'a Plan> for PlanForm<'a> {
    fn from(p: &'a Plan) -> PlanForm<'a> {
        PlanForm {
            change: (&*p.change_id).into(),
            n: p.revision,
            slot: Text::maybe(&p.slot),
            status: Word(p.status),
            services: texts(&p.services),
            procedures: texts(&p.procedures),
            r#type: Word(p.change_type),
            planned: p.planned.map(|p| (At(p.start), At(p.end))),
            confirmed: p.confirmed_at.map(At),
        }
    }
}

impl From<PlanForm<'_>> for Plan {
    fn from(p: PlanForm) -> Plan {
        Plan {
            change_id: p.change.into(),
            slot: p.slot.map(Text::into),
            revision: p.n,
            status: p.status.0,
            services: names(p.services),
            procedures: names(p.procedures),
            change_type: p.r#type.0,
            planned: p.planned.map(|(start, end)| Planned { start: start.0, end: end.0 }),
            confirmed_at: p.confirmed.map(|c| c.0),
        }
    }
}

fn names(texts: Vec<Text>) -> Vec<Box<str>> {
    texts.into_iter().map(Text::into).collect()
}

fn texts(texts: &[Box<str>]) -> Vec<Text<'_>> {
    texts.iter().map(|text| (&**text).into()).collect()
}

#[derive(Serialize, Deserialize)]
pub(super) struct PhaseForm<'a> {
    kind: Word<Kind>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    name: Option<Text<'a>>,
    at: At,
}

impl<'a> From<&'a Phase> for PhaseForm<'a> {
    fn from(p: &'a Phase) -> PhaseForm<'a> {
        PhaseForm { kind: Word(p.kind), name: Text::maybe(&p.name), at: At(p.at) }
    }
}

impl From<PhaseForm<'_>> for Phase {
    fn from(p: PhaseForm) -> Phase {
        Phase { kind: p.kind.0, name: p.name.map(Text::into), at: p.at.0 }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct FindingForm<'a> {
    reason: Word<Reason>,
    at: At,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waived: bool,
    #[serde(borrow)]
    detail: Text<'a>,
}

impl<'a> From<&'a Finding> for FindingForm<'a> {
    fn from(f: &'a Finding) -> FindingForm<'a> {
        FindingForm {
            reason: Word(f.reason),
            at: At(f.at),
            waived: f.waived,
            detail: (&*f.detail).into(),
        }
    }
}

impl From<FindingForm<'_>> for Finding {
    fn from(f: FindingForm) -> Finding {
        Finding { reason: f.reason.0, at: f.at.0, waived: f.waived, detail: f.detail.into() }
    }
}

#[derive(Serialize, Deserialize)]
pub(crate) struct AcknowledgementForm<'a> {
    at: At,
    #[serde(borrow)]
    by: Text<'a>,
    note: Text<'a>,
}

impl<'a> From<&'a Acknowledgement> for AcknowledgementForm<'a> {
    fn from(a: &'a Acknowledgement) -> AcknowledgementForm<'a> {
        AcknowledgementForm { at: At(a.at), by: (&*a.by).into(), note: (&*a.note).into() }
    }
}

impl From<AcknowledgementForm<'_>> for Acknowledgement {
    fn from(a: AcknowledgementForm) -> Acknowledgement {
        Acknowledgement { at: a.at.0, by: a.by.into(), note: a.note.into() }
    }
}
