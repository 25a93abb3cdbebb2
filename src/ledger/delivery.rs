//! Changes as they are delivered: what one record tells, and what those of our own change for runs that have begun.
//!
//! A partner's change is on record once it was read. One of our own counts from its stamp, whenever it is read.

use std::sync::Arc;

use crate::change::{AsOf, BadPlan, Changes, Plan};
use crate::event::{ChangeType, Notice, Status};
use crate::ledger::What;
use crate::ledger::approving::Approval;
use crate::ledger::draft::{Draft, Evidence, Taken, Taking};
use crate::ledger::present::terms_of;
use crate::policy::{Partner, Policy, Terms};
use crate::run::Run;
use crate::time::{Instant, rfc3339};
use crate::verdict::{Case, Check, Finding, Reason, When, judge};

impl Draft {
    /// Until when changes of our own that were stamped before `start` may still be delivered.
    pub(super) fn delivered_by(
        &self,
        partner: &Partner,
        start: Instant,
        taking: &Taking,
    ) -> Option<Instant> {
        let until = start + partner.delivered_every?;
        (self.evidence == Evidence::Readings && taking.observed < until).then_some(until)
    }

    /// What was on record of the change that a run belongs to.
    pub(super) fn plan_for(&self, run: &Run, terms: &Terms, as_of: AsOf) -> Option<Plan> {
        let changes = &self.ledger.book(&run.partner)?.changes;
        let (service, early) = (run.service.as_deref(), terms.confirmation.early);
        match &run.change_id {
            Some(id) => changes.plan(id, (service, &run.procedure), early, as_of),
            None => changes.matching(service, &run.procedure, early, as_of),
        }
    }

    pub(super) fn take_notice(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        notice: &Notice,
    ) -> Result<Taken, BadPlan> {
        let none = Changes::default();
        let changes = self.ledger.book(&taking.partner).map_or(&none, |book| &book.changes);
        let answered = notice.change_id.is_empty().then(|| changes.answered(notice));
        let notice = match &answered {
            None => notice,
            Some(Some(notice)) => notice,
            Some(None) => return Ok(Taken::Known),
        };
        let (mut taken, mut earliest) = (Taken::Known, taking.event.at);
        for (told, stamp) in self.told(taking, notice) {
            if self.take_revision(clock, taking, &told, stamp)? == Taken::New {
                taken = Taken::New;
            }
            earliest = earliest.min(stamp);
        }
        if taking.ours {
            if taken == Taken::New {
                self.look_back(policy, clock, taking, &notice.change_id, earliest);
            }
            self.approve_by_change(policy, clock, taking, notice);
        }
        Ok(taken)
    }

    /// The records that one record is, each with its stamp; they share a number. What they omit they keep from those
    /// before them that are on record when they are asked for.
    fn told(&self, taking: &Taking, notice: &Notice) -> Vec<(Notice, Instant)> {
        let time = taking.event.at;
        let Some(confirmed_at) = notice.confirmed_at else { return vec![(notice.clone(), time)] };
        let none = Changes::default();
        let changes = self.ledger.book(&taking.partner).map_or(&none, |book| &book.changes);
        if notice.is_record && changes.was_planned_otherwise(notice, confirmed_at, time) {
            // What was confirmed then had other times: these are as old as the record.
            return vec![(Notice { confirmed_at: None, ..notice.clone() }, time)];
        }
        let as_of = AsOf::stamped(time);
        let known = || changes.status(&notice.change_id, notice.slot.as_deref(), as_of);
        let status = notice.status.or_else(known);
        let mut all = parts(notice, (time, confirmed_at), status, taking.ours);
        if let [(first, stamp), _, ..] = all.as_slice()
            && changes.accept(first, *stamp, taking.observed, taking.ours).is_err()
        {
            // At its confirmation it had no times yet.
            all = alone(notice, time, status);
        }
        let number = (!notice.is_record).then(|| changes.number_of(notice));
        for (part, _) in &mut all {
            part.revision = part.revision.or(number);
        }
        all
    }

    /// What a record of our own changes for the runs that had begun by its stamp.
    fn look_back(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        change_id: &str,
        from: Instant,
    ) {
        let Some(book) = self.ledger.book(&taking.partner) else { return };
        let begun = book.started_from(from).filter_map(|no| self.ledger.run(no));
        let about = begun.filter(|run| match &run.change_id {
            Some(named) => **named == *change_id,
            None => book.changes.is_for_procedure(change_id, &run.procedure),
        });
        let about: Vec<Arc<Run>> = about.cloned().collect();
        for run in about {
            let Some(terms) = terms_of(policy, &run) else { continue };
            let as_of = AsOf { stamped: run.start, read: Some(run.observed) };
            let plan = self.plan_for(&run, terms, as_of);
            if plan == run.plan {
                continue;
            }
            let (no, place) = (run.no, taking.place.clone());
            if run.sealed {
                let note = format!(
                    "a record of {change_id}, stamped {}, was delivered after the verdict was final",
                    rfc3339(from)
                );
                self.record(clock, &taking.partner, What::Amended { run: no, note, place });
                continue;
            }
            drop(run);
            let plan = plan.map(Box::new);
            self.record(clock, &taking.partner, What::Replanned { run: no, plan, place });
            self.refresh(policy, no, clock, taking.observed);
        }
    }

    /// A change of our own that is an emergency and approved approves what was done by it.
    fn approve_by_change(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        notice: &Notice,
    ) {
        let Some(at) = notice.approved_at else { return };
        let Some(book) = self.ledger.book(&taking.partner) else { return };
        let Some(change_id) = book.changes.id(&notice.change_id) else { return };
        let slots = book.changes.latest(&change_id);
        let is_known = book.approval(Some(&change_id), None).is_some_and(|known| known <= at);
        if is_known || slots.iter().all(|slot| slot.change_type != ChangeType::Emergency) {
            return;
        }
        let approval = Approval {
            change_id: Some(change_id),
            at,
            place: taking.place.clone(),
            ..Approval::default()
        };
        self.approve(policy, &taking.partner, clock, taking.observed, approval);
    }

    /// The rules about the plan, while they are not decided or where another plan came to light.
    pub(super) fn undecided(&self, case: &Case, run: &Run) -> Vec<(Reason, Check)> {
        let judged = self.ledger.judged(run.no);
        let waits = run.delivered_by.is_some_and(|until| judged.is_none_or(|to| to < until));
        if !waits && !run.replanned {
            return Vec::new();
        }
        judge(case, When::Start).filter(|(reason, _)| reason.is_about_the_plan()).collect()
    }

    /// Reasons that were found before it came to light that the run is an emergency, or that it is none.
    pub(super) fn waived_since(&self, case: &Case, run: &Run, observed: Instant) -> Vec<What> {
        let other = |f: &&Finding| !f.reason.is_doubt() && f.waived != case.waives(f.reason);
        let changed = run.findings.values().filter(|_| run.replanned).filter(other);
        let again = |finding: &Finding| {
            let finding = Finding { waived: !finding.waived, ..finding.clone() };
            let latch = self.asks_for_acknowledgement(observed, &finding);
            What::Found { run: run.no, finding, latch }
        };
        changed.map(again).collect()
    }
}

/// A confirmation that is told beside a status is a record of its own: ours at its moment; a partner's is on record with
/// the status, and counts from its moment.
fn parts(
    notice: &Notice,
    (time, confirmed_at): (Instant, Instant),
    status: Option<Status>,
    ours: bool,
) -> Vec<(Notice, Instant)> {
    let of =
        |status: Option<Status>, confirmed_at| Notice { status, confirmed_at, ..notice.clone() };
    let confirmed = of(Some(Status::Confirmed), Some(confirmed_at));
    match (status, time < confirmed_at) {
        (Some(Status::Cancelled), true) => vec![(of(status, None), time)],
        (_, true) => {
            let mut all =
                vec![(of(Some(Status::Tentative), None), time), (confirmed, confirmed_at)];
            let stands = matches!(status, Some(Status::InProcess | Status::Completed));
            all.extend(stands.then(|| (of(status, Some(confirmed_at)), confirmed_at)));
            all
        }
        (_, false) if ours => {
            let own = (of(notice.status, None), time);
            match status == Some(Status::Confirmed) && time == confirmed_at {
                true => vec![own],
                false => vec![(confirmed, confirmed_at), own],
            }
        }
        (_, false) => alone(notice, time, status),
    }
}

/// One record, on record from its own stamp.
fn alone(notice: &Notice, time: Instant, status: Option<Status>) -> Vec<(Notice, Instant)> {
    use Status::{Completed, Confirmed, InProcess};
    let stands = matches!(status, Some(Confirmed | InProcess | Completed));
    let confirmed_at = notice.confirmed_at.filter(|_| stands);
    vec![(Notice { confirmed_at, ..notice.clone() }, time)]
}
