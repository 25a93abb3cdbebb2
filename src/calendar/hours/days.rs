//! Which civil days a rule names.

use crate::calendar::Holidays;
use chrono::{Datelike, NaiveDate, TimeDelta, Weekday};
use std::ops::RangeInclusive;

/// The days of a rule: those that satisfy every part that is written. An empty list names all.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Days {
    pub years: Vec<Steps>,
    pub dates: Vec<Dates>,
    pub weeks: Vec<Steps>,
    pub weekdays: Vec<Weekdays>,
    /// Days this many days after a public holiday.
    pub holidays: Vec<i64>,
    /// `PH Mo-Fr`: weekdays that are holidays, instead of the days that are either (`PH,Mo-Fr`).
    pub both: bool,
}

/// Every `step`th year or week of a range, from its first.
#[derive(Debug, PartialEq)]
pub(super) struct Steps {
    pub range: RangeInclusive<u16>,
    pub step: u16,
}

/// A range of days of the year.
#[derive(Debug, PartialEq)]
pub(super) enum Dates {
    /// Month and day, every year, over the year's end if the last comes before the first.
    Yearly { first: (u32, u32), last: (u32, u32) },
    /// Once.
    Once(RangeInclusive<NaiveDate>),
    /// Days after Easter Sunday, every year.
    Easter(RangeInclusive<i64>),
}

/// Days of the week.
#[derive(Debug, PartialEq)]
pub(super) enum Weekdays {
    /// Over the week's end if the last comes before the first.
    Range(Weekday, Weekday),
    /// The `nth` of its month (from the end: below zero), moved by a number of days.
    Nth { weekday: Weekday, nth: Vec<i8>, offset_days: i64 },
}

impl Days {
    /// Whether the rule names this day.
    pub(super) fn contain(&self, day: NaiveDate, holidays: &Holidays) -> bool {
        let year = u16::try_from(day.year()).unwrap_or_default();
        let week = u16::try_from(day.iso_week().week()).unwrap_or_default();
        any_or_empty(&self.years, |years| years.contain(year))
            && any_or_empty(&self.dates, |dates| dates.contain(day))
            && any_or_empty(&self.weeks, |weeks| weeks.contain(week))
            && self.is_weekday_or_holiday(day, holidays)
    }

    /// Whether every day is named.
    pub(super) fn are_all(&self) -> bool {
        *self == Days::default()
    }

    pub(super) fn uses_holidays(&self) -> bool {
        !self.holidays.is_empty()
    }

    /// By how many days the days lie after the holidays that they ask for.
    pub(super) fn holiday_offsets(&self) -> impl Iterator<Item = i64> {
        self.holidays.iter().copied()
    }

    fn is_weekday_or_holiday(&self, day: NaiveDate, holidays: &Holidays) -> bool {
        let on_weekday = || self.weekdays.iter().any(|weekdays| weekdays.contain(day));
        let on_holiday = || {
            let is_holiday =
                |offset: &i64| moved(day, -offset).is_some_and(|d| holidays.contains(d));
            self.holidays.iter().any(is_holiday)
        };
        match (self.weekdays.is_empty(), self.holidays.is_empty()) {
            (true, true) => true,
            _ if self.both => on_weekday() && on_holiday(),
            _ => on_weekday() || on_holiday(),
        }
    }
}

impl Steps {
    fn contain(&self, n: u16) -> bool {
        let offset = n.wrapping_sub(*self.range.start());
        self.range.contains(&n) && offset.checked_rem(self.step) == Some(0)
    }
}

impl Dates {
    fn contain(&self, day: NaiveDate) -> bool {
        match self {
            Dates::Yearly { first, last } => in_circle((day.month(), day.day()), *first, *last),
            Dates::Once(range) => range.contains(&day),
            Dates::Easter(range) => {
                let after = easter(day.year()).map(|easter| (day - easter).num_days());
                after.is_some_and(|days| range.contains(&days))
            }
        }
    }
}

impl Weekdays {
    fn contain(&self, day: NaiveDate) -> bool {
        match self {
            Weekdays::Range(first, last) => {
                let number = |weekday: &Weekday| weekday.num_days_from_monday();
                in_circle(number(&day.weekday()), number(first), number(last))
            }
            Weekdays::Nth { weekday, nth, offset_days } => {
                let Some(day) = moved(day, -offset_days) else { return false };
                day.weekday() == *weekday && nth.iter().any(|nth| is_nth(day, *nth))
            }
        }
    }
}

/// Whether the day is the `nth` of its weekday in its month, counted from the end below zero.
fn is_nth(day: NaiveDate, nth: i8) -> bool {
    let back = u32::from(day.num_days_in_month()).saturating_sub(day.day());
    let counted = if nth < 0 { back / 7 } else { day.day0() / 7 };
    counted + 1 == u32::from(nth.unsigned_abs())
}

/// Whether `x` is met when going from `first` forward to `last`, beginning anew at the end.
fn in_circle<T: PartialOrd>(x: T, first: T, last: T) -> bool {
    if first <= last { first <= x && x <= last } else { first <= x || x <= last }
}

fn any_or_empty<T>(list: &[T], is: impl Fn(&T) -> bool) -> bool {
    list.is_empty() || list.iter().any(is)
}

fn moved(day: NaiveDate, days: i64) -> Option<NaiveDate> {
    day.checked_add_signed(TimeDelta::try_days(days)?)
}

/// Easter Sunday of the Gregorian calendar, after the ecclesiastical tables (epact and Sunday).
fn easter(year: i32) -> Option<NaiveDate> {
    let (century, golden) = (year.div_euclid(100), year.rem_euclid(19));
    // Leap days that were left out, and the moon's drift against its 19-year cycle.
    let solar = century - century.div_euclid(4);
    let lunar = (8 * century + 13).div_euclid(25);
    let moon = (19 * golden + solar - lunar + 15).rem_euclid(30);
    // The full moon never falls after the 18th of April.
    let late = i32::from(28 < moon || (moon == 28 && 10 < golden));
    let full_moon = NaiveDate::from_ymd_opt(year, 3, 21)?;
    let full_moon = moved(full_moon, i64::from(moon - late))?;
    // The Sunday after it, a week later if it is one itself.
    moved(full_moon, 7 - i64::from(full_moon.weekday().num_days_from_sunday()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn easter_sundays() {
        #[track_caller]
        fn check(expected: &str) {
            let expected: NaiveDate = expected.parse().unwrap();
            assert_eq!(easter(expected.year()), Some(expected));
        }
        // The earliest, the latest, and the years in which the tables make their exceptions.
        for day in ["1818-03-22", "1943-04-25", "2038-04-25", "1954-04-18", "1981-04-19"] {
            check(day);
        }
        for day in ["2008-03-23", "2011-04-24", "2024-03-31", "2025-04-20", "2026-04-05"] {
            check(day);
        }
        for day in ["1900-04-15", "2000-04-23", "2049-04-18", "2076-04-19", "2100-03-28"] {
            check(day);
        }
    }

    #[test]
    fn occurrences_in_a_month() {
        #[track_caller]
        fn check(day: &str, expected: &[i8]) {
            let day = day.parse().unwrap();
            let counts: Vec<i8> = (-6..=6).filter(|nth| is_nth(day, *nth)).collect();
            assert_eq!(counts, expected, "{day}");
        }
        check("2025-11-01", &[-5, 1]);
        check("2025-11-07", &[-4, 1]);
        check("2025-11-08", &[-4, 2]);
        check("2025-11-30", &[-1, 5]);
        check("2025-02-28", &[-1, 4]);
        check("2024-02-29", &[-1, 5]);
    }
}
