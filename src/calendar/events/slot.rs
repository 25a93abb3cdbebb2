//! Which occurrence of a series a calendar speaks of when it takes one away or changes it.

use super::Event;
use crate::calendar::ical::{Time, Zones};
use crate::calendar::{CalendarError, Edge, Zone};
use crate::time::Instant;
use chrono::{NaiveDate, NaiveTime};

/// All that starts on a day, or what starts at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Slot {
    Day(NaiveDate),
    At(Instant),
}

impl Slot {
    /// `of_days`: whether the series is one of whole days. Then a time, which many programs write there, stands for
    /// its day: by its own clocks if they show midnight, else by those of the calendar.
    ///
    /// # Errors
    /// The zone of the calendar is asked for and not known.
    pub fn of(time: &Time, zones: &Zones<'_>, of_days: bool) -> Result<Slot, String> {
        Ok(match (time.is_date, of_days) {
            (true, _) => Slot::Day(time.civil.date()),
            (false, false) => Slot::At(time.instant(Edge::Earlier)),
            (false, true) if time.civil.time() == NaiveTime::MIN => Slot::Day(time.civil.date()),
            (false, true) => Slot::Day(zones.home()?.civil(time.instant(Edge::Earlier)).date()),
        })
    }
}

/// Whether a change says how far it reaches.
pub(super) fn has_range(event: &Event<'_>) -> bool {
    event.component.property("RECURRENCE-ID").is_some_and(|id| id.param("RANGE").is_some())
}

/// The occurrence that an event changes, and whether it changes all that follow.
pub(super) fn change_of(event: &Event<'_>, of_days: bool) -> Result<(Slot, bool), CalendarError> {
    let property = event.component.property("RECURRENCE-ID");
    let property = property.ok_or_else(|| event.error("no RECURRENCE-ID"))?;
    let and_later = match property.param("RANGE").map(str::trim) {
        None | Some("") => false,
        Some(range) if range.eq_ignore_ascii_case("THISANDFUTURE") => true,
        Some(range) => {
            return Err(property.error(format!("RANGE={range} is not THISANDFUTURE")));
        }
    };
    let time = property.time(event.zones)?;
    let slot = Slot::of(&time, event.zones, of_days).map_err(|message| property.error(message))?;
    Ok((slot, and_later))
}

/// The last day of a series of whole days whose `UNTIL` is an instant. At the first or last second of a day of UTC
/// it means that day.
pub(super) fn last_day(until: Instant, home: &Zone) -> NaiveDate {
    let utc = until.naive_utc();
    let is_edge =
        utc.time() == NaiveTime::MIN || Some(utc.time()) == NaiveTime::from_hms_opt(23, 59, 59);
    if is_edge { utc.date() } else { home.civil(until).date() }
}

/// Starts that are none after all.
#[derive(Clone, Default)]
pub(super) struct Removed {
    pub instants: Vec<Instant>,
    pub days: Vec<NaiveDate>,
}

impl Removed {
    pub fn add(&mut self, slot: Slot) {
        match slot {
            Slot::Day(day) => self.days.push(day),
            Slot::At(instant) => self.instants.push(instant),
        }
    }

    pub fn sorted(mut self) -> (Vec<Instant>, Vec<NaiveDate>) {
        self.instants.sort_unstable();
        self.days.sort_unstable();
        (self.instants, self.days)
    }
}
