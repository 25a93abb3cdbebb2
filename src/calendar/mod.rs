//! Calendars: sets of half-open spans of instants, from opening hours and holidays, recurrence rules, cron
//! expressions, iCalendar texts and explicit spans.
//!
//! Rules choose starting days: a span over midnight belongs to the day on which it starts.

pub mod civil;
pub mod cron;
pub mod events;
pub mod holidays;
pub mod hours;
pub mod ical;
pub mod recurrence;
mod spans;
mod years;

pub use civil::{Edge, Reading, Zone};
pub use events::{EventsOf, Unused};
pub use holidays::Holidays;
pub use recurrence::Recurring;

use crate::time::{Instant, Span, YEARS};
use chrono::{Datelike, NaiveDate, TimeDelta};
use cron::Crontab;
use events::EventSet;
use hours::Hours;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use years::{KEPT, Years, range_of};

/// What is wrong with a calendar as written: `at` is a byte offset into the expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CalendarError {
    /// Byte offset of the offending text, on a character border; the length if something is missing
    /// at the end.
    pub at: usize,
    /// What is wrong and what to write instead.
    pub message: String,
}

/// A set of instants, as half-open spans. Adjoining and overlapping spans count as one.
///
/// A year is worked out when it is first asked for; after that every look-up is a binary search
/// without a lock. Instants outside the years 1 to 9999 lie in no calendar.
pub struct Calendar {
    kind: Kind,
    years: Years,
}

/// Where the spans come from. A kind owes its spans within a range, merged, clipped and in order;
/// everything else is the same for all.
enum Kind {
    Hours(Hours),
    Spans(Vec<Span>),
    Events(EventSet),
    Cron(Crontab),
    Union(Vec<Arc<Calendar>>),
}

impl Kind {
    fn spans_in(&self, range: Span) -> Vec<Span> {
        match self {
            Kind::Hours(hours) => hours.spans_in(range),
            Kind::Spans(spans) => spans::clipped(spans, range).collect(),
            Kind::Events(set) => set.spans_in(range),
            Kind::Cron(crontab) => crontab.spans_in(range),
            Kind::Union(members) => {
                spans::merged(members.iter().flat_map(|member| member.spans_in(range)).collect())
            }
        }
    }
}

impl Calendar {
    fn new(kind: Kind) -> Calendar {
        Calendar { kind, years: Years::new() }
    }

    /// OpenStreetMap `opening_hours`, evaluated in `zone` on starting days.
    ///
    /// The syntax is that of the [specification], as far as [`hours`] says.
    ///
    /// # Errors
    /// Whatever is not understood or not supported, an empty span, and `PH` without holidays.
    ///
    /// [specification]: https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification
    pub fn opening_hours(
        expr: &str,
        zone: &Zone,
        holidays: &Holidays,
    ) -> Result<Calendar, CalendarError> {
        Hours::new(expr, zone, holidays).map(|hours| Calendar::new(Kind::Hours(hours)))
    }

    /// Exactly these spans.
    pub fn of_spans(spans: Vec<Span>) -> Calendar {
        Calendar::new(Kind::Spans(spans::merged(spans)))
    }

    /// What a recurrence rule gives, with what is added and taken away.
    ///
    /// # Errors
    /// The rule is not understood, never comes, or is beyond a limit of [`recurrence`].
    pub fn recurring(recurring: &Recurring<'_>) -> Result<Calendar, CalendarError> {
        EventSet::recurring(recurring).map(|set| Calendar::new(Kind::Events(set)))
    }

    /// A length of time from each start that a cron expression names: see [`cron`].
    ///
    /// # Errors
    /// The expression is not understood, never comes, or comes too often.
    pub fn cron(text: &str, length: TimeDelta, zone: &Zone) -> Result<Calendar, CalendarError> {
        Crontab::new(text, length, zone).map(|crontab| Calendar::new(Kind::Cron(crontab)))
    }

    /// The events of an iCalendar text: see [`events`].
    ///
    /// # Errors
    /// The text is not understood, nor a freeze in it, no event is left, or a limit is passed. The place is a byte
    /// offset into the text.
    pub fn events(of: &EventsOf<'_>) -> Result<(Calendar, Vec<Unused>), CalendarError> {
        EventSet::new(of).map(|(set, unused)| (Calendar::new(Kind::Events(set)), unused))
    }

    /// The days of an iCalendar text of whole-day events: own holidays.
    ///
    /// # Errors
    /// As for [`Calendar::events`]; an event that is no whole day cannot be used.
    pub fn days_of(of: &EventsOf<'_>) -> Result<(BTreeSet<NaiveDate>, Vec<Unused>), CalendarError> {
        events::days(of)
    }

    /// Stands in for a calendar of which nothing is known any more: everything, or nothing.
    pub fn stand_in(description: String, everything: bool) -> Calendar {
        let all = range_of(*YEARS.start()).zip(range_of(*YEARS.end()));
        let all = all.filter(|_| everything).and_then(|(a, b)| Span::new(a.start, b.end));
        let spans = all.into_iter().collect();
        Calendar::new(Kind::Events(EventSet { description, spans, recurrences: vec![] }))
    }

    /// What lies in at least one of the members; nothing if there is none.
    pub fn union(members: Vec<Arc<Calendar>>) -> Calendar {
        Calendar::new(Kind::Union(members))
    }

    /// Whether `t` lies inside.
    pub fn contains(&self, t: Instant) -> bool {
        self.piece_at(t).is_some()
    }

    /// The merged span that contains `t`; its end is looked for up to `horizon` and is never later,
    /// its start back to the year 1900 (for an earlier `t`, within its year). `None` too where
    /// `horizon` is not after `t`.
    pub fn span_at(&self, t: Instant, horizon: Instant) -> Option<Span> {
        let ahead = Span::new(t, horizon)?;
        let start = self.start_of(self.piece_at(t)?, t.year());
        let mut end = t;
        self.walk(ahead, |piece| extend(&mut end, piece));
        Span::new(start, end)
    }

    /// The first merged span that starts strictly after `t` and before `horizon`; its end is looked
    /// for up to `horizon` and is never later.
    pub fn next_span(&self, t: Instant, horizon: Instant) -> Option<Span> {
        let mut current_end = t;
        let mut next: Option<Span> = None;
        self.walk(Span::new(t, horizon)?, |piece| match &mut next {
            Some(next) => extend(&mut next.end, piece),
            None if piece.start <= current_end => extend(&mut current_end, piece),
            None => {
                next = Some(piece);
                ControlFlow::Continue(())
            }
        });
        next
    }

    /// How much of `span` lies inside.
    pub fn time_within(&self, span: Span) -> TimeDelta {
        let mut total = TimeDelta::zero();
        self.walk(span, |piece| {
            total += piece.end - piece.start;
            ControlFlow::Continue(())
        });
        total
    }

    /// Merged spans that touch `range`, clipped to it, in order.
    pub fn spans_in(&self, range: Span) -> Vec<Span> {
        let mut found: Vec<Span> = vec![];
        self.walk(range, |piece| {
            match found.last_mut() {
                Some(last) if piece.start <= last.end => last.end = piece.end,
                _ => found.push(piece),
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// Whether a rule of this calendar asks for public holidays (`PH`).
    pub fn uses_holidays(&self) -> bool {
        match &self.kind {
            Kind::Hours(hours) => hours.uses_holidays(),
            Kind::Spans(_) | Kind::Events(_) | Kind::Cron(_) => false,
            Kind::Union(members) => members.iter().any(|member| member.uses_holidays()),
        }
    }

    /// Whether what this calendar says of `t` is known: false beyond the holiday table (on either
    /// side) for one that uses `PH`.
    pub fn covers(&self, t: Instant) -> bool {
        match &self.kind {
            Kind::Hours(hours) => hours.known().is_none_or(|known| known.contains(t)),
            Kind::Spans(_) | Kind::Events(_) | Kind::Cron(_) => true,
            Kind::Union(members) => members.iter().all(|member| member.covers(t)),
        }
    }

    /// The instant at which the holiday table of this calendar ends; `None` if it needs none.
    pub fn known_until(&self) -> Option<Instant> {
        match &self.kind {
            Kind::Hours(hours) => hours.known().map(|known| known.end),
            Kind::Spans(_) | Kind::Events(_) | Kind::Cron(_) => None,
            Kind::Union(members) => members.iter().filter_map(|m| m.known_until()).min(),
        }
    }

    /// The calendar as it was written: the expression, or how many spans it lists.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Hours(hours) => hours.expression().to_owned(),
            Kind::Spans(spans) => match spans.len() {
                1 => "1 span".to_owned(),
                n => format!("{n} spans"),
            },
            Kind::Events(set) => set.description.clone(),
            Kind::Cron(crontab) => crontab.description(),
            Kind::Union(members) => {
                let members: Vec<String> = members.iter().map(|m| m.describe()).collect();
                members.join(" | ")
            }
        }
    }

    /// The merged spans of a year, cut at its borders.
    fn year(&self, year: i32) -> Cow<'_, [Span]> {
        self.years.get(year, |range| self.kind.spans_in(range))
    }

    /// The span that contains `t`, cut at the borders of its year.
    fn piece_at(&self, t: Instant) -> Option<Span> {
        let year = t.year();
        if !YEARS.contains(&year) {
            return None;
        }
        let spans = self.year(year);
        let next = spans.partition_point(|span| span.end <= t);
        spans.get(next).copied().filter(|span| span.contains(t))
    }

    /// The start of the merged span to which `piece` of `year` belongs.
    fn start_of(&self, piece: Span, mut year: i32) -> Instant {
        let mut start = piece.start;
        while *KEPT.start() < year && range_of(year).is_some_and(|range| range.start == start) {
            year -= 1;
            match self.year(year).last() {
                Some(last) if last.end == start => start = last.start,
                _ => break,
            }
        }
        start
    }

    /// Shows the pieces of `range` in order, cut at the borders of years, until told to stop.
    fn walk(&self, range: Span, mut see: impl FnMut(Span) -> ControlFlow<()>) {
        let first = range.start.year().max(*YEARS.start());
        let last = range.end.year().min(*YEARS.end());
        for year in first..=last {
            for piece in spans::clipped(&self.year(year), range) {
                if see(piece).is_break() {
                    return;
                }
            }
        }
    }
}

/// Moves `end` on if the piece adjoins it, else stops the walk.
fn extend(end: &mut Instant, piece: Span) -> ControlFlow<()> {
    if *end < piece.start {
        return ControlFlow::Break(());
    }
    *end = piece.end;
    ControlFlow::Continue(())
}

impl fmt::Display for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.describe())
    }
}

impl fmt::Debug for Calendar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the years worked out so far, which say nothing that the rules do not.
        f.debug_tuple("Calendar").field(&self.describe()).finish()
    }
}

#[cfg(test)]
mod tests;
