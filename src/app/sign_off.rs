//! What people say: acknowledgements and approvals, resolved and put on record.

use std::sync::Arc;

use crate::app::approving::approve;
use crate::app::find_run::find_runs;
use crate::app::shared::Request;
use crate::ledger::Draft;
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
/// A name that several runs share, one for each service of one start, means all of them.
///
/// # Errors
/// A sentence: there is no such run or change, or it cannot be done to it.
pub fn carry_out(
    request: &Request,
    draft: &mut Draft,
    reader: &Reader,
    policy: &Policy,
    now: Instant,
) -> Result<(Vec<Arc<Run>>, String), String> {
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
            let (mut changed, mut told, mut refused) = (Vec::new(), Vec::new(), Vec::new());
            for run in find_runs(reader, run)?.into_iter().rev() {
                match acknowledge(draft, &current(draft, run), (by, note), now) {
                    Ok(run) => {
                        told.push(format!("{} is acknowledged by {by}", name_of(&run)));
                        changed.push(run);
                    }
                    Err(why) => refused.push(why),
                }
            }
            if changed.is_empty() {
                Err(refused.join("\n"))
            } else {
                Ok((changed, told.join("\n")))
            }
        }
        Request::Approve { what, by, note } => {
            let told = approve(draft, reader, policy, what, (by, note), now)?;
            Ok((Vec::new(), told))
        }
    }
}

/// The run in words, so that whoever names a number sees what is meant.
pub(super) fn name_of(run: &Run) -> String {
    let id = run.run_id.as_deref().map(|id| format!(" ({})", clean(id))).unwrap_or_default();
    let service = run.service.as_deref().map(|s| format!(" on {}", clean(s))).unwrap_or_default();
    let (procedure, partner) = (clean(&run.procedure), clean(&run.partner));
    format!("run {}{id} of {procedure}{service} by {partner}", run.no)
}

/// The run as the draft knows it, which is later than what is stored.
pub(super) fn current(draft: &Draft, stored: Run) -> Arc<Run> {
    draft.ledger().run(stored.no).cloned().unwrap_or_else(|| Arc::new(stored))
}

fn acknowledge(
    draft: &mut Draft,
    run: &Arc<Run>,
    (by, note): (&str, &str),
    now: Instant,
) -> Result<Arc<Run>, String> {
    let (name, verdict) = (name_of(run), run.verdict());
    match verdict {
        Verdict::Violation => {}
        Verdict::Unknown if run.sealed => {}
        // It may still become a violation, and that is not to be known beforehand.
        Verdict::Unknown => {
            return Err(format!("{name} is {verdict} and not final: acknowledge it when it is"));
        }
        _ => return Err(format!("{name} is {verdict}: there is nothing to acknowledge")),
    }
    if let Some(known) = &run.acknowledged {
        return Err(format!("{name} is acknowledged already, by {}", known.by));
    }
    let acknowledgement = Acknowledgement { at: now, by: by.into(), note: note.into() };
    draft.acknowledge(run, acknowledgement.clone());
    Ok(Arc::new(Run { acknowledged: Some(acknowledgement), ..(**run).clone() }))
}
