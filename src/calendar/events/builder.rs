//! Puts the events of a text together: which version counts, what is changed, added and taken away.
//!
//! What cannot be used refuses itself. It is an error of the whole only where it could have closed something: of
//! freezes a start, an end or a rule. What it could have taken away from a freeze stays frozen; a series of windows
//! of which it cannot be told what was taken away opens nothing.

use super::series::{Made, Tail};
use super::slot::{Removed, Slot, change_of, has_range, last_day};
use super::start::start_and_length;
use super::{
    CALENDAR_OCCURRENCES_A_YEAR_MAX, EXCEPTIONS_MAX, Event, EventSet, EventsOf, Unused, newest,
};
use crate::calendar::ical::{Length, Property, Time, error};
use crate::calendar::recurrence::{
    OCCURRENCE_DAYS_MAX, Recurrence, Rule, Series, Until, WORK_MAX, Work,
};
use crate::calendar::{CalendarError, spans};
use chrono::TimeDelta;
use std::collections::BTreeMap;

/// A change of one occurrence, or of one and all that follow.
struct Change<'g, 'd> {
    event: &'g Event<'d>,
    slot: Slot,
    and_later: bool,
}

/// Puts the set together and keeps its limits.
pub(super) struct Builder<'o> {
    of: &'o EventsOf<'o>,
    /// Whether every event has to be a whole day.
    only_days: bool,
    events: usize,
    exceptions: usize,
    most_a_year: u64,
    work: Work,
    set: EventSet,
    unused: Vec<Unused>,
}

impl<'o> Builder<'o> {
    pub fn new(of: &'o EventsOf<'o>, only_days: bool) -> Builder<'o> {
        Builder {
            of,
            only_days,
            events: 0,
            exceptions: 0,
            most_a_year: 0,
            work: Work::default(),
            set: EventSet::default(),
            unused: vec![],
        }
    }

    /// All that the text says of one `UID`.
    pub fn take<'g, 'd>(&mut self, group: &[&'g Event<'d>]) -> Result<(), CalendarError> {
        let is_change = |event: &&&Event<'_>| event.component.property("RECURRENCE-ID").is_some();
        let masters = newest(group.iter().filter(|e| !is_change(e)).copied().collect());
        if !masters.is_empty() && masters.iter().all(|master| master.cancelled) {
            return Ok(());
        }
        let version = masters.iter().map(|master| master.version().0).max();
        let mut made = vec![];
        for master in masters.iter().filter(|master| !master.cancelled) {
            made.extend(self.make(master)?);
        }
        let of_days = made.iter().any(|made| made.start.is_date);
        let changed = group.iter().filter(is_change).copied();
        let Some(mut changes) = self.changes(changed, of_days, version.is_some())? else {
            return Ok(());
        };
        // What a newer version of the series does not know any more went with the older one.
        let unknown = self.of.closes && made.is_empty();
        changes.retain(|change| {
            let is_older = version.is_some_and(|version| change.event.version().0 < version);
            !is_older || unknown || made.iter().any(|made| made.has(change.slot))
        });
        let mut removed = Removed::default();
        let tails: Vec<&Change<'_, '_>> = changes.iter().filter(|c| c.and_later).collect();
        for change in changes.iter().filter(|change| !change.and_later) {
            removed.add(change.slot);
        }
        if made.is_empty() {
            self.without_series(&tails)?;
        }
        for mut made in made {
            made.remove(removed.clone());
            made.tails = self.tails(&tails, &made)?;
            self.put(made);
        }
        for change in changes.iter().filter(|change| !change.and_later) {
            if change.event.counts() {
                self.add_single(change.event)?;
            }
        }
        Ok(())
    }

    /// The changes of occurrences, the newest version of each; `None`: it cannot be told which occurrence of the
    /// windows one of them takes away, so that none of them may be used.
    fn changes<'g, 'd>(
        &mut self,
        events: impl Iterator<Item = &'g Event<'d>>,
        of_days: bool,
        has_series: bool,
    ) -> Result<Option<Vec<Change<'g, 'd>>>, CalendarError> {
        let mut found: BTreeMap<(Slot, bool), Vec<&Event<'_>>> = BTreeMap::new();
        for event in events {
            match change_of(event, of_days) {
                Ok((slot, and_later)) => found.entry((slot, and_later)).or_default().push(event),
                Err(error) if self.of.closes && has_range(event) => self.refuse(event, error)?,
                Err(error) => {
                    self.tell(event, error);
                    if !self.of.closes && has_series {
                        return Ok(None);
                    }
                    if self.of.closes && event.counts() {
                        self.add_single(event)?;
                    }
                }
            }
        }
        let changes = found.into_iter().flat_map(|((slot, and_later), events)| {
            let newest = newest(events).into_iter();
            newest.map(move |event| Change { event, slot, and_later })
        });
        Ok(Some(changes.collect()))
    }

    /// What becomes of a series from a change on that says "this and all that follow".
    fn tails(
        &mut self,
        changes: &[&Change<'_, '_>],
        made: &Made<'_, '_>,
    ) -> Result<Vec<Tail>, CalendarError> {
        let mut tails = vec![];
        for change in changes {
            let from = made.instant_of(change.slot);
            let mut tail = Tail { from, shift: TimeDelta::zero(), length: None };
            if change.event.counts() {
                match self.tail_length(change, made) {
                    Ok((shift, length)) => (tail.shift, tail.length) = (shift, Some(length)),
                    Err(error) => self.refuse(change.event, error)?,
                }
            }
            tails.push(tail);
        }
        tails.sort_by_key(|tail| tail.from);
        Ok(tails)
    }

    fn tail_length(
        &self,
        change: &Change<'_, '_>,
        made: &Made<'_, '_>,
    ) -> Result<(TimeDelta, Length), CalendarError> {
        let component = change.event.component;
        for name in ["RRULE", "RDATE"] {
            if let Some(property) = component.property(name) {
                return Err(property.error("in a change of this and all that follow"));
            }
        }
        let (start, length) = start_and_length(change.event, self.only_days)?;
        let shift = made.shift_to(&start, change.slot);
        if OCCURRENCE_DAYS_MAX < shift.num_days().abs() {
            let message = format!("moves a series by more than {OCCURRENCE_DAYS_MAX} days");
            return Err(change.event.error(message));
        }
        within_days(change.event, length)?;
        Ok((shift, length))
    }

    /// Changes of this and all that follow, of no series: nobody can tell what follows.
    fn without_series(&mut self, tails: &[&Change<'_, '_>]) -> Result<(), CalendarError> {
        for change in tails {
            let message = "RANGE=THISANDFUTURE, but there is no series that it could change";
            self.refuse(change.event, change.event.error(message))?;
        }
        Ok(())
    }

    /// An event with its rules, dates and exceptions; `None`: it refused itself.
    fn make<'g, 'd>(
        &mut self,
        event: &'g Event<'d>,
    ) -> Result<Option<Made<'g, 'd>>, CalendarError> {
        let (start, length) = match start_and_length(event, self.only_days) {
            Ok(found) => found,
            Err(error) => return self.refuse(event, error).map(|()| None),
        };
        let (removed, unread) = self.exceptions(event, start.is_date)?;
        if let Some(error) = unread {
            self.tell(event, error);
            if !self.of.closes {
                return Ok(None);
            }
        }
        let series = match self.rules(event, &start) {
            Ok(series) => series,
            Err(error) => return self.refuse(event, error).map(|()| None),
        };
        let component = event.component;
        let mut dates = vec![];
        if component.property("RRULE").is_none() {
            dates.push((start.clone(), None));
        }
        for property in component.all("RDATE") {
            match property.times(event.zones) {
                Ok(times) => {
                    self.count_exceptions(property, times.len())?;
                    dates.extend(times);
                }
                Err(error) => self.refuse(event, error)?,
            }
        }
        let recurs = component.property("RRULE").is_some() || 1 < dates.len();
        if let Err(error) = within_days(event, length)
            && recurs
        {
            return self.refuse(event, error).map(|()| None);
        }
        let (removed, removed_days) = removed.sorted();
        let recurrence =
            Recurrence { series, length: Some(length), removed, removed_days, tails: vec![] };
        Ok(Some(Made { event, start, dates, recurrence, tails: vec![] }))
    }

    /// What `EXDATE` takes away, and the first exception that is not understood.
    fn exceptions(
        &mut self,
        event: &Event<'_>,
        of_days: bool,
    ) -> Result<(Removed, Option<CalendarError>), CalendarError> {
        let component = event.component;
        let mut removed = Removed::default();
        let mut unread = component.property("EXRULE").map(|property| {
            property.error("not supported; RFC 5545 has no such property any more")
        });
        for property in component.all("EXDATE") {
            let times = match property.times(event.zones) {
                Ok(times) => times,
                Err(error) => {
                    unread.get_or_insert(error);
                    continue;
                }
            };
            self.count_exceptions(property, times.len())?;
            for (time, _) in times {
                match Slot::of(&time, event.zones, of_days) {
                    Ok(slot) => removed.add(slot),
                    Err(message) => {
                        unread.get_or_insert(property.error(message));
                    }
                }
            }
        }
        Ok((removed, unread))
    }

    fn rules(&mut self, event: &Event<'_>, start: &Time) -> Result<Vec<Series>, CalendarError> {
        let mut found = vec![];
        for property in event.component.all("RRULE") {
            let rule = property.read(Rule::parse);
            let mut rule = rule.map_err(|(_, message)| property.error(message))?;
            if let (true, Some(Until::Instant(until))) = (start.is_date, rule.until) {
                let home = event.zones.home().map_err(|message| property.error(message))?;
                rule.until = Some(Until::Day(last_day(until, &home)));
            }
            if rule.ends_before(start) {
                // So a series looks of which a program took away the first and all that follow.
                if self.of.closes && event.counts() {
                    self.tell(event, property.error("ends before it begins: it never comes"));
                }
                continue;
            }
            found.push(Series::new(rule, start, &mut self.work).map_err(|m| property.error(m))?);
        }
        Ok(found)
    }

    fn put(&mut self, made: Made<'_, '_>) {
        if !made.event.counts() && made.tails.iter().all(|tail| tail.length.is_none()) {
            return;
        }
        self.events += 1;
        self.told_if_empty(made.event, made.recurrence.length.filter(|_| made.event.counts()));
        let (recurrence, spans) = made.finish();
        let often = recurrence.series.iter().map(Series::most_a_year);
        self.most_a_year = often.fold(self.most_a_year, u64::saturating_add);
        self.set.spans.extend(spans);
        if !recurrence.series.is_empty() {
            self.set.recurrences.push(recurrence);
        }
    }

    fn add_single(&mut self, event: &Event<'_>) -> Result<(), CalendarError> {
        match start_and_length(event, self.only_days) {
            Ok((start, length)) => {
                self.events += 1;
                self.told_if_empty(event, Some(length));
                // Only a spring gap can empty what has a length.
                self.set.spans.extend(length.span(&start));
                Ok(())
            }
            Err(error) => self.refuse(event, error),
        }
    }

    /// Of a freeze somebody may have meant more than the moment at which it begins.
    fn told_if_empty(&mut self, event: &Event<'_>, length: Option<Length>) {
        if self.of.closes && length.is_some_and(|length| !length.is_positive()) {
            self.tell(event, event.error("it has no end, so it has no length and freezes nothing"));
        }
    }

    /// What cannot be used is told; of a freeze it is an error.
    fn refuse(&mut self, event: &Event<'_>, error: CalendarError) -> Result<(), CalendarError> {
        if !event.counts() {
            return Ok(());
        }
        if self.of.closes {
            return Err(event.named(error));
        }
        self.tell(event, error);
        Ok(())
    }

    fn tell(&mut self, event: &Event<'_>, error: CalendarError) {
        let CalendarError { at, message } = event.named(error);
        self.unused.push(Unused { event_at: event.component.at, at, message });
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

    pub fn finish(self) -> Result<(EventSet, Vec<Unused>), CalendarError> {
        if self.work.is_spent() {
            let message = format!(
                "the rules of this calendar need more than {WORK_MAX} steps to be counted off"
            );
            return Err(error(0, message));
        }
        if CALENDAR_OCCURRENCES_A_YEAR_MAX < self.most_a_year {
            let message = format!(
                "its rules recur up to {} times a year, at most {CALENDAR_OCCURRENCES_A_YEAR_MAX} are handled",
                self.most_a_year
            );
            return Err(error(0, message));
        }
        let mut set = self.set;
        if self.events == 0 && !self.of.may_be_empty {
            let which = if self.of.summary.is_some() { " that is asked for" } else { "" };
            let none = || error(0, format!("no event{which} in it"));
            return Err(self.unused.first().map_or_else(none, |first| {
                let more = match self.unused.len() {
                    1 => String::new(),
                    n => format!(" (and {} more: no event is left)", n - 1),
                };
                error(first.at, format!("{}{more}", first.message))
            }));
        }
        let plural = if self.events == 1 { "" } else { "s" };
        set.description = format!("{} ({} event{plural})", self.of.name, self.events);
        set.spans = spans::merged(set.spans);
        Ok((set, self.unused))
    }
}

fn within_days(event: &Event<'_>, length: Length) -> Result<(), CalendarError> {
    match OCCURRENCE_DAYS_MAX < length.days.saturating_add(length.exact.num_days()) {
        true => Err(event.error(format!("an occurrence of more than {OCCURRENCE_DAYS_MAX} days"))),
        false => Ok(()),
    }
}
