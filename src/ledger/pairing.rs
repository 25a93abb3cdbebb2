//! Which run a line belongs to, and what the line does to it.

use std::sync::Arc;

use crate::event::{Kind, RunLine};
use crate::ledger::book::Key;
use crate::ledger::draft::{Draft, TICK, Taking};
use crate::ledger::present::terms_of;
use crate::ledger::{Shown, What};
use crate::policy::Policy;
use crate::run::{Irregularity, Phase, Place, Run, RunNo, State};
use crate::time::{Instant, rfc3339};

impl Draft {
    pub(super) fn take_run_line(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) {
        match line.kind {
            Kind::Started => self.take_start(policy, clock, taking, line),
            Kind::Phase | Kind::Paused | Kind::Resumed => {
                self.take_phase(policy, clock, taking, line);
            }
            Kind::Finished | Kind::Failed | Kind::Aborted => {
                self.take_end(policy, clock, taking, line);
            }
            Kind::Verified => self.take_verification(policy, clock, taking, line),
            Kind::Approved => self.take_approval(policy, clock, taking, line),
        }
    }

    fn take_start(&mut self, policy: &Policy, clock: Instant, taking: &Taking, line: &RunLine) {
        if let Some(id) = &line.run_id
            && self.ledger.book(&taking.partner).is_some_and(|b| !b.open_of_id(id).is_empty())
        {
            let detail = format!("run {id} is open");
            return self.irregular(clock, taking, Irregularity::SecondStart, detail);
        }
        let start = taking.event.at;
        for (no, next) in self.start_runs(policy, clock, taking, line, start) {
            if clock == start - TICK {
                // It has just been judged as of this very instant.
                self.set_deadline(&taking.partner, no, next);
            } else {
                self.refresh(policy, no, clock, taking.observed);
            }
        }
    }

    /// Opens one run for each service that the line names, or one. Gives back when to ask the later rules next.
    fn start_runs(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        start: Instant,
    ) -> Vec<(RunNo, Option<Instant>)> {
        let Some(procedure) = &line.procedure else { return Vec::new() };
        let group = self.ledger.last_run() + 1;
        let services = services_of(policy, taking, line);
        let mut started = Vec::with_capacity(services.len());
        for service in services {
            let no = self.ledger.last_run() + 1;
            let run = self.new_run(policy, taking, line, procedure, service, start, (no, group));
            let Some((run, next)) = run else { continue };
            let verdict = run.verdict();
            let what = What::Started { run: Arc::new(run), verdict };
            self.record(clock, &taking.partner, what);
            self.note_irregular_start(clock, taking, no);
            started.push((no, next));
        }
        started
    }

    fn take_phase(&mut self, policy: &Policy, clock: Instant, taking: &Taking, line: &RunLine) {
        let at = taking.event.at;
        let open = self.find_open(policy, taking, line);
        let open: Vec<Arc<Run>> = open.into_iter().filter(|r| r.start <= at).collect();
        if open.is_empty() {
            let detail = format!("{} of {}", line.kind, named(line));
            return self.irregular(clock, taking, Irregularity::PhaseWithoutStart, detail);
        }
        for run in open {
            let phase = Phase { kind: line.kind, name: line.phase.clone(), at };
            let place = taking.place.clone();
            self.record(clock, &taking.partner, What::Phase { run: run.no, phase, place });
        }
    }

    fn take_end(&mut self, policy: &Policy, clock: Instant, taking: &Taking, line: &RunLine) {
        let end = line.whole.map_or(taking.event.at, |(_, end)| end);
        let mut open = self.find_open(policy, taking, line);
        if line.run_id.is_none()
            && let Some((start, _)) = line.whole
        {
            // Told whole and without an id it is a run of its own, unless that very run is open.
            open.retain(|run| run.start == start);
        }
        if !open.is_empty() {
            for run in open {
                self.end_run(policy, clock, taking, line, &run, end);
            }
            return;
        }
        match line.whole {
            Some((start, end)) if start <= end && line.procedure.is_some() => {
                for (no, _) in self.start_runs(policy, clock, taking, line, start) {
                    if let Some(run) = self.ledger.run(no).cloned() {
                        self.end_run(policy, clock, taking, line, &run, end);
                    }
                }
            }
            Some((start, end)) if end < start => {
                let detail = format!("start {}, end {}", rfc3339(start), rfc3339(end));
                self.irregular(clock, taking, Irregularity::EndBeforeStart, detail);
            }
            _ => {
                let kind = self.kind_of_stray_end(taking, line);
                self.irregular(clock, taking, kind, format!("{} of {}", line.kind, named(line)));
            }
        }
    }

    fn kind_of_stray_end(&self, taking: &Taking, line: &RunLine) -> Irregularity {
        let book = self.ledger.book(&taking.partner);
        match line.run_id.as_ref().and_then(|id| book?.closed_of_id(id)) {
            None => Irregularity::EndWithoutStart,
            Some(closed) if closed.last_was_lost => Irregularity::EndAfterLost,
            Some(_) => Irregularity::SecondEnd,
        }
    }

    fn end_run(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        run: &Arc<Run>,
        end: Instant,
    ) {
        if end < run.start {
            let detail = format!("run {} began {}", run.no, rfc3339(run.start));
            return self.irregular(clock, taking, Irregularity::EndBeforeStart, detail);
        }
        if let Some(terms) = terms_of(policy, run)
            && run.start + terms.lost_after < end
        {
            self.refresh(policy, run.no, run.start + terms.lost_after, taking.observed);
            let detail = format!("run {} was given up", run.no);
            return self.irregular(clock, taking, Irregularity::EndAfterLost, detail);
        }
        let Some(state) = State::after(line.kind) else { return };
        let what = What::Ended {
            run: run.no,
            state,
            at: end,
            outcome: line.outcome.clone(),
            shown: self.shown_beyond(policy, taking, run, end),
            place: taking.place.clone(),
        };
        self.record(clock, &taking.partner, what);
        self.refresh(policy, run.no, clock, taking.observed);
    }

    /// What the counters of time stood at, where they had been counted beyond this end. Runs that are told of
    /// together with their ends were never shown running.
    fn shown_beyond(
        &self,
        policy: &Policy,
        taking: &Taking,
        run: &Run,
        end: Instant,
    ) -> Option<Shown> {
        let so_far = self.ledger.book(&taking.partner)?.clock?;
        let before = self.shown_until.map_or(so_far, |t| t.min(taking.observed).max(so_far));
        let shown_until = if taking.live { taking.observed } else { before };
        let was_shown = run.no <= self.shown_runs && end < shown_until;
        let seen = self.shown_runs;
        was_shown.then(|| self.ledger.time_counted(policy, &run.labels, shown_until, seen))
    }

    fn take_verification(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) {
        let ended = self.find_ended(policy, taking, line);
        if ended.is_empty() {
            let detail = format!("verification of {}", named(line));
            return self.irregular(clock, taking, Irregularity::VerifiedWithoutEnd, detail);
        }
        let at = taking.event.at;
        for run in ended {
            let trouble = match (run.verified, run.end) {
                (Some(_), _) => Some(Irregularity::SecondVerification),
                (None, Some(end)) if at < end => Some(Irregularity::VerifiedBeforeEnd),
                _ => None,
            };
            if let Some(kind) = trouble {
                self.irregular(clock, taking, kind, format!("run {}", run.no));
                continue;
            }
            let (no, place) = (run.no, taking.place.clone());
            self.record(clock, &taking.partner, What::Verified { run: no, at, place });
            let when = (at, taking.observed);
            self.amend_or_refresh(policy, clock, when, &run, "verified", &taking.place);
        }
    }

    pub(super) fn amend_or_refresh(
        &mut self,
        policy: &Policy,
        clock: Instant,
        (at, observed): (Instant, Instant),
        run: &Run,
        what: &str,
        place: &Option<Place>,
    ) {
        if !run.sealed {
            return self.refresh(policy, run.no, clock, observed);
        }
        if run.findings.is_empty() {
            return;
        }
        let note = format!("{what} {}, after the verdict was final", rfc3339(at));
        let place = place.clone();
        self.record(clock, &run.partner, What::Amended { run: run.no, note, place });
    }

    /// The open runs that a line is about. An id alone decides, whatever service the line names: that is the
    /// start line's.
    fn find_open(&self, policy: &Policy, taking: &Taking, line: &RunLine) -> Vec<Arc<Run>> {
        let Some(book) = self.ledger.book(&taking.partner) else { return Vec::new() };
        let found = match &line.run_id {
            Some(id) => book.open_of_id(id).to_vec(),
            None => keys_of(policy, taking, line).filter_map(|k| book.oldest_open(&k)).collect(),
        };
        found.iter().filter_map(|no| self.ledger.run(*no)).cloned().collect()
    }

    /// The ended runs that a verification is about.
    fn find_ended(&self, policy: &Policy, taking: &Taking, line: &RunLine) -> Vec<Arc<Run>> {
        let Some(book) = self.ledger.book(&taking.partner) else { return Vec::new() };
        let found = match &line.run_id {
            Some(id) => book.closed_of_id(id).map_or(Vec::new(), |c| c.ended.clone()),
            None => {
                keys_of(policy, taking, line).filter_map(|k| book.oldest_unverified(&k)).collect()
            }
        };
        found.iter().filter_map(|no| self.ledger.run(*no)).cloned().collect()
    }
}

/// The services of a line: those it names, else the procedure's only one, else none.
fn services_of(policy: &Policy, taking: &Taking, line: &RunLine) -> Vec<Option<Arc<str>>> {
    if line.services.is_empty() {
        let partner = policy.partner(&taking.partner);
        let only = partner.and_then(|p| p.only_service(line.procedure.as_deref()));
        return vec![only.cloned()];
    }
    let share = |name: &str| match policy.service(name) {
        Some(service) => service.name.clone(),
        None => Arc::from(name),
    };
    line.services.iter().map(|s| Some(share(s))).collect()
}

fn keys_of<'a>(
    policy: &Policy,
    taking: &Taking,
    line: &'a RunLine,
) -> impl Iterator<Item = Key> + 'a {
    let procedure: Option<Arc<str>> = line.procedure.as_deref().map(Arc::from);
    let services = services_of(policy, taking, line);
    services.into_iter().filter_map(move |service| Some((service, procedure.clone()?)))
}

fn named(line: &RunLine) -> String {
    match (&line.run_id, &line.procedure) {
        (Some(id), _) => format!("run {id}"),
        (None, Some(procedure)) => format!("a run of {procedure} without an id"),
        (None, None) => "a run without an id".into(),
    }
}
