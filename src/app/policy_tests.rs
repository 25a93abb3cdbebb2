//! Judges the cases of a policy: each is taken as the lines of a log would be, into a ledger of its own.

use std::collections::BTreeSet;

use crate::config::{CaseChange, PolicyCase};
use crate::event::{Body, Event, Kind, Notice, RunLine, Status};
use crate::ledger::{Draft, Evidence, Ledger, Taking};
use crate::policy::Policy;
use crate::time::Instant;
use crate::verdict::{Reason, Verdict};

/// Names the change and the run of a case; each has a ledger of its own.
const ID: &str = "case";

/// What a case is judged as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Got {
    pub verdict: Verdict,
    pub reasons: BTreeSet<Reason>,
}

impl Got {
    /// Whether it is what the case expects.
    pub fn is_as_expected(&self, case: &PolicyCase) -> bool {
        self.verdict == case.verdict
            && case.reasons.as_ref().is_none_or(|reasons| *reasons == self.reasons)
    }
}

/// Judges a case. `None`: its run was not taken, because the plan of its change cannot be.
pub fn judge(policy: &Policy, case: &PolicyCase) -> Option<Got> {
    let mut draft = Draft::new(Ledger::keeping_all(), Evidence::Stamps);
    for (at, body) in lines(case) {
        let taking = Taking {
            partner: case.partner.clone(),
            ours: true,
            event: Event { at, other_reading: None, partner: None, body },
            place: None,
            read: 0,
            observed: at,
            followed_since: None,
            live: false,
            line: None,
        };
        draft.take(policy, &taking).ok()?;
    }
    draft.advance(policy, &case.partner, case.now, case.now, true);
    // Without a service it is a run of each that the procedure has: the worst of them is what is told.
    let runs: Vec<_> = draft.ledger().runs().collect();
    let worst = [Verdict::Violation, Verdict::Unknown, Verdict::Exempt, Verdict::Compliant];
    let verdict = worst.into_iter().find(|v| runs.iter().any(|run| run.verdict() == *v))?;
    let reasons = runs.iter().flat_map(|run| run.findings.keys()).collect();
    Some(Got { verdict, reasons })
}

/// What a log would say: the notices first, as in a replay, then the lines of the run in their order.
fn lines(case: &PolicyCase) -> Vec<(Instant, Body)> {
    let mut lines: Vec<(Instant, Body)> = [
        (Some(case.start), Kind::Started),
        (case.end, Kind::Finished),
        (case.verified, Kind::Verified),
        (case.approved, Kind::Approved),
    ]
    .into_iter()
    .filter_map(|(at, kind)| Some((at?, Body::Run(line(case, kind)))))
    .filter(|(at, _)| *at <= case.now)
    .collect();
    lines.sort_by_key(|(at, _)| *at);
    let notices = case.change.iter().flat_map(|change| notices(case, change));
    notices.chain(lines).collect()
}

fn line(case: &PolicyCase, kind: Kind) -> RunLine {
    RunLine {
        kind,
        services: case.service.iter().cloned().collect(),
        procedure: Some(case.procedure.clone()),
        run_id: Some(ID.into()),
        change_id: case.change.as_ref().map(|_| ID.into()),
        trigger: case.trigger,
        phase: None,
        outcome: None,
        whole: None,
    }
}

fn notices(case: &PolicyCase, change: &CaseChange) -> Vec<(Instant, Body)> {
    let notice = |status| Notice {
        change_id: ID.into(),
        status: Some(status),
        services: case.service.iter().cloned().collect(),
        procedures: vec![case.procedure.clone()],
        change_type: Some(change.change_type),
        planned_start: Some(change.start),
        planned_end: Some(change.end),
        ..Notice::default()
    };
    let first = match change.confirmed {
        Some(at) => (at, Body::Notice(notice(Status::Confirmed))),
        None => (case.start, Body::Notice(notice(Status::Tentative))),
    };
    let cancelled = change.cancelled.map(|at| (at, Body::Notice(notice(Status::Cancelled))));
    std::iter::once(first).chain(cancelled).collect()
}
