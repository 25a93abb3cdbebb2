//! What the ledger did not take: it is counted as something else after all.

use super::Follower;
use crate::app::intake::reject;
use crate::change::BadPlan;
use crate::format::{Reason, Rejection};
use crate::ledger::Taking;
use crate::store::{Commit, Tally};
use crate::time::Instant;

impl Follower {
    /// An event that the ledger refuses is a rejected line after all.
    pub fn refuse(&mut self, taking: &Taking, bad: &BadPlan, now: Instant, commit: &mut Commit) {
        let Some(place) = &taking.place else { return };
        let rejection = Rejection::new(Reason::BadPlan, bad.to_string());
        let line = taking.line.clone().unwrap_or_default();
        if self.documents.has(&place.source) && self.documents.refuse(place, &line) {
            return self.known(taking, commit);
        }
        let mut add = |name: &'static str, label: &str, n: i64| {
            let key: Tally = (place.source.clone(), name, label.into());
            let value = commit.tallies.entry(key).or_default();
            *value = value.saturating_add_signed(n);
        };
        add("lines", "event", -1);
        add("lines", "rejected", 1);
        add("rejected", Reason::BadPlan.as_str(), 1);
        commit.rejected.push(reject(place.clone(), &rejection, line, now));
    }

    /// A record that is on record already was nothing new.
    pub fn known(&self, taking: &Taking, commit: &mut Commit) {
        let Some(place) = &taking.place else { return };
        let mut count = |label: &str, n: i64| {
            let value =
                commit.tallies.entry((place.source.clone(), "lines", label.into())).or_default();
            *value = value.saturating_add_signed(n);
        };
        count("event", -1);
        count("ignored", 1);
    }
}
