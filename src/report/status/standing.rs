//! What is not as agreed or not known at this moment, the worst first: the headline of the page.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::View;
use crate::ledger::{approval_waits_until, asks_until};
use crate::run::{Run, RunNo};
use crate::time::{Instant, format_duration};
use crate::verdict::Verdict;

/// Everything because of which it is not simply "as agreed".
pub(super) struct Standing<'a> {
    /// Violations that nobody acknowledged; those that run come first, then the newest.
    pub(super) unacknowledged: Vec<&'a Arc<Run>>,
    /// Violations that somebody acknowledged, or that are too old to page, and that are still running.
    pub(super) running: Vec<&'a Arc<Run>>,
    /// Runs of which the evidence is missing, the newest first.
    pub(super) unknown: Vec<&'a Arc<Run>>,
    /// Emergencies that wait for their approval, each until when; the first to end first.
    pub(super) emergencies: Vec<(&'a Arc<Run>, Instant)>,
    /// For how long nothing has been read and judged, if that is so.
    pub(super) stood: Option<TimeDelta>,
    /// Sources of which it is not known what is written to them.
    pub(super) unseen: usize,
    /// Partners without any source.
    pub(super) without_source: usize,
}

impl<'a> Standing<'a> {
    pub(super) fn of(view: &'a View<'a>) -> Standing<'a> {
        let (policy, now) = (view.policy, view.now);
        let newest = |run: &&Arc<Run>| std::cmp::Reverse((run.is_open(), run.start, run.no));
        let waiting = view.ledger.unacknowledged(policy, now);
        let mut unacknowledged: Vec<_> =
            waiting.filter(|run| run.verdict() == Verdict::Violation).collect();
        unacknowledged.sort_by_key(newest);
        let is_told = |run: &Arc<Run>| unacknowledged.iter().any(|told| told.no == run.no);
        let all = known(view);
        let of = |verdict| all.values().copied().filter(move |run| run.verdict() == verdict);
        let running = of(Verdict::Violation).filter(|run| run.is_open() && !is_told(run));
        let mut running: Vec<_> = running.collect();
        running.sort_by_key(newest);
        let is_new = |run: &&Arc<Run>| {
            let until = asks_until(policy, run);
            run.acknowledged.is_none() && until.is_none_or(|until| now < until)
        };
        let mut unknown: Vec<_> = of(Verdict::Unknown).filter(is_new).collect();
        unknown.sort_by_key(newest);
        let waits = |run: &'a Arc<Run>| {
            let until = approval_waits_until(policy, run)?;
            (now < until).then_some((run, until))
        };
        let mut emergencies: Vec<_> = all.values().filter_map(|run| waits(run)).collect();
        emergencies.sort_by_key(|(run, until)| (*until, run.no));
        let (stood, without_source) = (view.stood, without_source(view));
        let unseen = view.sources.iter().filter(|source| !source.is_well()).count();
        Standing { unacknowledged, running, unknown, emergencies, stood, unseen, without_source }
    }

    /// The one sentence, and how it looks.
    pub(super) fn headline(&self) -> (String, &'static str) {
        let mut all = self.sentences().into_iter();
        all.next().unwrap_or(("As agreed".into(), "good"))
    }

    /// What else is true beside the headline.
    pub(super) fn beside(&self) -> Vec<String> {
        self.sentences().into_iter().skip(1).map(|(text, _)| text).collect()
    }

    /// A sentence for each kind of trouble, the worst first.
    fn sentences(&self) -> Vec<(String, &'static str)> {
        let mut all = Vec::new();
        let mut add = |n: usize, tone, text: String| {
            if 0 < n {
                all.push((text, tone));
            }
        };
        if let Some(stood) = self.stood {
            let text = format!("Nothing has been read or judged for {}", format_duration(stood));
            add(1, "bad", text);
        }
        let wait = self.unacknowledged.len();
        add(wait, "bad", self.not_acknowledged());
        let n = self.running.len();
        let more = if 0 < wait { " more" } else { "" };
        let them = if n == 1 { "violation is" } else { "violations are" };
        let is_known = self.running.iter().all(|run| run.acknowledged.is_some());
        let known = if is_known { " acknowledged and" } else { "" };
        add(n, "bad", format!("{n}{more} {them}{known} still running"));
        let n = self.unknown.len();
        let them = if n == 1 { "run" } else { "runs" };
        add(n, "warn", format!("{n} {them} cannot be judged: evidence is missing"));
        let n = self.emergencies.len();
        let them = if n == 1 { "emergency waits" } else { "emergencies wait" };
        add(n, "warn", format!("{n} {them} for approval"));
        let n = self.unseen;
        let them = if n == 1 { "source" } else { "sources" };
        add(n, "warn", format!("No current data from {n} {them}"));
        let n = self.without_source;
        let them = if n == 1 { "partner has" } else { "partners have" };
        add(n, "warn", format!("{n} {them} no source"));
        all
    }

    fn not_acknowledged(&self) -> String {
        let wait = self.unacknowledged.len();
        let on = self.unacknowledged.iter().filter(|run| run.is_open()).count();
        let them = if wait == 1 { "violation is" } else { "violations are" };
        let still = match on {
            0 => String::new(),
            1 if wait == 1 => ", and still running".into(),
            n => format!(", {n} still running"),
        };
        format!("{wait} {them} not acknowledged{still}")
    }
}

/// Every run that can matter: what is in memory, and the runs of the last days.
fn known<'a>(view: &'a View<'a>) -> BTreeMap<RunNo, &'a Arc<Run>> {
    let stored = view.runs.iter().map(|run| (run.no, run));
    // What is in memory is newer.
    stored.chain(view.ledger.runs().map(|run| (run.no, run))).collect()
}

/// Partners of which nothing is followed.
fn without_source(view: &View) -> usize {
    let has_none = |name: &str| {
        view.sources.iter().all(|source| source.partners.iter().all(|own| **own != *name))
    };
    view.policy.partners.iter().filter(|partner| has_none(&partner.name)).count()
}
