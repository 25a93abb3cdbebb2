//! OpenStreetMap opening_hours on starting days.
//!
//! Understood: weekdays with ranges, lists and occurrences in the month (`Mo-Fr`, `Sa[1]`, `Fr[-1]`,
//! `Mo[1] +1 day`), `PH` with offsets, months, dates and ranges of them (`Dec 24-26`, over the year's
//! end, with years), `easter` with offsets, years, ISO weeks, several spans of up to 24 hours, over
//! midnight too (`22:00-05:00`, `22:00-29:00`), `24/7`, `open`, `off`, `closed`, rules after `;` and
//! `,`. Everything else is an error.
//!
//! Rules act in the order in which they are written, each on what the rules before it made. A rule
//! after `;` replaces the spans that start on the days it names, one after `,` adds to them; `off`
//! without times takes away the spans that start on its days, `off` with times closes exactly those
//! times, whichever day the spans began on.

mod days;
mod parse;
mod parse_dates;
mod parse_days;
mod scan;

use super::{CalendarError, Edge, Holidays, Zone, spans};
use crate::time::{Instant, Span};
use chrono::{Days, NaiveDate, NaiveTime, TimeDelta};

/// Starting days looked at beyond the days of a range: a span (24 hours from any time of its day),
/// one that closes it (as long), a zone's offset and a gap of a whole day reach no further.
const MARGIN_DAYS: u64 = 5;

/// An expression, ready to be evaluated.
pub(super) struct Hours {
    expression: String,
    rules: Vec<Rule>,
    zone: Zone,
    holidays: Holidays,
    known: Option<Span>,
}

/// One rule: on which starting days it does what.
#[derive(Debug, PartialEq)]
struct Rule {
    days: days::Days,
    effect: Effect,
}

/// What a rule does to its days.
#[derive(Debug, PartialEq)]
enum Effect {
    /// Opens these times, in place of those before (`;`) or beside them (`,`).
    Open { adds: bool, times: Vec<Times> },
    /// Takes away whatever starts on the day.
    Off,
    /// Closes these times.
    OffAt(Vec<Times>),
}

/// A span of clock readings in minutes from the midnight at which its starting day begins.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Times {
    start_minutes: u16,
    end_minutes: u16,
}

const DAY_MINUTES: u16 = 24 * 60;
const WHOLE_DAY: Times = Times { start_minutes: 0, end_minutes: DAY_MINUTES };

impl Hours {
    pub(super) fn new(
        expression: &str,
        zone: &Zone,
        holidays: &Holidays,
    ) -> Result<Hours, CalendarError> {
        let rules = parse::rules(expression, !holidays.is_none())?;
        Ok(Hours {
            known: known(&rules, zone, holidays),
            expression: expression.to_owned(),
            rules,
            zone: zone.clone(),
            holidays: holidays.clone(),
        })
    }

    pub(super) fn expression(&self) -> &str {
        &self.expression
    }

    pub(super) fn uses_holidays(&self) -> bool {
        self.rules.iter().any(|rule| rule.days.uses_holidays())
    }

    /// The instants for which the holiday table speaks; `None`: all.
    pub(super) fn known(&self) -> Option<Span> {
        self.known
    }

    /// Merged spans that touch `range`, clipped to it, in order.
    pub(super) fn spans_in(&self, range: Span) -> Vec<Span> {
        if self.is_always() {
            return vec![range];
        }
        let days = self.starting_days(range);
        let mut open: Vec<Vec<Span>> = vec![vec![]; days.len()];
        for rule in &self.rules {
            self.apply(rule, &days, &mut open);
        }
        let open = spans::merged(open.into_iter().flatten().collect());
        spans::clipped(&open, range).collect()
    }

    /// Lets a rule act on the spans that start on `days`.
    fn apply(&self, rule: &Rule, days: &[NaiveDate], open: &mut [Vec<Span>]) {
        let mut closed = vec![];
        for (day, open) in days.iter().zip(open.iter_mut()) {
            if !rule.days.contain(*day, &self.holidays) {
                continue;
            }
            match &rule.effect {
                Effect::Off => open.clear(),
                Effect::OffAt(times) => closed.extend(self.resolve(*day, times)),
                Effect::Open { adds, times } => {
                    if !adds {
                        open.clear();
                    }
                    open.extend(self.resolve(*day, times));
                }
            }
        }
        if !closed.is_empty() {
            let closed = spans::merged(closed);
            for open in open.iter_mut() {
                *open = spans::without(open, &closed);
            }
        }
    }

    /// The instants of spans that start on `day`; those that a gap makes empty are left out.
    fn resolve(&self, day: NaiveDate, times: &[Times]) -> impl Iterator<Item = Span> {
        let midnight = day.and_time(NaiveTime::MIN);
        times.iter().filter_map(move |times| {
            let edge = |minutes: u16, edge| -> Option<Instant> {
                let civil = midnight.checked_add_signed(TimeDelta::minutes(minutes.into()))?;
                Some(self.zone.resolve(civil, edge))
            };
            Span::new(
                edge(times.start_minutes, Edge::Earlier)?,
                edge(times.end_minutes, Edge::Later)?,
            )
        })
    }

    /// Every day on which a span may start that has something to say about `range`.
    fn starting_days(&self, range: Span) -> Vec<NaiveDate> {
        let margin = Days::new(MARGIN_DAYS);
        let first = self.zone.civil(range.start).date();
        let first = first.checked_sub_days(margin).unwrap_or(NaiveDate::MIN);
        let last = self.zone.civil(range.end).date();
        let last = last.checked_add_days(margin).unwrap_or(NaiveDate::MAX);
        first.iter_days().take_while(|day| *day <= last).collect()
    }

    /// Whether it is plainly open at all times, so that no day need be looked at.
    fn is_always(&self) -> bool {
        let [Rule { days, effect: Effect::Open { times, .. } }] = self.rules.as_slice() else {
            return false;
        };
        days.are_all() && times.contains(&WHOLE_DAY)
    }
}

/// The instants for which a rule's question after holidays has an answer; `None`: all.
fn known(rules: &[Rule], zone: &Zone, holidays: &Holidays) -> Option<Span> {
    let (first, end) = holidays.known()?;
    let offsets = rules.iter().flat_map(|rule| rule.days.holiday_offsets());
    let (least, most) = offsets.fold(None, |seen: Option<(i64, i64)>, offset| {
        let (least, most) = seen.unwrap_or((offset, offset));
        Some((least.min(offset), most.max(offset)))
    })?;
    // A span of the last unknown day may last until the end of the day after it.
    let first = first.checked_add_signed(TimeDelta::days(most + 1))?;
    let end = end.checked_add_signed(TimeDelta::days(least))?;
    Span::new(zone.midnight(first), zone.midnight(end))
}

#[cfg(test)]
mod any;
#[cfg(test)]
mod differential_tests;
#[cfg(test)]
mod error_tests;
#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;
