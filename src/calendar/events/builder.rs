//! Puts the events of a text together: which version counts, what is changed, added and taken away.

use super::{CALENDAR_OCCURRENCES_A_YEAR_MAX, EXCEPTIONS_MAX, Event, EventSet, EventsOf, newest};
use crate::calendar::ical::{Length, PeriodEnd, Property, Time, error};
use crate::calendar::recurrence::{OCCURRENCE_DAYS_MAX, Recurrence, Rule, Series, Work};
use crate::calendar::{CalendarError, Edge, spans};
use crate::time::{Instant, Span};
use chrono::{NaiveDate, TimeDelta};
use std::collections::BTreeMap;

/// Puts the set together and keeps its limits.
#[derive(Default)]
pub(super) struct Builder {
    only_days: bool,
    events: usize,
    exceptions: usize,
    most_a_year: u64,
    work: Work,
    set: EventSet,
}

impl Builder {
    /// `only_days`: whether every event has to be a whole day.
    pub fn new(only_days: bool) -> Builder {
        Builder { only_days, ..Builder::default() }
    }

    /// All that the text says of one `UID`.
    pub fn take(&mut self, group: &[&Event<'_>]) -> Result<(), CalendarError> {
        let changed = |event: &&&Event<'_>| event.component.property("RECURRENCE-ID").is_some();
        let masters = newest(group.iter().filter(|e| !changed(e)).copied().collect());
        if !masters.is_empty() && masters.iter().all(|master| master.cancelled) {
            return Ok(());
        }
        // By the occurrence whose place they take.
        let mut changes: BTreeMap<(Instant, bool), Vec<&Event<'_>>> = BTreeMap::new();
        let mut removed = Removed::default();
        for event in group.iter().filter(changed) {
            let Some(property) = event.component.property("RECURRENCE-ID") else { continue };
            if property.param("RANGE").is_some() {
                return Err(property.error("RANGE (this and all that follow) is not supported; the calendar has to write a new event"));
            }
            let time = property.time(event.zones)?;
            removed.add(&time);
            let key = (time.instant(Edge::Earlier), time.is_date);
            changes.entry(key).or_default().push(event);
        }
        for master in masters.into_iter().filter(|master| master.wanted && !master.cancelled) {
            self.add(master, removed.clone())?;
        }
        for change in changes.into_values().flat_map(newest) {
            if change.wanted && !change.cancelled {
                self.add_single(change)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, event: &Event<'_>, mut removed: Removed) -> Result<(), CalendarError> {
        let component = event.component;
        if let Some(property) = component.property("EXRULE") {
            return Err(property.error("not supported; RFC 5545 has no such property any more"));
        }
        let (rules, dates) = (component.property("RRULE"), component.property("RDATE"));
        if rules.or(dates).is_none() {
            return self.add_single(event);
        }
        self.events += 1;
        let (start, length) = self.start_and_length(event)?;
        for property in component.all("EXDATE") {
            let times = property.times(event.zones)?;
            self.count_exceptions(property, times.len())?;
            times.iter().for_each(|(time, _)| removed.add(time));
        }
        let (removed, removed_days) = removed.sorted();
        let mut recurrence = Recurrence { series: vec![], length, removed, removed_days };
        if OCCURRENCE_DAYS_MAX < length.days.saturating_add(length.exact.num_days()) {
            return Err(
                event.error(format!("an occurrence of more than {OCCURRENCE_DAYS_MAX} days"))
            );
        }
        for property in component.all("RRULE") {
            let rule =
                property.read(Rule::parse).map_err(|(_, message)| property.error(message))?;
            let series =
                Series::new(rule, &start, &mut self.work).map_err(|m| property.error(m))?;
            self.most_a_year = self.most_a_year.saturating_add(series.most_a_year());
            recurrence.series.push(series);
        }
        let mut single: Vec<(Time, Option<PeriodEnd>)> = vec![];
        if recurrence.series.is_empty() {
            single.push((start, None));
        }
        for property in component.all("RDATE") {
            let times = property.times(event.zones)?;
            self.count_exceptions(property, times.len())?;
            single.extend(times);
        }
        for (time, end) in single {
            let from = time.instant(Edge::Earlier);
            if !recurrence.is_removed(time.civil, from) {
                let end = match end {
                    Some(PeriodEnd::At(end)) => Some(end.instant(Edge::Later)),
                    Some(PeriodEnd::After(length)) => length.end(time.civil, from, &time.zone),
                    None => length.end(time.civil, from, &time.zone),
                };
                self.set.spans.extend(end.and_then(|end| Span::new(from, end)));
            }
        }
        self.set.recurrences.push(recurrence);
        Ok(())
    }

    fn add_single(&mut self, event: &Event<'_>) -> Result<(), CalendarError> {
        self.events += 1;
        let start = start_of(event)?;
        self.check_day(event, &start)?;
        let from = start.instant(Edge::Earlier);
        let end = match end_of(event, &start)? {
            PeriodEnd::At(end) => Some(end.instant(Edge::Later)),
            PeriodEnd::After(length) => length.end(start.civil, from, &start.zone),
        };
        // Only a spring gap can have emptied it.
        self.set.spans.extend(end.and_then(|end| Span::new(from, end)));
        Ok(())
    }

    /// Of an event that recurs: its `DTEND` gives an exact length, that of whole days a nominal one.
    fn start_and_length(&self, event: &Event<'_>) -> Result<(Time, Length), CalendarError> {
        let start = start_of(event)?;
        self.check_day(event, &start)?;
        let length = match end_of(event, &start)? {
            PeriodEnd::After(length) => length,
            PeriodEnd::At(end) if start.is_date => {
                let days = (end.civil.date() - start.civil.date()).num_days();
                Length { days, exact: TimeDelta::zero() }
            }
            PeriodEnd::At(end) => {
                let exact = end.instant(Edge::Later) - start.instant(Edge::Earlier);
                Length { days: 0, exact }
            }
        };
        Ok((start, length))
    }

    fn check_day(&self, event: &Event<'_>, start: &Time) -> Result<(), CalendarError> {
        match self.only_days && !start.is_date {
            true => Err(event.error("a holiday is a whole day, but this has a time")),
            false => Ok(()),
        }
    }

    fn count_exceptions(&mut self, property: &Property, n: usize) -> Result<(), CalendarError> {
        self.exceptions += n;
        match EXCEPTIONS_MAX < self.exceptions {
            true => {
                Err(property.error(format!("more than {EXCEPTIONS_MAX} times in EXDATE and RDATE")))
            }
            false => Ok(()),
        }
    }

    pub fn finish(self, of: &EventsOf<'_>) -> Result<EventSet, CalendarError> {
        if CALENDAR_OCCURRENCES_A_YEAR_MAX < self.most_a_year {
            let message = format!(
                "its rules recur up to {} times a year, at most {CALENDAR_OCCURRENCES_A_YEAR_MAX} are handled",
                self.most_a_year
            );
            return Err(error(0, message));
        }
        let mut set = self.set;
        if self.events == 0 {
            let which = if of.summary.is_some() { " that is asked for" } else { "" };
            return Err(error(0, format!("no event{which} in it")));
        }
        let plural = if self.events == 1 { "" } else { "s" };
        set.description = format!("{} ({} event{plural})", of.name, self.events);
        set.spans = spans::merged(set.spans);
        Ok(set)
    }
}

/// Starts that are none after all.
#[derive(Clone, Default)]
pub(super) struct Removed {
    pub instants: Vec<Instant>,
    pub days: Vec<NaiveDate>,
}

impl Removed {
    fn add(&mut self, time: &Time) {
        match time.is_date {
            true => self.days.push(time.civil.date()),
            false => self.instants.push(time.instant(Edge::Earlier)),
        }
    }

    pub fn sorted(mut self) -> (Vec<Instant>, Vec<NaiveDate>) {
        self.instants.sort_unstable();
        self.days.sort_unstable();
        (self.instants, self.days)
    }
}

fn start_of(event: &Event<'_>) -> Result<Time, CalendarError> {
    let start = event.component.property("DTSTART");
    start.ok_or_else(|| event.error("no DTSTART"))?.time(event.zones)
}

/// The end of the first (or only) occurrence.
fn end_of(event: &Event<'_>, start: &Time) -> Result<PeriodEnd, CalendarError> {
    let component = event.component;
    match (component.property("DTEND"), component.property("DURATION")) {
        (Some(_), Some(property)) => Err(property.error("beside DTEND: one of them")),
        (Some(property), None) => {
            let end = property.time(event.zones)?;
            if end.is_date != start.is_date {
                return Err(property
                    .error("DTSTART and DTEND are a day and a time: both days, or both times"));
            }
            let is_ordered = match start.zone == end.zone {
                true => start.civil < end.civil,
                false => start.instant(Edge::Earlier) < end.instant(Edge::Later),
            };
            match is_ordered {
                true => Ok(PeriodEnd::At(end)),
                false => Err(property
                    .error(format!("{:?}: ends before it begins, or is empty", property.value))),
            }
        }
        (None, Some(property)) => {
            let length = property.read(|value| Length::parse(value).ok_or(()));
            let length = length.ok().filter(|length| length.is_positive());
            let length = length.filter(|length| !start.is_date || length.exact.is_zero());
            let wrong = || {
                property.error(format!(
                    "{:?} is no length such as PT7H, or of whole days P1D",
                    property.value
                ))
            };
            length.map(PeriodEnd::After).ok_or_else(wrong)
        }
        (None, None) if start.is_date => {
            Ok(PeriodEnd::After(Length { days: 1, exact: TimeDelta::zero() }))
        }
        (None, None) => Err(event.error("no end: neither DTEND nor DURATION")),
    }
}
