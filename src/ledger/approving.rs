//! Approvals of emergencies: whose count, and what they do to the runs that they name.

use std::sync::Arc;

use crate::event::RunLine;
use crate::ledger::draft::{Draft, Taking};
use crate::ledger::present::terms_of;
use crate::ledger::{What, case_of};
use crate::policy::Policy;
use crate::run::{Irregularity, Place, Run, RunNo};
use crate::time::Instant;
use crate::verdict::Finding;

/// An approval of an emergency: by a line of a system of ours, or by one of us.
#[derive(Clone, Debug, Default)]
pub struct Approval {
    pub change_id: Option<Arc<str>>,
    pub run_id: Option<Arc<str>>,
    /// The run, where one of us approves exactly one. That makes it an emergency, if it was none.
    pub run: Option<RunNo>,
    pub at: Instant,
    pub by: Option<String>,
    pub note: Option<String>,
    pub place: Option<Place>,
}

impl Approval {
    fn names(&self, run: &Run) -> bool {
        self.run == Some(run.no)
            || self.change_id.is_some() && run.change() == self.change_id.as_ref()
            || self.run_id.is_some() && run.run_id == self.run_id
    }
}

impl From<Approval> for What {
    fn from(a: Approval) -> What {
        What::Approved {
            change_id: a.change_id,
            run_id: a.run_id,
            run: a.run,
            at: a.at,
            by: a.by,
            note: a.note,
            place: a.place,
        }
    }
}

impl Draft {
    /// A line that approves. A partner cannot approve what it does itself.
    pub(super) fn take_approval(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) {
        if !taking.ours {
            let of = match (&line.change_id, &line.run_id) {
                (Some(change), _) => format!("change {change}"),
                (None, Some(run)) => format!("run {run}"),
                (None, None) => "nothing that it names".into(),
            };
            let detail = format!("the log of the partner approves {of}; only ours may");
            return self.irregular(clock, taking, Irregularity::ApprovalByPartner, detail);
        }
        let shared = |name: &Option<Box<str>>| name.as_deref().map(Arc::from);
        let approval = Approval {
            change_id: shared(&line.change_id),
            run_id: shared(&line.run_id),
            at: taking.event.at,
            place: taking.place.clone(),
            ..Approval::default()
        };
        self.approve(policy, &taking.partner, clock, taking.observed, approval);
    }

    /// Records an approval and judges again what it names. `observed` is the time of the wall clock.
    pub fn approve(
        &mut self,
        policy: &Policy,
        partner: &Arc<str>,
        clock: Instant,
        observed: Instant,
        approval: Approval,
    ) {
        let waiting = self.ledger.waiting_for_approval().filter(|r| r.partner == *partner);
        let named: Vec<Arc<Run>> = waiting.filter(|r| approval.names(r)).cloned().collect();
        let at = approval.at;
        let place = approval.place.clone();
        self.record(clock, partner, approval.into());
        for run in named {
            self.waive(policy, clock, run.no);
            self.amend_or_refresh(policy, clock, (at, observed), &run, "approved", &place);
        }
    }

    /// Reasons that were found before the run was approved as an emergency are put on record anew, as waived.
    fn waive(&mut self, policy: &Policy, clock: Instant, no: RunNo) {
        let Some(run) = self.ledger.run(no).filter(|run| !run.sealed).cloned() else { return };
        if run.approved_as_emergency.is_none() {
            return;
        }
        let Some(terms) = terms_of(policy, &run) else { return };
        let case = case_of(&run, terms, clock);
        for known in run.findings.values().filter(|f| !f.waived && case.waives(f.reason)) {
            let finding = Finding { waived: true, ..known.clone() };
            self.record(clock, &run.partner, What::Found { run: no, finding, latch: false });
        }
    }
}
