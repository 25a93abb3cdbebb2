//! An event with all that recurs by it, and with what changes from one occurrence on.

use super::Event;
use super::slot::{Removed, Slot};
use crate::calendar::ical::{PeriodEnd, Time};
use crate::calendar::recurrence::Recurrence;
use crate::calendar::{Edge, Zone};
use crate::time::{Instant, Span};
use chrono::TimeDelta;

pub(super) use crate::calendar::recurrence::Tail;

/// One event: its rules, and the dates that are named.
pub(super) struct Made<'g, 'd> {
    pub event: &'g Event<'d>,
    pub start: Time,
    pub dates: Vec<(Time, Option<PeriodEnd>)>,
    pub recurrence: Recurrence,
    pub tails: Vec<Tail>,
}

impl Made<'_, '_> {
    /// Whether this is one of its starts, before anything is changed.
    pub fn has(&self, slot: Slot) -> bool {
        let is_date = |(time, _): &(Time, Option<PeriodEnd>)| {
            let from = time.instant(Edge::Earlier);
            let is_it = match slot {
                Slot::Day(day) => time.civil.date() == day,
                Slot::At(instant) => from == instant,
            };
            is_it && !self.recurrence.is_removed(time.civil, from)
        };
        let day = match slot {
            Slot::Day(day) => day,
            Slot::At(instant) => self.start.zone.civil(instant).date(),
        };
        let at = match slot {
            Slot::Day(_) => None,
            Slot::At(instant) => Some(instant),
        };
        self.dates.iter().any(is_date) || self.recurrence.starts_on(day, at)
    }

    /// Takes further starts away.
    pub fn remove(&mut self, removed: Removed) {
        self.recurrence.removed.extend(removed.instants);
        self.recurrence.removed_days.extend(removed.days);
        self.recurrence.removed.sort_unstable();
        self.recurrence.removed_days.sort_unstable();
    }

    /// The instant of an occurrence.
    pub fn instant_of(&self, slot: Slot) -> Instant {
        match slot {
            Slot::Day(day) => self.zone().midnight(day),
            Slot::At(instant) => instant,
        }
    }

    /// How far an occurrence is moved, by the clocks of the series.
    pub fn shift_to(&self, start: &Time, slot: Slot) -> TimeDelta {
        let zone = self.zone();
        let from = match slot {
            Slot::Day(day) => day.and_time(self.start.civil.time()),
            Slot::At(instant) => zone.civil(instant),
        };
        let to = match start.zone == *zone || start.is_date {
            true => start.civil,
            false => zone.civil(start.instant(Edge::Earlier)),
        };
        to - from
    }

    fn zone(&self) -> &Zone {
        &self.start.zone
    }

    /// What recurs, and the spans of the dates that are named.
    pub fn finish(self) -> (Recurrence, Vec<Span>) {
        let counts = self.event.counts();
        let length = self.recurrence.length.filter(|_| counts);
        let recurrence = Recurrence { length, tails: self.tails, ..self.recurrence };
        let spans = self.dates.into_iter().filter_map(|(time, end)| {
            let from = time.instant(Edge::Earlier);
            match end.filter(|_| recurrence.tail_at(from).is_none()) {
                Some(_) if length.is_none() || recurrence.is_removed(time.civil, from) => None,
                Some(PeriodEnd::At(end)) => Span::new(from, end.instant(Edge::Later)),
                Some(PeriodEnd::After(length)) => length.span(&time),
                None => recurrence.span_from(time.civil, from, &time.zone),
            }
        });
        let spans = spans.collect();
        (recurrence, spans)
    }
}
