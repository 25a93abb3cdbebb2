//! The forms of a run: as it started, which its first entry tells, and what has become of it since, which its
//! row tells. Neither repeats the other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::asked::AskedForm;
use super::parts::{AcknowledgementForm, FindingForm, PhaseForm, PlaceForm, PlanForm};
use crate::change::Plan;
use crate::event::Trigger;
use crate::run::{Irregularity, Labels, Run, State};
use crate::store::scalar::{At, Text, Word};
use crate::verdict::Finding;

/// A run as it started. The partner stands in the entry.
#[derive(Serialize, Deserialize)]
pub(super) struct StartForm<'a> {
    no: u64,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    service: Option<Text<'a>>,
    #[serde(borrow)]
    procedure: Text<'a>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    id: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    change: Option<Text<'a>>,
    trigger: Word<Trigger>,
    start: At,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    ambiguous: bool,
    /// Missing: at the start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stamped: Option<At>,
    observed: At,
    /// Service and procedure as they are counted; missing: as they are named.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    labels: Option<(Text<'a>, Text<'a>)>,
    /// Missing: the run's own number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<u64>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanForm<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivered: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved: Option<At>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    findings: Vec<FindingForm<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    uncovered: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    latched: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    asked: Option<Box<AskedForm<'a>>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    irregular: Option<Word<Irregularity>>,
    #[serde(borrow)]
    place: Option<PlaceForm<'a>>,
}

impl<'a> From<&'a Run> for StartForm<'a> {
    fn from(r: &'a Run) -> StartForm<'a> {
        let as_named = r.service.as_ref() == Some(&r.labels.service)
            && r.procedure == r.labels.procedure
            && r.partner == r.labels.partner;
        let labels = || ((&*r.labels.service).into(), (&*r.labels.procedure).into());
        StartForm {
            no: r.no,
            service: Text::maybe(&r.service),
            procedure: (&*r.procedure).into(),
            id: Text::maybe(&r.run_id),
            change: Text::maybe(&r.change_id),
            trigger: Word(r.trigger),
            start: At(r.start),
            ambiguous: r.ambiguous,
            stamped: (r.stamped != r.start).then_some(At(r.stamped)),
            observed: At(r.observed),
            labels: (!as_named).then(labels),
            group: (r.group != r.no).then_some(r.group),
            plan: r.plan.as_ref().map(PlanForm::from),
            delivered: r.delivered_by.map(At),
            approved: r.approved.map(At),
            findings: r.findings.values().map(FindingForm::from).collect(),
            uncovered: r.uncovered,
            latched: r.latched,
            asked: r.asked.as_ref().map(|asked| Box::new((&**asked).into())),
            irregular: r.irregular_start.map(Word),
            place: PlaceForm::maybe(&r.place),
        }
    }
}

impl StartForm<'_> {
    pub(super) fn run_of(self, partner: Arc<str>) -> Run {
        let service: Option<Arc<str>> = self.service.map(Text::into);
        let procedure: Arc<str> = self.procedure.into();
        let (counted_service, counted_procedure) = match self.labels {
            Some((service, procedure)) => (service.into(), procedure.into()),
            None => (service.clone().unwrap_or_default(), procedure.clone()),
        };
        Run {
            no: self.no,
            labels: Labels {
                partner: partner.clone(),
                service: counted_service,
                procedure: counted_procedure,
            },
            partner,
            service,
            procedure,
            run_id: self.id.map(Text::into),
            change_id: self.change.map(Text::into),
            trigger: self.trigger.0,
            start: self.start.0,
            ambiguous: self.ambiguous,
            stamped: self.stamped.unwrap_or(self.start).0,
            observed: self.observed.0,
            group: self.group.unwrap_or(self.no),
            plan: self.plan.map(Plan::from),
            replanned: false,
            delivered_by: self.delivered.map(|d| d.0),
            state: State::Running,
            end: None,
            lost_at: None,
            outcome: None,
            phases: Vec::new(),
            verified: None,
            approved: self.approved.map(|a| a.0),
            approved_as_emergency: None,
            findings: self.findings.into_iter().map(Finding::from).collect(),
            refound: false,
            uncovered: self.uncovered,
            latched: self.latched,
            acknowledged: None,
            sealed: false,
            asked: self.asked.map(|asked| Arc::new((*asked).into())),
            irregular_start: self.irregular.map(|kind| kind.0),
            place: self.place.map(|p| p.into()),
        }
    }
}

/// What has become of a run since its start. Its state has a column of its own.
#[derive(Serialize, Deserialize)]
pub(crate) struct SinceForm<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end: Option<At>,
    /// When it was given up; missing in old ledgers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<At>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    outcome: Option<Text<'a>>,
    #[serde(borrow, default, skip_serializing_if = "Vec::is_empty")]
    phases: Vec<PhaseForm<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved: Option<At>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approved_as_emergency: Option<At>,
    /// Missing: that of the start.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    replanned: Option<Replanned<'a>>,
    /// Missing: those of the start.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingForm<'a>>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    latched: bool,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    acknowledged: Option<AcknowledgementForm<'a>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sealed: bool,
}

/// The plan that counts since changes of our own were delivered.
#[derive(Serialize, Deserialize)]
struct Replanned<'a> {
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    plan: Option<PlanForm<'a>>,
}

impl<'a> From<&'a Run> for SinceForm<'a> {
    fn from(r: &'a Run) -> SinceForm<'a> {
        let findings = || r.findings.values().map(FindingForm::from).collect();
        SinceForm {
            end: r.end.map(At),
            lost: r.lost_at.map(At),
            outcome: Text::maybe(&r.outcome),
            phases: r.phases.iter().map(PhaseForm::from).collect(),
            verified: r.verified.map(At),
            approved: r.approved.map(At),
            approved_as_emergency: r.approved_as_emergency.map(At),
            replanned: r.replanned.then(|| Replanned { plan: r.plan.as_ref().map(PlanForm::from) }),
            findings: r.refound.then(findings),
            latched: r.latched,
            acknowledged: r.acknowledged.as_ref().map(AcknowledgementForm::from),
            sealed: r.sealed,
        }
    }
}

impl SinceForm<'_> {
    /// The run that started as `run`, as it stands.
    pub(crate) fn applied_to(self, run: Run, state: State) -> Run {
        let refound = self.findings.is_some();
        let replanned = self.replanned.is_some();
        let plan = match self.replanned {
            Some(now) => now.plan.map(Plan::from),
            None => run.plan,
        };
        let findings = self.findings.map(|f| f.into_iter().map(Finding::from).collect());
        Run {
            state,
            end: self.end.map(|e| e.0),
            lost_at: self.lost.map(|at| at.0),
            outcome: self.outcome.map(Text::into),
            phases: self.phases.into_iter().map(|p| p.into()).collect(),
            verified: self.verified.map(|v| v.0),
            approved: self.approved.map(|a| a.0),
            approved_as_emergency: self.approved_as_emergency.map(|a| a.0),
            findings: findings.unwrap_or(run.findings),
            refound,
            plan,
            replanned,
            latched: self.latched,
            acknowledged: self.acknowledged.map(|a| a.into()),
            sealed: self.sealed,
            ..run
        }
    }
}
