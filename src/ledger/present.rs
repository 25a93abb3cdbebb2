//! What the ledger says of the present: violations that wait for somebody, and open runs.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::TimeDelta;

use crate::forecast::Durations;
use crate::ledger::{Ledger, case_of};
use crate::policy::{Policy, Terms, defaults};
use crate::run::{Run, State};
use crate::time::Instant;

impl Ledger {
    /// Runs in violation that ask for an acknowledgement at `now`: this, and nothing else, is what pages.
    pub fn unacknowledged<'a>(
        &'a self,
        policy: &'a Policy,
        now: Instant,
    ) -> impl Iterator<Item = &'a Arc<Run>> {
        let asks = move |run: &&Arc<Run>| asks_until(policy, run).is_none_or(|until| now < until);
        self.latched().filter(asks)
    }

    /// Open runs in the order of their numbers, each with how long the runs of its procedure usually take.
    pub fn open(&self) -> impl Iterator<Item = (&Arc<Run>, Option<TimeDelta>)> {
        let mut usual = HashMap::new();
        self.unsealed().filter(|run| run.is_open()).map(move |run| {
            let key = (run.partner.clone(), run.labels.procedure.clone());
            let past = self.board().durations.get(&key);
            let usual = usual.entry(key).or_insert_with(|| past.and_then(Durations::p90));
            (run, *usual)
        })
    }
}

/// What was agreed for a run; `None`: its partner is not configured any more.
pub fn terms_of<'a>(policy: &'a Policy, run: &Run) -> Option<&'a Arc<Terms>> {
    Some(policy.partner(&run.partner)?.terms(run.service.as_deref(), &run.procedure))
}

/// Until when a run in violation asks for an acknowledgement; `None`: it runs, and its end is not known. What this says
/// is what pages, and what decides when the run may leave memory.
pub fn asks_until(policy: &Policy, run: &Run) -> Option<Instant> {
    let terms = terms_of(policy, run);
    let lost_after = terms.map_or(defaults::LOST_AFTER, |t| t.lost_after);
    let over = match run.state {
        // Nobody follows the log of a partner that is not configured any more: no end will be read.
        State::Running if terms.is_some() => return None,
        State::Running | State::Lost => run.given_up(lost_after),
        State::Finished | State::Failed | State::Aborted => run.end.unwrap_or(run.start),
    };
    Some(over + terms.map_or(defaults::ACKNOWLEDGE_AFTER, |t| t.acknowledge_after))
}

/// Until when an emergency is to be approved that nobody has approved; `None`: no approval is asked for.
pub fn approval_waits_until(policy: &Policy, run: &Run) -> Option<Instant> {
    let terms = terms_of(policy, run)?;
    let within = terms.emergencies.approve_within?;
    let waits = run.approved.is_none() && case_of(run, terms, run.start).is_waiving();
    waits.then_some(run.start + within)
}
