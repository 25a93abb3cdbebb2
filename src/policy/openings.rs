//! When a run may really start: inside a window, outside business hours and freezes.

use std::sync::Arc;

use chrono::TimeDelta;

use crate::calendar::Calendar;
use crate::policy::Terms;
use crate::time::{Instant, Span};

/// How far ahead a time to start is looked for, and how far back the beginning of one that is on: a year and a few days,
/// so that what comes once a year is found.
pub const LOOK_AHEAD: TimeDelta = TimeDelta::days(370);

/// Openings looked at that are too short for the run.
const OPENINGS_MAX: usize = 10_000;

impl Terms {
    /// Calendars that a start has to keep out of.
    pub fn closed(&self) -> impl Iterator<Item = &Arc<Calendar>> {
        let hours = self.business_hours.iter();
        let hours = hours.filter(|_| !self.business_hours_allowed);
        hours.chain(self.freezes.iter().map(|freeze| &freeze.calendar))
    }

    /// Whether the calendars let a run start at `t` that is triggered and confirmed as agreed. What nobody declared may
    /// start at no time, and what nobody knows is a no.
    pub fn is_open(&self, t: Instant) -> bool {
        let windows = self.windows.as_ref();
        self.declared
            && windows.is_none_or(|windows| windows.covers(t) && windows.contains(t))
            && self.closed().all(|closed| closed.covers(t) && !closed.contains(t))
    }

    /// The whole span around `t` in which a run may start; `None`: it may not at `t`.
    pub fn opening_at(&self, t: Instant) -> Option<Span> {
        let piece = self.first_opening(t, self.horizon(t))?;
        (piece.start == t).then(|| self.whole(piece))
    }

    /// The first span, from `t` on, in which a run may start and has room: `lasts`, else as long as it is expected to
    /// take. It is whole: it may have begun before `t`. `None`: there is none within [`LOOK_AHEAD`].
    pub fn next_opening(&self, t: Instant, lasts: Option<TimeDelta>) -> Option<Span> {
        let room = lasts.or(self.expected_duration).unwrap_or_default();
        let horizon = self.horizon(t);
        let mut at = t;
        for _ in 0..OPENINGS_MAX {
            let piece = self.first_opening(at, horizon)?;
            if room <= piece.end - piece.start {
                return Some(if piece.start == t { self.whole(piece) } else { piece });
            }
            at = piece.end;
        }
        None
    }

    /// No further than the calendars are known.
    fn horizon(&self, t: Instant) -> Instant {
        let calendars = self.windows.iter().chain(self.closed());
        let known = calendars.filter_map(|calendar| calendar.known_until()).min();
        known.map_or(t + LOOK_AHEAD, |known| known.min(t + LOOK_AHEAD))
    }

    /// The first span from `from` on in which a run may start; what lies before `from` is cut off.
    fn first_opening(&self, from: Instant, horizon: Instant) -> Option<Span> {
        let is_known = self.windows.iter().chain(self.closed()).all(|c| c.covers(from));
        let mut at = Some(from).filter(|_| self.declared && is_known)?;
        while at < horizon {
            let window = match &self.windows {
                None => Span::new(at, horizon)?,
                Some(windows) => {
                    let around = windows.span_at(at, horizon);
                    around.or_else(|| windows.next_span(at, horizon))?
                }
            };
            let start = window.start.max(at);
            let closed = self.closed().filter_map(|closed| closed.span_at(start, horizon));
            match closed.map(|span| span.end).max() {
                Some(end) => at = end,
                None => {
                    let next = self.closed().filter_map(|c| c.next_span(start, window.end));
                    let end = next.map(|span| span.start).min().unwrap_or(window.end);
                    return Span::new(start, end);
                }
            }
        }
        None
    }

    /// The span with what of it lies before its start.
    fn whole(&self, piece: Span) -> Span {
        let bound = piece.start - LOOK_AHEAD;
        let window = self.windows.as_ref().and_then(|w| w.span_at(piece.start, piece.end));
        let begins = window.map_or(bound, |window| window.start.max(bound));
        let Some(before) = Span::new(begins, piece.start) else { return piece };
        let closed = self.closed().filter_map(|closed| closed.spans_in(before).last().copied());
        let start = closed.map(|span| span.end).max().unwrap_or(begins);
        Span { start, end: piece.end }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Freeze;

    fn at(text: &str) -> Instant {
        format!("{text}:00Z").parse().expect("an instant")
    }

    fn calendar(spans: &[(&str, &str)]) -> Arc<Calendar> {
        let span = |(from, to): &(&str, &str)| Span::new(at(from), at(to)).expect("a span");
        Arc::new(Calendar::of_spans(spans.iter().map(span).collect()))
    }

    /// Windows from 20:00 to 08:00, business hours from 06:00 to 21:00, and the nights of the 3rd to the 20th frozen.
    fn terms() -> Terms {
        let days = |from: &str, to: &str| -> Arc<Calendar> {
            let zone = crate::calendar::Zone::utc();
            let text = format!("Mo-Su {from}-{to}");
            let none = crate::calendar::Holidays::default();
            Arc::new(Calendar::opening_hours(&text, &zone, &none).expect("hours"))
        };
        let freeze = calendar(&[("2026-06-03T20:00", "2026-06-20T08:00")]);
        let mut terms = Terms::nothing_agreed("p", "s", "x");
        terms.windows = Some(days("20:00", "08:00"));
        terms.business_hours = Some(days("06:00", "21:00"));
        terms.freezes = vec![Freeze { name: "f".into(), calendar: freeze }];
        terms
    }

    #[test]
    fn what_is_offered_is_a_time_at_which_a_run_may_start() {
        let terms = terms();
        for (asked, hours, want) in [
            ("2026-06-01T12:00", 0, Some(("2026-06-01T21:00", "2026-06-02T06:00"))),
            // Inside the window, before business hours end.
            ("2026-06-01T20:30", 0, Some(("2026-06-01T21:00", "2026-06-02T06:00"))),
            // It is whole, also where it has begun.
            ("2026-06-02T03:00", 0, Some(("2026-06-01T21:00", "2026-06-02T06:00"))),
            // Too late for four hours; the night after.
            ("2026-06-02T03:00", 4, Some(("2026-06-02T21:00", "2026-06-03T06:00"))),
            // The freeze begins before the window does: seventeen days later.
            ("2026-06-03T07:00", 0, Some(("2026-06-20T21:00", "2026-06-21T06:00"))),
            ("2026-06-01T12:00", 10, None),
        ] {
            let lasts = (0 < hours).then(|| TimeDelta::hours(hours));
            let got = terms.next_opening(at(asked), lasts).map(|s| (s.start, s.end));
            assert_eq!(got, want.map(|(a, b)| (at(a), at(b))), "{asked} for {hours} h");
        }
    }

    #[test]
    fn whether_it_is_open_agrees_with_the_span_around() {
        let mut terms = terms();
        for hours_allowed in [false, true] {
            terms.business_hours_allowed = hours_allowed;
            for quarter in 0..(24 * 4 * 22) {
                let t = at("2026-05-30T00:00") + TimeDelta::minutes(15 * quarter);
                let around = terms.opening_at(t);
                assert_eq!(around.is_some(), terms.is_open(t), "{t}");
                assert!(around.is_none_or(|span| span.contains(t)), "{t} {around:?}");
                let next = terms.next_opening(t, None).expect("a next one");
                assert!(terms.is_open(t.max(next.start)), "{t} {next:?}");
                assert!(!terms.is_open(next.end), "{t} {next:?}");
                let tick = TimeDelta::nanoseconds(1);
                assert!(!terms.is_open(next.start - tick), "{t} {next:?}");
                assert!(terms.is_open(next.end - tick), "{t} {next:?}");
            }
        }
    }

    #[test]
    fn nothing_is_offered_of_what_nobody_declared_or_knows() {
        let undeclared = Terms { declared: false, ..terms() };
        let t = at("2026-06-01T22:00");
        assert!(terms().is_open(t) && !undeclared.is_open(t));
        assert_eq!(undeclared.next_opening(t, None), None);
        let never = Terms { windows: Some(calendar(&[])), ..terms() };
        assert_eq!((never.opening_at(t), never.next_opening(t, None)), (None, None));
    }
}
