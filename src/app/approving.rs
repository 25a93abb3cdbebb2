//! What an approval by one of us does, to a run or to the runs of a change; else why it would do nothing.

use std::sync::Arc;

use crate::app::find_run::find_runs;
use crate::app::sign_off::{current, name_of};
use crate::change::Resolved;
use crate::event::{ChangeType, Status};
use crate::ledger::{Approval, Draft, case_of, terms_of};
use crate::policy::{Partner, Policy};
use crate::report::plain::clean;
use crate::run::{Run, RunNo};
use crate::store::Reader;
use crate::time::Instant;
use crate::verdict::{Case, Verdict, civil};

/// Puts an approval of a change or of a run on record; gives back what it did.
///
/// # Errors
/// A sentence: there is no such change or run, or the approval would have no effect.
pub(super) fn approve(
    draft: &mut Draft,
    reader: &Reader,
    policy: &Policy,
    what: &str,
    who: (&str, &str),
    now: Instant,
) -> Result<String, String> {
    match change_named(draft, policy, what)? {
        Some((partner, change)) => Approving { draft, policy, who, now }.change(partner, &change),
        None => {
            let runs = find_runs(reader, what);
            let runs = runs.map_err(|why| format!("there is no change {what}, and {why}"))?;
            let runs = runs.into_iter().rev().map(|run| current(draft, run)).collect();
            Approving { draft, policy, who, now }.runs(runs)
        }
    }
}

/// The change that a person means: by its id, or as `PARTNER/ID`.
fn change_named<'p>(
    draft: &Draft,
    policy: &'p Policy,
    what: &str,
) -> Result<Option<(&'p Partner, Arc<str>)>, String> {
    let of = |partner: &'p Partner, id: &str| {
        let id = draft.ledger().book(&partner.name)?.changes.id(id)?;
        Some((partner, id))
    };
    let mut found: Vec<_> = policy.partners.iter().filter_map(|p| of(p, what)).collect();
    if let [_, _, ..] = found.as_slice() {
        let names: Vec<&str> = found.iter().map(|(partner, _)| &*partner.name).collect();
        let names = names.join(", ");
        return Err(format!(
            "{what} is a change of several partners ({names}); say PARTNER/{what}"
        ));
    }
    let whole = what.split_once('/');
    let whole = whole.and_then(|(partner, id)| of(policy.partner(partner)?, id));
    Ok(found.pop().or(whole))
}

/// One approval on its way into the ledger.
struct Approving<'a> {
    draft: &'a mut Draft,
    policy: &'a Policy,
    /// Who approves, and the note.
    who: (&'a str, &'a str),
    now: Instant,
}

impl Approving<'_> {
    /// Runs of one start, one for each service; mostly one.
    fn runs(mut self, runs: Vec<Arc<Run>>) -> Result<String, String> {
        let (mut told, mut refused) = (Vec::new(), Vec::new());
        for run in runs {
            match effect(self.policy, &run, self.now) {
                Ok(effect) => {
                    let (name, by) = (name_of(&run), self.who.0);
                    told.push(format!("{name} is approved as an emergency by {by}: {effect}"));
                    self.record(
                        &run.partner,
                        Approval { run: Some(run.no), ..Approval::default() },
                    );
                }
                Err(why) => refused.push(why),
            }
        }
        let is_refused = told.is_empty();
        told.append(&mut refused);
        let told = told.join("\n");
        if is_refused { Err(told) } else { Ok(told) }
    }

    /// A change that is declared as an emergency is approved for all of its runs, also those to come. Of another one
    /// the runs are approved that have begun: it does not become an emergency for those that follow.
    fn change(mut self, partner: &Partner, change: &Arc<str>) -> Result<String, String> {
        let name = format!("change {} of {}", clean(change), partner.name);
        let runs: Vec<Arc<Run>> = {
            let all = self.draft.ledger().unsealed().filter(|run| run.partner == partner.name);
            all.filter(|run| run.change() == Some(change)).cloned().collect()
        };
        let mut told = Vec::new();
        let mut approved: Vec<RunNo> = Vec::new();
        for run in &runs {
            match effect(self.policy, run, self.now) {
                Ok(effect) => {
                    approved.push(run.no);
                    told.push(format!("{}: {effect}", name_of(run)));
                }
                Err(why) => told.push(why),
            }
        }
        let ahead = self.for_runs_to_come(partner, change);
        if approved.is_empty() {
            // Without a run that it has an effect on it has to have one on those to come.
            if let Err(why) = ahead {
                told.push(format!("{name} {why}"));
                return Err(told.join("\n"));
            }
        }
        for no in approved {
            self.record(&partner.name, Approval { run: Some(no), ..Approval::default() });
        }
        if ahead.is_ok() {
            let change_id = Some(change.clone());
            self.record(&partner.name, Approval { change_id, ..Approval::default() });
            told.push("it counts for each run of it that begins from now on".into());
        }
        told.insert(0, format!("{name} is approved as an emergency by {}", self.who.0));
        Ok(told.join("\n"))
    }

    /// Whether approving a change says anything of runs that have not begun; else why not.
    fn for_runs_to_come(&self, partner: &Partner, change: &Arc<str>) -> Result<(), String> {
        let emergencies = partner.emergencies();
        if !emergencies.allowed {
            return Err(format!("cannot be approved: {}", not_allowed(partner)));
        }
        let book = self.draft.ledger().book(&partner.name);
        let slots = book.map(|book| book.changes.latest(change)).unwrap_or_default();
        if slots.iter().all(|slot| slot.change_type != ChangeType::Emergency) {
            return Err("is not declared as an emergency, and no run of it can be approved".into());
        }
        if emergencies.approve_within.is_none() {
            return Err(format!("needs no approval: {}", unasked(partner)));
        }
        if book.is_some_and(|book| book.approval(Some(change), None).is_some()) {
            return Err("is approved already".into());
        }
        if slots.iter().all(|slot| slot.status == Status::Cancelled) {
            return Err("is cancelled, and no run of it can be approved".into());
        }
        let is_over = |slot: &Resolved| slot.planned.is_some_and(|p| p.end <= self.now);
        match slots.iter().all(is_over) {
            true => Err("was planned to be over by now, and no run of it can be approved".into()),
            false => Ok(()),
        }
    }

    fn record(&mut self, partner: &Arc<str>, approval: Approval) {
        let (by, note) = self.who;
        let (at, by, note) = (self.now, Some(by.into()), Some(note.into()));
        // The partner's lines may not be read up to now: its runs are judged no further than they were.
        let clock = self.draft.ledger().book(partner).and_then(|book| book.clock);
        let approval = Approval { at, by, note, ..approval };
        self.draft.approve(self.policy, partner, clock.unwrap_or(at), at, approval);
    }
}

fn not_allowed(partner: &Partner) -> String {
    let name = &partner.name;
    format!(
        "the agreement with {name} has no emergencies, so nothing is waived and no approval is needed"
    )
}

fn unasked(partner: &Partner) -> String {
    format!("the agreement with {} names no approve_within for emergencies", partner.name)
}

/// What an approval at `now` makes of a run.
///
/// # Errors
/// A sentence: it would change nothing.
fn effect(policy: &Policy, run: &Run, now: Instant) -> Result<String, String> {
    let name = name_of(run);
    let (Some(partner), Some(terms)) = (policy.partner(&run.partner), terms_of(policy, run)) else {
        let partner = clean(&run.partner);
        return Err(format!(
            "{name} cannot be approved: {partner} is no longer in the configuration"
        ));
    };
    if !terms.emergencies.allowed {
        return Err(format!("{name} cannot be approved: {}", not_allowed(partner)));
    }
    let before = case_of(run, terms, now);
    match (before.is_waiving(), run.approved, before.approve_by()) {
        (true, Some(at), _) => {
            return Err(format!("{name} is approved already, since {}", civil(&terms.zone, at)));
        }
        (true, None, None) => {
            return Err(format!("{name} needs no approval: {}", unasked(partner)));
        }
        (true, None, Some(_)) => {}
        (false, ..) => waives_something(run)?,
    }
    if let Some(bound) = before.approve_by().filter(|bound| *bound < now) {
        let bound = civil(&terms.zone, bound);
        return Err(format!("{name} had to be approved by {bound}: it is too late"));
    }
    if run.sealed {
        return Err(format!("the verdict of {name} is final ({}): it is too late", run.verdict()));
    }
    Ok(became(run, &Case { approved_as_emergency: Some(now), ..before }))
}

/// Whether a run that is no emergency has broken, or may yet break, what an emergency waives.
///
/// # Errors
/// A sentence: it has not.
fn waives_something(run: &Run) -> Result<(), String> {
    let name = name_of(run);
    if run.findings.values().any(|f| !f.waived && f.reason.is_waivable()) {
        return Ok(());
    }
    let reasons: Vec<&str> = run.findings.keys().map(|reason| reason.as_str()).collect();
    match (reasons.as_slice(), run.is_open()) {
        ([], true) => Ok(()),
        ([], false) => {
            let verdict = run.verdict();
            Err(format!("{name} is {verdict}: there is nothing that an emergency would waive"))
        }
        (reasons, _) => Err(format!("{name}: an emergency does not waive {}", reasons.join(", "))),
    }
}

/// The verdict of a run that is approved, and what was waived.
fn became(run: &Run, approved: &Case) -> String {
    let findings = || run.findings.values().map(|f| (f, f.waived || approved.waives(f.reason)));
    let verdict = Verdict::of(findings().map(|(f, waived)| (f.reason, waived)), run.uncovered);
    let names = |of: bool| -> String {
        let those = findings().filter(|(_, waived)| *waived == of);
        let names: Vec<&str> = those.map(|(f, _)| f.reason.as_str()).collect();
        names.join(", ")
    };
    let so_far = if run.is_open() { " so far" } else { "" };
    let mut told = format!("{verdict}{so_far}");
    for (what, names) in [("waived", names(true)), ("not waived", names(false))] {
        if !names.is_empty() {
            told += &format!("; {what}: {names}");
        }
    }
    told
}
