//! Starts: which are told again, which give up a run that is open, and the runs that they open.

use std::sync::Arc;

use crate::event::RunLine;
use crate::ledger::draft::{Draft, TICK, Taking};
use crate::ledger::pairing::{clock_tolerance, is_concurrent, named, services_of};
use crate::ledger::{What, told};
use crate::policy::Policy;
use crate::run::{Irregularity, Run, RunNo};
use crate::time::Instant;

impl Draft {
    /// A start is always judged, unless it is on record or tells again of a run that is open.
    pub(super) fn take_start(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) -> bool {
        let start = taking.event.at;
        let mut services = self.not_told_yet(policy, clock, taking, line);
        if services.is_empty() {
            return false;
        }
        let tolerance = clock_tolerance(policy, taking);
        let mut told_twice = 0;
        let mut given_up = Vec::new();
        services.retain(|service| {
            let opens_beside =
                line.run_id.is_none() && is_concurrent(policy, taking, line, service);
            let open = if opens_beside { Vec::new() } else { self.open_of(taking, line, service) };
            let is_twice = open.iter().any(|run| (run.start - start).abs() <= tolerance);
            told_twice += usize::from(is_twice);
            given_up.extend(open.into_iter().filter(|_| !is_twice));
            !is_twice
        });
        if 0 < told_twice {
            let detail = format!("{} is open", named(line));
            self.irregular(clock, taking, Irregularity::SecondStart, detail);
        }
        // Of two runs the one that began earlier is given up at the start of the other.
        let (earlier, later): (Vec<_>, Vec<_>) =
            given_up.into_iter().partition(|run| run.start < start);
        for run in &earlier {
            self.give_up(policy, taking, run.no, start);
        }
        if !(earlier.is_empty() && later.is_empty()) {
            let detail =
                format!("{} began again, of two runs the earlier was given up", named(line));
            self.irregular(clock, taking, Irregularity::Superseded, detail);
        }
        for (no, next) in self.start_runs(policy, clock, taking, line, (start, services)) {
            let service = self.ledger.run(no).map(|run| run.service.clone());
            let others = later.iter().filter(|run| Some(&run.service) == service.as_ref());
            if let Some(other) = others.map(|run| run.start).min() {
                self.give_up(policy, taking, no, other);
            } else if clock == start - TICK {
                // It has just been judged as of this very instant.
                self.set_deadline(&taking.partner, no, next);
            } else {
                self.refresh(policy, no, clock, taking.observed);
            }
        }
        self.take_held(policy, clock, taking);
        true
    }

    /// The services of a start that was not told for them before; from now on it was.
    fn not_told_yet(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) -> Vec<Option<Arc<str>>> {
        let start = taking.event.at;
        let was_told = |service: &Option<Arc<str>>| {
            let marks = taking.event.readings().map(|at| told::of_start(line, service, at));
            marks.into_iter().any(|mark| self.was_told(&taking.partner, &mark))
        };
        let mut services = services_of(policy, taking, line);
        let all = services.len();
        let of_all = |at| told::of_all(line, (at, at));
        let mut for_all = taking.event.readings().filter_map(of_all);
        match for_all.any(|mark| self.was_told(&taking.partner, &mark)) {
            true => services.clear(),
            false => services.retain(|service| !was_told(service)),
        }
        if services.len() < all {
            self.note_repeated(clock, taking);
        }
        if services.is_empty() {
            return services;
        }
        let marks = services.iter().map(|service| told::of_start(line, service, start));
        for mark in marks.chain(of_all(start)) {
            self.note_told(&taking.partner, mark);
        }
        services
    }

    /// The open runs that a start for this service is about.
    fn open_of(
        &self,
        taking: &Taking,
        line: &RunLine,
        service: &Option<Arc<str>>,
    ) -> Vec<Arc<Run>> {
        let Some(book) = self.ledger.book(&taking.partner) else { return Vec::new() };
        let found: Vec<RunNo> = match (&line.run_id, &line.procedure) {
            (Some(id), _) => book.open_of_id(id).to_vec(),
            (None, Some(procedure)) => {
                book.open_of_key(&(service.clone(), Arc::from(&**procedure))).collect()
            }
            (None, None) => Vec::new(),
        };
        let runs = found.iter().filter_map(|no| self.ledger.run(*no));
        runs.filter(|run| run.service == *service).cloned().collect()
    }

    /// Gives a run up because the same began again at `at`, with every bound until then.
    fn give_up(&mut self, policy: &Policy, taking: &Taking, no: RunNo, at: Instant) {
        self.refresh(policy, no, at, taking.observed);
        let Some(run) = self.ledger.run(no).filter(|run| run.is_open()).cloned() else { return };
        let shown = self.shown_beyond(policy, taking, &run, at);
        drop(run);
        self.record(at, &taking.partner, What::Lost { run: no, at: Some(at), shown });
        self.refresh(policy, no, at, taking.observed);
    }

    /// Opens one run for each service. Gives back when to ask the later rules next.
    pub(super) fn start_runs(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        (start, services): (Instant, Vec<Option<Arc<str>>>),
    ) -> Vec<(RunNo, Option<Instant>)> {
        let Some(procedure) = &line.procedure else { return Vec::new() };
        let group = self.ledger.last_run() + 1;
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
}
