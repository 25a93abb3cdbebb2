//! Calendars: sets of half-open spans of instants, from opening hours, holidays and explicit spans.
//!
//! Rules choose starting days: a span over midnight belongs to the day on which it starts.

pub mod civil;
pub mod holidays;
pub mod hours;

pub use civil::{Edge, Reading, Zone};
pub use holidays::Holidays;

use crate::time::{Instant, Span};
use chrono::TimeDelta;

/// What is wrong with a calendar as written: `at` is a byte offset into the expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CalendarError {
    pub at: usize,
    pub message: String,
}

/// A set of instants, as half-open spans. Adjoining and overlapping spans count as one.
#[derive(Debug)]
pub struct Calendar {}

impl Calendar {
    /// OpenStreetMap `opening_hours`, evaluated in `zone` on starting days.
    pub fn opening_hours(
        _expr: &str,
        _zone: &Zone,
        _holidays: &Holidays,
    ) -> Result<Calendar, CalendarError> {
        Ok(Calendar {})
    }
    /// Exactly these spans.
    pub fn of_spans(_spans: Vec<Span>) -> Calendar {
        Calendar {}
    }
    pub fn contains(&self, _t: Instant) -> bool {
        false
    }
    /// The merged span that contains `t`; its end is looked for up to `horizon` and is never later.
    pub fn span_at(&self, _t: Instant, _horizon: Instant) -> Option<Span> {
        None
    }
    /// The first merged span that starts strictly after `t` and before `horizon`.
    pub fn next_span(&self, _t: Instant, _horizon: Instant) -> Option<Span> {
        None
    }
    /// How much of `span` lies inside.
    pub fn time_within(&self, _span: Span) -> TimeDelta {
        TimeDelta::zero()
    }
    /// Merged spans that touch `range`, clipped to it, in order.
    pub fn spans_in(&self, _range: Span) -> Vec<Span> {
        vec![]
    }
    /// Whether a rule of this calendar asks for public holidays (`PH`).
    pub fn uses_holidays(&self) -> bool {
        false
    }
    /// Whether what this calendar says of `t` is known: false beyond the holiday table for one that uses `PH`.
    pub fn covers(&self, _t: Instant) -> bool {
        true
    }
}
