//! Judging a run again from what is on record of it: by the policy that it was judged by, or by another.

use std::collections::BTreeMap;

use crate::ledger::draft::TICK;
use crate::ledger::judging::{case_of, time_counted};
use crate::ledger::present::terms_of;
use crate::policy::{Policy, Terms};
use crate::run::{Run, State};
use crate::time::Instant;
use crate::verdict::{Case, Check, Finding, Findings, Reason, Verdict, When, implausible, judge};

/// What a run is judged as.
#[derive(Clone, Debug)]
pub struct Judged {
    pub findings: Findings,
    /// A calendar that decides a rule ends before the start.
    pub uncovered: bool,
    /// Nanoseconds.
    pub business_nanos: i128,
    /// Nanoseconds.
    pub outside_nanos: i128,
}

impl Judged {
    /// What it all adds up to.
    pub fn verdict(&self) -> Verdict {
        Verdict::of(self.findings.values().map(|f| (f.reason, f.waived)), self.uncovered)
    }
}

/// Judges a run from its recorded evidence: what was known at its start by the policy in force then, the rest by the
/// one in force at `clock`. `None`: one of them does not know the partner.
pub fn judge_again(
    run: &Run,
    at_start: &Policy,
    at_end: &Policy,
    clock: Instant,
) -> Option<Judged> {
    let (first, last) = (terms_of(at_start, run)?, terms_of(at_end, run)?);
    let start = as_started(run);
    let (mut findings, uncovered) = found_at_start(&start, first, last);
    let doubt = doubted(run, &start, first);
    doubt.into_iter().for_each(|finding| findings.insert(finding));
    let case = case_of(run, last, clock);
    for (reason, check) in judge(&case, When::Later) {
        if let Check::Broken { at, detail } = check {
            let waived = case.waives(reason);
            findings.insert(Finding { reason, at, waived, detail: detail.into() });
        }
    }
    let (business_nanos, outside_nanos) = time_counted(run, last, clock);
    Some(Judged { findings, uncovered, business_nanos, outside_nanos })
}

/// The run as it was when it began.
fn as_started(run: &Run) -> Run {
    let delivered_by = None;
    Run {
        state: State::Running,
        end: None,
        outcome: None,
        verified: None,
        delivered_by,
        ..run.clone()
    }
}

/// `last`: the terms by which it may have been approved as an emergency since.
fn found_at_start(start: &Run, terms: &Terms, last: &Terms) -> (Findings, bool) {
    let case = case_of(start, terms, start.start - TICK);
    let since = Case { terms: last, ..case };
    let was_approved = start.approved_as_emergency.is_some();
    let (mut findings, mut uncovered) = (Findings::default(), false);
    for (reason, check) in judge(&case, When::Start) {
        match check {
            Check::Broken { at, detail } => {
                let waived = case.waives(reason) || was_approved && since.waives(reason);
                findings.insert(Finding { reason, at, waived, detail: detail.into() });
            }
            Check::Unknown(_) => uncovered = true,
            Check::Holds { .. } | Check::Passes | Check::NotApplicable(_) => {}
        }
    }
    uncovered |= judge(&case, When::Later).any(|(_, check)| matches!(check, Check::Unknown(_)));
    (findings, uncovered)
}

/// Whether the file was being followed is not on record: a start that was not doubted then is not doubted now, and
/// one that was must still be implausible.
fn doubted(run: &Run, start: &Run, terms: &Terms) -> Option<Finding> {
    let known = run.findings.get(&Reason::ImplausibleTime)?;
    let case = case_of(start, terms, start.start - TICK);
    let read = start.start + (run.observed - run.stamped);
    matches!(implausible(&case, read), Check::Broken { .. }).then(|| known.clone())
}

/// What was sealed.
#[derive(Clone, Copy, Debug)]
pub struct Sealing<'a> {
    /// The run as it was then.
    pub run: &'a Run,
    pub verdict: Verdict,
    pub business_nanos: i64,
    pub outside_nanos: i64,
}

/// How what was sealed differs from what it is judged as now, in words; empty: not at all. Only if one policy was in
/// force from the start to the end (`exact`) do the instants of later reasons have to agree: a reason keeps the instant
/// of the policy by which it was found.
pub fn differences(sealed: &Sealing, judged: &Judged, exact: bool) -> Vec<String> {
    let mut told = Vec::new();
    if sealed.verdict != judged.verdict() {
        told.push(format!(
            "it was sealed as {}, judged again it is {}",
            sealed.verdict,
            judged.verdict()
        ));
    }
    let of = |findings: &Findings| -> BTreeMap<Reason, (Instant, bool)> {
        findings.values().map(|f| (f.reason, (f.at, f.waived))).collect()
    };
    let (then, now) = (of(&sealed.run.findings), of(&judged.findings));
    for reason in then.keys().filter(|reason| !now.contains_key(reason)) {
        told.push(format!("{reason} is on record and does not hold"));
    }
    for (reason, (at, waived)) in &now {
        match then.get(reason) {
            None => told.push(format!("{reason} holds and is not on record")),
            Some((_, was_waived)) if waived != was_waived => {
                told.push(format!("{reason} is waived on one side only"));
            }
            Some((was_at, _)) if exact && at != was_at => {
                told.push(format!("{reason} is on record with another instant"));
            }
            Some(_) => {}
        }
    }
    let nanos = (i128::from(sealed.business_nanos), i128::from(sealed.outside_nanos));
    if nanos != (judged.business_nanos, judged.outside_nanos) {
        told.push("its time in business hours or outside windows comes to something else".into());
    }
    told
}
