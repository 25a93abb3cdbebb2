//! What recurs, as spans: with what is taken away, and what changes from one occurrence on.

use super::Series;
use crate::calendar::ical::Length;
use crate::calendar::{Edge, Zone};
use crate::time::{Instant, Span};
use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

/// What recurs, with what is added and taken away: one event of a calendar.
#[derive(Debug)]
pub(in crate::calendar) struct Recurrence {
    /// All of one start.
    pub series: Vec<Series>,
    /// `None`: only what comes after a change counts.
    pub length: Option<Length>,
    /// Starts that are none after all, sorted.
    pub removed: Vec<Instant>,
    /// Days on which none starts, sorted.
    pub removed_days: Vec<NaiveDate>,
    /// Sorted by their beginnings.
    pub tails: Vec<Tail>,
}

/// A change of one occurrence and all that follow.
#[derive(Clone, Copy, Debug)]
pub(in crate::calendar) struct Tail {
    /// The start, as the series has it, of the first that is changed.
    pub from: Instant,
    /// How far each is moved, by the clocks.
    pub shift: TimeDelta,
    /// `None`: from here on there is nothing.
    pub length: Option<Length>,
}

impl Recurrence {
    /// Shows each span that may touch `range`.
    pub fn spans_in(&self, range: Span, mut see: impl FnMut(Span)) {
        let days = |length: &Length| length.days.saturating_add(length.exact.num_days());
        let lengths = self.length.iter().chain(self.tails.iter().filter_map(|t| t.length.as_ref()));
        let longest = lengths.map(days).max().unwrap_or(0);
        let moved = self.tails.iter().map(|tail| tail.shift.num_days().abs() + 1).max();
        let moved = moved.unwrap_or(0);
        let margin = |days: i64| TimeDelta::try_days(days).unwrap_or_default();
        // Days of the clocks and of UTC differ by less than two.
        let before = margin(longest.saturating_add(moved).saturating_add(3));
        let first = range.start.date_naive().checked_sub_signed(before).unwrap_or(NaiveDate::MIN);
        let last = range.end.date_naive().checked_add_signed(margin(moved + 2));
        for series in &self.series {
            series.starts(first, last.unwrap_or(NaiveDate::MAX), |civil| {
                for start in series.instants(civil) {
                    if let Some(span) = self.span_from(civil, start, &series.zone) {
                        see(span);
                    }
                }
            });
        }
    }

    /// The span of one start, as the series has it: moved, changed or taken away.
    pub fn span_from(&self, civil: NaiveDateTime, start: Instant, zone: &Zone) -> Option<Span> {
        if self.is_removed(civil, start) {
            return None;
        }
        let (civil, start, length) = match self.tail_at(start) {
            None => (civil, start, self.length?),
            Some(tail) if tail.shift.is_zero() => (civil, start, tail.length?),
            Some(tail) => {
                let moved = civil.checked_add_signed(tail.shift)?;
                (moved, zone.resolve(moved, Edge::Earlier), tail.length?)
            }
        };
        Span::new(start, length.end(civil, start, zone)?)
    }

    /// The change that holds for a start.
    pub fn tail_at(&self, start: Instant) -> Option<&Tail> {
        self.tails.iter().rev().find(|tail| tail.from <= start)
    }

    /// Whether a start that was not taken away is on this day, and at this instant if one is asked for.
    pub fn starts_on(&self, day: NaiveDate, at: Option<Instant>) -> bool {
        let mut found = false;
        for series in &self.series {
            series.starts(day, day, |civil| {
                let mut instants = series.instants(civil);
                found |= instants
                    .any(|start| at.is_none_or(|at| at == start) && !self.is_removed(civil, start));
            });
        }
        found
    }

    /// Whether a start was taken away.
    pub fn is_removed(&self, civil: NaiveDateTime, start: Instant) -> bool {
        self.removed.binary_search(&start).is_ok()
            || self.removed_days.binary_search(&civil.date()).is_ok()
    }
}
