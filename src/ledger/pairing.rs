//! Which run a line belongs to, and what the line does to it.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::event::{Kind, RunLine};
use crate::ledger::book::Key;
use crate::ledger::draft::{Draft, Taking};
use crate::ledger::{What, told};
use crate::policy::{Policy, defaults};
use crate::run::{Irregularity, Phase, Place, Run};
use crate::time::{Instant, rfc3339};

impl Draft {
    /// Takes a line of a run. Gives back false for one that was told before.
    pub(super) fn take_run_line(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) -> bool {
        match (line.kind, line.whole) {
            (Kind::Started, _) => return self.take_start(policy, clock, taking, line),
            (_, Some(whole)) if line.kind.is_end() => {
                return self.take_told_whole(policy, clock, taking, line, whole);
            }
            _ => {}
        }
        let at = taking.event.at;
        let was_told = |t: Instant| {
            told::of_later(line, t).iter().all(|mark| self.was_told(&taking.partner, mark))
        };
        if taking.event.readings().any(was_told) {
            self.note_repeated(clock, taking);
            return false;
        }
        match line.kind {
            Kind::Started => {}
            Kind::Phase | Kind::Paused | Kind::Resumed => {
                if !self.take_phase(policy, clock, taking, line) {
                    return false;
                }
            }
            Kind::Finished | Kind::Failed | Kind::Aborted => {
                if !self.take_end(policy, clock, taking, line) {
                    return false;
                }
            }
            Kind::Verified => self.take_verification(policy, clock, taking, line),
            Kind::Approved => self.take_approval(policy, clock, taking, line),
        }
        told::of_later(line, at).into_iter().for_each(|m| self.note_told(&taking.partner, m));
        true
    }

    /// Gives back false for one that was told before.
    fn take_phase(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) -> bool {
        let at = taking.event.at;
        let open = self.find_open(policy, taking, line);
        let open: Vec<Arc<Run>> = open.into_iter().filter(|r| r.start <= at).collect();
        if open.is_empty() {
            if self.was_told_for_others(policy, taking, line) {
                self.note_repeated(clock, taking);
                return false;
            }
            let detail = format!("{} of {}", line.kind, named(line));
            self.irregular(clock, taking, Irregularity::PhaseWithoutStart, detail);
        }
        for run in open {
            let phase = Phase { kind: line.kind, name: line.phase.clone(), at };
            let place = taking.place.clone();
            self.record(clock, &taking.partner, What::Phase { run: run.no, phase, place });
        }
        true
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
        let mut troubles: Vec<Irregularity> = Vec::new();
        for run in ended {
            let trouble = match (run.verified, run.end) {
                (Some(_), _) => Some(Irregularity::SecondVerification),
                (None, Some(end)) if at < end => Some(Irregularity::VerifiedBeforeEnd),
                _ => None,
            };
            if let Some(kind) = trouble {
                // Of one line each counts once.
                if !troubles.contains(&kind) {
                    self.irregular(clock, taking, kind, format!("run {}", run.no));
                    troubles.push(kind);
                }
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

    /// The open runs that a line about what began before is about. One that names no service is about all that its
    /// id (without one: its procedure) has open; of several runs without an id the oldest of each service.
    pub(super) fn find_open(
        &self,
        policy: &Policy,
        taking: &Taking,
        line: &RunLine,
    ) -> Vec<Arc<Run>> {
        let Some(book) = self.ledger.book(&taking.partner) else { return Vec::new() };
        let Some(id) = &line.run_id else {
            let keys = match (line.services.as_slice(), line.procedure.as_deref()) {
                ([], Some(procedure)) => book.open_keys_of(procedure),
                _ => keys_of(policy, taking, line).collect(),
            };
            let oldest = keys.iter().filter_map(|key| book.oldest_open(key));
            return oldest.filter_map(|no| self.ledger.run(no)).cloned().collect();
        };
        let open = book.open_of_id(id).iter().filter_map(|no| self.ledger.run(*no));
        let mut open: Vec<Arc<Run>> = open.cloned().collect();
        if open.iter().any(|run| names(line, &run.service)) {
            open.retain(|run| names(line, &run.service));
        } else if let Some(closed) = book.closed_of_id(id)
            && !line.services.is_empty()
        {
            // The service is the start line's, whatever this line says. But it may be about a run that is over and ran
            // beside this one.
            open.retain(|run| !closed.knows(&line.services, run.start));
        }
        open
    }

    /// The ended runs that a verification is about.
    fn find_ended(&self, policy: &Policy, taking: &Taking, line: &RunLine) -> Vec<Arc<Run>> {
        let Some(book) = self.ledger.book(&taking.partner) else { return Vec::new() };
        let found = match (&line.run_id, line.services.as_slice(), line.procedure.as_deref()) {
            (Some(id), services, _) => book.closed_of_id(id).map_or(Vec::new(), |closed| {
                let mut open = book.open_of_id(id).iter().filter_map(|no| self.ledger.run(*no));
                let is_open = open.any(|run| names(line, &run.service));
                // The service is the start line's: where the id has none of these, the id decides.
                let is_its = is_open || closed.has(services);
                closed.ended(if is_its { services } else { &[] })
            }),
            (None, [], Some(procedure)) => {
                let keys = book.unverified_keys_of(procedure);
                keys.iter().filter_map(|key| book.oldest_unverified(key)).collect()
            }
            (None, ..) => {
                keys_of(policy, taking, line).filter_map(|k| book.oldest_unverified(&k)).collect()
            }
        };
        found.iter().filter_map(|no| self.ledger.run(*no)).cloned().collect()
    }
}

/// Whether a line names this service.
fn names(line: &RunLine, service: &Option<Arc<str>>) -> bool {
    line.services.iter().any(|named| service.as_deref() == Some(&**named))
}

/// The services of a start: those that the line names, else all of its procedure. An undeclared procedure has none.
pub(super) fn services_of(
    policy: &Policy,
    taking: &Taking,
    line: &RunLine,
) -> Vec<Option<Arc<str>>> {
    if line.services.is_empty() {
        let partner = policy.partner(&taking.partner);
        return partner.map_or(vec![None], |p| p.services_of(line.procedure.as_deref()));
    }
    let share = |name: &str| match policy.service(name) {
        Some(service) => service.name.clone(),
        None => Arc::from(name),
    };
    line.services.iter().map(|s| Some(share(s))).collect()
}

pub(super) fn clock_tolerance(policy: &Policy, taking: &Taking) -> TimeDelta {
    policy.partner(&taking.partner).map_or(defaults::CLOCK_TOLERANCE, |p| p.clock_tolerance)
}

/// Whether runs without an id for this service may be open side by side.
pub(super) fn is_concurrent(
    policy: &Policy,
    taking: &Taking,
    line: &RunLine,
    service: &Option<Arc<str>>,
) -> bool {
    let partner = policy.partner(&taking.partner);
    let procedure = partner.and_then(|p| p.procedure(line.procedure.as_deref()?));
    procedure.is_some_and(|procedure| procedure.concurrent && procedure.is_for(service))
}

pub(super) fn keys_of<'a>(
    policy: &Policy,
    taking: &Taking,
    line: &'a RunLine,
) -> impl Iterator<Item = Key> + 'a {
    let procedure: Option<Arc<str>> = line.procedure.as_deref().map(Arc::from);
    let services = services_of(policy, taking, line);
    services.into_iter().filter_map(move |service| Some((service, procedure.clone()?)))
}

pub(super) fn named(line: &RunLine) -> String {
    match (&line.run_id, &line.procedure) {
        (Some(id), _) => format!("run {id}"),
        (None, Some(procedure)) => format!("a run of {procedure} without an id"),
        (None, None) => "a run without an id".into(),
    }
}
