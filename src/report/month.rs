//! Months: what a service review is about.

use std::fmt;

use chrono::{Datelike, NaiveDate};

use crate::calendar::Zone;
use crate::time::{Instant, Span, YEARS};

/// What a month is written like.
pub const MONTH_FORM: &str = "a month such as 2025-11";

const NAMES: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A civil month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month {
    year: i32,
    /// From 1.
    month: u32,
}

impl Month {
    /// The month that clocks in `zone` show at `t`.
    pub fn of(zone: &Zone, t: Instant) -> Month {
        let civil = zone.civil(t);
        Month { year: civil.year(), month: civil.month() }
    }

    /// Reads `2025-11`.
    pub fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let is_number =
            |text: &str, digits| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(year, 4) || !is_number(month, 2) {
            return None;
        }
        let (year, month) = (year.parse().ok()?, month.parse().ok()?);
        let is_one = YEARS.contains(&year) && (1..=12).contains(&month);
        is_one.then_some(Month { year, month })
    }

    /// From its first instant to that of the next month, as clocks in `zone` show it.
    pub fn span(self, zone: &Zone) -> Span {
        Span { start: self.start(zone), end: self.next().start(zone) }
    }

    fn start(self, zone: &Zone) -> Instant {
        zone.midnight(self.first_day())
    }

    fn first_day(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month, 1).unwrap_or_default()
    }

    /// Its first day, and how many there are.
    pub fn days(self) -> (NaiveDate, u16) {
        let first = self.first_day();
        let days = (self.next().first_day() - first).num_days();
        (first, u16::try_from(days).unwrap_or_default())
    }

    /// The month after it.
    pub fn next(self) -> Month {
        match self.month {
            12 => Month { year: self.year + 1, month: 1 },
            month => Month { month: month + 1, ..self },
        }
    }

    /// The month before it.
    pub fn previous(self) -> Month {
        match self.month {
            1 => Month { year: self.year - 1, month: 12 },
            month => Month { month: month - 1, ..self },
        }
    }

    /// `November 2025`
    pub fn name(self) -> String {
        let index = usize::try_from(self.month).unwrap_or_default();
        let name = index.checked_sub(1).and_then(|index| NAMES.get(index)).unwrap_or(&"");
        format!("{name} {}", self.year)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::rfc3339;

    #[test]
    fn months_are_those_that_the_clocks_show() {
        let london = Zone::find("Europe/London").unwrap();
        for (text, start, end) in [
            ("2025-11", "2025-11-01T00:00:00Z", "2025-12-01T00:00:00Z"),
            ("2026-03", "2026-03-01T00:00:00Z", "2026-03-31T23:00:00Z"),
            ("2026-10", "2026-09-30T23:00:00Z", "2026-11-01T00:00:00Z"),
            ("2025-12", "2025-12-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ] {
            let month = Month::parse(text).unwrap();
            let span = month.span(&london);
            assert_eq!((&*rfc3339(span.start), &*rfc3339(span.end)), (start, end), "{text}");
            assert_eq!(Month::of(&london, span.start), month);
            assert_eq!(Month::of(&london, span.end), month.next());
            assert_eq!(month.next().previous(), month);
            assert_eq!(month.to_string(), text);
            let first = text.to_owned() + "-01";
            let days = if text == "2025-11" { 30 } else { 31 };
            assert_eq!((month.days().0.to_string(), month.days().1), (first, days));
        }
        assert_eq!(Month::parse("2025-11").unwrap().name(), "November 2025");
    }

    #[test]
    fn only_a_month_is_one() {
        for text in ["2025-13", "2025-00", "2025", "25-11", "2025-1", "+025-11", "", "0000-01"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }
}
