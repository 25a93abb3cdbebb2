//! What people say: acknowledgements and approvals, resolved and put on record.

use std::sync::Arc;

use crate::app::find_run::find_run;
use crate::app::shared::Request;
use crate::event::ChangeType;
use crate::ledger::{Approval, Draft};
use crate::policy::Policy;
use crate::report::plain::clean;
use crate::run::{Acknowledgement, Run};
use crate::store::Reader;
use crate::time::Instant;
use crate::verdict::Verdict;

/// The longest name or note that is put on record, in bytes.
pub const TEXT_BYTES: usize = 4_096;

/// Puts a request on record. Gives back the runs that changed beyond what the draft holds in memory, and what
/// to tell the person.
///
/// # Errors
/// A sentence: there is no such run or change, or it cannot be done to it.
pub fn carry_out(
    request: &Request,
    draft: &mut Draft,
    reader: &Reader,
    policy: &Policy,
    now: Instant,
) -> Result<(Option<Arc<Run>>, String), String> {
    let (by, note) = match request {
        Request::Acknowledge { by, note, .. } | Request::Approve { by, note, .. } => (by, note),
    };
    if by.trim().is_empty() {
        return Err("say who: --by NAME".into());
    }
    if TEXT_BYTES < by.len() || TEXT_BYTES < note.len() {
        return Err(format!("a name or note has at most {TEXT_BYTES} bytes"));
    }
    match request {
        Request::Acknowledge { run, by, note } => {
            let run = current(draft, find_run(reader, run)?);
            acknowledge(draft, &run, (by, note), now)
        }
        Request::Approve { what, by, note } => {
            approve(draft, reader, policy, what, (by, note), now)
        }
    }
}

/// What to add where nobody has to approve: it is put on record all the same, for the change may become an emergency.
fn unasked(mut types: impl Iterator<Item = ChangeType>) -> &'static str {
    match types.any(|of| of == ChangeType::Emergency) {
        true => "",
        false => "; it is no emergency, so no rule asks for that",
    }
}

/// The run in words, so that whoever names a number sees what is meant.
fn name_of(run: &Run) -> String {
    let id = run.run_id.as_deref().map(|id| format!(" ({})", clean(id))).unwrap_or_default();
    format!("run {}{id} of {} by {}", run.no, clean(&run.procedure), clean(&run.partner))
}

/// The run as the draft knows it, which is later than what is stored.
fn current(draft: &Draft, stored: Run) -> Arc<Run> {
    draft.ledger().run(stored.no).cloned().unwrap_or_else(|| Arc::new(stored))
}

fn acknowledge(
    draft: &mut Draft,
    run: &Arc<Run>,
    (by, note): (&str, &str),
    now: Instant,
) -> Result<(Option<Arc<Run>>, String), String> {
    if run.verdict() != Verdict::Violation {
        let (name, verdict) = (name_of(run), run.verdict());
        return Err(format!("{name} is {verdict}: there is nothing to acknowledge"));
    }
    if let Some(known) = &run.acknowledged {
        return Err(format!("{} is acknowledged already, by {}", name_of(run), known.by));
    }
    let acknowledgement = Acknowledgement { at: now, by: by.into(), note: note.into() };
    draft.acknowledge(run, acknowledgement.clone());
    let changed = Run { acknowledged: Some(acknowledgement), ..(**run).clone() };
    let told = format!("{} is acknowledged by {by}", name_of(run));
    Ok((Some(Arc::new(changed)), told))
}

fn approve(
    draft: &mut Draft,
    reader: &Reader,
    policy: &Policy,
    what: &str,
    (by, note): (&str, &str),
    now: Instant,
) -> Result<(Option<Arc<Run>>, String), String> {
    let mut approval =
        Approval { at: now, by: Some(by.into()), note: Some(note.into()), ..Approval::default() };
    let holders = policy
        .partners
        .iter()
        .filter(|p| draft.ledger().book(&p.name).is_some_and(|b| b.changes.id(what).is_some()));
    let holders: Vec<Arc<str>> = holders.map(|p| p.name.clone()).collect();
    let (partner, told) = match holders.as_slice() {
        [partner] => {
            approval.change_id = Some(what.into());
            let book = draft.ledger().book(partner);
            let revisions = book.map(|book| book.changes.latest(what)).unwrap_or_default();
            let types = revisions.iter().map(|revision| revision.change_type);
            let note = unasked(types);
            (partner.clone(), format!("change {what} of {partner} is approved by {by}{note}"))
        }
        [] => {
            let run = find_run(reader, what)
                .map_err(|_| format!("there is no change and no run {what}"))?;
            approval.run = Some(run.no);
            let note = unasked(run.plan.iter().map(|plan| plan.change_type));
            let told = format!("{} is approved by {by}{note}", name_of(&run));
            (run.partner, told)
        }
        several => {
            let names = several.join(", ");
            return Err(format!("{what} is a change of several partners ({names})"));
        }
    };
    // The partner's lines may not be read up to now: its runs are judged no further than they were.
    let clock = draft.ledger().book(&partner).and_then(|book| book.clock).unwrap_or(now);
    draft.approve(policy, &partner, clock, now, approval);
    Ok((None, told))
}
