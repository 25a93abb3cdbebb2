//! The events of an iCalendar text (RFC 5545) as spans.
//!
//! - Which: those whose summary is asked for and that are not cancelled (`STATUS`, or `METHOD:CANCEL`); tentative
//!   ones only if they are asked for. Of several versions of an event (`UID`, and `RECURRENCE-ID` for one
//!   occurrence) the highest `SEQUENCE`, then the latest `DTSTAMP` counts. A changed occurrence takes the place
//!   of the original, also where its new summary is no longer asked for.
//! - How long (3.6.1, 3.8.2.5, 3.8.5.3): `DTEND` is an instant; in a recurring event its distance from `DTSTART`
//!   is exact for every occurrence. Of `DURATION` the days are nominal (as long as the clocks make them), hours
//!   and smaller exact. Whole days last from midnight to midnight by the clocks; a day that ends on itself is a day.
//!   An event of a time without an end, or with one at its start, has no length and adds nothing.
//! - `EXDATE` takes away the occurrences that start at its times, or on its days.
//! - `RANGE=THISANDFUTURE` moves and changes an occurrence and all that follow.
//! - A change of an older `SEQUENCE` than the series is none if the series does not have its occurrence any more.
//!
//! An event that is asked for and not understood refuses itself and is told: see [`builder`]. A freeze that nobody
//! could read must not vanish, so that is an error of the whole text.

mod builder;
mod series;
mod slot;
mod start;

use super::ical::{Component, Document, Length, Time, Zones, error};
use super::recurrence::{OCCURRENCE_DAYS_MAX, Recurrence, Recurring, Rule, Series, Work};
use super::{CalendarError, Edge, Zone, spans};
use crate::time::{Span, format_duration};
use builder::Builder;
use chrono::{NaiveDate, NaiveDateTime};
use slot::Removed;
use std::collections::{BTreeMap, BTreeSet};

/// Events in one text, whether or not they are asked for.
pub const EVENTS_MAX: usize = 50_000;
/// Times in all `EXDATE` and `RDATE` of one text.
pub const EXCEPTIONS_MAX: usize = 100_000;
/// Occurrences in a year of all rules of one text.
pub const CALENDAR_OCCURRENCES_A_YEAR_MAX: u64 = 1_000_000;
/// The years of which a calendar of holidays is asked.
const HOLIDAY_YEARS: (i32, i32) = (1970, 2100);

/// What is asked of a text.
#[derive(Clone, Copy)]
pub struct EventsOf<'a> {
    pub text: &'a [u8],
    /// How the text is called where it is shown.
    pub name: &'a str,
    /// The zone of times without one, where the text names none.
    pub zone: &'a Zone,
    /// The zone of times without one, whatever the text says.
    pub given_zone: Option<&'a Zone>,
    /// Which summaries are asked for; `None`: all.
    pub summary: Option<&'a dyn Fn(&str) -> bool>,
    /// Whether tentative events count.
    pub tentative: bool,
    /// Whether they are freezes: then what cannot be used is an error where it could have closed something.
    pub closes: bool,
    /// Whether it is no mistake if no event is in it.
    pub may_be_empty: bool,
}

/// An event, or a part of one, that could not be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unused {
    /// Byte offset of the event.
    pub event_at: usize,
    /// Byte offset of what is wrong with it.
    pub at: usize,
    /// Which event, and why.
    pub message: String,
}

/// Spans that do not recur, and what does.
#[derive(Debug, Default)]
pub(super) struct EventSet {
    pub description: String,
    pub spans: Vec<Span>,
    pub recurrences: Vec<Recurrence>,
}

impl EventSet {
    /// # Errors
    /// The text is no complete calendar, has no event that is asked for and can be used, has a freeze that cannot, or
    /// is beyond a limit. The place is a byte offset into the text.
    pub fn new(source: &EventsOf<'_>) -> Result<(EventSet, Vec<Unused>), CalendarError> {
        read(source, false)
    }

    /// The spans of one rule; the place of an error is a byte offset into it.
    ///
    /// # Errors
    /// The rule is not understood, never comes, or is beyond a limit.
    pub fn recurring(of: &Recurring<'_>) -> Result<EventSet, CalendarError> {
        let rule = Rule::parse(of.rule).map_err(|(at, message)| error(at, message))?;
        if OCCURRENCE_DAYS_MAX < of.length.num_days() {
            return Err(error(0, format!("an occurrence of more than {OCCURRENCE_DAYS_MAX} days")));
        }
        let start = Time { civil: of.start, zone: of.zone.clone(), is_date: false };
        let series = Series::new(rule, &start, &mut Work::default()).map_err(|m| error(0, m))?;
        let instant = |civil: &NaiveDateTime| of.zone.resolve(*civil, Edge::Earlier);
        let mut removed = Removed::default();
        removed.instants.extend(of.remove.iter().map(instant));
        removed.days.extend(of.remove_days);
        let (removed, removed_days) = removed.sorted();
        let length = Length { days: 0, exact: of.length };
        let (series, length) = (vec![series], Some(length));
        let recurrence = Recurrence { series, length, removed, removed_days, tails: vec![] };
        let added = of.add.iter().map(|civil| (civil, instant(civil)));
        let added = added.filter(|(civil, from)| !recurrence.is_removed(**civil, *from));
        let spans = added.filter_map(|(_, from)| Span::new(from, from + of.length)).collect();
        let start = of.start.format("%Y-%m-%d %H:%M");
        let length = format_duration(of.length);
        let description = format!("{} from {start} for {length}", of.rule.trim());
        Ok(EventSet { description, spans: spans::merged(spans), recurrences: vec![recurrence] })
    }

    /// Merged spans that touch `range`, clipped to it, in order.
    pub fn spans_in(&self, range: Span) -> Vec<Span> {
        let mut found: Vec<Span> = spans::clipped(&self.spans, range).collect();
        for recurrence in &self.recurrences {
            recurrence.spans_in(range, |span| {
                found.extend(Span::new(span.start.max(range.start), span.end.min(range.end)));
            });
        }
        spans::merged(found)
    }
}

/// The days of whole-day events: own holidays.
///
/// # Errors
/// As for [`EventSet::new`]; an event that is no whole day cannot be used.
pub(super) fn days(
    source: &EventsOf<'_>,
) -> Result<(BTreeSet<NaiveDate>, Vec<Unused>), CalendarError> {
    let (set, unused) = read(source, true)?;
    let year = super::years::range_of;
    let (first, last) = HOLIDAY_YEARS;
    let range = year(first).zip(year(last)).and_then(|(a, b)| Span::new(a.start, b.end));
    let spans = range.map(|range| set.spans_in(range)).unwrap_or_default();
    let days = |span: Span| {
        let end = span.end.date_naive();
        span.start.date_naive().iter_days().take_while(move |day| *day < end)
    };
    Ok((spans.into_iter().flat_map(days).collect(), unused))
}

/// One event as it stands in the text.
struct Event<'d> {
    component: &'d Component,
    zones: &'d Zones<'d>,
    /// By its own status or by the method of its calendar.
    cancelled: bool,
    wanted: bool,
}

impl<'d> Event<'d> {
    fn new(
        component: &'d Component,
        zones: &'d Zones<'d>,
        cancelled: bool,
        of: &EventsOf<'_>,
    ) -> Self {
        let status = component.text("STATUS").unwrap_or_default();
        let is = |word: &str| status.trim().eq_ignore_ascii_case(word);
        let summary = component.text("SUMMARY").unwrap_or_default();
        let wanted = of.summary.is_none_or(|wants| wants(&summary));
        Event {
            component,
            zones,
            cancelled: cancelled || is("CANCELLED"),
            wanted: wanted && (of.tentative || !is("TENTATIVE")),
        }
    }

    /// Which version of it this is: the greatest counts.
    fn version(&self) -> (i64, String) {
        let number = self.component.property("SEQUENCE").and_then(|p| p.value.trim().parse().ok());
        let stamp = self.component.property("DTSTAMP").map(|p| p.value.trim().to_owned());
        (number.unwrap_or(0), stamp.unwrap_or_default())
    }

    /// Whether it adds something by itself.
    fn counts(&self) -> bool {
        self.wanted && !self.cancelled
    }

    fn error(&self, message: impl Into<String>) -> CalendarError {
        error(self.component.at, message)
    }

    /// An error with the name of the event.
    fn named(&self, error: CalendarError) -> CalendarError {
        let summary = self.component.text("SUMMARY").unwrap_or_default();
        let uid = self.component.property("UID").map(|uid| format!(", UID {:?}", uid.value.trim()));
        let uid = uid.unwrap_or_default();
        let message = format!("event {summary:?}{uid}: {}", error.message);
        CalendarError { at: error.at, message }
    }
}

fn read(of: &EventsOf<'_>, only_days: bool) -> Result<(EventSet, Vec<Unused>), CalendarError> {
    let document = Document::parse(of.text)?;
    if let Some(at) = document.unfinished_at {
        return Err(error(at, "no END for what begins here: half a file"));
    }
    let calendars = document.components.iter().filter(|c| c.name == "VCALENDAR");
    // A day is the same day everywhere, so days alone are looked at in UTC.
    let zones = |calendar| {
        let zones = Zones::of(calendar, of.given_zone, of.zone);
        if only_days { zones.with_days_in_utc() } else { zones }
    };
    let calendars: Vec<(&Component, Zones<'_>)> = calendars.map(|c| (c, zones(c))).collect();
    if calendars.is_empty() {
        return Err(error(0, "no VCALENDAR in it"));
    }
    let events: Vec<Event<'_>> =
        calendars.iter().flat_map(|(c, zones)| events_of(c, zones, of)).collect();
    if EVENTS_MAX < events.len() {
        return Err(error(0, format!("more than {EVENTS_MAX} events")));
    }
    let mut groups: BTreeMap<String, Vec<&Event<'_>>> = BTreeMap::new();
    for (index, event) in events.iter().enumerate() {
        let id = event.component.property("UID").map(|p| format!("u{}", p.value.trim()));
        groups.entry(id.unwrap_or_else(|| format!("n{index}"))).or_default().push(event);
    }
    let mut builder = Builder::new(of, only_days);
    for group in groups.values().filter(|group| group.iter().any(|event| event.wanted)) {
        builder.take(group)?;
    }
    builder.finish()
}

fn events_of<'d>(
    calendar: &'d Component,
    zones: &'d Zones<'d>,
    of: &EventsOf<'_>,
) -> Vec<Event<'d>> {
    let method = calendar.text("METHOD").unwrap_or_default();
    let cancelled = method.trim().eq_ignore_ascii_case("CANCEL");
    let events = calendar.components.iter().filter(|c| c.name == "VEVENT");
    events.map(|component| Event::new(component, zones, cancelled, of)).collect()
}

/// Those of the greatest version: more than one if nothing tells which is newer.
fn newest<'g, 'd>(events: Vec<&'g Event<'d>>) -> Vec<&'g Event<'d>> {
    let newest = events.iter().map(|event| event.version()).max();
    events.into_iter().filter(|event| Some(event.version()) == newest).collect()
}

#[cfg(test)]
mod tests;
