//! Judging the runs of a draft: at the start, whenever time reaches a bound, and until the verdict is final.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::change::AsOf;
use crate::event::RunLine;
use crate::ledger::draft::{Draft, Evidence, TICK, Taking};
use crate::ledger::present::terms_of;
use crate::ledger::{Ledger, Shown, Sums, What};
use crate::policy::{Partner, Policy, Terms};
use crate::run::{Labels, Run, RunNo, State};
use crate::time::{Instant, nanos};
use crate::verdict::{Case, Check, Finding, Findings, Reason, When, implausible, judge};

/// The evidence of one run at `clock`.
pub fn case_of<'a>(run: &'a Run, terms: &'a Terms, clock: Instant) -> Case<'a> {
    Case {
        terms,
        start: run.start,
        service: run.service.as_deref(),
        procedure: &run.procedure,
        trigger: run.trigger,
        plan: run.plan.as_ref(),
        end: run.end,
        lost_at: run.lost_at,
        clock,
        verified: run.verified,
        approved: run.approved,
        approved_as_emergency: run.approved_as_emergency,
        delivered_by: run.delivered_by,
    }
}

/// Nanoseconds of a run inside business hours and outside its windows, as far as is known at `clock`.
pub fn time_counted(run: &Run, terms: &Terms, clock: Instant) -> (i128, i128) {
    let ran = run.ran(clock, run.given_up(terms.lost_after));
    let business = terms.business_hours.as_ref().map_or(0, |hours| nanos(hours.time_within(ran)));
    let whole = nanos(ran.end - ran.start);
    let outside = terms.windows.as_ref().map_or(0, |w| whole - nanos(w.time_within(ran)));
    (business, outside)
}

impl Ledger {
    /// What the counters of time of one series stand at, open runs up to number `seen` counted up to `clock`.
    pub fn time_counted(
        &self,
        policy: &Policy,
        labels: &Labels,
        clock: Instant,
        seen: RunNo,
    ) -> Shown {
        let sums = self.board().series.get(labels);
        let mut shown = sums.map_or(Shown::default(), Sums::sealed_time);
        for run in self.unsealed().filter(|r| r.no <= seen && r.labels == *labels) {
            shown.add(policy, run, clock);
        }
        shown.at_least(sums.map_or(Shown::default(), |s| s.shown))
    }

    /// [`Ledger::time_counted`] of every series on record, in one pass over the runs that are not final.
    pub fn times_counted(&self, policy: &Policy, clock: Instant) -> BTreeMap<Labels, Shown> {
        let series = &self.board().series;
        let mut all: BTreeMap<Labels, Shown> =
            series.iter().map(|(labels, sums)| (labels.clone(), sums.sealed_time())).collect();
        for run in self.unsealed() {
            all.entry(run.labels.clone()).or_default().add(policy, run, clock);
        }
        for (labels, sums) in series {
            if let Some(shown) = all.get_mut(labels) {
                *shown = shown.at_least(sums.shown);
            }
        }
        all
    }

    /// Keeps the counters of time from falling below what they stand at, however the runs that are not final
    /// will be counted from now on. Gives back what they stand at: see [`Draft::keep_time`].
    pub fn keep_time(&mut self, policy: &Policy, clock: Instant) -> Vec<(Labels, Shown)> {
        let counting: BTreeSet<Labels> = self.unsealed().map(|run| run.labels.clone()).collect();
        let mut kept = Vec::new();
        for (labels, shown) in self.times_counted(policy, clock) {
            if counting.contains(&labels) && self.board.keep_time(&labels, shown) {
                kept.push((labels, shown));
            }
        }
        kept
    }

    /// Runs in memory that an approval can say something about.
    pub(super) fn waiting_for_approval(&self) -> impl Iterator<Item = &Arc<Run>> {
        let late = |r: &&Arc<Run>| r.findings.contains_key(&Reason::UnapprovedEmergency);
        self.unsealed().chain(self.runs().filter(|r| r.sealed).filter(late))
    }
}

impl Sums {
    fn sealed_time(&self) -> Shown {
        Shown { business_nanos: self.business_nanos, outside_nanos: self.outside_nanos }
    }
}

impl Shown {
    /// Counts one run, as far as is known at `clock`.
    fn add(&mut self, policy: &Policy, run: &Run, clock: Instant) {
        let Some(terms) = terms_of(policy, run) else { return };
        let (business, outside) = time_counted(run, terms, clock);
        self.business_nanos += business;
        self.outside_nanos += outside;
    }
}

impl Draft {
    /// The earliest instant at which something is to be judged again, for any partner.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.values().filter_map(|d| d.first()).map(|(at, _)| *at).min()
    }

    /// Lets a partner's time come to `to`: every bound before it (and at it, if `inclusive`) that nothing
    /// kept is found broken, at its own instant. `observed` is the time of the wall clock.
    pub fn advance(
        &mut self,
        policy: &Policy,
        partner: &Arc<str>,
        to: Instant,
        observed: Instant,
        inclusive: bool,
    ) {
        loop {
            let first = self.deadlines.get(partner).and_then(|d| d.first()).copied();
            let Some((at, no)) = first else { break };
            if to < at || at == to && !inclusive {
                break;
            }
            self.set_deadline(partner, no, None);
            self.refresh(policy, no, at, observed);
        }
        if inclusive {
            let book = self.ledger.book_mut(partner);
            book.clock = book.clock.max(Some(to));
        }
    }

    /// Judges every run again that is not final: after a restart or a change of the policy. No run is judged
    /// further than it was, however far time has come: a line that keeps its bounds may be the next to be read.
    pub fn rejudge(&mut self, policy: &Policy, observed: Instant) {
        let open: Vec<Arc<Run>> = self.ledger.unsealed().cloned().collect();
        for run in open {
            self.refresh(policy, run.no, run.start - TICK, observed);
        }
    }

    /// Puts on record what [`Ledger::keep_time`] gave back at `clock`.
    pub fn keep_time(&mut self, kept: Vec<(Labels, Shown)>, clock: Instant) {
        for (labels, shown) in kept {
            let partner = labels.partner.clone();
            self.record(clock, &partner, What::TimeShown { labels, shown });
        }
    }

    pub(super) fn set_deadline(&mut self, partner: &Arc<str>, no: RunNo, at: Option<Instant>) {
        let known = match at {
            Some(at) => self.due.insert(no, at),
            None => self.due.remove(&no),
        };
        let deadlines = self.deadlines.entry(partner.clone()).or_default();
        if let Some(old) = known {
            deadlines.remove(&(old, no));
        }
        if let Some(at) = at {
            deadlines.insert((at, no));
        }
    }

    /// Asks the later rules again, records what is new or refuted, seals the run if nothing is open any
    /// more, and notes when to ask next.
    pub(super) fn refresh(
        &mut self,
        policy: &Policy,
        no: RunNo,
        clock: Instant,
        observed: Instant,
    ) {
        let Some(run) = self.ledger.run(no).cloned().filter(|run| !run.sealed) else { return };
        let Some(terms) = terms_of(policy, &run) else {
            // Its partner is not configured any more: nobody judges it, and the loop waits for no bound of it.
            return self.set_deadline(&run.partner, no, None);
        };
        // A run that was judged up to some instant is not judged as of an earlier one.
        let clock = self.ledger.judged(no).map_or(clock, |judged| clock.max(judged));
        let case = case_of(&run, terms, clock);
        let (mut news, mut open) = (self.waived_since(&case, &run, observed), Vec::new());
        if let Some(until) = run.delivered_by.filter(|until| clock < *until) {
            open.push((Reason::Unconfirmed, until));
        }
        for (reason, check) in judge(&case, When::Later).chain(self.undecided(&case, &run)) {
            let known = run.findings.contains_key(&reason);
            if known && !matches!(check, Check::Broken { .. }) {
                news.push(What::Refuted { run: no, reason });
            }
            match check {
                Check::Broken { .. } if known => {}
                Check::Broken { at, detail } => {
                    let waived = case.waives(reason);
                    let finding = Finding { reason, at, waived, detail: detail.into() };
                    let latch = self.asks_for_acknowledgement(observed, &finding);
                    if reason == Reason::Lost && run.is_open() {
                        news.push(What::Lost { run: no, at: Some(at), shown: None });
                    }
                    news.push(What::Found { run: no, finding, latch });
                }
                Check::Holds { until } => open.push((reason, until)),
                Check::Passes | Check::NotApplicable(_) | Check::Unknown(_) => {}
            }
        }
        let partner = run.partner.clone();
        // Held any longer, the run would be copied when the entries are adopted.
        drop(run);
        news.into_iter().for_each(|what| self.record(clock, &partner, what));
        let is_open = self.ledger.run(no).is_some_and(|r| r.is_open());
        let next = open.iter().filter(|(reason, _)| is_open || is_open_after_end(*reason));
        let next = next.map(|(_, until)| *until);
        let next = next.chain(self.may_yet_be_approved(no, terms, clock)).min();
        self.set_deadline(&partner, no, next);
        if !is_open && next.is_none() {
            self.seal(policy, no, terms, clock);
        }
    }

    /// Until when one of us may approve a run as an emergency that breaks what an emergency waives. In a replay
    /// nobody is asked.
    fn may_yet_be_approved(&self, no: RunNo, terms: &Terms, clock: Instant) -> Option<Instant> {
        let run = self.ledger.run(no).filter(|_| self.evidence == Evidence::Readings)?;
        let case = case_of(run, terms, clock);
        let is_broken = run.findings.values().any(|f| !f.waived && f.reason.is_waivable());
        let may_be = terms.emergencies.allowed && !case.is_waiving() && is_broken;
        case.approve_by().filter(|bound| may_be && clock < *bound)
    }

    /// A reason that makes a violation, unless it was found while reading old logs.
    pub(super) fn asks_for_acknowledgement(&self, observed: Instant, finding: &Finding) -> bool {
        let makes_a_violation = !finding.waived && !finding.reason.is_doubt();
        makes_a_violation && observed - finding.at <= self.backfill_horizon
    }

    fn seal(&mut self, policy: &Policy, no: RunNo, terms: &Terms, clock: Instant) {
        let Some(run) = self.ledger.run(no).cloned() else { return };
        let (business, outside) = time_counted(&run, terms, clock);
        let clamp = |n: i128| i64::try_from(n).unwrap_or(i64::MAX);
        let what = What::Sealed {
            run: no,
            verdict: run.verdict(),
            business_nanos: clamp(business),
            outside_nanos: clamp(outside),
            digest: policy.digest.clone(),
        };
        let partner = run.partner.clone();
        drop(run);
        self.record(clock, &partner, what);
    }

    /// A run as it begins, with everything that the rules say of it just before its start, and when to ask the
    /// later ones next.
    #[allow(clippy::too_many_arguments)]
    pub(super) fn new_run(
        &self,
        policy: &Policy,
        taking: &Taking,
        line: &RunLine,
        procedure: &str,
        service: Option<Arc<str>>,
        start: Instant,
        (no, group): (RunNo, RunNo),
    ) -> Option<(Run, Option<Instant>)> {
        let partner = policy.partner(&taking.partner)?;
        let terms = partner.terms(service.as_deref(), procedure);
        let shared = |name: &Option<Box<str>>| name.as_deref().map(Arc::from);
        let mut run = Run {
            no,
            partner: taking.partner.clone(),
            service,
            procedure: match &*terms.procedure == procedure {
                true => terms.procedure.clone(),
                false => Arc::from(procedure),
            },
            run_id: shared(&line.run_id),
            change_id: shared(&line.change_id),
            trigger: line.trigger,
            start,
            ambiguous: taking.event.other_reading.is_some(),
            stamped: taking.stamped(),
            observed: taking.observed,
            labels: Labels {
                partner: terms.partner.clone(),
                service: terms.service.clone(),
                procedure: terms.procedure.clone(),
            },
            group,
            plan: None,
            replanned: false,
            delivered_by: self.delivered_by(partner, start, taking),
            state: State::Running,
            end: None,
            lost_at: None,
            outcome: None,
            phases: Vec::new(),
            verified: None,
            approved: None,
            approved_as_emergency: None,
            findings: Default::default(),
            refound: false,
            uncovered: false,
            latched: false,
            acknowledged: None,
            sealed: false,
            asked: None,
            irregular_start: None,
            place: taking.place.clone(),
        };
        run.plan = self.plan_for(&run, terms, AsOf::stamped(run.start));
        if let Some(book) = self.ledger.book(&run.partner) {
            run.approved = book.approval(run.change(), run.run_id.as_ref());
        }
        run.asked = self.asked_before(&run);
        run.irregular_start = self.irregular_start(&run, terms);
        let next = self.judge_start(&mut run, terms, taking, partner);
        Some((run, next))
    }

    pub(super) fn judge_start(
        &self,
        run: &mut Run,
        terms: &Terms,
        taking: &Taking,
        partner: &Partner,
    ) -> Option<Instant> {
        let case = case_of(run, terms, run.start - TICK);
        let (mut findings, mut uncovered) = (Findings::default(), false);
        let mut next: Option<Instant> = None;
        let checks = judge(&case, When::Start).chain(judge(&case, When::Later));
        for (reason, check) in checks {
            match check {
                Check::Broken { at, detail } => {
                    let waived = case.waives(reason);
                    findings.insert(Finding { reason, at, waived, detail: detail.into() });
                }
                Check::Unknown(_) => uncovered = true,
                Check::Holds { until } => next = Some(next.map_or(until, |t| t.min(until))),
                Check::Passes | Check::NotApplicable(_) => {}
            }
        }
        if let Some(finding) = self.doubt_start(&case, taking, partner) {
            findings.insert(finding);
        }
        (run.findings, run.uncovered) = (findings, uncovered);
        let asks = |f: &Finding| self.asks_for_acknowledgement(run.observed, f);
        run.latched = run.findings.values().any(asks);
        next
    }

    /// Live, a start that was read late although its file was followed may be backdated, and one that was read before
    /// its stamp has a wrong one.
    fn doubt_start(&self, case: &Case, taking: &Taking, partner: &Partner) -> Option<Finding> {
        let followed = taking.followed_since.is_some_and(|since| since <= taking.stamped());
        let delay = taking.observed - taking.stamped();
        let is_late = followed && partner.late_after < delay;
        let is_ahead = partner.clock_tolerance < -delay;
        if self.evidence == Evidence::Stamps || !is_late && !is_ahead {
            return None;
        }
        let Check::Broken { at, detail } = implausible(case, case.start + delay) else {
            return None;
        };
        let detail = detail.into();
        Some(Finding { reason: Reason::ImplausibleTime, at, waived: false, detail })
    }
}

/// Rules that are still open for a run that is over.
fn is_open_after_end(reason: Reason) -> bool {
    matches!(reason, Reason::Unverified | Reason::UnapprovedEmergency) || reason.is_about_the_plan()
}
