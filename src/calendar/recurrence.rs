//! Recurrence rules (RFC 5545, 3.3.10): a start by the clocks of a zone, and when it comes again.
//!
//! Everything is worked out in civil time: the same reading of the clocks recurs, whatever the offset is then.
//! A reading that an autumn fold shows twice is one occurrence, the earlier; in a rule that goes on through the hours
//! (`FREQ=HOURLY` without `BYHOUR`, `FREQ=MINUTELY`) it is two, so that the hour that comes twice has its starts twice.
//! A start that its own rule does not give is no occurrence (RFC 5545 leaves that open).

mod days;
mod occurrences;
mod parse;

pub(super) use occurrences::{Recurrence, Tail};

use super::ical::Time;
use super::{Edge, Reading, Zone};
use crate::time::Instant;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Weekday};
use std::ops::ControlFlow;

/// How often a rule may recur in a year; each occurrence is kept.
pub const OCCURRENCES_A_YEAR_MAX: u64 = 100_000;
/// How long an occurrence of a rule may last.
pub const OCCURRENCE_DAYS_MAX: i64 = 366;
/// Days and steps looked at while the rules of one calendar are loaded (each `COUNT` is counted off).
pub const WORK_MAX: u64 = 50_000_000;
/// The last year in which a `COUNT` is counted, and in which a rule must have come at least once.
const LAST_YEAR: i32 = *super::years::KEPT.end();

/// `FREQ` (RFC 5545 section 3.3.10), the longest period first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// A rule as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Rule {
    pub frequency: Frequency,
    pub interval: u32,
    pub until: Option<Until>,
    pub count: Option<u32>,
    pub months: Vec<i32>,
    pub weeks: Vec<i32>,
    pub year_days: Vec<i32>,
    pub month_days: Vec<i32>,
    /// Which one in the month or year (0: each), and the weekday.
    pub weekdays: Vec<(i32, Weekday)>,
    pub hours: Vec<i32>,
    pub minutes: Vec<i32>,
    pub seconds: Vec<i32>,
    pub positions: Vec<i32>,
    pub week_start: Weekday,
}

impl Rule {
    /// Whether its `UNTIL` lies before the start: then nothing of it is left.
    pub fn ends_before(&self, start: &Time) -> bool {
        self.is_past(start.civil, &start.zone)
    }

    fn is_past(&self, civil: NaiveDateTime, zone: &Zone) -> bool {
        match self.until {
            None => false,
            Some(Until::Day(day)) => day < civil.date(),
            Some(Until::Civil(until)) => until < civil,
            Some(Until::Instant(until)) => until < zone.resolve(civil, Edge::Earlier),
        }
    }
}

/// The last moment that may be an occurrence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Until {
    Day(NaiveDate),
    Civil(NaiveDateTime),
    Instant(Instant),
}

/// What may still be looked at while a calendar is loaded.
#[derive(Debug)]
pub(super) struct Work(u64);

impl Default for Work {
    fn default() -> Work {
        Work(WORK_MAX)
    }
}

impl Work {
    /// Whether nothing is left of it.
    pub fn is_spent(&self) -> bool {
        self.0 == 0
    }

    fn spend(&mut self) -> ControlFlow<()> {
        match self.0.checked_sub(1) {
            Some(left) => {
                self.0 = left;
                ControlFlow::Continue(())
            }
            None => ControlFlow::Break(()),
        }
    }
}

/// A rule with its start: what it leaves open is taken from there.
#[derive(Clone, Debug)]
pub(super) struct Series {
    rule: Rule,
    start: NaiveDateTime,
    zone: Zone,
    /// The last occurrence, where `COUNT` tells it.
    last: Option<NaiveDateTime>,
}

impl Series {
    /// # Errors
    /// As a sentence: it recurs more often than is handled, never, or needs more work than is left to find out.
    pub fn new(rule: Rule, start: &Time, work: &mut Work) -> Result<Series, String> {
        let rule = complete(rule, start.civil);
        let often = rule.most_a_year();
        if OCCURRENCES_A_YEAR_MAX < often {
            return Err(format!(
                "recurs up to {often} times a year, at most {OCCURRENCES_A_YEAR_MAX} are handled"
            ));
        }
        let count = rule.count;
        let mut series = Series { rule, start: start.civil, zone: start.zone.clone(), last: None };
        let (mut seen, mut last, mut spent) = (0, None, false);
        series.walk(
            (start.civil.date(), last_day()),
            |civil| {
                (seen, last) = (seen + 1, Some(civil));
                match count {
                    Some(count) if seen < count => ControlFlow::Continue(()),
                    _ => ControlFlow::Break(()),
                }
            },
            || {
                let step = work.spend();
                spent |= step.is_break();
                step
            },
        );
        match (spent, last, count) {
            (true, ..) => Err(format!(
                "the rules of this calendar need more than {WORK_MAX} steps to be counted off"
            )),
            (_, None, _) => Err(format!("never comes between its start and the year {LAST_YEAR}")),
            (_, last, Some(_)) => {
                series.last = last;
                Ok(series)
            }
            _ => Ok(series),
        }
    }

    /// How many occurrences a year has at most.
    pub fn most_a_year(&self) -> u64 {
        self.rule.most_a_year()
    }

    /// Whether it goes on through the hours: then an hour that comes twice has its starts twice.
    fn is_rolling(&self) -> bool {
        match self.rule.frequency {
            Frequency::Hourly => self.rule.hours.is_empty(),
            frequency => Frequency::Hourly < frequency,
        }
    }

    /// When a reading of the clocks is a start.
    fn instants(&self, civil: NaiveDateTime) -> impl Iterator<Item = Instant> + use<> {
        let (first, again) = match self.zone.read(civil) {
            Reading::Fold { earlier, later } if self.is_rolling() => (earlier, Some(later)),
            _ => (self.zone.resolve(civil, Edge::Earlier), None),
        };
        std::iter::once(first).chain(again)
    }

    /// The starts on the days from `first` to `last`, in order.
    pub fn starts(&self, first: NaiveDate, last: NaiveDate, mut see: impl FnMut(NaiveDateTime)) {
        let see = |civil| {
            see(civil);
            ControlFlow::Continue(())
        };
        self.walk((first.max(self.start.date()), last), see, || ControlFlow::Continue(()));
    }

    /// Shows the starts within days in order; `step` is asked before each day or step.
    fn walk(
        &self,
        (first, last): (NaiveDate, NaiveDate),
        mut see: impl FnMut(NaiveDateTime) -> ControlFlow<()>,
        step: impl FnMut() -> ControlFlow<()>,
    ) {
        let see = |civil: NaiveDateTime| {
            if civil < self.start || civil.date() < first {
                return ControlFlow::Continue(());
            }
            if last < civil.date() || self.is_over(civil) {
                return ControlFlow::Break(());
            }
            see(civil)
        };
        // Either way it has come to its end.
        let _ = match self.rule.frequency.seconds() {
            None => self.walk_periods(first, last, see, step),
            Some(unit) => self.walk_steps(i64::from(unit), first, last, see, step),
        };
    }

    fn is_over(&self, civil: NaiveDateTime) -> bool {
        self.rule.is_past(civil, &self.zone) || self.last.is_some_and(|last| last < civil)
    }

    /// Years, months, weeks, days: in each period the days that match, at each of the times.
    fn walk_periods(
        &self,
        first: NaiveDate,
        last: NaiveDate,
        mut see: impl FnMut(NaiveDateTime) -> ControlFlow<()>,
        mut step: impl FnMut() -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let rule = &self.rule;
        let times = rule.times();
        let base = rule.period_of(self.start.date());
        let interval = i64::from(rule.interval);
        let behind = (rule.period_of(first) - base).max(0);
        let mut period = base + behind / interval * interval;
        while let Some((from, to)) = rule.period(period) {
            if last < from {
                break;
            }
            let days = from.iter_days().take_while(|day| *day <= to);
            let mut found = vec![];
            for day in days {
                step()?;
                if rule.matches(day) {
                    found.extend(times.iter().map(|time| day.and_time(*time)));
                }
            }
            for civil in rule.chosen(found) {
                see(civil)?;
            }
            period += interval;
        }
        ControlFlow::Continue(())
    }

    /// Hours, minutes, seconds: steps along the clock, each kept where its day and time match.
    fn walk_steps(
        &self,
        unit: i64,
        first: NaiveDate,
        last: NaiveDate,
        mut see: impl FnMut(NaiveDateTime) -> ControlFlow<()>,
        mut step: impl FnMut() -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let rule = &self.rule;
        let length = unit * i64::from(rule.interval);
        let start = self.start.and_utc().timestamp();
        let base = start - start.rem_euclid(unit);
        let seconds = |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc().timestamp();
        let ahead = |t: i64| base + ((t - base).max(0) + length - 1) / length * length;
        let mut at = ahead(seconds(first));
        while let Some(t) = Instant::from_timestamp(at, 0).map(|t| t.naive_utc()) {
            if last < t.date() {
                break;
            }
            step()?;
            if !rule.matches(t.date()) {
                at = ahead(seconds(t.date()) + 86_400);
                continue;
            }
            for civil in rule.chosen(rule.within(t)) {
                see(civil)?;
            }
            at += length;
        }
        ControlFlow::Continue(())
    }
}

fn last_day() -> NaiveDate {
    NaiveDate::from_ymd_opt(LAST_YEAR, 12, 31).unwrap_or(NaiveDate::MAX)
}

/// Fills in from the start what a rule leaves open.
fn complete(mut rule: Rule, start: NaiveDateTime) -> Rule {
    use Frequency::{Daily, Hourly, Minutely, Monthly, Weekly, Yearly};
    let number = |n: u32| i32::try_from(n).unwrap_or_default();
    let fill = |list: &mut Vec<i32>, n: u32| {
        if list.is_empty() {
            list.push(number(n));
        }
    };
    let no_days =
        rule.weekdays.is_empty() && rule.month_days.is_empty() && rule.year_days.is_empty();
    match rule.frequency {
        Yearly if no_days && rule.weeks.is_empty() => {
            fill(&mut rule.months, start.month());
            fill(&mut rule.month_days, start.day());
        }
        Yearly if no_days => rule.weekdays.push((0, start.weekday())),
        Monthly if no_days => fill(&mut rule.month_days, start.day()),
        Weekly if rule.weekdays.is_empty() => rule.weekdays.push((0, start.weekday())),
        _ => {}
    }
    if rule.frequency <= Daily {
        fill(&mut rule.hours, start.hour());
    }
    if rule.frequency <= Hourly {
        fill(&mut rule.minutes, start.minute());
    }
    if rule.frequency <= Minutely {
        fill(&mut rule.seconds, start.second());
    }
    rule
}

/// A rule with its start, as a person writes it.
#[derive(Clone, Copy, Debug)]
pub struct Recurring<'a> {
    /// As in `RRULE`.
    pub rule: &'a str,
    pub start: NaiveDateTime,
    pub zone: &'a Zone,
    /// Exact, on the time line.
    pub length: TimeDelta,
    /// Further starts.
    pub add: &'a [NaiveDateTime],
    /// Starts that are none after all.
    pub remove: &'a [NaiveDateTime],
    /// Days on which none starts.
    pub remove_days: &'a [NaiveDate],
}

#[cfg(test)]
mod tests;
