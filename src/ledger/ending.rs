//! Ends: which run they end, and runs that one line tells whole.

use std::sync::Arc;

use crate::event::RunLine;
use crate::ledger::book::Key;
use crate::ledger::draft::{Draft, Taking};
use crate::ledger::pairing::{clock_tolerance, keys_of, named, services_of};
use crate::ledger::present::terms_of;
use crate::ledger::waiting::Waits;
use crate::ledger::{Shown, What, told};
use crate::policy::Policy;
use crate::run::{Irregularity, Run, State};
use crate::time::{Instant, rfc3339};

impl Draft {
    /// An end that tells nothing of the start. Gives back false for one that was told before.
    pub(super) fn take_end(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
    ) -> bool {
        let found = self.find_open(policy, taking, line);
        if self.end_runs(policy, clock, taking, line, (taking.event.at, found)) {
            return true;
        }
        if self.was_told_for_others(policy, taking, line) {
            self.note_repeated(clock, taking);
            return false;
        }
        match self.wait_for_start(policy, taking, line) {
            Waits::Held => {}
            Waits::ForNothing if self.has_ended(taking, line) => {
                self.note_repeated(clock, taking);
                return false;
            }
            Waits::TooEarly(start) => {
                let detail = format!("{} began {}", named(line), rfc3339(start));
                self.irregular(clock, taking, Irregularity::EndBeforeStart, detail);
            }
            Waits::ForNothing => {
                let kind = self.kind_of_stray_end(policy, taking, line);
                self.irregular(clock, taking, kind, format!("{} of {}", line.kind, named(line)));
            }
        }
        true
    }

    /// Whether this very end of an id is on record: told by another line, for instance whole.
    fn has_ended(&self, taking: &Taking, line: &RunLine) -> bool {
        let book = self.ledger.book(&taking.partner);
        let id = line.run_id.as_deref();
        let closed = book.zip(id).and_then(|(book, id)| book.closed_of_id(id));
        closed.is_some_and(|closed| {
            taking.event.readings().any(|at| closed.ended_at(&line.services, at))
        })
    }

    /// An end that tells its start as well. Gives back false for one that was told before.
    pub(super) fn take_told_whole(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        whole: (Instant, Instant),
    ) -> bool {
        let mut news = services_of(policy, taking, line);
        let all = news.len();
        let of_all = |reading| told::of_all(line, reading);
        let mut for_all = told::readings_of(&taking.event, whole).filter_map(of_all);
        if for_all.any(|mark| self.was_told(&taking.partner, &mark)) {
            news.clear();
        }
        news.retain(|service| {
            let mut marks = told::readings_of(&taking.event, whole)
                .map(|reading| told::of_whole(line, service, reading));
            !marks.any(|mark| self.was_told(&taking.partner, &mark))
        });
        if news.len() < all {
            self.note_repeated(clock, taking);
        }
        if news.is_empty() {
            return false;
        }
        let mut new_marks: Vec<_> =
            news.iter().map(|service| told::of_whole(line, service, whole)).collect();
        new_marks.extend(of_all(whole));
        if line.run_id.is_some() {
            // Without an id an end that tells its start is another line than one that does not.
            new_marks.extend(told::of_later(line, whole.1));
        }
        self.take_whole(policy, clock, taking, line, (whole, news));
        new_marks.into_iter().for_each(|mark| self.note_told(&taking.partner, mark));
        true
    }

    /// It ends the run that is open, unless that began later than it says; else it is a run of its own.
    pub(super) fn take_whole(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        ((start, end), mut services): ((Instant, Instant), Vec<Option<Arc<str>>>),
    ) {
        let tolerance = clock_tolerance(policy, taking);
        let mut open = self.find_open(policy, taking, line);
        let all = services_of(policy, taking, line);
        open.retain(|run| !all.contains(&run.service) || services.contains(&run.service));
        open.retain(|run| run.start - tolerance <= start);
        // Of an id that runs for other services than the line names the id decides.
        match open.iter().any(|run| line.services.is_empty() || !all.contains(&run.service)) {
            true => services.clear(),
            false => services.retain(|service| open.iter().all(|run| run.service != *service)),
        }
        self.end_runs(policy, clock, taking, line, (end, open));
        if services.is_empty() || self.wait_for_start(policy, taking, line) == Waits::Held {
            return;
        }
        if line.procedure.is_none() {
            let kind = self.kind_of_stray_end(policy, taking, line);
            return self.irregular(
                clock,
                taking,
                kind,
                format!("{} of {}", line.kind, named(line)),
            );
        }
        if end < start {
            let detail = format!("start {}, end {}", rfc3339(start), rfc3339(end));
            self.irregular(clock, taking, Irregularity::EndBeforeStart, detail);
        }
        // Without an id the line of a start is another line than this.
        for service in services.iter().filter(|_| line.run_id.is_some()) {
            self.note_told(&taking.partner, told::of_start(line, service, start));
        }
        let end = end.max(start);
        for (no, _) in self.start_runs(policy, clock, taking, line, (start, services)) {
            if let Some(run) = self.ledger.run(no).cloned() {
                self.end_run(policy, clock, taking, line, (&run, end));
            }
        }
    }

    fn kind_of_stray_end(&self, policy: &Policy, taking: &Taking, line: &RunLine) -> Irregularity {
        let book = self.ledger.book(&taking.partner);
        let last = match &line.run_id {
            Some(id) => book
                .and_then(|book| book.closed_of_id(id))
                .and_then(|closed| closed.last(&line.services)),
            None => {
                let keys: Vec<Key> = keys_of(policy, taking, line).collect();
                let last = book.and_then(|book| book.last_closed(keys.iter()));
                // Without an id nothing says that it is the run that has ended.
                last.filter(|state| *state == State::Lost)
            }
        };
        match last {
            None => Irregularity::EndWithoutStart,
            Some(State::Lost) => Irregularity::EndAfterLost,
            Some(_) => Irregularity::SecondEnd,
        }
    }

    /// Ends the runs that an end is about. Of two clocks one may be ahead: an end that is stamped a little before the
    /// start that it follows ends that run at its start. Gives back false if there is no such run.
    pub(super) fn end_runs(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        (end, found): (Instant, Vec<Arc<Run>>),
    ) -> bool {
        let (open, ahead): (Vec<_>, Vec<_>) = found.into_iter().partition(|run| run.start <= end);
        for run in &open {
            self.give_up_or_end(policy, clock, taking, line, (run, end));
        }
        if !open.is_empty() {
            return true;
        }
        let tolerance = clock_tolerance(policy, taking);
        if let Some(run) = ahead.first() {
            let detail = format!("run {} began {}", run.no, rfc3339(run.start));
            self.irregular(clock, taking, Irregularity::EndBeforeStart, detail);
        }
        for run in &ahead {
            if run.start - tolerance <= end {
                self.end_run(policy, clock, taking, line, (run, run.start));
            }
        }
        !ahead.is_empty()
    }

    /// An end after the run was given up comes too late.
    fn give_up_or_end(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        (run, end): (&Arc<Run>, Instant),
    ) {
        if let Some(terms) = terms_of(policy, run)
            && run.start + terms.lost_after < end
        {
            self.refresh(policy, run.no, run.start + terms.lost_after, taking.observed);
            let detail = format!("run {} was given up", run.no);
            return self.irregular(clock, taking, Irregularity::EndAfterLost, detail);
        }
        self.end_run(policy, clock, taking, line, (run, end));
    }

    fn end_run(
        &mut self,
        policy: &Policy,
        clock: Instant,
        taking: &Taking,
        line: &RunLine,
        (run, end): (&Arc<Run>, Instant),
    ) {
        let Some(state) = State::after(line.kind) else { return };
        let what = What::Ended {
            run: run.no,
            state,
            at: end,
            outcome: line.outcome.clone(),
            shown: self.shown_beyond(policy, taking, run, end),
            place: taking.place.clone(),
        };
        if let Some(mark) = told::of_ended(run, end) {
            self.note_told(&taking.partner, mark);
        }
        self.record(clock, &taking.partner, what);
        self.refresh(policy, run.no, clock, taking.observed);
    }

    /// What the counters of time stood at, where they had been counted beyond this end. Runs that are told of
    /// together with their ends were never shown running.
    pub(super) fn shown_beyond(
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
}
